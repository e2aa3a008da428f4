import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GraphChange, GraphReader, GraphTransaction } from "../../src/ports/work-graph.ts";
import { alice, bob, graphWorld } from "./graph-world.ts";

const calm = { flushIntervalMs: 3_600_000 };

describe("transactions", () => {
  test("given work that throws, then nothing of it stays, and the transactions beside it are not touched", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const outcomes = await Promise.allSettled([
      graph.transact(alice, (tx) => tx.create({ id: "api-1", title: "one" })),
      graph.transact(alice, (tx) => {
        tx.create({ id: "api-2", title: "two" });
        tx.update("api-1", { title: "changed" });
        tx.addLabel("api-1", "x");
        throw new Error("no");
      }),
      graph.transact(bob, (tx) => [tx.get("api-1")?.title, tx.get("api-2"), tx.list().length, tx.ready().length]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[2]).toMatchObject({ value: ["one", undefined, 1, 1] });
    expect(graph.list().map(({ id, title, labels }) => [id, title, labels])).toEqual([["api-1", "one", undefined]]);
    expect(graph.revOf("api-1")).toBe(1);
  });

  test("given a transaction, then it sees its own writes in every read, and nobody else does before it is durable", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const first = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    let seen: unknown;
    world.disk.onStep = (operation) => {
      if (operation === "sync")
        seen = [graph.get(first.id)?.status, graph.ready().length, graph.list().length, graph.byKey("k")];
    };
    const inside = await graph.transact(bob, (tx) => {
      const second = tx.create({ title: "second", metadata: { "town.key": "k" }, dependsOn: [{ id: first.id }] });
      tx.close(first.id);
      return [
        tx.ready().map(({ title }) => title),
        tx.byKey("k")?.id === second.id,
        tx.isBlocked(second.id),
        tx.list({ status: ["closed"] }).length,
        tx.dependentsOf(first.id).length,
        tx.revOf(second.id),
      ];
    });
    expect(inside).toEqual([["second"], true, false, 1, 1, 0]);
    expect(seen).toEqual(["open", 1, 1, undefined]);
    expect(graph.ready().map(({ title }) => title)).toEqual(["second"]);
  });

  test("given beads that change their status, when those of several are listed, then each is there that a walk over all finds", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const statuses = ["open", "in_progress", "blocked", "deferred", "hooked"];
    const wanted = [statuses.slice(0, 2), statuses.slice(1), [...statuses.slice(2), "closed"], ["closed", "open"]];
    const check = (reader: GraphReader): void => {
      expect(reader.size).toBe(reader.list().length);
      for (const status of wanted)
        for (const assignee of [undefined, "alice"]) {
          const filter = assignee === undefined ? { status } : { status, assignee };
          const fits = (record: BeadRecord) =>
            status.includes(record.status) && (assignee === undefined || record.assignee === assignee);
          expect(reader.list(filter)).toEqual(reader.list().filter(fits));
        }
    };
    for (let round = 0; round < 6; round++) {
      await graph.transact(alice, (tx) => {
        for (let i = 0; i < 5; i++) tx.create({ id: `api-${round}${i}`, title: `bead ${i}` });
        check(tx);
        tx.claim(`api-${round}0`, "alice");
        tx.close(`api-${round}1`);
        for (const [i, status] of ["blocked", "deferred"].entries()) tx.update(`api-${round}${i + 2}`, { status });
        if (round > 0) tx.close(`api-${round - 1}0`);
        if (round > 1) tx.delete(`api-${round - 2}4`);
        check(tx);
      });
      check(graph);
    }
  });

  test("given many that wait, when written, then they share appends, in order", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    let appends = 0;
    world.disk.onStep = (operation) => void (operation === "append" && appends++);
    const made = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        graph.transact(alice, (tx) => `${tx.create({ title: `n${i}` }).id} ${tx.list().length}`),
      ),
    );
    expect(made.map((line) => Number(line.split(" ")[1]))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    // The header, and one for all.
    expect(appends).toBeLessThanOrEqual(3);
  });

  test("given an asynchronous function or a transaction kept beyond its end, then both are refused", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await expect(graph.transact(alice, async (tx) => tx.create({ title: "x" }))).rejects.toMatchObject({
      reason: "AsyncTransaction",
    });
    let kept: GraphTransaction | undefined;
    const bead = await graph.transact(alice, (tx) => {
      kept = tx;
      return tx.create({ title: "y" });
    });
    expect(() => kept?.update(bead.id, { title: "z" })).toThrow("the transaction has ended");
    expect(() => kept?.create({ title: "z" })).toThrow("the transaction has ended");
    expect(graph.list()).toEqual([bead]);
  });

  test("given a request id, when asked again, also at once, after a restart and after the log was removed, then the first answer comes and nothing changes", async () => {
    const world = await graphWorld();
    const options = { ...calm, segmentBytes: 100 };
    const { graph, ...life } = await world.open("/repo", options);
    const ask = (on: typeof graph) => on.transact(alice, (tx) => tx.create({ title: "once" }).id, { requestId: "r1" });
    const [one, two] = await Promise.all([ask(graph), ask(graph)]);
    expect(two).toBe(one);
    expect(await ask(graph)).toBe(one);
    life.kill();
    const second = await world.open("/repo", options);
    expect(await ask(second.graph)).toBe(one);
    await second.graph.flush();
    await second.graph.close();
    const third = await world.open("/repo", options);
    expect(third.graph.answerOf("r1")).toEqual({ answer: one });
    expect(third.graph.answerOf("r2")).toBeUndefined();
    expect(await ask(third.graph)).toBe(one);
    expect(third.graph.list()).toHaveLength(1);
    await expect(
      third.graph.transact(
        alice,
        () => {
          throw new Error("first try");
        },
        { requestId: "r2" },
      ),
    ).rejects.toThrow("first try");
    expect(await third.graph.transact(alice, () => "second try", { requestId: "r2" })).toBe("second try");
  });
});

