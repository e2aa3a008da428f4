import { describe, expect, test } from "vitest";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { storePaths } from "../../src/graph/paths.ts";
import { surveyCommit } from "../../src/graph/survey.ts";
import type { Repository } from "../../src/ports/git.ts";
import type { MemoryObjects } from "../../src/simulation/memory-git-objects.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";

const branch = "refs/heads/town/work";
const pin = "refs/town/flushed";
const idle = { flushIntervalMs: 3_600_000 };

interface Facts {
  readonly records: unknown;
  readonly history: readonly string[];
}

async function factsOf(graph: GitGraph): Promise<Facts> {
  const records = graph.storedRecords();
  const history: string[] = [];
  for (const { id } of records)
    for (const { event, actor, timeMs } of await graph.history(id)) history.push(`${id} ${event} ${actor} ${timeMs}`);
  return { records, history };
}

/** Three commits, and two changes that only the log has. */
async function work(world: GraphWorld, graph: GitGraph): Promise<void> {
  const step = async (run: () => Promise<unknown>): Promise<void> => {
    await world.clock.advance(1_000);
    await run();
  };
  await step(() => graph.transact(alice, (tx) => tx.create({ id: "api-1", title: "one" })));
  await step(() =>
    graph.transact(alice, (tx) => tx.create({ id: "api-2", title: "two", dependsOn: [{ id: "api-1" }] })),
  );
  await step(() => graph.flush());
  await step(() => graph.transact(bob, (tx) => tx.claim("api-1", "bob")));
  await step(() => graph.transact(alice, (tx) => tx.create({ id: "api-wisp-1", title: "wisp", ephemeral: true })));
  await step(() => graph.flush());
  await step(() => graph.transact(bob, (tx) => tx.close("api-1", { reason: "done" })));
  await step(() => graph.transact(alice, (tx) => tx.create({ id: "api-3", title: "three" })));
  await step(() => graph.transact(alice, (tx) => tx.delete("api-3", "not needed")));
  await step(() => graph.flush());
}

async function unflushed(world: GraphWorld, graph: GitGraph): Promise<void> {
  await world.clock.advance(1_000);
  await graph.transact(alice, (tx) => tx.update("api-2", { title: "two again" }));
  await graph.transact(alice, (tx) => tx.create({ id: "api-4", title: "four" }));
}

function objectsOf(repository: Repository): MemoryObjects {
  return repository.objects as MemoryObjects;
}

/** Ids of the tip and all in it, with what they are. */
async function partsOfTip(repository: Repository): Promise<readonly (readonly [string, string])[]> {
  const tip = (await repository.resolve(branch)) ?? "";
  const parts: (readonly [string, string])[] = [["commit", tip]];
  const visit = async (tree: string, path: string): Promise<void> => {
    parts.push([`tree ${path}`, tree]);
    for (const { name, mode, id } of await repository.objects.readTree(tree)) {
      if (mode === "040000") await visit(id, `${path}/${name}`);
      else parts.push([`blob ${path}/${name}`, id]);
    }
  };
  await visit((await repository.objects.readCommit(tip))?.tree ?? "", "");
  return parts;
}

async function expectWhole(repository: Repository, graph: GitGraph): Promise<void> {
  const { commit } = await graph.flush();
  expect((await surveyCommit(repository, commit)).lost).toEqual([]);
  expect(await repository.resolve(branch)).toBe(commit);
  expect(await repository.resolve(pin)).toBe(commit);
}

type Ending = "Closed" | "Killed" | "Open";

/** Loses some objects of a store and looks at what is left of it. */
async function lose(
  ending: Ending,
  choose: (parts: readonly (readonly [string, string])[]) => readonly string[],
  more: (world: GraphWorld, repository: Repository) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly before: Facts; readonly after: Facts }> {
  const world = await graphWorld("loss");
  const repository = await world.repository("/repo");
  const opened = await world.open("/repo", idle);
  await work(world, opened.graph);
  if (ending === "Killed") await unflushed(world, opened.graph);
  const before = await factsOf(opened.graph);
  if (ending === "Closed") await opened.graph.close();
  if (ending === "Killed") opened.kill();
  for (const id of choose(await partsOfTip(repository))) objectsOf(repository).lose(id);
  await more(world, repository);
  const { graph } = ending === "Open" ? opened : await world.open("/repo", idle);
  if (ending === "Open") expect(await graph.verify()).toBe(false);
  const after = await factsOf(graph);
  // What neither opening nor history needed may still be missing.
  await graph.verify();
  await expectWhole(repository, graph);
  expect(await factsOf(graph)).toEqual(after);
  await graph.close();
  const again = await world.open("/repo", idle);
  expect(await factsOf(again.graph)).toEqual(after);
  return { before, after };
}

const removeCache = (world: GraphWorld): Promise<void> => world.disk.mount().removeTree(storePaths("/repo").cache);

