import { describe, expect, test } from "vitest";
import { library, step, told } from "./cooking.ts";

const withVariable = (variable: unknown) => library({ formula: "f", vars: { v: variable }, steps: [step("a")] });

describe("variables", () => {
  test.each([
    {
      because: "a required one has no value",
      variable: { required: true },
      told: "MissingVariable vars.v give it with --var v=…",
    },
    {
      because: "it is not in the enum",
      variable: { enum: ["fast", "slow"] },
      value: "fats",
      told: "VariableInvalid vars.v.enum Did you mean `fast`?",
    },
    {
      because: "the default is not in the enum",
      variable: { enum: ["fast"], default: "x" },
      told: "VariableInvalid vars.v.enum",
    },
    {
      because: "it does not match the pattern",
      variable: { pattern: "^\\d+\\.\\d+$" },
      value: "1.x",
      told: "VariableInvalid vars.v.pattern",
    },
    { because: "the pattern is none", variable: { pattern: "(" }, value: "1", told: "PatternInvalid vars.v.pattern" },
    { because: "it is no whole number", variable: { type: "int" }, value: "1.5", told: "VariableInvalid vars.v.type" },
    { because: "it is no number", variable: { type: "number" }, value: "x", told: "VariableInvalid vars.v.type" },
    {
      because: "it is neither true nor false",
      variable: { type: "bool" },
      value: "yes",
      told: "VariableInvalid vars.v.type",
    },
  ])("given that $because, when cooked, then it is told", ({ variable, value, told: expected }) => {
    expect(told(withVariable(variable), value === undefined ? {} : { v: value })).toEqual([`Error ${expected}`]);
  });

  test.each([
    { variable: { enum: ["a", "b"] }, value: "b" },
    { variable: { pattern: "^v\\d$" }, value: "v1" },
    { variable: { type: "int" }, value: "-3" },
    { variable: { type: "number" }, value: "1.5e3" },
    { variable: { type: "boolean" }, value: "false" },
    { variable: "short", value: "x" },
  ])("given $variable and '$value', when cooked, then it is taken", ({ variable, value }) => {
    expect(told(withVariable(variable), { v: value })).toEqual([]);
  });

  test("given a value for no variable, when cooked, then it is a warning with the name that was meant", () => {
    expect(told(library({ formula: "f", vars: { branch: "main" }, steps: [step("a")] }), { brnach: "x" })).toEqual([
      "Warning VariableUnknown  Did you mean `branch`?",
    ]);
  });

  test("given a required variable and a check of the file by itself, when cooked, then nothing is missing", () => {
    expect(told(withVariable({ required: true }), {}, { lenient: true })).toEqual([]);
  });

  test("given an input that another one replaces, when cooked, then either is enough", () => {
    const formula = library({
      formula: "c",
      type: "convoy",
      inputs: { pr: { type: "number", required_unless: ["files"] }, files: {} },
      legs: [{ id: "a", title: "A" }],
    });
    expect(told(formula)).toEqual(["Error MissingVariable inputs.pr give it with --var pr=…"]);
    expect(told(formula, { files: "x" })).toEqual([]);
    expect(told(formula, { pr: "7" })).toEqual([]);
    expect(told(formula, { pr: "seven" })).toEqual(["Error VariableInvalid inputs.pr.type"]);
  });
});
