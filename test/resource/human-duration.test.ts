import { describe, expect, it } from "vitest";
import { humanDuration } from "../../src/resource/human-duration.ts";

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe("human durations", () => {
  it.each([
    [-5 * s, "<invalid>"],
    [-s, "0s"],
    [999, "0s"],
    [119 * s, "119s"],
    [120 * s, "2m"],
    [163 * s, "2m43s"],
    [10 * m + 5 * s, "10m"],
    [179 * m, "179m"],
    [180 * m, "3h"],
    [3 * h + 5 * m, "3h5m"],
    [8 * h + 5 * m, "8h"],
    [47 * h, "47h"],
    [48 * h, "2d"],
    [2 * d + 4 * h, "2d4h"],
    [8 * d + 4 * h, "8d"],
    [729 * d, "729d"],
    [730 * d, "2y"],
    [840 * d, "2y110d"],
    [9 * 365 * d, "9y"],
  ])("given %d ms, when shown, then %s as kubectl prints it", (ms, expected) => {
    expect(humanDuration(ms)).toBe(expected);
  });
});
