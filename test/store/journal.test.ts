import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { Journal } from "../../src/store/journal.ts";
import { aWorld, choreKey, declared, keptLog, ORIGIN, sessionKey, STATE, widgetKey } from "./a-store.ts";

describe("a store across restarts", () => {
  it("given objects of every truth, when restarted, then desired ones are as they were and others wait for their projector", async () => {
    const { open } = aWorld();
    const store = await open();
    await declared(store, "one", { role: "x" }, { labels: { a: "b" } });
    await store.patchStatus(widgetKey("one"), { note: "seen" });
    await store.setFinalizer(widgetKey("one"), "town.dev/a", true);
    await store.annotateRuntime(widgetKey("one"), { "runtime.town.dev/poke": "1" });
    await store.project(choreKey("c"), { spec: { title: "t" }, status: { done: false } });
    await store.publish(sessionKey("s"), { spec: {}, status: {} });
    const before = store.get(widgetKey("one"));
    await store.close();
    const next = await open();
    expect(next.get(widgetKey("one"))).toEqual(before);
    expect(next.originOf(widgetKey("one"))).toEqual(ORIGIN);
    expect(next.list("Chore")).toEqual([]);
    expect(next.list("Session")).toEqual([]);
    expect(Number(next.currentVersion())).toBeGreaterThan(Number(store.currentVersion()) - 1);
    await next.close();
  });

  it("given bookkeeping on a work object, when restarted and projected, then it is back; for another uid it is not", async () => {
    const { open } = aWorld();
    const store = await open();
    for (const name of ["same", "other", "changed"]) {
      await store.project(choreKey(name), { spec: { title: "t" }, uid: `uid-${name}`, status: { done: false } });
      await store.project(choreKey(name), { spec: { title: "t2" }, uid: `uid-${name}`, status: { done: false } });
      await store.patchStatus(choreKey(name), { attempts: 3 });
      await store.setFinalizer(choreKey(name), "town.dev/a", true);
    }
    await store.close();
    const next = await open();
    await next.project(choreKey("same"), { spec: { title: "t2" }, uid: "uid-same", status: { done: true } });
    await next.project(choreKey("other"), { spec: { title: "t2" }, uid: "uid-new" });
    await next.project(choreKey("changed"), { spec: { title: "t3" }, uid: "uid-changed" });
    expect(next.get(choreKey("same"))).toMatchObject({
      metadata: { generation: 2, finalizers: ["town.dev/a"] },
      status: { done: true, attempts: 3 },
    });
    expect(next.get(choreKey("other"))).toMatchObject({ metadata: { generation: 1 } });
    expect(next.get(choreKey("other"))?.status).toBeUndefined();
    expect(next.get(choreKey("changed"))?.metadata.generation).toBe(3);
    await next.close();
  });

  it("given a work object in deletion, when restarted, then its cleanup can go on", async () => {
    const { open } = aWorld();
    const store = await open();
    await store.project(choreKey("c"), { spec: { title: "t" }, uid: "u" });
    await store.setFinalizer(choreKey("c"), "town.dev/a", true);
    await store.project(choreKey("c"), undefined);
    await store.close();
    const next = await open();
    expect(next.get(choreKey("c"))?.metadata.deletionTimestamp).toBeDefined();
    await next.setFinalizer(choreKey("c"), "town.dev/a", false);
    await next.close();
    expect((await open()).list("Chore")).toEqual([]);
  });

  it("given removed objects, when restarted, then they stay removed", async () => {
    const { open } = aWorld();
    const store = await open();
    await declared(store, "one");
    await store.withdraw(widgetKey("one"));
    await store.project(choreKey("c"), { spec: { title: "t" }, uid: "u" });
    await store.patchStatus(choreKey("c"), { attempts: 1 });
    await store.project(choreKey("c"), undefined);
    await store.close();
    const next = await open();
    expect(next.list("Widget")).toEqual([]);
    await next.project(choreKey("c"), { spec: { title: "t" }, uid: "u" });
    expect(next.get(choreKey("c"))?.status).toBeUndefined();
    await next.close();
  });

  it("given a lost journal, when restarted later, then versions still rise", async () => {
    const { open, disk, clock } = aWorld();
    const store = await open();
    for (let index = 0; index < 500; index += 1) await declared(store, `w${index}`);
    const last = Number(store.currentVersion());
    disk.kill();
    await disk.mount().removeTree(STATE);
    await clock.advance(1_000);
    const next = await open();
    expect(Number(next.currentVersion())).toBeGreaterThan(last);
    expect(next.list("Widget")).toEqual([]);
  });

  it("given a clock set back, when restarted with the journal, then versions still rise", async () => {
    const { open, clock, disk } = aWorld();
    const store = await open();
    for (let index = 0; index < 20; index += 1) await declared(store, `w${index}`);
    const last = Number(store.currentVersion());
    disk.kill();
    clock.jumpWall(-3_600_000);
    expect(Number((await open()).currentVersion())).toBeGreaterThan(last);
  });
});

