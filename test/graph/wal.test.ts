import { describe, expect, test } from "vitest";
import { alice, graphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };

async function segmentOf(world: Awaited<ReturnType<typeof graphWorld>>): Promise<string> {
  const files = world.disk.mount();
  const [log] = await files.list("/repo/town/wal");
  const segments = await files.list(`/repo/town/wal/${log}`);
  return `/repo/town/wal/${log}/${segments.at(-1)}`;
}

describe("the log of a store", () => {
  test.each([
    "ENOSPC",
    "EIO",
  ])("given a disk that fails with %s, when beads are made, then the failed ones leave nothing and later ones work", async (code) => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open("/repo", calm);
    const first = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    for (const operations of [["append"], ["sync"]] as const) {
      const lift = world.disk.inject({ operations, below: "/repo/town/wal", code });
      await expect(
        graph.transact(alice, (tx) => tx.create({ id: "api-failed", title: "failed" })),
      ).rejects.toMatchObject({ code });
      expect(graph.get("api-failed")).toBeUndefined();
      expect(graph.list()).toEqual([first]);
      lift();
    }
    const second = await graph.transact(alice, (tx) => tx.create({ title: "second" }));
    life.kill();
    const again = await world.open("/repo", calm);
    expect(again.graph.get("api-failed")).toBeUndefined();
    expect(again.graph.get(second.id)).toEqual(second);
  });

  test("given a disk that cannot even take back a failed write, when more is written, then it is refused rather than mixed with it", async () => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    const lifts = [
      world.disk.inject({ operations: ["sync"], below: "/repo/town/wal", code: "EIO" }),
      world.disk.inject({ operations: ["truncate"], code: "EIO" }),
    ];
    await expect(graph.transact(alice, (tx) => tx.create({ title: "failed" }))).rejects.toMatchObject({ code: "EIO" });
    for (const lift of lifts) lift();
    await expect(graph.transact(alice, (tx) => tx.create({ title: "refused" }))).rejects.toMatchObject({
      reason: "LogBroken",
    });
    expect(graph.list()).toHaveLength(1);
    life.kill();
    expect((await world.open("/repo", calm)).graph.list().length).toBeLessThanOrEqual(2);
  });

  test("given a damaged line, when opened, then the others count, and it is set aside once with its place", async () => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open("/repo", calm);
    for (let i = 1; i <= 4; i++) await graph.transact(alice, (tx) => tx.create({ id: `api-${i}`, title: `bead ${i}` }));
    await graph.transact(alice, (tx) => tx.update("api-2", { title: "changed" }));
    await graph.transact(alice, (tx) => tx.update("api-3", { title: "changed" }));
    life.kill();
    const files = world.disk.mount();
    const path = await segmentOf(world);
    const lines = ((await files.readText(path)) ?? "").split("\n");
    // The making of api-2 is lost; its later change holds the whole record.
    lines[2] = lines[2]?.slice(0, 40) ?? "";
    await files.writeAtomic(path, `${lines.join("\n")}\n{"s":99,"t"`);
    for (let round = 0; round < 2; round++) {
      const again = await world.open("/repo", calm);
      expect(again.graph.list().map(({ id, title }) => `${id} ${title}`)).toEqual([
        "api-1 bead 1",
        "api-2 changed",
        "api-3 changed",
        "api-4 bead 4",
      ]);
      again.kill();
      const aside = ((await files.readText("/repo/town/set-aside/log.jsonl")) ?? "").trim().split("\n");
      expect(aside.map((line) => (JSON.parse(line) as { place: string }).place)).toEqual([`${path}:3`, `${path}:8`]);
    }
  });

  test("given a log of a later version, when opened, then it is refused and named", async () => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    life.kill();
    const path = await segmentOf(world);
    const files = world.disk.mount();
    const text = (await files.readText(path)) ?? "";
    await files.writeAtomic(path, text.replace('"format":1', '"format":2'));
    await expect(world.open("/repo", calm)).rejects.toMatchObject({
      reason: "FormatTooNew",
      message: expect.stringContaining(path) as string,
    });
    // The refusal gave the lock back.
    await files.writeAtomic(path, text);
    await (await world.open("/repo", calm)).graph.close();
  });

  test("given a log that somebody removes under load, then nothing acknowledged is lost", async () => {
    const world = await graphWorld();
    const { graph, files, ...life } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.create({ id: "api-1", title: "before" }));
    await files.removeTree("/repo/town/wal");
    await graph.transact(alice, (tx) => tx.create({ id: "api-2", title: "after" }));
    await world.clock.advance(1);
    life.kill();
    world.disk.crash();
    const again = await world.open("/repo", calm);
    expect(again.graph.list().map(({ id }) => id)).toEqual(["api-1", "api-2"]);
  });

  test("given two writers against the lock, then the one that comes second is told, and the first in the file counts", async () => {
    const world = await graphWorld();
    const one = await world.open("/repo", calm);
    const bead = await one.graph.transact(alice, (tx) => tx.create({ id: "api-1", title: "t" }));
    // As if the lock had failed: the second process believes that it has it.
    await one.files.remove("/repo/town/graph.lock");
    const two = await world.open("/repo", calm);
    await one.graph.transact(alice, (tx) => tx.claim(bead.id, "one"));
    await expect(two.graph.transact(alice, (tx) => tx.claim(bead.id, "two"))).rejects.toMatchObject({
      reason: "LogShared",
    });
    await expect(two.graph.transact(alice, (tx) => tx.create({ title: "later" }))).rejects.toMatchObject({
      reason: "LogBroken",
    });
    one.kill();
    two.kill();
    await one.files.remove("/repo/town/graph.lock");
    const third = await world.open("/repo", calm);
    expect(third.graph.get(bead.id)?.assignee).toBe("one");
  });
});
