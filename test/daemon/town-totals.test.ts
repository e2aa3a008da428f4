import { describe, expect, it } from "vitest";
import { keepTotals } from "../../src/daemon/town-totals.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { projectGraph } from "../../src/kinds/graph-projection.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Objects } from "../../src/ports/objects.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { createStore } from "../../src/store/store.ts";
import { agentRecord } from "../../src/work/agent-record.ts";
import { hookBead } from "../../src/work/hooking.ts";
import { noteUsage } from "../../src/work/ledger.ts";
import { graphWorld } from "../graph/graph-world.ts";

const AUTHOR = { actor: "test" };
const DAY_MS = 24 * 3_600_000;
const USED = { input: 900, output: 100, cacheRead: 0, cacheWrite: 0, costUSD: 0.25 };

/** A store with one rig's graph in it, the sums kept, and the status patches that were made. */
async function summing() {
  const world = await graphWorld();
  const { graph } = await world.open();
  const { clock } = world;
  const store = await createStore({ registry: kindRegistry(KINDS), clock, random: seededRandom(1), log: silentLog });
  await projectGraph(graph, store, (error) => {
    throw error;
  });
  const patches: { readonly key: string; readonly patch: Readonly<Record<string, unknown>> }[] = [];
  const budget = { daily: { costUSD: 1 } };
  const objects: Objects = {
    ...(store as Objects),
    get: (key) => (key.kind === "Town" ? ({ spec: { budget } } as never) : store.get(key)),
    subscribe: (listener) => store.subscribe(listener),
    patchStatus: (key, patch) => {
      patches.push({ key: `${key.kind}/${key.name}`, patch });
      return Promise.resolve();
    },
  };
  const ending = new AbortController();
  const graphs = { graph: () => graph, graphOf: () => graph, isAway: () => false, all: () => [graph] };
  const over = keepTotals({ clock, objects, graphs, log: silentLog, signal: ending.signal });
  const last = (key: string): Readonly<Record<string, unknown>> | undefined =>
    patches.findLast((each) => each.key === key)?.patch;
  const use = async (): Promise<void> => {
    await graph.transact(AUTHOR, (tx) => {
      hookBead(tx, {
        bead: "api-1",
        agent: { name: "toast", identity: "api/polecats/toast", role: "polecat", pool: "polecats", desired: "OnWork" },
        prefix: "api",
        formula: undefined,
      });
    });
    await graph.transact(AUTHOR, (tx) => {
      const agent = agentRecord(tx, "toast");
      if (agent !== undefined) noteUsage(tx, { agent, bead: "api-1", models: { opus: USED } });
    });
  };
  return { clock, graph, store, patches, last, use, end: () => (ending.abort(), over) };
}

describe("the totals of rigs and town", () => {
  it("given work and usage that change, when a second went by, then rig and town say so, and bead and agent, too", async () => {
    const { clock, graph, store, last, use, end } = await summing();
    await graph.transact(AUTHOR, (tx) => tx.create({ id: "api-1", title: "one" }));
    await clock.advance(3_000);
    expect(last("Rig/api")).toMatchObject({ work: { ready: 1, working: 0 }, usage: null });
    await use();
    await clock.advance(3_000);
    expect(last("Rig/api")).toMatchObject({
      work: { ready: 0, working: 1 },
      usageToday: { total: 1_000, costUSD: 0.25 },
    });
    expect(last("Town/hq")).toMatchObject({ spentToday: "$0.25/$1.00", models: [{ model: "opus", total: 1_000 }] });
    expect(store.get({ kind: "Bead", namespace: "api", name: "api-1" })?.status).toMatchObject({
      usage: { total: 1_000 },
    });
    expect(store.get({ kind: "Agent", namespace: "api", name: "toast" })?.status).toMatchObject({
      usage: { total: 1_000 },
      models: [{ model: "opus", costUSD: 0.25 }],
    });
    await end();
  });

  it("given a town at rest, when hours go by, then nothing is summed up until a new day begins", async () => {
    const { clock, graph, patches, last, use, end } = await summing();
    await graph.transact(AUTHOR, (tx) => tx.create({ id: "api-1", title: "one" }));
    await use();
    await clock.advance(10_000);
    const before = patches.length;
    const untilMidnight = DAY_MS - (clock.now() % DAY_MS);
    await clock.advance(untilMidnight - 1_000);
    expect(patches).toHaveLength(before);
    await clock.advance(3_000);
    expect(last("Town/hq")).toMatchObject({ usage: { total: 1_000 }, usageToday: null, spentToday: "$0.00/$1.00" });
    await end();
  });
});
