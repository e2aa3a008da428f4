import { describe, expect, test } from "vitest";
import { PRIORITY, WorkQueue } from "../../src/engine/work-queue.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import type { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { virtualClock } from "../turn.ts";
import { fc, fuzzRuns } from "../property.ts";

const key = (name: string): ObjectKey => ({ kind: "Widget", namespace: "api", name });

function queueOn(clock: VirtualClock, ready: () => void = () => undefined): WorkQueue {
  return new WorkQueue({ clock, random: seededRandom(1), ready });
}

function takeAll(queue: WorkQueue): string[] {
  const names: string[] = [];
  for (let taken = queue.take(); taken !== undefined; taken = queue.take()) names.push(taken.key.name);
  return names;
}

describe("WorkQueue", () => {
  test("given one key added often, when taken, then it comes once", () => {
    const queue = queueOn(virtualClock());
    for (let i = 0; i < 5; i += 1) queue.add(key("a"));
    queue.add(key("b"));
    expect(queue.depth).toBe(2);
    expect(takeAll(queue)).toEqual(["a", "b"]);
    expect(queue.depth).toBe(0);
  });

  test("given priorities, when taken, then the highest leave first, and a raised key keeps its place among equals", () => {
    const queue = queueOn(virtualClock());
    queue.add(key("resync"), PRIORITY.resync);
    queue.add(key("early"), PRIORITY.resync);
    queue.add(key("change"), PRIORITY.change);
    queue.add(key("poke"), PRIORITY.poke);
    queue.add(key("early"), PRIORITY.change);
    queue.add(key("poke"), PRIORITY.resync);
    expect(takeAll(queue)).toEqual(["poke", "early", "change", "resync"]);
  });

  test("given a key that is being worked, when added, then it waits for done and keeps the highest priority asked for", () => {
    const queue = queueOn(virtualClock());
    queue.add(key("a"));
    queue.take();
    queue.add(key("a"), PRIORITY.poke);
    queue.add(key("a"), PRIORITY.resync);
    queue.add(key("b"));
    expect(queue.depth).toBe(1);
    queue.done(key("a"));
    expect(takeAll(queue)).toEqual(["a", "b"]);
  });

  test("given delays, when time passes, then each key comes when due, the earliest delay counts, and one timer runs", async () => {
    const clock = virtualClock();
    let readies = 0;
    const queue = queueOn(clock, () => {
      readies += 1;
    });
    queue.addAfter(key("a"), 500);
    queue.addAfter(key("b"), 100);
    queue.addAfter(key("a"), 300);
    queue.addAfter(key("b"), 900);
    expect(clock.sleeping).toBe(1);
    await clock.advance(99);
    expect([readies, queue.depth]).toEqual([0, 0]);
    await clock.advance(1);
    expect(takeAll(queue)).toEqual(["b"]);
    await clock.advance(200);
    expect(takeAll(queue)).toEqual(["a"]);
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
    expect(clock.sleeping).toBe(0);
  });

  test("given a key with a delay, when it is run before, then the delay is void", async () => {
    const clock = virtualClock();
    const queue = queueOn(clock);
    queue.addAfter(key("a"), 100);
    queue.add(key("a"));
    expect(takeAll(queue)).toEqual(["a"]);
    queue.done(key("a"));
    await clock.advance(1000);
    expect(queue.depth).toBe(0);
    expect(queue.known).toBe(0);
  });

  test("given a failing key, when retried, then the wait doubles from 1 s to 5 min within the jitter, until forgotten", () => {
    const queue = queueOn(virtualClock());
    const waits = Array.from({ length: 14 }, () => {
      queue.add(key("a"));
      queue.take();
      const ms = queue.retry(key("a"));
      queue.done(key("a"));
      return ms;
    });
    waits.forEach((ms, index) => {
      const grown = Math.min(1000 * 2 ** index, 250_000);
      expect(ms).toBeGreaterThanOrEqual(grown);
      expect(ms).toBeLessThanOrEqual(grown * 1.2);
    });
    expect(queue.failures(key("a"))).toBe(14);
    queue.forget(key("a"));
    expect(queue.retry(key("a"))).toBeLessThanOrEqual(1200);
  });

  test("given ten thousand delays that are voided over and over, when they end, then nothing piles up", () => {
    const queue = queueOn(virtualClock());
    for (let round = 0; round < 20; round += 1) {
      for (let i = 0; i < 1000; i += 1) {
        queue.addAfter(key(`k${i}`), 86_400_000);
        queue.add(key(`k${i}`));
      }
      for (const name of takeAll(queue)) queue.done(key(name));
    }
    expect(queue.known).toBe(0);
    expect(queue.delayedItems).toBeLessThan(3000);
  });

  test("given a closed queue, when anything is added or comes due, then nothing becomes ready and no timer is left", async () => {
    const clock = virtualClock();
    const queue = queueOn(clock);
    queue.add(key("worked"));
    queue.take();
    queue.add(key("worked"));
    queue.add(key("ready"));
    queue.addAfter(key("delayed"), 10);
    queue.close();
    queue.add(key("late"));
    queue.addAfter(key("late"), 5);
    queue.done(key("worked"));
    await clock.advance(100);
    expect(queue.take()).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  test("given any history of adds, delays, takes, ends and failures, when it is played, then no key is worked twice at once, none is lost, and order is by priority", async () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), name, priority: fc.constantFrom(0, 10, 20) }),
      fc.record({ do: fc.constant("later" as const), name, ms: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ do: fc.constant("take" as const) }),
      fc.record({ do: fc.constant("end" as const), pick: fc.nat(3), failed: fc.boolean() }),
      fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = virtualClock();
        const queue = queueOn(clock);
        const working: string[] = [];
        /** Keys that must still come: asked for since they were last taken. */
        const owed = new Set<string>();
        const take = (): void => {
          const taken = queue.take();
          if (taken === undefined) return;
          expect(working).not.toContain(taken.key.name);
          working.push(taken.key.name);
          owed.delete(taken.key.name);
        };
        for (const action of steps) {
          if (action.do === "add") {
            queue.add(key(action.name), action.priority);
            owed.add(action.name);
          } else if (action.do === "later") {
            queue.addAfter(key(action.name), action.ms);
            owed.add(action.name);
          } else if (action.do === "take") take();
          else if (action.do === "pass") await clock.advance(action.ms);
          else if (working.length > 0) {
            const [ended = ""] = working.splice(action.pick % working.length, 1);
            if (action.failed) {
              queue.retry(key(ended));
              owed.add(ended);
            } else queue.forget(key(ended));
            queue.done(key(ended));
          }
        }
        for (const ended of working.splice(0)) queue.done(key(ended));
        await clock.advance(400_000);
        for (let left = 0; left < 10; left += 1) take();
        expect([...owed]).toEqual([]);
        expect(new Set(working).size).toBe(working.length);
      }),
      { numRuns: fuzzRuns(150) },
    );
  });

  test("given keys with any priorities, when all are taken, then they leave by priority and then by arrival", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }), (priorities) => {
        const queue = queueOn(virtualClock());
        priorities.forEach((priority, index) => queue.add(key(String(index)), priority));
        const expected = priorities
          .map((priority, index) => ({ priority, index }))
          .sort((a, b) => b.priority - a.priority || a.index - b.index);
        expect(takeAll(queue)).toEqual(expected.map(({ index }) => String(index)));
      }),
    );
  });

  test("given 16 workers on 100 keys with failures, when 20,000 adds are worked, then no two overlap and every key ends after its last add", async () => {
    const clock = virtualClock();
    const random = seededRandom("workers");
    const active = new Set<string>();
    const lastAdd = new Map<string, number>();
    const lastStart = new Map<string, number>();
    let [tick, overlaps, runs] = [0, 0, 0];
    let free = 16;
    const pump = (): void => {
      while (free > 0) {
        const taken = queue.take();
        if (taken === undefined) return;
        free -= 1;
        void work(taken.key);
      }
    };
    const queue = queueOn(clock, () => void Promise.resolve().then(pump));
    const work = async (taken: ObjectKey): Promise<void> => {
      if (active.has(taken.name)) overlaps += 1;
      active.add(taken.name);
      runs += 1;
      lastStart.set(taken.name, (tick += 1));
      await clock.sleep(random.below(20));
      active.delete(taken.name);
      if (random.chance(0.2)) queue.retry(taken);
      else queue.forget(taken);
      queue.done(taken);
      free += 1;
      pump();
    };
    for (let i = 0; i < 20_000; i += 1) {
      const name = `k${random.below(100)}`;
      lastAdd.set(name, (tick += 1));
      if (random.chance(0.3)) queue.addAfter(key(name), random.below(200));
      else queue.add(key(name), random.below(3));
      if (i % 50 === 0) await clock.advance(5);
    }
    await clock.advance(3_600_000);
    expect(overlaps).toBe(0);
    for (const [name, added] of lastAdd) expect(lastStart.get(name)).toBeGreaterThan(added);
    expect([queue.depth, queue.processing, queue.known]).toEqual([0, 0, 0]);
    expect(runs).toBeGreaterThan(1000);
  });
});