describe("a store that is killed", () => {
  it("given a kill at every step of the disk, when restarted, then what was acknowledged is there and versions rise", async () => {
    const { disk: counting, open: openCounting } = aWorld();
    let steps = 0;
    counting.onStep = () => void (steps += 1);
    const script = async (store: Awaited<ReturnType<typeof openCounting>>, acknowledged: Set<string>) => {
      for (const name of ["a", "b", "c"]) {
        await declared(store, name);
        acknowledged.add(name);
        await store.patchStatus(widgetKey(name), { note: name });
        acknowledged.add(`${name} status`);
      }
    };
    await script(await openCounting({}), new Set());
    expect(steps).toBeGreaterThan(8);
    for (let at = 1; at <= steps; at += 1) {
      const { open, disk } = aWorld();
      const acknowledged = new Set<string>();
      let step = 0;
      let lastVersion = 0;
      const killed = new Promise<void>((resolve) => {
        disk.onStep = () => {
          step += 1;
          if (step !== at) return;
          disk.kill();
          resolve();
        };
      });
      const life = open().then(async (store) => {
        store.subscribe(({ object }) => (lastVersion = Number(object.metadata.resourceVersion)));
        await script(store, acknowledged);
      });
      await Promise.race([life, killed]);
      await new Promise((done) => setImmediate(done));
      disk.onStep = undefined;
      const next = await open();
      for (const name of ["a", "b", "c"]) {
        if (acknowledged.has(name))
          expect(next.get(widgetKey(name)), `${name} after a kill at step ${at}`).toBeDefined();
        if (acknowledged.has(`${name} status`)) expect(next.get(widgetKey(name))?.status).toEqual({ note: name });
      }
      expect(Number(next.currentVersion())).toBeGreaterThanOrEqual(lastVersion);
      await next.close();
    }
  });

  it("given power losses with torn tails, when restarted, then the store opens and declared objects are there", async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const { open, disk } = aWorld();
      const store = await open();
      await declared(store, "one");
      void store.patchStatus(widgetKey("one"), { note: "a".repeat(200) });
      void store.patchStatus(widgetKey("one"), { note: "b".repeat(200) });
      await new Promise((done) => setImmediate(done));
      disk.crash(seededRandom(seed));
      const log = keptLog();
      const next = await open({ log });
      expect(next.get(widgetKey("one"))?.spec).toEqual({ role: "x" });
      await declared(next, "two");
      await next.close();
      expect((await open()).list("Widget")).toHaveLength(2);
    }
  });
});

