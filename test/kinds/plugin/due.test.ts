import { describe, expect, it } from "vitest";
import { dueOf, type PluginPast } from "../../../src/kinds/plugin/due.ts";
import { fc } from "../../property.ts";

const T0 = Date.parse("2026-03-01T10:00:00Z");
const HOUR = 3_600_000;
const declared: PluginPast = { declaredMs: T0 };
const due = (gate: object, past: PluginPast, now: number, event?: string) =>
  dueOf(
    { gate, timeZone: "UTC" } as Parameters<typeof dueOf>[0],
    past,
    now,
    event === undefined ? undefined : { version: event, text: "Merged of bead/api-1" },
  );

describe("when a plugin is due", () => {
  it("given a cooldown, when nothing ran, then at once; else so long after the end", () => {
    expect(due({ cooldown: "1h" }, declared, T0)).toMatchObject({ is: "Now" });
    const ended = { ...declared, endedMs: T0, result: "Failed" as const };
    expect(due({ cooldown: "1h" }, ended, T0 + HOUR - 1)).toEqual({ is: "Later", atMs: T0 + HOUR });
    expect(due({ cooldown: "1h" }, ended, T0 + HOUR)).toMatchObject({ is: "Now", dueMs: T0 + HOUR });
  });

  it("given a clock that was set back behind the last end, when asked, then it does not wait for that time to come again", () => {
    expect(due({ cooldown: "1h" }, { ...declared, endedMs: T0 + 1_000 * HOUR }, T0)).toMatchObject({ is: "Now" });
    const checked = { ...declared, checkedMs: T0 + 1_000 * HOUR };
    expect(due({ condition: "true" }, checked, T0)).toEqual({ is: "Check" });
    const late = due({ cron: "0 * * * *" }, { ...declared, dueMs: T0 + 1_000 * HOUR }, T0 + 60_000);
    expect(late).toEqual({ is: "Later", atMs: T0 + HOUR });
  });

  it("given a cron gate, when times were missed, then it runs once for all of them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (hours) => {
        const now = T0 + hours * HOUR + 5;
        const first = due({ cron: "0 * * * *" }, declared, now);
        if (first.is !== "Now") throw new Error("it is not due");
        const after = due({ cron: "0 * * * *" }, { ...declared, dueMs: first.dueMs, endedMs: now }, now + 1);
        expect(after).toEqual({ is: "Later", atMs: T0 + (hours + 1) * HOUR });
      }),
    );
  });

  it("given the event gate, when an Event started a run already, then only another one starts the next", () => {
    expect(due({ event: "Merged" }, declared, T0)).toEqual({ is: "Never" });
    const first = due({ event: "Merged" }, declared, T0, "17");
    expect(first).toMatchObject({ is: "Now", event: "17", why: "Merged of bead/api-1" });
    expect(due({ event: "Merged" }, { ...declared, event: "17" }, T0, "17")).toEqual({ is: "Never" });
    expect(due({ event: "Merged" }, { ...declared, event: "17" }, T0, "21")).toMatchObject({ is: "Now", event: "21" });
  });

  it("given a run that its controller did not survive, when asked, then it is begun again, three times in all", () => {
    const past = { ...declared, slot: "s", dueMs: T0, endedMs: T0, result: "Interrupted" as const };
    expect(due({ manual: true }, { ...past, attempt: 1 }, T0)).toMatchObject({ is: "Now", slot: "s", attempt: 2 });
    expect(due({ manual: true }, { ...past, attempt: 2 }, T0)).toMatchObject({ is: "Now", slot: "s", attempt: 3 });
    expect(due({ manual: true }, { ...past, attempt: 3 }, T0)).toEqual({ is: "Never" });
  });

  it("given a condition, when it was tried, then it is tried again a minute later", () => {
    expect(due({ condition: "true" }, declared, T0)).toEqual({ is: "Check" });
    expect(due({ condition: "true" }, { ...declared, checkedMs: T0 }, T0 + 59_999)).toEqual({
      is: "Later",
      atMs: T0 + 60_000,
    });
  });
});
