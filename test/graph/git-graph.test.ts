import { describe, expect, test } from "vitest";
import { alice, bob, graphWorld } from "./graph-world.ts";

describe("the store", () => {
  test("given an empty repository, when beads are made, claimed and closed, then ready follows", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    const first = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    const second = await graph.transact(alice, (tx) =>
      tx.create({ title: "second", priority: 0, dependsOn: [{ id: first.id }] }),
    );
    expect(graph.ready().map(({ id }) => id)).toEqual([first.id]);
    await graph.transact(bob, (tx) => tx.claim(first.id, "bob"));
    expect(graph.ready()).toEqual([]);
    await graph.transact(bob, (tx) => tx.close(first.id));
    expect(graph.ready().map(({ id }) => id)).toEqual([second.id]);
    await graph.close();
  });

  test("given acknowledged changes without a flush, when the process is killed, then the next one has them", async () => {
    const world = await graphWorld();
    const { graph, ...process } = await world.open();
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    process.kill();
    world.disk.crash();
    const again = await world.open();
    expect(again.graph.get(bead.id)).toEqual(bead);
    expect(again.graph.revOf(bead.id)).toBe(1);
    const { commit } = await again.graph.flush();
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    await again.graph.close();
    const third = await world.open();
    expect(third.graph.get(bead.id)).toEqual(bead);
    expect((await third.graph.history(bead.id)).map(({ event }) => event)).toEqual(["created"]);
  });

  test("given a flush under way, when history is read at any moment of it, then it is whole", async () => {
    const { graph } = await (await graphWorld()).open();
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    await graph.flush();
    await graph.transact(bob, (tx) => tx.close(bead.id));
    const flushing = graph.flush();
    const readings: Promise<readonly string[]>[] = [];
    let over = false;
    void flushing.then(() => {
      over = true;
    });
    while (!over && readings.length < 1_000) {
      readings.push(graph.history(bead.id).then((entries) => entries.map(({ event }) => event)));
      await Promise.resolve();
    }
    await flushing;
    expect(readings.length).toBeGreaterThan(1);
    for (const events of await Promise.all(readings)) expect(events).toEqual(["created", "closed"]);
    await graph.close();
  });
});