describe("damage and limits", () => {
  it("given a journal with a damaged line, when opened, then the rest is used and the line set aside", async () => {
    const { open, disk } = aWorld();
    const store = await open();
    await declared(store, "one");
    await declared(store, "two");
    disk.kill();
    const files = disk.mount();
    const name = (await files.list(STATE)).find((file) => file.startsWith("store-journal")) ?? "";
    const text = (await files.readText(`${STATE}/${name}`)) ?? "";
    await files.writeAtomic(
      `${STATE}/${name}`,
      text.replace(/\{"t":"put"[^\n]*"one"[^\n]*/, (line) => line.slice(0, 40)),
    );
    const log = keptLog();
    const next = await open({ log });
    expect(next.list("Widget").map(({ metadata }) => metadata.name)).toEqual(["two"]);
    expect(log.lines).toEqual(["error journal has damaged lines, which were set aside"]);
    expect(await disk.mount().readText(`${STATE}/${name}.damaged`)).toContain('{"t":"put"');
  });

  it("given a damaged snapshot, when opened, then it is set aside and the store starts with what the journal has", async () => {
    const { open, disk } = aWorld();
    const store = await open();
    await declared(store, "one");
    await store.close();
    const again = await open();
    await declared(again, "two");
    disk.kill();
    const files = disk.mount();
    const text = (await files.readText(`${STATE}/store-snapshot.jsonl`)) ?? "";
    await files.writeAtomic(`${STATE}/store-snapshot.jsonl`, text.slice(0, text.length - 5));
    const log = keptLog();
    const next = await open({ log });
    expect(next.list("Widget").map(({ metadata }) => metadata.name)).toEqual(["two"]);
    expect(log.lines).toEqual(["error state snapshot is damaged and was set aside"]);
  });

  it("given files of a newer format, when opened, then it refuses and touches nothing", async () => {
    const { open, disk } = aWorld();
    await (await open()).close();
    const files = disk.mount();
    const text = (await files.readText(`${STATE}/store-snapshot.jsonl`)) ?? "";
    await files.writeAtomic(`${STATE}/store-snapshot.jsonl`, text.replace('"version":1', '"version":2'));
    const before = await files.list(STATE);
    await expect(open()).rejects.toMatchObject({
      reason: "StateFormatTooNew",
      hint: expect.stringContaining("newer version"),
    });
    expect(await files.list(STATE)).toEqual(before);
  });

  it("given state of format version 1 as it was first written, when opened, then it is understood", async () => {
    const { open, disk } = aWorld();
    const files = disk.mount();
    await files.makeDirectory(STATE);
    for (const name of ["store-snapshot.jsonl", "store-journal-3.jsonl"])
      await files.writeAtomic(`${STATE}/${name}`, readFileSync(`test/store/fixtures/v1/${name}`, "utf8"));
    const store = await open();
    expect(store.get(widgetKey("one"))).toMatchObject({
      spec: { role: "x" },
      status: { note: "from the journal" },
      metadata: { uid: "11111111-1111-4111-8111-111111111111", resourceVersion: "31536000010" },
    });
    expect(store.get(widgetKey("gone"))).toBeUndefined();
    expect(Number(store.currentVersion())).toBeGreaterThanOrEqual(91_536_000_000);
    await store.project(choreKey("c"), { spec: { title: "t" }, uid: "u1" });
    expect(store.get(choreKey("c"))).toMatchObject({ status: { attempts: 2 }, metadata: { generation: 5 } });
  });

  it("given a full disk, when written to, then the store goes on in memory, says so, and saves all once there is room", async () => {
    const { open, disk, clock } = aWorld();
    const log = keptLog();
    const store = await open({ log });
    const lift = disk.inject({ code: "ENOSPC" });
    await declared(store, "one");
    await declared(store, "two");
    expect(store.list("Widget")).toHaveLength(2);
    expect(store.durable).toBe(false);
    lift();
    await clock.advance(6_000);
    await declared(store, "three");
    expect(store.durable).toBe(true);
    expect(log.lines).toEqual([
      "error journal cannot be written: state is kept in memory only",
      "info journal can be written again",
    ]);
    await store.close();
    expect((await open()).list("Widget")).toHaveLength(3);
  });

  it("given many changes, when the journal grows, then it is folded and old files go", async () => {
    const { open, disk } = aWorld();
    const store = await open();
    await declared(store, "one");
    for (let index = 0; index < 3_000; index += 1)
      void store.patchStatus(widgetKey("one"), { note: `${index} ${"x".repeat(4_000)}` });
    await declared(store, "two");
    await store.close();
    const files = disk.mount();
    const sizes = await Promise.all(
      (await files.list(STATE)).map(async (name) => (await files.stat(`${STATE}/${name}`))?.size ?? 0),
    );
    expect(sizes.length).toBe(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(9 * 1024 * 1024);
    expect((await open()).get(widgetKey("one"))?.status?.["note"]).toMatch(/^2999 /);
  });

  it("given an append made in the very turn in which the one before is done, when awaited, then it is written too", async () => {
    const { clock, disk } = aWorld();
    const journal = new Journal({ files: disk.mount(), directory: STATE, clock, log: keptLog(), state: () => [] });
    await journal.load();
    await journal.begin();
    const second = journal
      .append({ t: "ceiling", version: 1 }, { durable: true })
      .then(() => journal.append({ t: "ceiling", version: 2 }, { durable: true }))
      .then(() => "Written" as const);
    expect(await Promise.race([second, clock.advance(60_000).then(() => "Hangs" as const)])).toBe("Written");
  });

  it("given many writers at once, when they wait for the journal, then they share few writes", async () => {
    const { open, disk } = aWorld();
    const store = await open();
    let appends = 0;
    disk.onStep = (operation) => void (appends += operation === "append" ? 1 : 0);
    await Promise.all(Array.from({ length: 200 }, (_, index) => declared(store, `w${index}`)));
    expect(appends).toBeLessThan(6);
  });
});
