import { describe, expect, it } from "vitest";
import {
  afterEnd,
  endedFromOutside,
  NO_STARTS,
  waitBeforeStart,
} from "../../../src/domain/scheduling/start-backoff.ts";

const crash = { livedMs: 1_000, killed: false, jitter: 0 };

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
    for (let round = 0; round < 20; round += 1) record = afterEnd(record, { ...crash, killed: true }, 0);
    expect(record).toEqual({ failures: 0, kills: 20, nextStartMs: 0 });
    record = afterEnd(afterEnd(record, { ...crash, killed: true }, 0), { ...crash, killed: true }, 0);
    expect(record.nextStartMs).toBe(10_000);
  });

  it.each([
    { exit: { exitCode: 137 }, outside: true },
    { exit: { exitSignal: "SIGTERM" }, outside: true },
    { exit: { exitCode: 1 }, outside: false },
    { exit: { exitSignal: "SIGSEGV" }, outside: false },
    { exit: {}, outside: false },
  ])("given an exit $exit, then ended from outside is $outside", ({ exit, outside }) => {
    expect(endedFromOutside(exit)).toBe(outside);
  });
});
