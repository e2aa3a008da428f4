import { describe, expect, test } from "vitest";
import { alice, bob, graphWorld } from "./graph-world.ts";

const hour = 3_600_000;

describe("wisps", () => {
  test("given wisps of several classes, when their time has passed and the store is written to, then they are gone; what is needed stays", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    const wisp = (fields: object) =>
      graph.transact(alice, (tx) => tx.create({ title: "w", ephemeral: true, ...fields }));
    const ping = await wisp({ wisp_type: "ping" });
    const patrol = await wisp({});
    const step = await wisp({ parent: patrol.id });
    const error = await wisp({ wisp_type: "error" });
    const held = await wisp({});
    const kept = await wisp({ no_history: true });
    const awaited = await wisp({});
    const waiting = await graph.transact(alice, (tx) => tx.create({ title: "waits", dependsOn: [{ id: awaited.id }] }));
    await graph.transact(bob, (tx) => tx.claim(held.id, "bob"));
    const after = async (hours: number): Promise<readonly string[]> => {
      await world.clock.advance(hours * hour);
      await graph.transact(alice, (tx) => tx.comment(waiting.id, "tick"));
      await world.clock.advance(1);
      return graph.list().map(({ id }) => id);
    };
    expect(await after(5)).toContain(ping.id);
    expect(await after(2)).not.toContain(ping.id);
    await graph.transact(alice, (tx) => tx.update(step.id, { notes: "still at it" }));
    // The root is older than a day, its step is not.
    expect(await after(19)).toEqual(expect.arrayContaining([patrol.id, step.id]));
    const left = await after(10);
    expect([...left].sort()).toEqual([error.id, held.id, kept.id, awaited.id, waiting.id].sort());
    await graph.transact(alice, (tx) => tx.close(waiting.id, { force: true }));
    await graph.transact(bob, (tx) => tx.release(held.id));
    expect(await after(7 * 24)).toEqual([waiting.id, kept.id].sort());
  });

  test("given wisps, when the process dies, then the next has those that were not removed", async () => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open();
    const stays = await graph.transact(alice, (tx) => tx.create({ title: "stays", ephemeral: true }));
    const burned = await graph.transact(alice, (tx) => tx.create({ title: "burned", ephemeral: true }));
    await graph.transact(alice, (tx) => tx.delete(burned.id));
    life.kill();
    world.disk.crash();
    const again = await world.open();
    expect(again.graph.list()).toEqual([stays]);
  });
});
