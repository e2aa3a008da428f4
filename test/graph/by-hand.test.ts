import { expect, test } from "vitest";
import { recordPath } from "../../src/domain/work-graph/ids/record-path.ts";
import type { TreeChanges } from "../../src/ports/git.ts";
import { BRANCH } from "./by-hand.ts";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };

/** A commit of a person on the branch, with what it changes by path; null removes. */
async function edit(world: GraphWorld, change: (files: ReadonlyMap<string, string>) => TreeChanges): Promise<void> {
  const repository = await world.repository("/repo");
  const { objects } = repository;
  const tip = (await repository.resolve(BRANCH)) ?? "";
  const files = new Map((await repository.listFiles(tip, "")).map(({ path, id }) => [path, id]));
  const tree = await objects.changeTree((await objects.readCommit(tip))?.tree ?? "", change(files));
  const by = { name: "carol", email: "c@example.com", timeMs: world.clock.now() };
  const to = await objects.writeCommit({ tree, parents: [tip], message: "by hand", author: by, committer: by });
  await repository.updateRefs([{ ref: BRANCH, to }], "by hand");
}

async function opened() {
  const world = await graphWorld();
  const { graph, files } = await world.open("/repo", calm);
  await graph.transact(alice, (tx) => {
    for (const id of ["api-1", "api-2", "api-3"]) tx.create({ id, title: id });
  });
  await graph.flush();
  await world.clock.advance(1_000);
  return { world, graph, files };
}

const all = ["api-1 open", "api-2 open", "api-3 open"];

test("given a record that somebody moved to another place, when flushed, then the bead stays and the file is set aside", async () => {
  const { world, graph, files } = await opened();
  const from = recordPath("api-2");
  await edit(
    world,
    (blobs) =>
      new Map([
        [from, null],
        ["notes/two.json", blobs.get(from) ?? ""],
      ]),
  );
  const { commit } = await graph.flush();
  expect(graph.list().map(({ id, status }) => `${id} ${status}`)).toEqual(all);
  const aside = (await files.readText("/repo/town/set-aside/branch.jsonl")) ?? "";
  expect(JSON.parse(aside)).toMatchObject({
    place: expect.stringMatching(/^notes\/two\.json@/),
    problem: `it is a record that belongs at ${from}`,
  });
  const paths = (await graph.repository.listFiles(commit, "")).map(({ path }) => path);
  expect(paths).toContain(from);
});

test("given a branch that somebody cleared, when flushed, then no bead is deleted and all files are there again", async () => {
  const { world, graph } = await opened();
  await edit(world, (blobs) => new Map([...blobs.keys()].map((path) => [path, null])));
  const { commit } = await graph.flush();
  expect(graph.list().map(({ id, status }) => `${id} ${status}`)).toEqual(all);
  const paths = (await graph.repository.listFiles(commit, "")).map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["version.json", ...["api-1", "api-2", "api-3"].map(recordPath)]));
  expect(await graph.history("api-1")).toHaveLength(1);
});

test("given logs that somebody removed beside an edit, when flushed, then the edit counts and the history stays", async () => {
  const { world, graph } = await opened();
  await edit(world, (blobs) => {
    const logs = [...blobs.keys()].filter((path) => path.startsWith("log/"));
    return new Map([...logs.map((path) => [path, null] as const), [recordPath("api-3"), null]]);
  });
  await graph.flush();
  await graph.close();
  await world.disk.mount().removeTree("/repo/town/cache");
  const again = (await world.open("/repo", calm)).graph;
  expect(again.list().map(({ id }) => id)).toEqual(["api-1", "api-2"]);
  expect(await again.history("api-1")).toHaveLength(1);
  expect((await again.history("api-3")).map(({ actor, event }) => `${actor} ${event}`)).toEqual([
    "alice created",
    "carol deleted",
  ]);
});
