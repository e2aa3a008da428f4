import { describe, expect, test } from "vitest";
import { type BackoffPolicy, backoffMs, RETRY_BACKOFF } from "../../src/engine/backoff.ts";
import { fc } from "../property.ts";

const policies: fc.Arbitrary<BackoffPolicy> = fc
  .record({
    baseMs: fc.integer({ min: 1, max: 20_000 }),
    times: fc.integer({ min: 1, max: 1_000 }),
    factor: fc.double({ min: 1, max: 4, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ baseMs, times, factor, jitter }) => ({ baseMs, maxMs: baseMs * times, factor, jitter }));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("backoffMs", () => {
  test("given any policy, failures and chance, when asked, then the wait is within base and maximum", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 0, max: 1_000_000 }), chance, (policy, failures, float) => {
        const ms = backoffMs(policy, failures, float);
        expect(ms).toBeGreaterThanOrEqual(policy.baseMs);
        expect(ms).toBeLessThanOrEqual(policy.maxMs);
      }),
    );
  });

  test("given the same chance, when failures rise, then the wait never falls", () => {
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 100 }), chance, (policy, failures, float) => {
        expect(backoffMs(policy, failures + 1, float)).toBeGreaterThanOrEqual(backoffMs(policy, failures, float));
      }),
    );
  });

  test("given the retry policy, when failures rise, then waits double from 1 s and different chances spread them by up to a fifth", () => {
    expect([1, 2, 3, 9, 99].map((failures) => backoffMs(RETRY_BACKOFF, failures, 0))).toEqual([
      1_000, 2_000, 4_000, 250_000, 250_000,
    ]);
    expect(backoffMs(RETRY_BACKOFF, 1, 0.5)).toBe(1_100);
    expect(backoffMs(RETRY_BACKOFF, 99, 0.999)).toBeGreaterThan(299_000);
  });
});
