import { describe, expect, test } from "vitest";
import { SteadyTime } from "../../src/work/steady-time.ts";
import { virtualClock } from "../turn.ts";

const hour = 3_600_000;

describe("steady time", () => {
  test("given an even clock, then it is the time since the start; small corrections do not matter", async () => {
    const clock = virtualClock();
    const steady = new SteadyTime(clock);
    await clock.advance(hour);
    clock.jumpWall(2_000);
    expect(steady.ms()).toBe(hour);
    await clock.advance(hour);
    clock.jumpWall(-2_000);
    expect(steady.ms()).toBe(2 * hour);
  });

  test.each([
    8 * hour,
    -8 * hour,
  ])("given a clock that jumps by %i ms, then it counts from when that was noticed", async (by) => {
    const clock = virtualClock();
    const steady = new SteadyTime(clock);
    await clock.advance(hour);
    clock.jumpWall(by);
    expect(steady.ms()).toBe(0);
    await clock.advance(5);
    expect(steady.ms()).toBe(5);
  });
});
