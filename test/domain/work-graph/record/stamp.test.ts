import { describe, expect, test } from "vitest";
import {
  compareStamps,
  formatStamp,
  maxClockLeadMs,
  parseStamp,
  StampClock,
  timeOf,
} from "../../../../src/domain/work-graph/record/stamp.ts";
import { fc, fuzzRuns } from "../../../property.ts";

describe("times of changes", () => {
  test.each([
    ["2026-01-17T04:18:05Z", "2026-01-17T04:18:05.000Z"],
    ["2026-01-17T04:18:05.622072-08:00", "2026-01-17T12:18:05.622072Z"],
    ["2026-01-17T04:18:05.123456789+00:00", "2026-01-17T04:18:05.123456789Z"],
    ["2026-01-17T04:18:05.5Z", "2026-01-17T04:18:05.500Z"],
  ])("given %s as some tool wrote it, then it is read as %s", (text, same) => {
    const stamp = parseStamp(text);
    expect(stamp).toBeDefined();
    if (stamp !== undefined) expect(formatStamp(stamp)).toBe(same);
    expect(timeOf(text)).toBe(Date.parse(text));
  });

  test("given texts that are no times, then they are none", () => {
    for (const text of ["", "yesterday", "2026-01-17", "2026-13-17T04:18:05Z", 5, null, undefined])
      expect(parseStamp(text)).toBeUndefined();
  });

  test("given any clock, also one that goes back, when stamped, then each stamp is later than the one before and reads back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 3_000 }), (times) => {
        const clock = new StampClock();
        let last = clock.next(times[0] ?? 0);
        for (const time of times) {
          const next = clock.next(time);
          expect(compareStamps(next, last)).toBeGreaterThan(0);
          expect(parseStamp(formatStamp(next))).toEqual(next);
          last = next;
        }
      }),
      { numRuns: fuzzRuns(50) },
    );
  });

  test("given a stamp of a clone ahead of us, then ours follows it; given one too far ahead, then it is refused", () => {
    const clock = new StampClock();
    expect(clock.observe({ ms: 5_000, tick: 7 }, 1_000)).toBe(true);
    expect(compareStamps(clock.next(1_000), { ms: 5_000, tick: 7 })).toBeGreaterThan(0);
    expect(clock.observe({ ms: 1_001 + maxClockLeadMs, tick: 0 }, 1_000)).toBe(false);
    expect(clock.next(1_000).ms).toBeLessThan(6_000);
  });
});
