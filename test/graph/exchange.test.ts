import { describe, expect, test } from "vitest";
import { decodeColumns } from "../../src/graph/columns-file.ts";
import { exportJsonl, importJsonl } from "../../src/graph/exchange.ts";
import type { Files } from "../../src/ports/files.ts";
import { alice, bob, graphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };
const line = (id: string, updated: string, fields: object = {}): string =>
  JSON.stringify({
    id,
    title: id,
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: "2025-01-01T00:00:00Z",
    updated_at: updated,
    ...fields,
  });

describe("importing into a store", () => {
  test("given a file with good and bad lines, when imported twice and opened again, then it is there once and the bad lines are set aside", async () => {
    const world = await graphWorld();
    const { graph, files } = await world.open("/repo", calm);
    const text = [
      line("bd-1", "2025-02-01T00:00:00Z", { odd: { key: [1] } }),
      "<<<<<<< HEAD",
      line("bd-2", "2025-02-01T00:00:00Z", { status: "tombstone" }),
      "{broken",
    ].join("\n");
    const options = { source: "issues.jsonl", author: alice, nowMs: world.clock.now() };
    const dry = await importJsonl(graph, text, { ...options, dryRun: true });
    expect([dry.created, graph.storedRecords().length]).toEqual([["bd-1", "bd-2"], 0]);
    const first = await importJsonl(graph, text, options);
    expect([first.created, first.problems.map(({ line: at }) => at)]).toEqual([
      ["bd-1", "bd-2"],
      [2, 4],
    ]);
    const second = await importJsonl(graph, text, options);
    expect([second.created, second.updated, second.unchanged]).toEqual([[], [], 2]);
    const aside = ((await files.readText("/repo/town/set-aside/import.jsonl")) ?? "").trim().split("\n");
    expect(aside.map((one) => (JSON.parse(one) as { place: string }).place)).toEqual([
      "issues.jsonl:2",
      "issues.jsonl:4",
    ]);
    await graph.close();
    const again = await world.open("/repo", calm);
    expect(again.graph.list().map(({ id }) => id)).toEqual(["bd-1"]);
    expect(again.graph.get("bd-1")).toMatchObject({ updated_at: "2025-02-01T00:00:00Z", odd: { key: [1] } });
    expect(again.graph.stored("bd-2")?.status).toBe("tombstone");
  });

  test("given a bead closed here, when an older file that has it open is imported, then it stays closed", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const old = line("bd-1", "2025-02-01T00:00:00Z");
    const options = { source: "f", author: alice, nowMs: world.clock.now() };
    await importJsonl(graph, old, options);
    await graph.transact(bob, (tx) => tx.close("bd-1"));
    expect((await importJsonl(graph, old, options)).older).toEqual(["bd-1"]);
    expect(graph.get("bd-1")?.status).toBe("closed");
  });

  test("given an export, when nothing changed, then the file is not written; when one bead changed, then only its line is", async () => {
    const world = await graphWorld();
    const { graph, files } = await world.open("/repo", calm);
    const text = `${line("bd-1", "2025-02-01T00:00:00Z")}\n${line("bd-2", "2025-02-01T00:00:00Z")}\n`;
    await files.writeAtomic("/issues.jsonl", text);
    await importJsonl(graph, text, { source: "f", author: alice, nowMs: world.clock.now() });
    let writes = 0;
    world.disk.onStep = (operation, path) => void (operation === "writeAtomic" && path === "/issues.jsonl" && writes++);
    await exportJsonl(graph, files, "/issues.jsonl");
    expect([writes, await files.readText("/issues.jsonl")]).toEqual([0, text]);
    await graph.transact(bob, (tx) => tx.update("bd-2", { priority: 0 }));
    await exportJsonl(graph, files, "/issues.jsonl");
    const [first, second] = ((await files.readText("/issues.jsonl")) ?? "").split("\n");
    expect([writes, first]).toEqual([1, text.split("\n")[0]]);
    expect(JSON.parse(second ?? "")).toMatchObject({ id: "bd-2", priority: 0 });
  });
});

const cache = "/repo/town/cache";

async function columnsIn(disk: Files) {
  const bytes = await disk.readFrom(`${cache}/columns.bin`, 0);
  return bytes === undefined ? undefined : decodeColumns(bytes);
}

async function textsIn(disk: Files): Promise<string> {
  return `${cache}/${(await columnsIn(disk))?.head.texts ?? ""}`;
}

