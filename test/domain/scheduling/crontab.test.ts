import { describe, expect, it } from "vitest";
import { crontabProblem, nextCronTime } from "../../../src/domain/scheduling/crontab.ts";

const at = (text: string): number => Date.parse(text);

describe("a line of crontab", () => {
  it("given fields, when asked for the next time, then it is the first after that instant, in the zone that is stated", () => {
    expect(nextCronTime("*/15 * * * *", "UTC", at("2026-03-01T10:00:00Z"))).toBe(at("2026-03-01T10:15:00Z"));
    expect(nextCronTime("@daily", "UTC", at("2026-03-01T10:00:00Z"))).toBe(at("2026-03-02T00:00:00Z"));
    expect(nextCronTime("30 9 * * 1", "America/New_York", at("2026-03-01T10:00:00Z"))).toBe(at("2026-03-02T14:30:00Z"));
  });

  it("given a clock that is put forward over it, when asked, then the time is not lost", () => {
    // 02:30 does not exist in Berlin on that day.
    const next = nextCronTime("30 2 * * *", "Europe/Berlin", at("2026-03-28T12:00:00Z")) ?? 0;
    expect(next).toBeLessThan(at("2026-03-29T03:00:00Z"));
  });

  it("given a date that never comes, when asked, then there is none", () => {
    expect(nextCronTime("0 0 30 2 *", "UTC", at("2026-03-01T10:00:00Z"))).toBeUndefined();
  });

  it.each([
    "",
    "* * * *",
    "61 * * * *",
    "* * * * * *",
    "every day",
  ])("given '%s', when checked, then it says why", (line) => {
    expect(crontabProblem(line, undefined)).toEqual(expect.any(String));
  });

  it("given a zone that does not exist, when checked, then it says so", () => {
    expect(crontabProblem("* * * * *", "Mars/Olympus")).toEqual(expect.any(String));
    expect(crontabProblem("* * * * *", "Europe/Berlin")).toBeUndefined();
  });
});
