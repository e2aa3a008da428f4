import { describe, expect, it } from "vitest";
import { nextStartSlot } from "../../../src/domain/scheduling/start-rate.ts";

const NOW = 1_000_000;

describe("the start rate of a town", () => {
  it.each([
    { because: "nothing was started", starts: [], perMinute: 1, slot: 0 },
    { because: "what was started is over a minute old", starts: [NOW - 60_000], perMinute: 1, slot: 0 },
    { because: "the clock was set back since", starts: [NOW + 3_600_000], perMinute: 1, slot: 0 },
    { because: "there is room left", starts: [NOW - 1_000], perMinute: 2, slot: 0 },
    { because: "the only slot is taken", starts: [NOW - 1_000], perMinute: 1, slot: NOW + 59_000 },
    {
      because: "the oldest that still counts frees the next slot",
      starts: [NOW - 5_000, NOW - 50_000, NOW - 70_000],
      perMinute: 2,
      slot: NOW + 10_000,
    },
    {
      because: "more were started than are allowed now",
      starts: [NOW - 30_000, NOW - 20_000, NOW - 10_000],
      perMinute: 1,
      slot: NOW + 50_000,
    },
  ])("given that $because, then the next slot is $slot", ({ starts, perMinute, slot }) => {
    expect(nextStartSlot(starts, perMinute, NOW)).toBe(slot);
  });
});
