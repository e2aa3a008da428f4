import { describe, expect, it } from "vitest";
import { afterEnd, endedBy, NO_STARTS, waitBeforeStart } from "../../../src/domain/scheduling/start-backoff.ts";

const crash = { livedMs: 1_000, by: "Program", jitter: 0 } as const;
const kill = { ...crash, by: "Outside" } as const;

describe("backoff of starts", () => {
  it("given failures in a row, when each ends, then waits grow from none to five minutes", () => {
    const waits: number[] = [];
    let record = NO_STARTS;
    for (let round = 0; round < 9; round += 1) {
      record = afterEnd(record, crash, 0);
      waits.push(record.nextStartMs);
    }
    expect(waits).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
  });

  it("given ten healthy minutes, when it fails, then the count begins anew", () => {
    const record = afterEnd({ failures: 5, kills: 3, nextStartMs: 0 }, { ...crash, livedMs: 600_000 }, 7);
    expect(record).toEqual({ failures: 1, kills: 0, nextStartMs: 7 });
  });

  it("given a clock that was set back for hours, when the next start lies beyond any wait, then it may be made now", () => {
    const record = { failures: 3, kills: 0, nextStartMs: 1_000_000 };
    expect(waitBeforeStart(record, 1_000_000)).toBe(0);
    expect(waitBeforeStart(record, 1_000_000 - 360_000)).toBe(360_000);
    expect(waitBeforeStart(record, 1_000_000 - 360_001)).toBe(0);
  });

  it("given kills from outside, when they are many, then they wait like crashes", () => {
    let record = NO_STARTS;
    for (let round = 0; round < 20; round += 1) record = afterEnd(record, kill, 0);
    expect(record).toEqual({ failures: 0, kills: 20, nextStartMs: 0 });
    record = afterEnd(afterEnd(record, kill, 0), kill, 0);
    expect(record.nextStartMs).toBe(10_000);
  });

  it("given what the town did to it, when it happens again and again, then nothing counts and nothing waits", () => {
    let record = { failures: 5, kills: 20, nextStartMs: 0 };
    for (let round = 0; round < 50; round += 1) record = afterEnd(record, { ...crash, by: "Town" }, 7);
    expect(record).toEqual({ failures: 5, kills: 20, nextStartMs: 7 });
  });

  it.each([
    { exit: { exitCode: 137 }, by: "Outside" },
    { exit: { exitSignal: "SIGTERM" }, by: "Outside" },
    { exit: { exitCode: 1 }, by: "Program" },
    { exit: { exitSignal: "SIGSEGV" }, by: "Program" },
    { exit: {}, by: "Outside" },
    { exit: { exitCode: 1, terminalLost: true as const }, by: "Town" },
    { exit: { exitSignal: "SIGHUP", terminalLost: true as const }, by: "Town" },
    { exit: undefined, by: "Town" },
  ])("given an exit $exit, then it was ended by $by", ({ exit, by }) => {
    expect(endedBy(exit)).toBe(by);
  });
});