describe("given a work branch that leads to an object which git has lost", () => {
  const kinds = ["commit", "tree ", "tree /", "blob /"];
  for (const ending of ["Closed", "Killed", "Open"] as const) {
    test.each(kinds)(`given a lost %s, when the store (${ending}) goes on, then nothing is missing`, async (kind) => {
      const world = await graphWorld("loss");
      const { graph } = await world.open("/repo", idle);
      await work(world, graph);
      const names = (await partsOfTip(await world.repository("/repo"))).map(([name]) => name);
      const chosen = names.filter((name) => name === kind || (kind.endsWith("/") && name.startsWith(kind)));
      expect(chosen.length).toBeGreaterThan(0);
      for (const name of chosen) {
        const { before, after } = await lose(ending, (parts) =>
          parts.filter(([one]) => one === name).map(([, id]) => id),
        );
        expect({ name, ...after }).toEqual({ name, ...before });
      }
    });

    test(`given everything in the last commit lost and no cache, when the store (${ending}) goes on, then the log and what is whole bring it back`, async () => {
      const everything = (parts: readonly (readonly [string, string])[]): readonly string[] =>
        parts.map(([, id]) => id);
      const { before, after } = await lose(ending, everything, removeCache);
      expect(after).toEqual(before);
    });
  }

  test("given an open store whose last commit is lost, when it is flushed, then the next one is not built on that", async () => {
    const world = await graphWorld("loss");
    const repository = await world.repository("/repo");
    const { graph } = await world.open("/repo", idle);
    await work(world, graph);
    const lost = (await repository.resolve(branch)) ?? "";
    objectsOf(repository).lose(lost);
    await unflushed(world, graph);
    const before = await factsOf(graph);
    const { commit } = await graph.flush();
    expect((await repository.log(undefined, commit, 100)).map(({ id }) => id)).not.toContain(lost);
    expect((await repository.objects.readCommit(commit))?.parents).not.toEqual([lost]);
    expect(await factsOf(graph)).toEqual(before);
    await expectWhole(repository, graph);
  });

  test("given no commit that is whole, when opened, then what cache and log have is a branch again", async () => {
    const all: string[] = [];
    const { before, after } = await lose(
      "Killed",
      () => [],
      async (_, repository) => {
        for (const id of await repository.objects.allCommits()) all.push(id);
        for (const id of all) objectsOf(repository).lose(id);
      },
    );
    expect(all.length).toBeGreaterThan(2);
    expect(after.records).toEqual(before.records);
  });

  test("given refs that are gone, when opened, then it does not begin anew", async () => {
    const { before, after } = await lose(
      "Killed",
      () => [],
      async (_, repository) => {
        await repository.updateRefs(
          [
            { ref: branch, to: null },
            { ref: pin, to: null },
          ],
          "by hand",
        );
      },
    );
    expect(after).toEqual(before);
  });

  test("given a reader, when it opens the damaged store, then it sees everything and writes nothing", async () => {
    const world = await graphWorld("loss");
    const repository = await world.repository("/repo");
    const { graph } = await world.open("/repo", idle);
    await work(world, graph);
    const before = await factsOf(graph);
    await graph.close();
    for (const [, id] of await partsOfTip(repository)) objectsOf(repository).lose(id);
    await removeCache(world);
    const refs = await repository.listRefs("refs/");
    const reader = (await world.open("/repo", { ...idle, readOnly: true })).graph;
    expect((await factsOf(reader)).records).toEqual(before.records);
    expect(await repository.listRefs("refs/")).toEqual(refs);
    await reader.close();
  });

  test("given a garbage collection while a flush went on, when it is over, then what it took is made again", async () => {
    const world = await graphWorld("loss");
    const repository = await world.repository("/repo");
    const { graph } = await world.open("/repo", idle);
    const objects = objectsOf(repository);
    objects.collected = true;
    await work(world, graph);
    const before = await factsOf(graph);
    for (const [name, id] of await partsOfTip(repository)) if (name !== "commit") objects.lose(id);
    await world.clock.advance(20_000);
    expect((await surveyCommit(repository, graph.tip ?? "")).lost).not.toEqual([]);
    objects.collected = false;
    await world.clock.advance(20_000);
    expect((await surveyCommit(repository, graph.tip ?? "")).lost).toEqual([]);
    expect(await factsOf(graph)).toEqual(before);
  });

  test("given a collection that went on when the process ended, when opened next, then it looks for losses though nothing tells of them", async () => {
    const world = await graphWorld("loss");
    const repository = await world.repository("/repo");
    const opened = await world.open("/repo", { ...idle, isBrief: true });
    const objects = objectsOf(repository);
    objects.collected = true;
    await work(world, opened.graph);
    const before = await factsOf(opened.graph);
    await opened.graph.close();
    for (const [name, id] of await partsOfTip(repository)) if (name.startsWith("blob")) objects.lose(id);
    objects.collected = false;
    const { graph } = await world.open("/repo", idle);
    expect((await surveyCommit(repository, graph.tip ?? "")).lost).toEqual([]);
    expect(await factsOf(graph)).toEqual(before);
  });

  test.each(
    Array.from({ length: 40 }, (_, seed) => seed),
  )("given objects lost at random (seed %i) and the cache there, when opened, then no record is lost", async (seed) => {
    const random = seededRandom(seed);
    const { before, after } = await lose(
      random.chance(0.5) ? "Killed" : "Closed",
      () => [],
      async (_, repository) => {
        const objects = objectsOf(repository);
        const commits = await objects.allCommits();
        for (const commit of commits) {
          const { tree = "" } = (await objects.readCommit(commit)) ?? {};
          const ids = [commit, ...(await idsIn(objects, tree))];
          for (const id of ids) if (random.chance(0.3)) objects.lose(id);
        }
      },
    );
    expect(after.records).toEqual(before.records);
  });
});

async function idsIn(objects: MemoryObjects, tree: string): Promise<readonly string[]> {
  const ids = [tree];
  for (const { mode, id } of await objects.readTree(tree).catch(() => []))
    ids.push(...(mode === "040000" ? await idsIn(objects, id) : [id]));
  return ids;
}
