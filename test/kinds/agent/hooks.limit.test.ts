import { describe, expect, test } from "vitest";
import { limitedAfter } from "../../../src/kinds/agent/hooks.limit.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const IDENTITIES = Array.from({ length: 60 }, (_, index) => `api/workers/agent-${index}`);

/** When agents that were told of a limit of three days an hour ago go on, ms from now. */
function goOn(liftedMs: number): readonly number[] {
  return IDENTITIES.map((identity) => {
    const limited = limitedAfter(undefined, {
      identity,
      now: NOW,
      screen: { state: "RateLimited", resetAtMs: NOW + 3 * 86_400_000 },
      saidMs: NOW - 3_600_000,
      rungMs: NOW - 3_700_000,
      progressMs: 0,
      liftedMs,
    });
    return Date.parse(limited?.until ?? "") - NOW;
  });
}

describe("limitedAfter", () => {
  test("given a limit that turned out to be over, when all go on, then within seconds, not all in one", () => {
    const waits = goOn(NOW);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(0);
    for (const wait of waits) expect(wait).toBeLessThan(10_000);
    expect(new Set(waits.map((wait) => Math.floor(wait / 1_000))).size).toBeGreaterThan(5);
  });

  test("given a limit that nobody lifted, when its end has come, then all go on within a minute of it", () => {
    const endMs = 3 * 86_400_000;
    for (const wait of goOn(0)) {
      expect(wait).toBeGreaterThanOrEqual(endMs);
      expect(wait).toBeLessThan(endMs + 60_000);
    }
  });
});
