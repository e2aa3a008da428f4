/**
 * How fast the API server is, as ratios against floors measured in the same run: `npx tsx test/bench/api.bench.ts`.
 * Options: `--quick` for fewer rounds. kubectl parts are left out where kubectl is missing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { connect } from "../../src/client/client.ts";
import { ensureCertificates } from "../../src/server/certificates.ts";
import { writeKubeconfig } from "../../src/server/kubeconfig.ts";
import { listenOnSocket, listenTls } from "../../src/server/listen.ts";
import { WIDGETS, type WidgetTown, widgetTown } from "../server/widget-town.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 11;
const directory = mkdtempSync(join(tmpdir(), "town-bench-"));
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const show = (what: string, value: string): void => console.log(`${what.padEnd(58)} ${value}`);
const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;

async function timed(work: () => unknown, times = rounds): Promise<number> {
  await work();
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const from = performance.now();
    await work();
    taken.push(performance.now() - from);
  }
  return median(taken);
}

/** Widgets of about 750 bytes, as beads are. */
async function fill(town: WidgetTown, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) {
    await town.store.declare(
      { kind: "Widget", namespace: "api", name: `w${String(index).padStart(5, "0")}` },
      {
        labels: { kilo: String(Math.floor(index / 1000)) },
        spec: { role: `polish ${index}`, replicas: index % 7, env: [{ name: "TEXT", value: "x".repeat(380) }] },
        origin: { source: "hq", path: "a.yaml", line: 1, revision: "r" },
      },
    );
  }
}

async function lists(town: WidgetTown): Promise<void> {
  const { items } = town.store.snapshot("Widget");
  const floor = await timed(() => JSON.stringify(items));
  const get = (accept: string) => async (): Promise<void> => {
    const response = await town.api.app.request(`http://localhost${WIDGETS}`, {
      headers: { authorization: "Bearer admin", accept },
    });
    await response.arrayBuffer();
  };
  const json = await timed(get("application/json"));
  const table = await timed(get(TABLE));
  show(`JSON.stringify of ${items.length} objects (floor)`, ms(floor));
  show(`list of ${items.length} as JSON, in process`, `${ms(json)}  ${(json / floor).toFixed(2)} x`);
  show(`list of ${items.length} as Table, in process`, `${ms(table)}  ${(table / floor).toFixed(2)} x`);
}

async function watches(town: WidgetTown, count: number): Promise<void> {
  const listener = await listenOnSocket(town.api, join(directory, `watch-${count}.sock`));
  const server = { socketPath: listener.address as string };
  const clients = Array.from({ length: count }, () => connect({ server, token: "admin" }));
  const stop = new AbortController();
  const widgets = await (clients[0] as ReturnType<typeof connect>).resource("widgets");
  let arrived = 0;
  let all: (() => void) | undefined;
  const watching = clients.map(async (client) => {
    for await (const event of client.watch(widgets, {
      namespace: "api",
      resourceVersion: town.store.currentVersion(),
      signal: stop.signal,
    })) {
      if (event.type === "BOOKMARK") continue;
      arrived += 1;
      if (arrived % count === 0) all?.();
    }
  });
  while (town.api.watches() < count) await systemClock.sleep(20);
  const writer = connect({ server, token: "admin" });
  const taken: number[] = [];
  for (let round = 0; round < (quick ? 20 : 100); round += 1) {
    const told = new Promise<void>((resolve) => {
      all = resolve;
    });
    const from = performance.now();
    await Promise.all([
      told,
      writer.patch(
        widgets,
        { namespace: "api", name: "w00001" },
        { metadata: { annotations: { round: String(round) } } },
      ),
    ]);
    taken.push(performance.now() - from);
  }
  const settled = taken.slice(5);
  show(
    `patch until all of ${count} watcher(s) were told, over the socket`,
    `${ms(median(settled))} median, ${ms(percentile(settled, 0.99))} p99`,
  );
  stop.abort();
  await Promise.all(watching);
  for (const client of [...clients, writer]) client.close();
  await listener.close();
}

async function kubectl(town: WidgetTown): Promise<void> {
  const certificates = await ensureCertificates({
    files: createNodeFiles(),
    directory: join(directory, "tls"),
    clock: systemClock,
    random: nodeRandom,
  });
  const listener = await listenTls(town.api, { port: 0, identity: certificates });
  const config = join(directory, "config");
  await writeKubeconfig(createNodeFiles(), config, {
    name: "town",
    server: `https://127.0.0.1:${listener.address}`,
    certificateAuthority: certificates.certificateAuthority,
    token: "admin",
    namespace: "api",
  });
  const env = { PATH: process.env["PATH"] ?? "", HOME: directory, KUBECONFIG: config };
  const { execa } = await import("execa");
  const run = (args: readonly string[]) => () => execa("kubectl", args, { env, extendEnv: false, maxBuffer: 2 ** 28 });
  const floor = await timed(run(["version", "--client"]));
  show("kubectl's own start-up: version --client (floor)", ms(floor));
  for (const [what, args] of [
    ["1 object", ["get", "wi", "w00001"]],
    ["1,000 of 10,000 by label", ["get", "wi", "-l", "kilo=3"]],
    ["10,000, in chunks of 500", ["get", "wi"]],
    ["10,000, at once", ["get", "wi", "--chunk-size=0"]],
    ["10,000 as JSON, at once", ["get", "wi", "-o", "json", "--chunk-size=0"]],
  ] as const) {
    const taken = await timed(run(args), args.length < 4 && what.startsWith("10,000") ? 3 : rounds);
    show(`kubectl get of ${what}`, `${ms(taken)}  ${(taken / floor).toFixed(2)} x start-up`);
  }
  await listener.close();
}

async function writes(town: WidgetTown): Promise<void> {
  const listener = await listenOnSocket(town.api, join(directory, "writes.sock"));
  const client = connect({ server: { socketPath: listener.address as string }, token: "admin" });
  const widgets = await client.resource("widgets");
  const count = quick ? 200 : 1_000;
  const from = performance.now();
  for (let index = 0; index < count; index += 1)
    await client.patch(widgets, { namespace: "api", name: "w00002" }, { spec: { replicas: index } });
  show("patches one after the other, over the socket", `${Math.round((count / (performance.now() - from)) * 1000)} /s`);
  client.close();
  await listener.close();
}

try {
  const town = await widgetTown({
    store: { clock: systemClock, random: nodeRandom },
    api: { clock: systemClock, random: nodeRandom },
  });
  await fill(town, 0, 10_000);
  await lists(town);
  await writes(town);
  for (const count of [1, 50, 500]) await watches(town, count);
  if (spawnSync("kubectl", ["version", "--client"], { stdio: "ignore" }).status === 0) await kubectl(town);
  else console.warn("kubectl is not installed: its part is left out");
  show("resident memory with 10,000 objects", `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`);
  town.api.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
