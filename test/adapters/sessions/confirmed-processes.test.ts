import { describe, expect, it } from "vitest";
import { ConfirmedProcesses } from "../../../src/adapters/sessions/confirmed-processes.ts";

function identity(pid: number) {
  return { pid, startTime: `${pid}`, bootId: "boot" };
}

describe("processes that were seen alive", () => {
  it("given a night of sessions whose ends nobody asks about, when more are seen, then only those of the last seconds are held", () => {
    const confirmed = new ConfirmedProcesses();
    for (let session = 1; session <= 5_000; session++) confirmed.add(identity(session), session * 1_000);
    expect(confirmed.size).toBe(10);
    expect(confirmed.lately(5_000, 5_000_500)).toEqual(identity(5_000));
    expect(confirmed.lately(4_000, 5_000_500)).toBeUndefined();
  });

  it("given one that is seen again, when others are added later, then it counts from then on", () => {
    const confirmed = new ConfirmedProcesses();
    confirmed.add(identity(1), 0);
    confirmed.add(identity(2), 1_000);
    confirmed.add(identity(1), 9_000);
    confirmed.add(identity(3), 12_000);
    expect(confirmed.lately(1, 12_000)).toEqual(identity(1));
    expect(confirmed.lately(2, 12_000)).toBeUndefined();
    expect(confirmed.size).toBe(2);
    confirmed.delete(1);
    expect(confirmed.lately(1, 12_000)).toBeUndefined();
  });
});
