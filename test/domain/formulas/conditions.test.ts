import { describe, expect, test } from "vitest";
import { cooked } from "../../../src/domain/formulas/cook.ts";
import { library, shapeOf, step, told } from "./cooking.ts";

const conditional = (condition: string) =>
  library({
    formula: "f",
    vars: { v: "", must: { required: true } },
    steps: [step("a"), step("b", { needs: ["a"], condition }), step("c", { needs: ["b"] })],
  });

describe("conditions of cook time", () => {
  test.each([
    { condition: "{{v}}", value: "x", stays: true },
    { condition: "{{v}}", value: "No", stays: false },
    { condition: "{{v}}", value: "0", stays: false },
    { condition: "!{{v}}", value: "off", stays: true },
    { condition: "{{v}} == fast", value: "fast", stays: true },
    { condition: "{{v}} == 'fast mode'", value: "fast mode", stays: true },
    { condition: "{{v}} == ", value: "", stays: true },
    { condition: "{{v}} != fast", value: "fast", stays: false },
    { condition: "{{undeclared}}", value: "", stays: false },
  ])("given $condition and '$value', when cooked, then the step stays: $stays", ({ condition, value, stays }) => {
    expect(shapeOf(conditional(condition), { v: value, must: "x" })).toEqual(
      stays ? ["a: ", "b: a", "c: b"] : ["a: ", "c: a"],
    );
  });

  test("given a chain of steps that are all gone, when cooked, then needs go through them", () => {
    const gone = { condition: "{{v}}" };
    const formula = library({
      formula: "f",
      vars: { v: "" },
      steps: [
        step("a"),
        step("b", { needs: ["a"], ...gone, children: [step("in")] }),
        step("c", { needs: ["b"], ...gone }),
        step("d", { needs: ["c"], children: [step("e", { needs: ["c"] })] }),
      ],
    });
    expect(shapeOf(formula)).toEqual(["a: ", "d: a", "d/e: a"]);
  });

  test("given a condition on what has no value yet and a check of the file by itself, when cooked, then the step stays", () => {
    expect(shapeOf(conditional("!{{must}}"), {}, { lenient: true })).toEqual(["a: ", "b: a", "c: b"]);
  });

  test("given a condition of run time, when cooked, then it is kept for then", () => {
    const { steps } = cooked(conditional("step.status == 'complete'"), { values: { must: "x" } });
    expect(steps[1]?.when).toBe("step.status == 'complete'");
  });

  test.each([
    "v == x",
    "{{v}} === x",
    "!{{v}} == x",
    "{{v}} and {{must}}",
  ])("given '%s', when cooked, then it is told to be none", (condition) => {
    expect(told(conditional(condition), { must: "x" })).toEqual([
      "Error ConditionInvalid steps.1.condition Write `{{v}}`, `!{{v}}`, `{{v}} == x` or `{{v}} != x`.",
    ]);
  });

  test("given that every condition is false, when cooked, then that is told", () => {
    const formula = library({ formula: "f", steps: [step("a", { condition: "{{v}}" })] });
    expect(shapeOf(formula)).toEqual(["NothingLeft: no step is left: every condition is false"]);
  });
});
