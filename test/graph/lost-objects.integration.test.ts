import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { checkObjects } from "../../src/graph/check-objects.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { loseObject, realSite, repositoryAt, type RealSite } from "../adapters/git/git-site.ts";
import { openRealGraph } from "./real-graph-parts.ts";

const alice = { actor: "alice" };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function openIn(site: RealSite, path: string): Promise<GitGraph> {
  const graph = await openRealGraph(await repositoryAt(site.another(), path), { flushIntervalMs: 3_600_000 });
  closers.push(() => graph.close());
  return graph;
}

async function store(bare: boolean): Promise<{ readonly site: RealSite; readonly path: string; readonly git: string }> {
  const site = realSite();
  closers.push(() => site.close());
  const path = join(site.root, "r");
  site.sh(site.root, "init", "--quiet", ...(bare ? ["--bare"] : []), path);
  const graph = await openIn(site, path);
  for (const title of ["one", "two", "three"]) {
    await graph.transact(alice, (tx) => tx.create({ title, id: `api-${title}` }));
    await graph.flush();
  }
  await graph.transact(alice, (tx) => tx.close("api-one", { reason: "done" }));
  await graph.close();
  return { site, path, git: bare ? path : join(path, ".git") };
}

async function facts(graph: GitGraph): Promise<unknown> {
  const records = graph.storedRecords();
  const history = [];
  for (const { id } of records) history.push(await graph.history(id));
  return { records, history };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const idsOf = (site: RealSite, path: string, revision: string): readonly string[] =>
  site.sh(path, "rev-list", "--objects", "--no-walk", "--no-object-names", revision).split("\n");

describe("a store in a real repository that has lost objects", () => {
  test.each([
    ["bare", true, "Gone"],
    ["with a checkout", false, "Gone"],
    ["bare", true, "Empty"],
    ["bare", true, "Torn"],
    ["bare", true, "Garbage"],
  ] as const)("given one %s (%s) whose last commit is %s with all that is in it, when opened, then git finds it whole", async (_, bare, how) => {
    const { site, path, git } = await store(bare);
    const graph = await openIn(site, path);
    const before = await facts(graph);
    await graph.close();
    for (const id of idsOf(site, path, "town/work")) loseObject(git, id, how);
    const again = await openIn(site, path);
    expect(await facts(again)).toEqual(before);
    await again.transact(alice, (tx) => tx.create({ title: "four" }));
    const { commit } = await again.flush();
    expect(idsOf(site, path, "town/work").length).toBeGreaterThan(5);
    expect(site.sh(path, "rev-parse", "town/work", "refs/town/flushed").split("\n")).toEqual([commit, commit]);
    // All that the branch leads to; what is damaged and led to by nothing stays where it is.
    expect(site.sh(path, "rev-list", "--objects", "--quiet", "town/work")).toBe("");
  });

  test("given a git gc that prunes at once between the objects of a flush and the ref, when opened, then nothing acknowledged is missing", async () => {
    const { site, path, git } = await store(true);
    const graph = await openIn(site, path);
    await graph.transact(alice, (tx) => tx.create({ title: "four", id: "api-four" }));
    await graph.flush();
    const before = await facts(graph);
    await graph.close();
    // What a collection sees that took its look before the refs were moved.
    const tip = site.sh(path, "rev-parse", "town/work");
    for (const ref of ["refs/heads/town/work", "refs/town/flushed"]) site.sh(path, "update-ref", ref, `${tip}~1`);
    site.sh(path, "gc", "--quiet", "--prune=now");
    for (const ref of ["refs/heads/town/work", "refs/town/flushed"]) write(join(git, ref), `${tip}\n`);
    expect(() => site.sh(path, "cat-file", "-e", tip)).toThrow();
    const again = await openIn(site, path);
    expect(await facts(again)).toEqual(before);
    await again.flush();
    site.sh(path, "gc", "--quiet", "--prune=now");
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
    expect(site.sh(path, "log", "--format=%s", "town/work").split("\n").length).toBeGreaterThan(2);
  });

  const missing = "1234567812345678123456781234567812345678";
  const branch = "refs/heads/town/work";
  const pin = "refs/town/flushed";

  test.each([
    ["empty", "", [branch, pin]],
    ["garbage", "no ref at all\n", [branch]],
    ["garbage", "no ref at all\n", [pin]],
    ["garbage", "\0".repeat(41), [branch, pin]],
    ["the name of what is not there", `${missing}\n`, [branch]],
    ["the name of what is not there", `${missing}\n`, [pin]],
    ["the name of what is not there", `${missing}\n`, [branch, pin]],
  ])("given refs that hold %s, when opened and written to, then the store goes on and git finds it whole", async (_, text, refs) => {
    const { site, path, git } = await store(false);
    const graph = await openIn(site, path);
    const before = await facts(graph);
    await graph.close();
    rmSync(join(git, "packed-refs"), { force: true });
    for (const ref of refs) write(join(git, ref), text);
    const reader = await openRealGraph(await repositoryAt(site.another(), path), { readOnly: true });
    expect(await facts(reader)).toEqual(before);
    await reader.close();
    const again = await openIn(site, path);
    expect(await facts(again)).toEqual(before);
    await again.transact(alice, (tx) => tx.create({ title: "four" }));
    const { commit } = await again.flush();
    expect(site.sh(path, "rev-parse", "town/work", "refs/town/flushed").split("\n")).toEqual([commit, commit]);
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
  });

  test("given a branch and a pin that were moved back, and a cache that is gone, when looked at, then what was left behind is told and can be taken in", async () => {
    const { site, path, git } = await store(true);
    const lost = site.sh(path, "rev-parse", "town/work");
    for (const ref of [branch, pin]) site.sh(path, "update-ref", ref, `${lost}~2`);
    for (const part of ["cache", "wal"]) rmSync(join(git, "town", part), { recursive: true, force: true });
    const graph = await openIn(site, path);
    expect(graph.list().map(({ id, status }) => `${id} ${status}`)).toEqual(["api-one open", "api-two open"]);
    await graph.transact(alice, (tx) => tx.create({ title: "four", id: "api-four" }));
    await graph.flush();
    const found = await checkObjects(graph, () => Promise.resolve());
    expect(found.leftBehind).toEqual([
      expect.stringMatching(new RegExp(`^commit ${lost} of .*: later there, or only there: api-one, api-three$`)),
    ]);
    site.sh(path, "update-ref", branch, lost);
    const { commit } = await graph.flush();
    expect(
      graph
        .list()
        .map(({ id, status }) => `${id} ${status}`)
        .sort(),
    ).toEqual(["api-four open", "api-one closed", "api-three open", "api-two open"]);
    expect(site.sh(path, "rev-parse", branch)).toBe(commit);
    expect((await checkObjects(graph, () => Promise.resolve())).leftBehind).toEqual([]);
  });

  test("given an open store whose objects are taken away, when it is written to, then it makes them again", async () => {
    const { site, path, git } = await store(true);
    const graph = await openIn(site, path);
    const before = await facts(graph);
    rmSync(join(git, "objects"), { recursive: true });
    site.sh(site.root, "init", "--quiet", "--bare", path);
    expect(await graph.verify()).toBe(false);
    expect(await facts(graph)).toMatchObject({ records: (before as { records: unknown }).records });
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
    expect(readdirSync(join(git, "objects", "pack")).length).toBeGreaterThan(0);
  });
});
