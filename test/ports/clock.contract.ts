import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/ports/clock.ts";

export interface ClockUnderTest {
  readonly clock: Clock;
  /** Lets `ms` of that clock's time pass. */
  readonly pass: (ms: number) => Promise<void>;
}

/** What every Clock promises. */
export function clockContract(name: string, make: () => ClockUnderTest): void {
  describe(`Clock contract: ${name}`, () => {
    test("given a sleep, when its time has passed, then it resolves and not before", async () => {
      const { clock, pass } = make();
      const start = clock.monotonicMs();
      let woke = -1;
      const slept = clock.sleep(40).then(() => {
        woke = clock.monotonicMs() - start;
      });
      await pass(10);
      expect(woke).toBe(-1);
      await pass(60);
      await slept;
      expect(woke).toBeGreaterThanOrEqual(39);
    });

    test("given a long sleep, when its signal aborts, then it resolves at once", async () => {
      const { clock, pass } = make();
      const abort = new AbortController();
      const slept = clock.sleep(3_600_000, abort.signal);
      abort.abort();
      await slept;
      await clock.sleep(3_600_000, abort.signal);
      await pass(1);
    });

    test("given sleeps of different length, when time passes, then they end in order of their times", async () => {
      const { clock, pass } = make();
      const order: number[] = [];
      const sleeps = [30, 5, 17].map((ms) => clock.sleep(ms).then(() => order.push(ms)));
      await pass(60);
      await Promise.all(sleeps);
      expect(order).toEqual([5, 17, 30]);
    });

    test("given a sleep far beyond what one timer holds, when a moment passes, then it still sleeps", async () => {
      const { clock, pass } = make();
      const abort = new AbortController();
      let woke = false;
      const slept = clock.sleep(90 * 86_400_000, abort.signal).then(() => {
        woke = true;
      });
      await pass(20);
      expect(woke).toBe(false);
      abort.abort();
      await slept;
    });

    test("given time passes, when both clocks are read, then both moved and the wall clock is a date", async () => {
      const { clock, pass } = make();
      const before = [clock.now(), clock.monotonicMs()] as const;
      await pass(20);
      expect(clock.now()).toBeGreaterThan(before[0]);
      expect(clock.monotonicMs()).toBeGreaterThan(before[1]);
      expect(before[0]).toBeGreaterThan(Date.UTC(2020, 0));
    });
  });
}
