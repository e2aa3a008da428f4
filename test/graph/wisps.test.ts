import { describe, expect, test } from "vitest";
import { syncGraph } from "../../src/graph/sync.ts";
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

  test("given a wisp that is changed by several, when asked in any life of the store, then it says who, when, from and to; and it ends with the wisp", async () => {
    const world = await graphWorld();
    // Small segments: the log ends often, and the snapshot beside it takes over.
    const options = { segmentBytes: 600 };
    const { graph, ...life } = await world.open("/repo", options);
    const { id } = await graph.transact(alice, (tx) => tx.create({ title: "ping", ephemeral: true }));
    await world.clock.advance(5);
    await graph.transact(bob, (tx) => tx.claim(id, "bob"));
    await graph.transact({ actor: "bob", session: "bob@3" }, (tx) => tx.comment(id, "alive"));
    await graph.transact(alice, (tx) => tx.create({ title: "x".repeat(400) }));
    await graph.flush();
    await graph.transact(bob, (tx) => tx.update(id, { priority: 0 }));
    const told = await graph.history(id);
    expect(told.map(({ actor, session, event, changes }) => [actor, session, event, changes.at(-1)])).toEqual([
      ["alice", undefined, "created", { field: "title", to: "ping" }],
      ["bob", undefined, "claimed", { field: "status", from: "open", to: "in_progress" }],
      ["bob", "bob@3", "commented", { field: "comment", to: "alive" }],
      ["bob", undefined, "updated", { field: "priority", from: 2, to: 0 }],
    ]);
    expect(told[1]?.timeMs).toBe((told[0]?.timeMs ?? 0) + 5);
    life.kill();
    world.disk.crash();
    const second = await world.open("/repo", options);
    expect(await second.graph.history(id)).toEqual(told);
    const readOnly = await world.open("/repo", { ...options, readOnly: true });
    expect(await readOnly.graph.history(id)).toEqual(told);
    await second.graph.flush();
    const events = await (await world.repository()).listFiles("refs/heads/town/work", "log");
    for (const file of events) expect(await (await world.repository()).objects.readBlob(file.id)).not.toContain(id);
    await second.graph.transact(alice, (tx) => tx.delete(id));
    expect(await second.graph.history(id)).toEqual([]);
    const reborn = await second.graph.transact(alice, (tx) => tx.create({ id, title: "again", ephemeral: true }));
    expect((await second.graph.history(reborn.id)).map(({ event }) => event)).toEqual(["created"]);
  });

  test("given a wisp that becomes a bead, when asked then, after a flush and in another clone, then its history begins with its birth", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    const { id } = await graph.transact(alice, (tx) => tx.create({ title: "found", ephemeral: true }));
    await graph.transact(bob, (tx) => tx.comment(id, "worth keeping"));
    await graph.transact(bob, (tx) => tx.update(id, { ephemeral: null }));
    const told = await graph.history(id);
    expect(told.map(({ actor, event }) => `${actor} ${event}`)).toEqual([
      "alice created",
      "bob commented",
      "bob updated",
    ]);
    await graph.flush();
    expect(await graph.history(id)).toEqual(told);
    const remote = await world.open("/other");
    await world.git.init("/remote", { bare: true, branch: "main" });
    for (const one of [graph, remote.graph]) {
      const run = syncGraph(one, { remote: "/remote", clock: world.clock, random: world.random });
      await world.clock.advance(10);
      await run;
    }
    expect(await remote.graph.history(id)).toEqual(told);
  });

  test("given a wisp that is told without end, then its history is bounded and keeps its birth", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    const { id } = await graph.transact(alice, (tx) => tx.create({ title: "heartbeat", ephemeral: true }));
    for (let i = 0; i < 300; i++) await graph.transact(bob, (tx) => tx.update(id, { notes: `${i}` }));
    const told = await graph.history(id);
    expect(told).toHaveLength(200);
    expect([told[0]?.event, told.at(-1)?.changes]).toEqual(["created", [{ field: "notes", from: "298", to: "299" }]]);
  });
});
