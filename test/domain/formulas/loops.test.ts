import { describe, expect, test } from "vitest";
import { evaluateArithmetic, evaluateRange } from "../../../src/domain/formulas/arithmetic.ts";
import { cooked } from "../../../src/domain/formulas/cook.ts";
import { library, shapeOf, step, told } from "./cooking.ts";

const looped = (loop: unknown, more: object = {}) =>
  library({
    formula: "f",
    vars: { n: "2" },
    steps: [step("before"), step("l", { needs: ["before"], loop, ...more }), step("after", { needs: ["l"] })],
  });

describe("loops", () => {
  test("given a count, when cooked, then turns follow each other and what needs the loop needs its last turn", () => {
    const body = [step("x"), step("y", { needs: ["x"] })];
    expect(shapeOf(looped({ count: 2, body }))).toEqual([
      "before: ",
      "l.iter1.x: before",
      "l.iter1.y: l.iter1.x",
      "l.iter2.x: l.iter1.y",
      "l.iter2.y: l.iter2.x",
      "after: l.iter2.y",
    ]);
  });

  test("given a range over a variable, when cooked, then `{i}` has its values", () => {
    const formula = looped({ range: "{n}..2^{{n}} - 1", var: "i", body: [step("x", { title: "turn {i} of {{i}}" })] });
    expect(cooked(formula, { values: {} }).steps.map(({ title }) => title)).toEqual([
      "before",
      "turn 2 of 2",
      "turn 3 of 3",
      "after",
    ]);
  });

  test("given a loop in a loop, when cooked, then the inner one can use the outer's number", () => {
    const inner = step("in", { loop: { range: "1..{i}", var: "j", body: [step("x", { title: "{i}.{j}" })] } });
    const formula = looped({ count: 2, var: "i", body: [inner] });
    expect(cooked(formula, { values: {} }).steps.map(({ id, title }) => `${id} ${title}`)).toEqual([
      "before before",
      "l.iter1.in.iter1.x 1.1",
      "l.iter2.in.iter1.x 2.1",
      "l.iter2.in.iter2.x 2.2",
      "after after",
    ]);
  });

  test("given no turns, when cooked, then who needed the loop needs what it needed", () => {
    expect(shapeOf(looped({ count: 0, body: [step("x")] }))).toEqual(["before: ", "after: before"]);
  });

  test.each([
    { because: "there is no way to count", loop: { body: [step("x")] }, told: "LoopInvalid steps.1.loop.count" },
    {
      because: "there are two",
      loop: { count: 1, range: "1..2", body: [step("x")] },
      told: "LoopInvalid steps.1.loop.count",
    },
    { because: "the body is empty", loop: { count: 1, body: [] }, told: "LoopInvalid steps.1.loop.body" },
    {
      because: "the range is none",
      loop: { range: "1-2", body: [step("x")] },
      told: "RangeInvalid steps.1.loop.range Write `1..4` or `1..2^{{n}} - 1`.",
    },
    {
      because: "it is too long",
      loop: { range: "1..10^6", body: [step("x")] },
      told: "LoopTooLong steps.1.loop.range",
    },
    {
      because: "the count is too high",
      loop: { count: 1001, body: [step("x")] },
      told: "LoopTooLong steps.1.loop.count",
    },
  ])("given that $because, when cooked, then it is told", ({ loop, told: expected }) => {
    expect(told(looped(loop))).toContain(`Error ${expected}`);
  });

  test("given loops deeper than allowed, when cooked, then it is refused", () => {
    let body = [step("x")];
    for (let depth = 0; depth < 7; depth += 1) body = [step(`l${depth}`, { loop: { count: 1, body } })];
    expect(told(looped({ count: 1, body })).some((line) => line.startsWith("Error LoopTooDeep"))).toBe(true);
  });
});

describe("arithmetic", () => {
  test.each([
    ["1 + 2 * 3", 7],
    ["2^3^2", 512],
    ["(1 + 2) * 3", 9],
    ["7 / 2", 3],
    ["-2 + 5", 3],
    ["10 - 4 - 3", 3],
    ["1 / 0", undefined],
    ["1 +", undefined],
    ["(1", undefined],
    ["a", undefined],
    ["", undefined],
    ["10^400", undefined],
    ["1 2", undefined],
  ])("given %s, when evaluated, then it is %s", (text, value) => {
    expect(evaluateArithmetic(text)).toBe(value);
  });

  test("given ranges, when evaluated, then both ends are in, backwards is empty and too long is none", () => {
    expect(evaluateRange("1..3", 10)).toEqual([1, 2, 3]);
    expect(evaluateRange("3..1", 10)).toEqual([]);
    expect(evaluateRange("1..11", 10)).toBeUndefined();
    expect(evaluateRange("1..2..3", 10)).toBeUndefined();
  });
});
