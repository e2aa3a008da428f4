import { describe, expect, it } from "vitest";
import { conditionOf } from "../../src/resource/condition.ts";
import { RIG, TOWN, type TownWorld } from "../../src/simulation/town-world.ts";
import { PINNED_HEADS } from "../../src/work/sandbox-fact.ts";
import { manifests, world } from "./sample-world.ts";

const ITEMS = 3;
/** Everything is warm by then: names are given, sandboxes made. */
const WARM = 4;
const ROUNDS = 10;

/** Sandboxes go, sessions end. */
const SETTLED_MS = 10 * 60_000;
/** By then events have expired, and what landed is kept by the target alone. */
const LATER_MS = 26 * 3_600_000;

/** The same work again: a convoy of its own, until it is closed; those done before are withdrawn. */
async function work(town: TownWorld, round: number): Promise<void> {
  const name = `round-${round}`;
  const items = Array.from(
    { length: ITEMS },
    (_, item) =>
      `    - { name: item-${item}, rig: api, title: Item ${item}, description: "write ${round}-${item}.txt 1" }`,
  );
  await town.commit({
    [`${name}.yaml`]: `apiVersion: town.dev/v1alpha1
kind: Convoy
metadata: { name: ${name}, namespace: hq }
spec:
  owner: owner@example.org
  items:
${items.join("\n")}
`,
    [`round-${round - 1}.yaml`]: undefined,
  });
  await town.clock.runUntil(() => {
    const convoy = town.controller.store.get({ kind: "Convoy", namespace: "hq", name });
    return convoy !== undefined && conditionOf(convoy, "Closed")?.status === "True";
  }, 3_600_000);
  await town.clock.advance(SETTLED_MS);
}

/** What the controller holds in memory, counted; records of the beads themselves are told apart. */
function held({ controller }: TownWorld): Record<string, number> {
  const { store, metrics, ports } = controller;
  const kinds = ["AgentPool", "Agent", "Convoy", "Session", "Sandbox", "Message", "Escalation", "Role", "Rig"];
  return {
    wisps: ports.graphs.all().flatMap((graph) => graph.list().filter(({ ephemeral }) => ephemeral === true)).length,
    ...Object.fromEntries(kinds.map((kind) => [kind, store.list(kind).length])),
    ...Object.fromEntries([...metrics.gauges].filter(([name]) => /^town_(queue|workers)/.test(name))),
  };
}

/** Of each landed bead: its records and their objects. */
function records({ controller: { store, ports } }: TownWorld): Record<string, number> {
  const kinds = ["Bead", "Molecule", "MergeRequest"];
  return {
    ...Object.fromEntries(kinds.map((kind) => [kind, store.list(kind).length])),
    records: ports.graphs.graph("api")?.list().length ?? 0,
  };
}

/** Refs and worktrees, without the pins of heads that landed lately. */
async function onDisk(town: TownWorld): Promise<Record<string, number>> {
  const refsOf = async (path: string, prefix = "refs/"): Promise<number> =>
    (await (await town.git.open(path))?.listRefs(prefix))?.size ?? 0;
  const clone = town.controller.ports.layout.clone("api");
  return {
    refs: (await refsOf(clone)) - (await refsOf(clone, PINNED_HEADS)),
    userRefs: await refsOf(RIG),
    townRefs: await refsOf(TOWN),
    worktrees: (await (await town.git.open(clone))?.worktrees())?.length ?? 0,
  };
}

function less(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value - (b[name] ?? 0)]));
}

describe("the simulated town, round after round", () => {
  it("given the same work again and again, when many beads have landed, then all that is more are their own records", async () => {
    const { "convoy.yaml": _, ...files } = manifests(1);
    const town = await world(11, files);
    await town.start();
    for (let round = 1; round <= WARM; round++) await work(town, round);
    const warm = { sleeping: town.clock.sleeping, held: held(town), disk: await onDisk(town), records: records(town) };
    for (let round = WARM + 1; round <= ROUNDS; round++) await work(town, round);
    expect(held(town)).toEqual(warm.held);
    // A loop may be between two looks.
    expect(Math.abs(town.clock.sleeping - warm.sleeping)).toBeLessThan(4);
    expect(await onDisk(town)).toEqual(warm.disk);
    const landed = (ROUNDS - WARM) * ITEMS;
    const more = less(records(town), warm.records);
    expect(more).toMatchObject({ Bead: landed, Molecule: landed, MergeRequest: landed });
    // A bead, its merge request, its molecule and the molecule's three steps.
    expect(more["records"]).toBe(6 * landed);
    const pins = async () =>
      (await (await town.git.open(town.controller.ports.layout.clone("api")))?.listRefs(PINNED_HEADS))?.size;
    expect(await pins()).toBe(ROUNDS * ITEMS);
    await town.clock.advance(LATER_MS);
    expect(await pins()).toBe(0);
    expect(town.controller.store.list("Event")).toEqual([]);
    expect(held(town)).toEqual(warm.held);
  });
});