describe("a named transaction that only renews a lease", () => {
  test("given one, when it commits, then nothing is written to the log for it", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const { id } = await graph.transact(alice, (tx) => tx.claim(tx.create({ title: "held" }).id, "alice"));
    await graph.flush();
    const before = await graph.flush();
    await graph.transact(alice, (tx) => tx.renewLease(id, 4 * 3_600_000).id, { requestId: "renew" });
    expect(await graph.flush()).toEqual(before);
  });
});

describe("the feed of changes", () => {
  test("given subscribers, when beads change, then each gets every change once, in order, after it is visible", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const seen: (readonly [number, string, string | undefined, string | undefined, string])[] = [];
    const unsubscribe = graph.subscribe((changes) => {
      for (const { seq, id, before, after, author } of changes) {
        expect(graph.get(id)).toEqual(after);
        seen.push([seq, id, before?.status, after?.status, author.actor]);
      }
    });
    graph.subscribe(() => {
      throw new Error("a bad subscriber hurts nobody");
    });
    await graph.transact(alice, (tx) => [
      tx.create({ id: "api-1", title: "a" }),
      tx.create({ id: "api-wisp-2", title: "w", ephemeral: true }),
    ]);
    await graph.transact(bob, (tx) => tx.close("api-1"));
    await graph.transact(bob, (tx) => [tx.delete("api-1"), tx.delete("api-wisp-2")]);
    await graph.transact(bob, () => "nothing");
    unsubscribe();
    await graph.transact(alice, (tx) => tx.create({ title: "later" }));
    expect(seen.map(([, ...rest]) => rest)).toEqual([
      ["api-1", undefined, "open", "alice"],
      ["api-wisp-2", undefined, "open", "alice"],
      ["api-1", "open", "closed", "bob"],
      ["api-1", "closed", undefined, "bob"],
      ["api-wisp-2", "open", undefined, "bob"],
    ]);
    const seqs = seen.map(([seq]) => seq);
    expect(seqs.every((seq, i) => i === 0 || seq > (seqs[i - 1] ?? 0))).toBe(true);
  });

  test("given a snapshot, then it and the changes after its seq are the whole state", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    await graph.transact(alice, (tx) => tx.create({ id: "api-1", title: "a" }));
    const state = new Map<string, unknown>();
    const late: GraphChange[] = [];
    graph.subscribe((changes) => late.push(...changes));
    const { seq, records } = graph.snapshot();
    for (const record of records) state.set(record.id, record);
    await graph.transact(alice, (tx) => tx.create({ id: "api-2", title: "b" }));
    await graph.transact(alice, (tx) => tx.delete("api-1"));
    for (const change of late) {
      if (change.seq <= seq) continue;
      if (change.after === undefined) state.delete(change.id);
      else state.set(change.id, change.after);
    }
    expect([...state.values()]).toEqual(graph.list());
  });
});

