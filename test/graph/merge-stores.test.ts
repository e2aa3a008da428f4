import { describe, expect, test } from "vitest";
import { syncGraph } from "../../src/graph/sync.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";

interface Clones {
  readonly world: GraphWorld;
  readonly left: GitGraph;
  readonly right: GitGraph;
  sync(this: void, graph: GitGraph): Promise<Awaited<ReturnType<typeof syncGraph>>>;
}

async function twoClones(): Promise<Clones> {
  const world = await graphWorld();
  await world.repository("/remote");
  const { graph: left } = await world.open("/left");
  const { graph: right } = await world.open("/right");
  return {
    world,
    left,
    right,
    sync: async (graph) => {
      const run = syncGraph(graph, { remote: "/remote", clock: world.clock, random: world.random });
      await world.clock.advance(10);
      return run;
    },
  };
}

describe("two clones of a work graph", () => {
  test("given beads on both, when both sync, then both have all, with their history", async () => {
    const { left, right, sync } = await twoClones();
    const a = await left.transact(alice, (tx) => tx.create({ title: "of the left" }));
    const b = await right.transact(bob, (tx) => tx.create({ title: "of the right" }));
    await sync(left);
    await sync(right);
    await sync(left);
    expect(left.list()).toEqual(right.list());
    expect(
      left
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([a.id, b.id].sort());
    expect((await left.history(b.id)).map(({ actor, event }) => `${actor} ${event}`)).toEqual(["bob created"]);
    expect((await right.history(a.id)).map(({ actor, event }) => `${actor} ${event}`)).toEqual(["alice created"]);
  });

  test("given two claims of one bead, when both sync, then the one pushed first holds and the other is told", async () => {
    const { left, right, sync } = await twoClones();
    const { id } = await left.transact(alice, (tx) => tx.create({ title: "wanted" }));
    await sync(left);
    await sync(right);
    await left.transact(alice, (tx) => tx.claim(id, "alice"));
    await right.transact(bob, (tx) => tx.claim(id, "bob"));
    await sync(right);
    const report = await sync(left);
    expect(report.lostClaims).toEqual([{ id, assignee: "alice", winner: "bob" }]);
    expect(left.get(id)).toEqual(right.get(id));
    expect(left.get(id)?.assignee).toBe("bob");
  });

  test("given a claim lost to one that was released again, when merged, then the bead is open and free", async () => {
    const { left, right, sync } = await twoClones();
    const { id } = await left.transact(alice, (tx) => tx.create({ title: "wanted" }));
    await sync(left);
    await sync(right);
    await left.transact(alice, (tx) => tx.claim(id, "alice"));
    await right.transact(bob, (tx) => tx.claim(id, "bob"));
    await right.transact(bob, (tx) => tx.release(id));
    await sync(right);
    await sync(left);
    expect(left.get(id)).toMatchObject({ status: "open" });
    expect(left.get(id)?.assignee).toBeUndefined();
  });

  test("given one id minted on both sides, when merged, then ours gets another id and its references follow", async () => {
    const { world, left, right, sync } = await twoClones();
    const epic = await left.transact(alice, (tx) => tx.create({ title: "epic", issue_type: "epic" }));
    await sync(left);
    await sync(right);
    await left.transact(alice, (tx) => tx.create({ title: "left child", parent: epic.id }));
    await world.clock.advance(5);
    const child = await right.transact(bob, (tx) => tx.create({ title: "right child", parent: epic.id }));
    const waiting = await right.transact(bob, (tx) => tx.create({ title: "waits", dependsOn: [{ id: child.id }] }));
    const below = await right.transact(bob, (tx) => tx.create({ title: "below", parent: child.id }));
    await sync(left);
    const report = await sync(right);
    const next = report.taken[0]?.rekeyed.get(child.id);
    expect(next).toBe(`${epic.id}.2`);
    expect(right.get(child.id)?.title).toBe("left child");
    expect(right.get(next ?? "")).toMatchObject({ title: "right child", metadata: { "town.formerId": child.id } });
    expect(right.blockersOf(waiting.id).map(({ id }) => id)).toEqual([next]);
    expect(right.get(below.id)).toBeUndefined();
    expect(right.parentOf(`${next}.1`)?.id).toBe(next);
    await sync(left);
    expect(left.list()).toEqual(right.list());
  });

  test("given concurrent edits of different and of the same fields, when merged, then each field keeps its latest", async () => {
    const { world, left, right, sync } = await twoClones();
    const { id } = await left.transact(alice, (tx) => tx.create({ title: "t", priority: 2, labels: ["x", "y"] }));
    await sync(left);
    await sync(right);
    await right.transact(bob, (tx) => tx.update(id, { title: "of bob" }));
    await world.clock.advance(10);
    await left.transact(alice, (tx) => tx.update(id, { title: "of alice", labels: ["x", "z"] }));
    await world.clock.advance(10);
    await right.transact(bob, (tx) => tx.update(id, { priority: 0 }));
    await right.transact(bob, (tx) => tx.addLabel(id, "w"));
    await sync(left);
    await sync(right);
    await sync(left);
    expect(left.get(id)).toEqual(right.get(id));
    // The record of bob is the newer one, the title of alice is.
    expect(left.get(id)).toMatchObject({ title: "of alice", priority: 0, labels: ["w", "x", "z"] });
  });

  test("given a deletion and a reopening, when merged, then the deletion travels and the reopening survives", async () => {
    const { left, right, sync } = await twoClones();
    const gone = await left.transact(alice, (tx) => tx.create({ title: "gone" }));
    const back = await left.transact(alice, (tx) => tx.create({ title: "back" }));
    await left.transact(alice, (tx) => tx.close(back.id));
    await sync(left);
    await sync(right);
    await right.transact(bob, (tx) => tx.delete(gone.id, "not needed"));
    await right.transact(bob, (tx) => tx.reopen(back.id));
    await left.transact(alice, (tx) => tx.update(back.id, { notes: "meanwhile" }));
    await sync(right);
    await sync(left);
    expect(left.get(gone.id)).toBeUndefined();
    expect(left.get(back.id)).toMatchObject({ status: "open", notes: "meanwhile" });
    expect(left.get(back.id)?.closed_at).toBeUndefined();
  });
});
