import { describe, expect, test } from "vitest";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { Files } from "../../src/ports/files.ts";
import { silentLog, type Log } from "../../src/ports/log.ts";
import type { MemoryObjects } from "../../src/simulation/memory-git-objects.ts";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };
const branch = "refs/heads/town/work";
const pin = "refs/town/flushed";

/** Both refs of the store, as a person may do it by hand. */
async function moveBack(world: GraphWorld, commit: string): Promise<string> {
  const repository = await world.repository("/repo");
  const tip = (await repository.resolve(branch)) ?? "";
  await repository.updateRefs(
    [branch, pin].map((ref) => ({ ref, to: commit })),
    "by hand",
  );
  return tip;
}

async function change(world: GraphWorld, graph: GitGraph, id: string, title: string): Promise<string> {
  await world.clock.advance(1_000);
  await graph.transact(alice, (tx) => (tx.get(id) === undefined ? tx.create({ id, title }) : tx.update(id, { title })));
  return (await graph.flush()).commit;
}

/** A closed store of three commits, its log gone; the first of them. */
async function store(world: GraphWorld): Promise<string> {
  const { graph } = await world.open("/repo", calm);
  const first = await change(world, graph, "api-1", "one");
  await change(world, graph, "api-2", "two");
  await change(world, graph, "api-1", "one again");
  await graph.close();
  await world.disk.mount().removeTree("/repo/town/wal");
  return first;
}

function beforeReading(files: Files, name: string, act: () => Promise<unknown>): Files {
  let isOver = false;
  return new Proxy(files, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        if (key === "openRead" && !isOver && String(args[0]).endsWith(name)) {
          isOver = true;
          await act();
        }
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

describe("a store whose refs were all moved back by hand", () => {
  test.each([
    true,
    false,
  ])("given one (read only: %s), when opened, then what they left behind is there", async (readOnly) => {
    const world = await graphWorld();
    const lost = await moveBack(world, await store(world));
    const { graph } = await world.open("/repo", { ...calm, readOnly });
    expect(graph.list().map(({ id, title }) => [id, title])).toEqual([
      ["api-1", "one again"],
      ["api-2", "two"],
    ]);
    if (readOnly) return;
    const { commit } = await graph.flush();
    const repository = await world.repository("/repo");
    expect(await repository.resolve(branch)).toBe(commit);
    expect(await repository.isAncestor(lost, commit)).toBe(true);
    expect(await graph.history("api-1")).toHaveLength(2);
  });

  test("given one whose commits git has thrown away since, when opened, then the cache has what they held", async () => {
    const world = await graphWorld();
    const repository = await world.repository("/repo");
    const first = await store(world);
    const lost = await moveBack(world, first);
    const objects = repository.objects as MemoryObjects;
    for (let at: string | undefined = lost; at !== undefined && at !== first; ) {
      const parent: string | undefined = (await objects.readCommit(at))?.parents[0];
      objects.lose(at);
      at = parent;
    }
    const { graph } = await world.open("/repo", calm);
    expect(graph.list().map(({ title }) => title)).toEqual(["one again", "two"]);
    const { commit } = await graph.flush();
    expect(await repository.isAncestor(first, commit)).toBe(true);
    await graph.close();
    const again = await world.open("/repo", calm);
    expect(again.graph.storedRecords()).toEqual(graph.storedRecords());
  });

  test("given one without a cache that gets its own later commits from a remote, when killed after the next write, then that write is there", async () => {
    const world = await graphWorld();
    const lost = await moveBack(world, await store(world));
    await world.disk.mount().removeTree("/repo/town/cache");
    const { graph, kill } = await world.open("/repo", calm);
    expect(graph.list()).toHaveLength(1);
    await graph.absorb(lost);
    await graph.flush();
    await graph.transact(alice, (tx) => tx.create({ id: "api-3", title: "three" }));
    kill();
    const again = (await world.open("/repo", calm)).graph;
    expect(again.list().map(({ title }) => title)).toEqual(["one again", "two", "three"]);
  });

  test("given a reader that opens while a writer goes on, then nothing was moved back", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await change(world, graph, "api-1", "one");
    await change(world, graph, "api-2", "two");
    const told: unknown[] = [];
    const log: Log = { ...silentLog, error: (facts) => told.push(facts) };
    const reader = await world.open("/repo", {
      ...calm,
      readOnly: true,
      log,
      // It reads the refs before the writer moves them, and the cache afterwards.
      files: beforeReading(world.disk.mount(), "columns.bin", () => change(world, graph, "api-3", "three")),
    });
    expect(reader.graph.list().length).toBeGreaterThan(1);
    expect(told).toEqual([]);
  });
});

describe("a branch that others put a commit on of which git has lost something", () => {
  test.each([
    "commit",
    "blob",
  ])("given a lost %s, when opened and when flushed, then what is here counts and goes on", async (what) => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await change(world, graph, "api-1", "one");
    const base = await change(world, graph, "api-2", "two");
    const repository = await world.repository("/repo");
    const objects = repository.objects as MemoryObjects;
    const edited = JSON.stringify({ ...graph.get("api-2"), title: "by hand" });
    const file = (await repository.listFiles(base, "")).find(({ path }) => path.endsWith("api-2.json"));
    const blob = await objects.writeBlob(`${edited}\n`);
    const tree = await objects.changeTree(
      (await objects.readCommit(base))?.tree ?? "",
      new Map([[file?.path ?? "", blob]]),
    );
    const by = { name: "Bob", email: "bob@example.com", timeMs: world.clock.now() };
    const theirs = await objects.writeCommit({ tree, parents: [base], message: "edit", author: by, committer: by });
    await graph.close();
    await repository.updateRefs([{ ref: branch, to: theirs }], "by hand");
    objects.lose(what === "commit" ? theirs : blob);
    const reader = (await world.open("/repo", { ...calm, readOnly: true })).graph;
    expect(reader.list().map(({ title }) => title)).toEqual(["one", "two"]);
    const again = (await world.open("/repo", calm)).graph;
    expect(again.list().map(({ title }) => title)).toEqual(["one", "two"]);
    await again.transact(alice, (tx) => tx.create({ id: "api-3", title: "three" }));
    const { commit } = await again.flush();
    expect(await repository.resolve(branch)).toBe(commit);
    await again.close();
    expect((await world.open("/repo", calm)).graph.list().map(({ title }) => title)).toEqual(["one", "two", "three"]);
    const aside = await world.disk.mount().readText("/repo/town/set-aside/branch.jsonl");
    expect(aside).toBeUndefined();
  });
});
