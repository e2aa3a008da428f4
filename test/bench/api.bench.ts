/**
 * How fast the API server is, as ratios against floors measured in the same run: `npx tsx test/bench/api.bench.ts`.
 * Options: `--quick` for fewer rounds. kubectl parts are left out where kubectl is missing.
 */
import { spawnSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { EnginePorts } from "../../src/engine/engine-ports.ts";
import { silentLog } from "../../src/ports/log.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import { runnable } from "../../src/resource/controller.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { ensureCertificates } from "../../src/server/certificates.ts";
import { writeKubeconfig } from "../../src/server/kubeconfig.ts";
import { listenOnSocket, listenTls } from "../../src/server/listen.ts";
import { ask, type ServerAt, watchLines } from "../server/http-client.ts";
import { WIDGETS, type WidgetTown, widgetTown } from "../server/widget-town.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 3 : 11;
const directory = mkdtempSync(join(tmpdir(), "town-bench-"));
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
const show = (what: string, value: string): void => console.log(`${what.padEnd(66)} ${value}`);
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

/** CPU time of work in this process, which says more than the clock where the machine has other things to do. */
async function cpuTimed(work: () => unknown, times = rounds): Promise<number> {
  await work();
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const from = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(from);
    taken.push((user + system) / 1000);
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
  const floor = await cpuTimed(() => JSON.stringify(items));
  const get = (accept: string) => async (): Promise<void> => {
    const response = await town.api.app.request(`http://localhost${WIDGETS}`, {
      headers: { authorization: "Bearer admin", accept },
    });
    await response.arrayBuffer();
  };
  const json = await cpuTimed(get("application/json"));
  const table = await cpuTimed(get(TABLE));
  show(`JSON.stringify of ${items.length} objects (floor), CPU`, ms(floor));
  show(`list of ${items.length} as JSON, in process, CPU`, `${ms(json)}  ${(json / floor).toFixed(2)} x`);
  show(`list of ${items.length} as Table, in process, CPU`, `${ms(table)}  ${(table / floor).toFixed(2)} x`);
}

async function watches(town: WidgetTown, count: number): Promise<void> {
  const listener = await listenOnSocket(town.api, join(directory, `watch-${count}.sock`));
  const server = { socketPath: listener.address as string };
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  let arrived = 0;
  let all: (() => void) | undefined;
  const path = `${WIDGETS}?watch=true&resourceVersion=${town.store.currentVersion()}`;
  for (let index = 0; index < count; index += 1)
    await watchLines(server, { path, signal: stop.signal }, () => {
      arrived += 1;
      if (arrived % count === 0) all?.();
    });
  while (town.api.watches() < count) await systemClock.sleep(20);
  const taken: number[] = [];
  for (let round = 0; round < (quick ? 20 : 100); round += 1) {
    const told = new Promise<void>((resolve) => {
      all = resolve;
    });
    const from = performance.now();
    await Promise.all([told, patch(server, "w00001", { metadata: { annotations: { round: String(round) } } })]);
    taken.push(performance.now() - from);
  }
  const settled = taken.slice(5);
  show(
    `patch until all of ${count} watcher(s) were told, over the socket`,
    `${ms(median(settled))} median, ${ms(percentile(settled, 0.99))} p99, ${(median(settled) / requestFloor).toFixed(1)} x GET /version`,
  );
  stop.abort();
  await listener.close();
}

const patch = (server: ServerAt, name: string, body: unknown) =>
  ask(server, {
    method: "PATCH",
    path: `${WIDGETS}/${name}`,
    body,
    headers: { "content-type": "application/merge-patch+json" },
  });

/** What a request costs that does nothing; the floor of writes and watches. */
let requestFloor = 1;

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
  const server = { socketPath: listener.address as string };
  requestFloor = await timed(() => ask(server, { path: "/version" }), quick ? 50 : 300);
  show("GET /version over the socket (floor)", ms(requestFloor));
  let replicas = 0;
  const one = await timed(() => patch(server, "w00002", { spec: { replicas: (replicas += 1) } }), quick ? 100 : 500);
  show("patches one after the other, over the socket", `${ms(one)}  ${(one / requestFloor).toFixed(2)} x`);
  await listener.close();
}

/** Every object looked at once more by a loop that finds nothing to do, as after a restart of the controller. */
async function reconciles(town: WidgetTown): Promise<void> {
  const { items } = town.store.snapshot("Widget");
  const floor = await cpuTimed(() => JSON.stringify(items));
  const once = async (): Promise<void> => {
    const engine = createEngine({
      controllers: [
        runnable<undefined, never, EnginePorts, TownObject>({
          name: "idle",
          kind: "Widget",
          watches: [],
          resyncMs: 3_600_000,
          ownedConditions: ["Ready"],
          observe: () => Promise.resolve(undefined),
          plan: () => ({
            actions: [],
            conditions: [{ type: "Ready", status: "True", reason: "Idle", message: "nothing to do" }],
          }),
          execute: () => Promise.resolve(),
        }),
      ],
      ports: {
        clock: systemClock,
        random: nodeRandom,
        objects: town.store,
        events: town.store,
        log: silentLog,
        metrics: noMetrics,
      },
    });
    engine.start();
    await engine.whenIdle();
    await engine.stop();
  };
  const from = process.cpuUsage();
  await once();
  const first = process.cpuUsage(from);
  show(`first status and event on each of ${items.length} objects, CPU`, ms((first.user + first.system) / 1000));
  const version = town.store.currentVersion();
  const taken = await cpuTimed(once, quick ? 1 : 3);
  if (town.store.currentVersion() !== version) throw new Error("a reconcile that finds nothing to do wrote something");
  show(
    `full resync: a no-op reconcile of each of ${items.length}, CPU`,
    `${ms(taken)}  ${(taken / floor).toFixed(1)} x JSON.stringify of them, ${((taken / items.length) * 1000).toFixed(0)} us each`,
  );
}

try {
  const town = await widgetTown({
    store: { clock: systemClock, random: nodeRandom },
    api: { clock: systemClock, random: nodeRandom },
  });
  await fill(town, 0, 10_000);
  await lists(town);
  await writes(town);
  await reconciles(town);
  for (const count of [1, 50, 500]) await watches(town, count);
  if (spawnSync("kubectl", ["version", "--client"], { stdio: "ignore" }).status === 0) await kubectl(town);
  else console.warn("kubectl is not installed: its part is left out");
  show("resident memory with 10,000 objects", `${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`);
  town.api.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
