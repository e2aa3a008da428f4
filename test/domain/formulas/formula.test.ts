import { describe, expect, it } from "vitest";
import { cook, type Formula, orderedSteps } from "../../../src/domain/formulas/formula.ts";

function formula(
  steps: readonly { id: string; needs?: readonly string[]; description?: string }[],
  variables: Formula["variables"] = {},
): Formula {
  return {
    name: "f",
    description: "",
    version: 1,
    source: "f.toml",
    variables,
    steps: steps.map((step) => ({ title: step.id, description: "", needs: [], ...step })),
  };
}

describe("formulas", () => {
  it("given steps in any file order, when ordered, then each comes after its needs", () => {
    const ids = orderedSteps(formula([{ id: "c", needs: ["b"] }, { id: "a" }, { id: "b", needs: ["a"] }])).map(
      (step) => step.id,
    );
    expect(ids).toEqual(["a", "b", "c"]);
  });

  it("given a chain of 100,000 steps, when ordered, then it is done", () => {
    const steps = Array.from({ length: 100_000 }, (_, index) => ({
      id: `s${index}`,
      needs: index === 0 ? [] : [`s${index - 1}`],
    }));
    expect(orderedSteps(formula(steps.toReversed())).length).toBe(100_000);
  });

  it.each([
    {
      because: "a circle",
      steps: [
        { id: "a", needs: ["b"] },
        { id: "b", needs: ["a"] },
      ],
      message: /circle: a, b/,
    },
    { because: "an unknown need", steps: [{ id: "a", needs: ["x"] }], message: /step a needs 'x'/ },
  ])("given $because, when ordered, then it is refused", ({ steps, message }) => {
    expect(() => orderedSteps(formula(steps))).toThrow(message);
  });

  it("given placeholders, when cooked, then values and defaults are filled in and unknown ones stay", () => {
    const [step] = cook(
      formula([{ id: "a", description: "{{bead}} {{mode}} {{other}}" }], { mode: { default: "quick" } }),
      { bead: "api-1" },
    );
    expect(step?.description).toBe("api-1 quick {{other}}");
  });

  it("given a required variable without a value, when cooked, then it is refused with the flag", () => {
    expect(() => cook(formula([{ id: "a" }], { mode: { required: true } }), {})).toThrow(/'mode' is required/);
  });
});
