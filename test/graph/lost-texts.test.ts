import { describe, expect, test } from "vitest";
import { recordPath } from "../../src/domain/work-graph/ids/record-path.ts";
import { DormantBead } from "../../src/domain/work-graph/index/dormant-bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { Files } from "../../src/ports/files.ts";
import type { MemoryObjects } from "../../src/simulation/memory-git-objects.ts";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };
const cache = "/repo/town/cache";
const branch = "refs/heads/town/work";

async function textsIn(files: Files): Promise<string> {
  return `${cache}/${(await files.list(cache)).find((name) => name.endsWith("-texts.jsonl")) ?? ""}`;
}

/** A closed store with a cache; `api-7` was changed once. */
async function closedStore(count = 40): Promise<{ readonly world: GraphWorld; readonly records: unknown }> {
  const world = await graphWorld();
  const { graph } = await world.open("/repo", calm);
  await graph.transact(alice, (tx) => {
    for (let i = 0; i < count; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
  });
  await graph.flush();
  await world.clock.advance(60_000);
  await graph.transact(alice, (tx) => tx.update("api-7", { title: "seven", design: "the last word" }));
  await graph.close();
  await settle(world);
  return { world, records: graph.storedRecords() };
}

/** Everything is in the tables of the cache, nothing in the log. */
async function settle(world: GraphWorld): Promise<void> {
  const disk = world.disk.mount();
  await disk.removeTree(cache);
  await (await world.open("/repo", calm)).graph.close();
  for (const log of await disk.list("/repo/town/wal")) await disk.removeTree(`/repo/town/wal/${log}`);
}

async function spoil(world: GraphWorld, from: string, to: string): Promise<void> {
  const disk = world.disk.mount();
  const file = await textsIn(disk);
  const text = (await disk.readText(file)) ?? "";
  expect(text).toContain(from);
  await disk.writeAtomic(file, text.replaceAll(from, to));
}

/** The blob of a bead on the branch is lost. */
async function loseBlob(world: GraphWorld, id: string): Promise<() => Promise<void>> {
  const repository = await world.repository("/repo");
  const objects = repository.objects as MemoryObjects;
  const file = (await repository.listFiles(branch, "")).find(({ path }) => path === recordPath(id));
  const text = (await objects.readBlob(file?.id ?? "")) ?? "";
  objects.lose(file?.id ?? "");
  return async () => {
    await objects.writeBlob(text);
  };
}

async function comments(graph: GitGraph, id: string): Promise<unknown> {
  return graph.get(id)?.comments;
}

describe("a store whose cache has damaged texts", () => {
  test.each([
    true,
    false,
  ])("given one (read only: %s), when it is read, then git stands in for it", async (readOnly) => {
    const { world, records } = await closedStore();
    await spoil(world, '"seven"', '"eight"');
    const { graph } = await world.open("/repo", { ...calm, readOnly });
    expect(graph.get("api-7")).toMatchObject({ title: "seven", design: "the last word" });
    expect(graph.storedRecords()).toEqual(records);
    expect(graph.ready()).toHaveLength(40);
    expect(graph.cache.isLost).toBe(false);
    await graph.close();
  });

  test("given all of them, when the store is used and closed, then nothing is missing, and the next has a sound cache", async () => {
    const { world, records } = await closedStore(200);
    await spoil(world, '"title"', '"titlE"');
    const first = (await world.open("/repo", calm)).graph;
    expect(first.storedRecords()).toEqual(records);
    await first.transact(alice, (tx) => tx.update("api-1", { title: "one" }));
    await first.close();
    expect(await world.disk.mount().readText(await textsIn(world.disk.mount()))).not.toContain('"titlE"');
    const second = (await world.open("/repo", calm)).graph;
    expect(second.storedRecords()).toEqual(first.storedRecords());
    expect(second.get("api-7")?.title).toBe("seven");
  });

  test("given one that git has lost too, when it is there again, then it can be read without opening the store anew", async () => {
    const { world } = await closedStore();
    await spoil(world, '"seven"', '"eight"');
    const restore = await loseBlob(world, "api-7");
    const { graph } = await world.open("/repo", { ...calm, readOnly: true });
    expect(() => graph.get("api-7")).toThrow(
      /Cannot read api-7: its text in the cache .* is damaged, and git has lost/,
    );
    expect(graph.get("api-8")?.title).toBe("bead 8");
    expect(graph.ready({ limit: 1 })).toHaveLength(1);
    await restore();
    expect(graph.get("api-7")?.design).toBe("the last word");
  });

  test("given one that git has lost too, when a resident store reads it, then the latest version that is left takes its place and says so", async () => {
    const { world } = await closedStore();
    await spoil(world, '"seven"', '"eight"');
    await loseBlob(world, "api-7");
    const { graph } = await world.open("/repo", calm);
    expect(() => graph.get("api-7")).toThrow(/Cannot read api-7/);
    expect(graph.get("api-8")?.title).toBe("bead 8");
    await graph.verify();
    expect(graph.get("api-7")).toMatchObject({ title: "bead 7", status: "open" });
    expect(await comments(graph, "api-7")).toMatchObject([
      { text: expect.stringMatching(/text of this bead was lost/) },
    ]);
    expect(graph.list()).toHaveLength(40);
    await graph.transact(alice, (tx) => tx.update("api-7", { title: "seven again" }));
    await graph.close();
    const again = (await world.open("/repo", calm)).graph;
    expect(again.storedRecords()).toEqual(graph.storedRecords());
    expect(again.get("api-7")?.title).toBe("seven again");
  });

  test("given one of which nothing is left anywhere, when a resident store reads it, then the bead stays with what indexes know of it", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 40; i++)
        tx.create({ id: `api-${i}`, title: `bead ${i}`, labels: ["ui"], dependsOn: i === 7 ? [{ id: "api-1" }] : [] });
    });
    await graph.close();
    await settle(world);
    await spoil(world, '"bead 7"', '"bead 8"');
    await loseBlob(world, "api-7");
    const again = (await world.open("/repo", calm)).graph;
    expect(() => again.list()).toThrow(/Cannot read api-7/);
    await again.verify();
    expect(again.get("api-7")).toMatchObject({ title: "api-7 (its text was lost)", labels: ["ui"], status: "open" });
    expect(again.blockersOf("api-7").map(({ id }) => id)).toEqual(["api-1"]);
    expect(again.dependentsOf("api-1")).toHaveLength(1);
    expect(again.list({ label: "ui" })).toHaveLength(40);
    await again.close();
  });

  test("given a store that runs on, when its cache was written anew, then closed beads sleep there and are as they were", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 300; i++)
        tx.create({ id: `api-${i}`, title: `bead ${i}`, dependsOn: [{ id: "api-0" }].slice(0, i) });
    });
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 290; i++) tx.close(`api-${i}`, { force: true });
    });
    const before = graph.list();
    const edges = graph
      .dependentsOf("api-0")
      .map(({ issue_id: id }) => id)
      .sort();
    await graph.flush();
    await world.clock.advance(60_000);
    const asleep = () => graph.sketches().filter((bead) => bead instanceof DormantBead).length;
    expect(asleep()).toBe(290);
    expect(graph.blockersOf("api-295")).toEqual([]);
    expect(graph.get("api-7")).toEqual(before.find(({ id }) => id === "api-7"));
    expect(asleep()).toBe(289);
    expect(graph.list()).toEqual(before);
    expect(asleep()).toBe(0);
    expect(
      graph
        .dependentsOf("api-0")
        .map(({ issue_id: id }) => id)
        .sort(),
    ).toEqual(edges);
    await graph.close();
  });

  test("given a closed one that nobody can read, when all are counted or those under way are listed, then it is not read", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 40; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
      tx.close("api-7");
      tx.claim("api-8", "alice");
    });
    await graph.close();
    await settle(world);
    await spoil(world, '"bead 7"', '"bead 8"');
    await loseBlob(world, "api-7");
    const again = (await world.open("/repo", calm)).graph;
    expect(again.size).toBe(40);
    expect(again.list({ status: ["in_progress", "hooked"] }).map(({ id }) => id)).toEqual(["api-8"]);
    expect(again.list({ status: ["open", "in_progress"] })).toHaveLength(39);
    expect(() => again.list({ status: ["open", "closed"] })).toThrow(/Cannot read api-7/);
    await again.close();
  });

  test("given one that git has lost and the log has, when a resident store reads it, then it is as it was", async () => {
    const world = await graphWorld();
    const { graph, kill } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 40; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
    });
    await graph.flush();
    for (let turn = 0; turn < 400; turn++) await Promise.resolve();
    kill();
    await spoil(world, '"bead 7"', '"bead 8"');
    await loseBlob(world, "api-7");
    const again = (await world.open("/repo", calm)).graph;
    expect(() => again.get("api-7")).toThrow(/Cannot read api-7/);
    await again.verify();
    expect(again.get("api-7")).toEqual(graph.get("api-7"));
  });
});
