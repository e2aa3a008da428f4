import { describe, expect, test } from "vitest";
import { clockContract } from "../ports/clock.contract.ts";
import { virtualClock } from "../turn.ts";

clockContract("virtual", () => {
  const clock = virtualClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});

describe("VirtualClock", () => {
  test("given sleepers due at the same time, when it advances, then they wake in order of arrival", async () => {
    const clock = virtualClock();
    const order: number[] = [];
    for (const n of [1, 2, 3]) void clock.sleep(10).then(() => order.push(n));
    await clock.advance(10);
    expect(order).toEqual([1, 2, 3]);
  });

  test("given a task that sleeps again and again, when it advances once, then every sleep on the way is seen", async () => {
    const clock = virtualClock();
    let rounds = 0;
    const loop = async (): Promise<void> => {
      for (;;) {
        await clock.sleep(60_000);
        rounds += 1;
      }
    };
    void loop();
    await clock.advance(86_400_000);
    expect(rounds).toBe(1440);
    expect(clock.monotonicMs()).toBe(86_400_000);
  });

  test("given a state reached after 25 s, when run until it, then it stops there", async () => {
    const clock = virtualClock();
    let done = false;
    void clock.sleep(25_000).then(() => {
      done = true;
    });
    void clock.sleep(26_000);
    expect(await clock.runUntil(() => done, 60_000)).toBe(25_000);
    expect(clock.sleeping).toBe(1);
  });

  test("given a state never reached, when run until it, then it throws after the limit", async () => {
    const clock = virtualClock();
    await expect(clock.runUntil(() => false, 1000)).rejects.toMatchObject({ reason: "VirtualTimeout" });
    expect(clock.monotonicMs()).toBe(1000);
  });

  test("given a clock that is being moved, when moved again meanwhile, then it refuses", async () => {
    const clock = virtualClock();
    const moving = clock.advance(10);
    await expect(clock.advance(10)).rejects.toMatchObject({ reason: "ClockIsMoving" });
    await moving;
  });

  test("given a jump of the wall clock, when a sleeper waits, then its duration is unchanged", async () => {
    const clock = virtualClock();
    let woke = false;
    void clock.sleep(1000).then(() => {
      woke = true;
    });
    clock.jumpWall(-3_600_000);
    await clock.advance(999);
    expect(woke).toBe(false);
    await clock.advance(1);
    expect(woke).toBe(true);
  });

  test("given an aborted sleeper, when time passes its wake time, then nothing is left parked", async () => {
    const clock = virtualClock();
    const abort = new AbortController();
    void clock.sleep(10, abort.signal);
    abort.abort();
    expect(clock.sleeping).toBe(0);
    await clock.advance(20);
    expect(clock.monotonicMs()).toBe(20);
  });
});
