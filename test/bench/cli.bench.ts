import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeTown } from "../cli/fake-town.ts";
import { startFakeDaemon } from "../cli/fake-town-server.ts";

// Prints how long `town` takes from spawn to exit, as a ratio to `node -e 0` in the same interleaved rounds. On a busy
// machine the fastest runs compare better than the medians.
// Run after `npm run build`: npx tsx test/bench/cli.bench.ts [ROUNDS]

const rounds = Number(process.argv[2] ?? 40);
const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const bin = join(root, "dist", "bin", "town.cjs");
if (!existsSync(bin)) throw new Error(`${bin} is missing: run npm run build first`);

const agents = Array.from({ length: 200 }, (_, index) => ({
  apiVersion: "work.town.dev/v1alpha1",
  kind: "Agent",
  metadata: { name: `agent-${index}`, namespace: "api", uid: `u${index}` },
  spec: { role: "polecat" },
}));

async function main(): Promise<void> {
  const town = new FakeTown(agents, {
    Agent: [
      { name: "Name", cell: (agent) => agent.metadata.name },
      { name: "Role", cell: (agent) => agent.spec?.["role"] },
      { name: "Age", cell: () => "5m" },
    ],
  });
  town.verbs.set("bd", () => ({ body: { text: "○ api-x1 ● P1 Fix the login page" } }));
  town.verbs.set("prime", () => ({ body: { text: "Nothing is on your hook." } }));
  const daemon = await startFakeDaemon(town);
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const commands: Readonly<Record<string, readonly string[]>> = {
    "node -e 0 (floor)": ["-e", "0"],
    "town get agents (200 rows)": [bin, "get", "agents"],
    "town prime": [bin, "prime"],
    "town ready": [bin, "ready"],
    "town get agents -o json": [bin, "get", "agents", "-o", "json"],
    "town status": [bin, "status"],
    "town help get": [bin, "help", "get"],
  };
  const times = new Map<string, number[]>(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, args] of Object.entries(commands)) {
      const ms = await timed(args, { cwd: daemon.directory, env });
      if (round > 0) times.get(name)?.push(ms);
    }
  }
  await daemon.close();
  const floor = times.get("node -e 0 (floor)") ?? [];
  process.stdout.write(`${"".padEnd(28)} median              fastest\n`);
  for (const [name, values] of times) {
    const [middle, best] = [median(values), Math.min(...values)];
    const ratios = [middle / median(floor), best / Math.min(...floor)];
    const columns = [middle, best].map(
      (ms, i) => `${ms.toFixed(1).padStart(6)} ms ${(ratios[i] ?? 0).toFixed(2)} x floor`,
    );
    process.stdout.write(`${name.padEnd(28)} ${columns.join("  ")}\n`);
  }
}

function timed(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = process.hrtime.bigint();
    const child = spawn(process.execPath, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.resume();
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) reject(new Error(`${args.join(" ")} ended with ${code}`));
      else resolve(Number(process.hrtime.bigint() - start) / 1e6);
    });
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

execFileSync(process.execPath, ["-e", "0"]);
await main();
