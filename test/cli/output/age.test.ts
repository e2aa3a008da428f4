import { describe, expect, it } from "vitest";
import { ageOf, humanDuration } from "../../../src/cli/output/age.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// The table of k8s.io/apimachinery/pkg/util/duration's own test.
const CASES: readonly (readonly [ms: number, text: string])[] = [
  [1 * SECOND, "1s"],
  [70 * SECOND, "70s"],
  [190 * SECOND, "3m10s"],
  [70 * MINUTE, "70m"],
  [47 * HOUR, "47h"],
  [49 * HOUR, "2d1h"],
  [(8 * 24 + 2) * HOUR, "8d"],
  [367 * DAY, "367d"],
  [(365 * 2 + 25) * DAY, "2y25d"],
  [(365 * 8 + 2) * DAY, "8y"],
  [-3 * SECOND, "<invalid>"],
  [-0.5 * SECOND, "0s"],
  [7 * HOUR + 59 * MINUTE, "7h59m"],
  [8 * HOUR + 59 * MINUTE, "8h"],
  [10 * MINUTE, "10m"],
  [2 * DAY, "2d"],
];

describe("humanDuration", () => {
  for (const [ms, text] of CASES) {
    it(`given ${ms} ms, when written for people, then it is ${text}`, () => {
      expect(humanDuration(ms)).toBe(text);
    });
  }

  it("given no time or an unreadable one, when an age is asked, then it is unknown", () => {
    expect(ageOf(undefined, 0)).toBe("<unknown>");
    expect(ageOf("soon", 0)).toBe("<unknown>");
  });
});
