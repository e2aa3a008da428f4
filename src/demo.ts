import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { DEMO_BEADS } from "./demo/beads.ts";
import { startKilling } from "./demo/killer.ts";
import { commitConvoy, demoEnvironment, type DemoTown, GATE, gitIn, makeDemoTown } from "./demo/demo-town.ts";
import { type BeadView, type ConvoyView, progressLines } from "./demo/progress.ts";

const TIMEOUT_MS = 180_000;
const LOOK_MS = 300;
const TOWN = [process.execPath, fileURLToPath(new URL("./bin/town.cjs", import.meta.url))] as const;

const { values } = parseArgs({
  options: {
    runtime: { type: "string", default: "auto" },
    "kill-every": { type: "string" },
    keep: { type: "boolean", default: false },
  },
});

process.exitCode = await demo();

/** `npm start`: a real library is improved by three workers; ends by itself, with 0 only if everything landed and passes. */
async function demo(): Promise<number> {
  const runtime = { auto: "Auto", tmux: "Tmux", process: "Process" }[values.runtime];
  if (runtime === undefined) {
    process.stderr.write(`--runtime must be auto, tmux or process, not '${values.runtime}'\n`);
    return 2;
  }
  const town = await makeDemoTown(TOWN, { runtime: runtime as "Auto" | "Tmux" | "Process" });
  say(`Town demo: ${DEMO_BEADS.length} beads, 3 workers, one real library (@pinojs/redact ${town.version}).\n`);
  say(`  town     ${town.town}`);
  say(`  library  ${town.library}\n`);
  const stop = (): void => {
    void runTown(town, "down", "--sessions").finally(() => process.exit(130));
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const up = await runTown(town, "up", "-d");
  if (up.status !== 0) {
    process.stderr.write(up.stderr);
    return 1;
  }
  const started = performance.now();
  await commitConvoy(town);
  line(started, "the convoy is committed");
  const killEvery = values["kill-every"];
  const killer =
    killEvery === undefined
      ? undefined
      : startKilling(
          town.town,
          Number.parseFloat(killEvery) * 1000,
          () => runTown(town, "up", "-d"),
          (what) => line(started, what),
        );
  const closed = await follow(town, started);
  await killer?.stop();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const code = await summary(town, closed, seconds);
  if (killer !== undefined && (await runTown(town, "get", "towns")).status !== 0) await runTown(town, "up", "-d");
  const down = await runTown(town, "down", "--sessions");
  if (down.status !== 0) process.stderr.write(down.stderr);
  where(town);
  return code;
}

/** Prints what changes until the convoy closed; false when time ran out. */
async function follow(town: DemoTown, started: number): Promise<boolean> {
  let former: ConvoyView | undefined;
  let formerBeads: ReadonlyMap<string, BeadView> = new Map();
  while (performance.now() - started < TIMEOUT_MS) {
    const convoy = await readConvoy(town);
    const beads = await readBeads(town);
    if (convoy !== undefined && beads !== undefined) {
      for (const text of progressLines(former, convoy, beads, formerBeads)) line(started, text);
      if (convoy.closed) return true;
      former = convoy;
      formerBeads = beads;
    }
    await sleep(LOOK_MS);
  }
  return false;
}

async function summary(town: DemoTown, closed: boolean, seconds: string): Promise<number> {
  const library = gitIn(town.library);
  const branch = (await library.revparse(["--abbrev-ref", "HEAD"])).trim();
  const tests = await execa("/bin/sh", ["-c", GATE], { cwd: town.library, env: demoEnvironment(), reject: false });
  const passed = /^# pass (\d+)/m.exec(tests.stdout)?.[1] ?? "0";
  const failed = /^# fail (\d+)/m.exec(tests.stdout)?.[1] ?? "?";
  const log = await library.raw(["log", "--merges", "--format=%s", branch]);
  const merges = log.split("\n").filter((text) => text.startsWith("Merge ")).length;
  say("");
  say(
    closed
      ? `The convoy closed after ${seconds} s: ${merges} of ${DEMO_BEADS.length} beads are merged to ${branch}.`
      : `The convoy did not close within ${TIMEOUT_MS / 1000} s; ${merges} beads are merged.`,
  );
  say(`The library's tests on ${branch}: ${passed} passed, ${failed} failed.`);
  const good = closed && merges === DEMO_BEADS.length && tests.exitCode === 0;
  if (!good) say(`See the log: ${town.town}/.git/town/log/daemon.log`);
  return good ? 0 : 1;
}

function where(town: DemoTown): void {
  const command = "npx town";
  say("\nLook around:");
  say(`  git -C ${town.library} log --graph --oneline main`);
  say(`  git -C ${town.town} log --oneline --stat`);
  say(`  ${command} -C ${town.town} up -d`);
  say(`  ${command} -C ${town.town} get convoys,beads,agents`);
  say(`  ${command} -C ${town.town} describe convoy/improve`);
  say(`  rm -r ${town.directory}`);
}

async function readConvoy(town: DemoTown): Promise<ConvoyView | undefined> {
  const object = await readJson(town, ["get", "convoy/improve", "-n", "hq", "-o", "json"]);
  const status = object?.["status"] as
    | { items?: ConvoyView["items"]; conditions?: readonly { type: string; status: string }[] }
    | undefined;
  if (status?.items === undefined) return undefined;
  return {
    closed: status.conditions?.some((condition) => condition.type === "Closed" && condition.status === "True") ?? false,
    items: status.items,
  };
}

async function readBeads(town: DemoTown): Promise<ReadonlyMap<string, BeadView> | undefined> {
  const list = await readJson(town, ["get", "beads", "-n", "redact", "-o", "json"]);
  const items = list?.["items"] as
    | readonly { spec: { id: string }; status?: { assignee?: string; attempts?: number } }[]
    | undefined;
  if (items === undefined) return undefined;
  return new Map(
    items.map((bead) => [
      bead.spec.id,
      { id: bead.spec.id, assignee: bead.status?.assignee, attempts: bead.status?.attempts ?? 0 },
    ]),
  );
}

/** Output of a `town` command as JSON; undefined when it failed (the controller may just be restarting). */
async function readJson(town: DemoTown, args: readonly string[]): Promise<Record<string, unknown> | undefined> {
  const { stdout, status } = await runTown(town, ...args);
  try {
    return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function runTown(
  town: DemoTown,
  ...args: string[]
): Promise<{ readonly status: number | undefined; readonly stdout: string; readonly stderr: string }> {
  const [program, cli] = TOWN;
  const { exitCode, stdout, stderr } = await execa(program, [cli, "-C", town.town, ...args], {
    env: demoEnvironment(),
    stdin: "ignore",
    reject: false,
    timeout: 90_000,
  });
  return { status: exitCode, stdout, stderr };
}

function line(started: number, text: string): void {
  say(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