describe("the cache", () => {
  test("given many beads, when opened with the cache, behind it, with a damaged one and without, then all are equal", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 1_100; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
      tx.create({ title: "a wisp", ephemeral: true, id: "api-wisp-1" });
      for (let i = 20; i < 200; i += 2) {
        tx.addDependency(`api-${i}`, `api-${i % 11}`, i % 3 === 0 ? "blocks" : "parent-child");
        tx.addLabel(`api-${i}`, `l${i % 5}`);
        if (i % 4 === 0) tx.close(`api-${i}`, { reason: "done", force: true });
      }
      tx.addDependency("api-500", "api-1", "waits-for", '{"gate":"any-children"}');
    });
    await graph.close();
    const disk = world.disk.mount();
    const before = await columnsIn(disk);
    expect(before).toBeDefined();
    const second = await world.open("/repo", calm);
    for (const label of ["l1", "l2"]) expect(second.graph.list({ label })).toEqual(graph.list({ label }));
    for (let i = 0; i < 11; i++) {
      const sorted = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).sort();
      const id = `api-${i}`;
      expect(sorted(second.graph.dependentsOf(id))).toEqual(sorted(graph.dependentsOf(id)));
      expect(sorted(second.graph.childrenOf(id))).toEqual(sorted(graph.childrenOf(id)));
    }
    expect(second.graph.isBlocked("api-500")).toBe(graph.isBlocked("api-500"));
    expect(second.graph.ready()).toEqual(graph.ready());
    expect(second.graph.list()).toEqual(graph.list());
    await second.graph.transact(bob, (tx) => [
      tx.close("api-7"),
      tx.delete("api-8"),
      tx.create({ id: "api-new", title: "new" }),
    ]);
    await second.graph.close();
    // Too few changes for a new cache: they are added to it.
    expect((await columnsIn(disk))?.head).toEqual(before?.head);
    const state = second.graph.storedRecords();
    const changes = `${cache}/${(await disk.list(cache)).find((name) => name.endsWith("-changes.jsonl")) ?? ""}`;
    const added = (await disk.readText(changes)) ?? "";
    expect(added.split("\n").filter((line) => line !== "")).toHaveLength(1);
    for (const prepare of [
      async () => undefined,
      // As a crash leaves it, and without what was added: git has it all.
      async () => disk.writeAtomic(changes, added.slice(0, -5)),
      async () => disk.remove(changes),
      async () => {
        const texts = await textsIn(disk);
        await disk.writeAtomic(texts, ((await disk.readText(texts)) ?? "").slice(1));
      },
      // One bit, anywhere.
      async () => {
        const bytes = (await disk.readFrom(`${cache}/columns.bin`, 0)) ?? new Uint8Array();
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
        await disk.writeAtomic(`${cache}/columns.bin`, bytes);
      },
      async () => disk.writeAtomic(`${cache}/columns.bin`, "[]"),
      async () => disk.removeTree(cache),
    ]) {
      await prepare();
      const again = await world.open("/repo", { ...calm, readOnly: true });
      expect(again.graph.storedRecords()).toEqual(state);
      await again.graph.close();
    }
  });

  test("given a store that is closed while its cache is written, when opened again, then the cache has what came after, too", async () => {
    const world = await graphWorld();
    const disk = world.disk.mount();
    let go = (): void => undefined;
    const going = new Promise<void>((resolve) => (go = resolve));
    const slow = async (path: string, content: string | Uint8Array): Promise<void> => {
      if (path.includes("/cache/")) await going;
      return disk.writeAtomic(path, content);
    };
    const files = new Proxy(disk, {
      get: (target, name) => {
        const value: unknown = name === "writeAtomic" ? slow : Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const { graph } = await world.open("/repo", { ...calm, files });
    const many = (from: number) =>
      graph.transact(alice, (tx) => {
        for (let i = from; i < from + 1_100; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
      });
    await many(0);
    await graph.flush();
    await many(2_000);
    await graph.flush();
    const closed = graph.close();
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    go();
    await closed;
    expect((await columnsIn(disk))?.head.commit).toBe(graph.tip);
  });

  test("given the cache of a former version, when opened, then it is not used, and is made anew", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 1_100; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
    });
    await graph.close();
    const disk = world.disk.mount();
    for (const name of await disk.list(cache)) await disk.remove(`${cache}/${name}`);
    // As the first version wrote it.
    const wrong = JSON.stringify([{ ...graph.storedRecords()[0], title: "from the old cache" }]);
    await disk.writeAtomic(`${cache}/old-0.json`, wrong);
    const shard = { file: "old-0.json", records: 1, characters: wrong.length };
    await disk.writeAtomic(`${cache}/manifest.json`, JSON.stringify({ format: 1, commit: graph.tip, shards: [shard] }));
    const again = await world.open("/repo", calm);
    expect(again.graph.list()).toEqual(graph.list());
    await again.graph.close();
    expect(await disk.list(cache)).not.toContain("old-0.json");
    expect(await disk.list(cache)).not.toContain("manifest.json");
    expect((await columnsIn(disk))?.head.commit).toBe(graph.tip);
  });
});
