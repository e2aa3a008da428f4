import { describe, expect, it } from "vitest";
import { resetTimeOf } from "../../../src/domain/agent-program/reset-time.ts";

const now = Date.parse("2026-11-22T21:30:00Z");
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

describe("resetTimeOf", () => {
  it.each([
    [
      "You've hit your session limit · resets 11pm (Europe/Berlin)",
      "2026-11-22T22:00:00.000Z",
      "a time of day with a zone",
    ],
    [
      "You've hit your session limit · resets 10:15pm (Europe/Berlin)",
      "2026-11-22T21:15:00.000Z",
      "a time that has just passed",
    ],
    ["You've hit your session limit · resets 1am (Europe/Berlin)", "2026-11-23T00:00:00.000Z", "a time after midnight"],
    [
      "You've hit your weekly limit · resets Nov 25, 1pm (Asia/Kolkata)",
      "2026-11-25T07:30:00.000Z",
      "a date without a year",
    ],
    ["limit · resets Jan 2, 1am (UTC)", "2027-01-02T01:00:00.000Z", "a date that is past is next year's"],
    [
      "You've hit your usage limit. Try again in 3 days 4 hours 12 minutes.",
      "2026-11-26T01:42:00.000Z",
      "a span in words",
    ],
    ["Rate limit reached. Please try again in 1h 20m", "2026-11-22T22:50:00.000Z", "a span in letters"],
    ["Please try again in 11.5s.", "2026-11-22T21:30:11.500Z", "a span in seconds"],
    ["try again at Nov 23rd, 2026 3:05 PM (UTC)", "2026-11-23T15:05:00.000Z", "a full date with an ordinal"],
    ["Access resets at 12:00 AM UTC.", "2026-11-23T00:00:00.000Z", "midnight"],
    ["limit reached|1795500000", "2026-11-24T06:00:00.000Z", "seconds since 1970"],
    ["retry after 2026-11-23T01:02:03Z", "2026-11-23T01:02:03.000Z", "an ISO time"],
  ])("given '%s', when read, then it is %s: %s", (text, expected) => {
    expect(iso(resetTimeOf(text, now))).toBe(expected);
  });

  it.each([
    ["You've hit your limit"],
    ["exceeded retry limit, last status: 429 Too Many Requests"],
    [""],
  ])("given '%s', when read, then nothing is made up", (text) => {
    expect(resetTimeOf(text, now)).toBeUndefined();
  });

  it("given a time of day in a zone that changes its clocks that night, when read, then it is the clock's time", () => {
    const night = Date.parse("2026-03-28T23:00:00Z");
    expect(iso(resetTimeOf("resets 9am (Europe/Berlin)", night))).toBe("2026-03-29T07:00:00.000Z");
  });
});
