import { describe, expect, test } from "vitest";
import { readHistory } from "../../src/graph/event-log.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { historyAt } from "../../src/graph/history-cache.ts";
import { storePaths } from "../../src/graph/paths.ts";
import { alice, bob, graphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };
const path = "/repo/town/cache/history.jsonl";

async function storeWithHistory() {
  const world = await graphWorld();
  const { graph } = await world.open("/repo", calm);
  await graph.transact(alice, (tx) => {
    tx.create({ id: "api-1", title: "ein Käfer ✓" });
    tx.create({ id: "api-11", title: "other" });
  });
  await graph.flush();
  await graph.transact(bob, (tx) => [tx.comment("api-1", "Grüße"), tx.addDependency("api-11", "api-1")]);
  await graph.close();
  return { world, graph, disk: world.disk.mount() };
}

/** What the history of a bead is by git, and whether git was asked when it was read the ordinary way. */
async function both({ world, graph, disk }: Awaited<ReturnType<typeof storeWithHistory>>, id: string) {
  const repository = await world.repository("/repo");
  const byGit = await readHistory(repository, graph.tip ?? "", id);
  let asked = 0;
  const watched = new Proxy(repository, {
    get: (target, name) => {
      if (name === "listFiles") asked++;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const paths = storePaths(repository.commonDirectory);
  const read = await historyAt({ files: disk, paths, repository: watched }, graph.tip, id);
  const sorted = (entries: readonly object[]) => entries.map((entry) => JSON.stringify(entry)).sort();
  expect(sorted(read)).toEqual(sorted(byGit));
  expect(byGit.length).toBeGreaterThan(0);
  return asked;
}

describe("the history in the cache", () => {
  test("given events of several commits and processes, when the history of a bead is read, then git is not asked", async () => {
    const store = await storeWithHistory();
    for (const id of ["api-1", "api-11"]) expect(await both(store, id)).toBe(0);
    const { graph } = await store.world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.close("api-1"));
    await graph.close();
    for (const id of ["api-1", "api-11"]) expect(await both({ ...store, graph }, id)).toBe(0);
  });

  test("given a file that is torn, damaged anywhere, of another commit or gone, when read, then git tells, and the next writer makes it good", async () => {
    const store = await storeWithHistory();
    const { disk, world } = store;
    const whole = (await disk.readFrom(path, 0)) ?? new Uint8Array();
    const spoilt = [whole.slice(0, -3), whole.slice(0, -60), whole.slice(0, 40), new Uint8Array(), undefined];
    for (let at = 0; at < whole.length; at += 7) spoilt.push(whole.map((byte, i) => (i === at ? byte ^ 1 : byte)));
    for (const content of spoilt) {
      if (content === undefined) await disk.remove(path);
      else await disk.writeAtomic(path, content);
      expect(await both(store, "api-1")).toBe(1);
    }
    let { graph } = store;
    for (const content of [whole.slice(0, -3), undefined]) {
      if (content === undefined) await disk.remove(path);
      else await disk.writeAtomic(path, content);
      ({ graph } = await world.open("/repo", calm));
      await graph.transact(bob, (tx) => tx.comment("api-11", "again"));
      await graph.close();
      for (const id of ["api-1", "api-11"]) expect(await both({ ...store, graph }, id)).toBe(0);
    }
  });

  test("given many events, when they lie in blocks, then few are read for one bead, and what is damaged is not believed", async () => {
    const store = await storeWithHistory();
    const { world, disk } = store;
    let { graph } = store;
    for (const round of [1, 2, 3]) {
      ({ graph } = await world.open("/repo", calm));
      await graph.transact(alice, (tx) => {
        for (let i = 0; i < 900 * round; i++) tx.create({ id: `api-r${round}-${i}`, title: `bead ${i}` });
        tx.comment("api-1", `round ${round}`);
      });
      await graph.close();
    }
    const now = { ...store, graph };
    const blocks = "/repo/town/cache/history-blocks.txt";
    const text = (await disk.readText(blocks)) ?? "";
    expect(text.split("\n").length).toBeGreaterThan(5);
    for (const id of ["api-1", "api-11", "api-r1-0", "api-r1-899", "api-r2-7", "api-r3-2699"])
      expect(await both(now, id)).toBe(0);
    let read = 0;
    const counted = new Proxy(disk, {
      get: (target, name) => {
        if (name !== "openRead") return Reflect.get(target, name, target).bind(target) as unknown;
        return async (from: string) => {
          const file = await target.openRead(from);
          return { ...file, bytes: (a: number, b: number) => ((read += b - a), file?.bytes(a, b)) };
        };
      },
    });
    const repository = await world.repository("/repo");
    await historyAt(
      { files: counted, paths: storePaths(repository.commonDirectory), repository },
      graph.tip,
      "api-r1-3",
    );
    expect(read).toBeLessThan(((await disk.stat(path))?.size ?? 0) / 2);
    // As a process leaves it that was killed before it could mark its blocks.
    await disk.writeAtomic(blocks, `${text}${text.split("\n")[0] ?? ""}\n12 34`);
    expect(await both(now, "api-1")).toBe(0);
    ({ graph } = await world.open("/repo", calm));
    await graph.transact(bob, (tx) => {
      for (let i = 0; i < 900; i++) tx.create({ id: `api-r4-${i}`, title: `bead ${i}` });
    });
    await graph.close();
    for (const id of ["api-1", "api-r4-1"]) expect(await both({ ...store, graph }, id)).toBe(0);
    const whole = (await disk.readText(blocks)) ?? "";
    for (const at of [0, 20, 300, 900, whole.length - 3]) {
      const other = String.fromCharCode(whole.charCodeAt(at) ^ 1);
      await disk.writeAtomic(blocks, whole.slice(0, at) + other + whole.slice(at + 1));
      expect(await both({ ...store, graph }, "api-r2-7")).toBe(1);
    }
  });

  test("given commits of another clone, when they are taken in, then its events are in the cache, too", async () => {
    const store = await storeWithHistory();
    const { world } = store;
    const far = await world.repository("/far");
    await far.fetch("/repo", ["+refs/heads/town/work:refs/heads/town/work"]);
    const theirs: GitGraph = (await world.open("/far", calm)).graph;
    await theirs.transact(bob, (tx) => [tx.comment("api-1", "from afar"), tx.create({ id: "api-7", title: "far" })]);
    const { commit } = await theirs.flush();
    await theirs.close();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.update("api-11", { priority: 0 }));
    await graph.repository.fetch("/far", ["+refs/heads/town/work:refs/town/far"]);
    await graph.absorb(commit);
    await graph.flush();
    expect((await graph.history("api-7")).map(({ event }) => event)).toEqual(["created"]);
    await graph.close();
    for (const id of ["api-1", "api-7", "api-11"]) expect(await both({ ...store, graph }, id)).toBe(0);
  });
});