describe("flushing", () => {
  test("given changes, when a second passes or many wait, then they reach the branch; wisps and burned beads never do", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", { flushRecords: 5 });
    const repository = await world.repository("/repo");
    const tip = () => repository.resolve("refs/heads/town/work");
    await graph.transact(alice, (tx) => tx.create({ id: "api-wisp-1", title: "secret wisp", ephemeral: true }));
    await world.clock.advance(5_000);
    expect(await tip()).toBeUndefined();
    await graph.transact(alice, (tx) => tx.create({ title: "one" }));
    await world.clock.advance(990);
    expect(await tip()).toBeUndefined();
    await world.clock.advance(20);
    const first = await tip();
    expect(first).toBeDefined();
    await graph.transact(alice, (tx) => Array.from({ length: 5 }, (_, i) => tx.create({ title: `n${i}` })));
    await world.clock.advance(1);
    expect(await tip()).not.toBe(first);
    await graph.close();
    const all = await repository.listFiles("refs/heads/town/work", "");
    const texts = await Promise.all(all.map(({ id }) => repository.objects.readBlob(id)));
    expect(texts.join("\n")).not.toContain("secret wisp");
    expect(all.filter(({ path }) => path.endsWith(".json") && path !== "version.json")).toHaveLength(6);
  });

  test("given a git that fails for a while, when it works again, then the flush is made up for; writes go on meanwhile", async () => {
    const world = await graphWorld();
    const repository = await world.repository("/repo");
    let broken = true;
    const flaky = new Proxy(repository, {
      get: (target, name) => {
        if (name === "updateRefs" && broken) return () => Promise.reject(new Error("disk full"));
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    const { graph } = await world.open("/repo", { repository: flaky });
    await graph.transact(alice, (tx) => tx.create({ title: "one" }));
    await world.clock.advance(10_000);
    await graph.transact(alice, (tx) => tx.create({ title: "two" }));
    await world.clock.advance(10_000);
    expect(await repository.resolve("refs/heads/town/work")).toBeUndefined();
    broken = false;
    await world.clock.advance(31_000);
    expect(graph.tip).toBe(await repository.resolve("refs/heads/town/work"));
    expect(
      (await repository.listFiles("refs/heads/town/work", "")).filter(({ path }) => /^[0-3]/.test(path)),
    ).toHaveLength(2);
  });

  test("given a closed store, when written, then it is refused; a store opened for reading refuses too, and sees what is on disk", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "t" }));
    const reader = await world.open("/repo", { readOnly: true });
    expect(reader.graph.get(bead.id)).toEqual(bead);
    await expect(reader.graph.transact(bob, (tx) => tx.create({ title: "x" }))).rejects.toMatchObject({
      reason: "StoreReadOnly",
    });
    await reader.graph.close();
    await graph.close();
    await graph.close();
    await expect(graph.transact(alice, (tx) => tx.create({ title: "x" }))).rejects.toMatchObject({
      reason: "StoreClosed",
    });
  });
});

describe("the log of events", () => {
  test("given many events in a day, then they are cut into segments and history finds them all", async () => {
    const world = await graphWorld();
    const { graph } = await world.open("/repo", calm);
    const { id } = await graph.transact(alice, (tx) => tx.create({ title: "t" }));
    for (let i = 0; i < 30; i++) {
      await world.clock.advance(1_000);
      await graph.transact(bob, (tx) => [
        tx.update(id, { notes: `${i} ${"n".repeat(3_000)}` }),
        ...Array.from({ length: 20 }, (_, n) => tx.create({ title: `${i} ${n} ${"x".repeat(400)}` })),
      ]);
      await graph.flush();
    }
    const repository = await world.repository("/repo");
    const files = await repository.listFiles("refs/heads/town/work", "log");
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(((await repository.objects.readBlob(file.id)) ?? "").length).toBeLessThan(70_000);
    const history = await graph.history(id);
    expect(history).toHaveLength(31);
    expect(history.map(({ timeMs }) => timeMs)).toEqual(history.map(({ timeMs }) => timeMs).toSorted((a, b) => a - b));
    expect(history[5]).toMatchObject({
      actor: "bob",
      event: "updated",
      changes: [{ field: "notes", from: expect.stringMatching(/^3 n+… \(3002 characters\)$/) as string }],
    });
  });
});
