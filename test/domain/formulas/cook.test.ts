import { describe, expect, test } from "vitest";
import { cook, cooked } from "../../../src/domain/formulas/cook.ts";
import { library, shapeOf, step, told } from "./cooking.ts";

describe("cook", () => {
  test("given steps in any order, when cooked, then each comes after its needs and file order stays where it can", () => {
    const formula = library({
      formula: "f",
      steps: [step("c", { needs: ["b"] }), step("a"), step("b", { depends_on: ["a"] }), step("d")],
    });
    expect(shapeOf(formula)).toEqual(["a: ", "b: a", "c: b", "d: "]);
    const kept = library({ formula: "f", steps: [step("a"), step("c", { needs: ["a"] }), step("b")] });
    expect(shapeOf(kept)).toEqual(["a: ", "c: a", "b: "]);
  });

  test("given a step with all fields, when cooked, then all of them are kept and texts are filled in", () => {
    const all = {
      ...step("a", { title: "A {{x}}", description: " Do {{x}}, {{unknown}}, {{#if x}} \n" }),
      notes: "n {{x}}",
      type: "bug",
      priority: 0,
      labels: ["l", "{{x}}"],
      tags: ["l", "t"],
      metadata: { k: "{{x}}", deep: [1, { on: true }] },
      assignee: "api/polecats/{{x}}",
      acceptance: "{{x}} is there",
      parallel: true,
      timeout: "30s",
      gate: { type: "human", timeout: "1h" },
    };
    const proto = cooked(library({ formula: "f", vars: { x: "v" }, steps: [all] }), { values: {} });
    expect(proto.steps).toEqual([
      {
        id: "a",
        title: "A v",
        description: "Do v, {{unknown}}, {{#if x}}",
        needs: [],
        notes: "n v",
        type: "bug",
        priority: 0,
        labels: ["l", "v", "t"],
        metadata: { k: "v", deep: [1, { on: true }] },
        assignee: "api/polecats/v",
        acceptance: "v is there",
        parallel: true,
        timeout: "30s",
        gate: { type: "human", timeout: "1h" },
      },
    ]);
  });

  test("given children, when cooked, then they come after their parent and wait with it", () => {
    const formula = library({
      formula: "f",
      steps: [
        step("last", { needs: ["both"] }),
        step("both", { needs: ["first"], type: "parallel", children: [step("x"), step("y", { needs: ["x"] })] }),
        step("first"),
      ],
    });
    expect(shapeOf(formula)).toEqual(["first: ", "both: first", "last: both", "both/x: ", "both/y: x"]);
    expect(cooked(formula, { values: {} }).steps.find(({ id }) => id === "both")).toMatchObject({ parallel: true });
  });

  test.each([
    {
      because: "an id is there twice",
      steps: [step("a"), step("b", { children: [step("a")] })],
      told: "Error StepRepeated steps.1.children.0.id Give one of them another id.",
    },
    {
      because: "a need has a typo",
      steps: [step("alpha"), step("b", { needs: ["alhpa"] })],
      told: "Error NeedUnknown steps.1.needs Did you mean `alpha`?",
    },
    {
      because: "steps go in a circle",
      steps: [step("a", { needs: ["b"] }), step("b", { needs: ["a"] })],
      told: "Error StepCycle steps.0.needs Remove one of these needs.",
    },
    {
      because: "a child needs its own parent",
      steps: [step("a", { children: [step("b", { needs: ["a"] })] })],
      told: "Error StepCycle steps.0.needs Remove one of these needs.",
    },
    { because: "a step has no title", steps: [{ id: "a" }], told: "Error FieldMissing steps.0.title" },
    {
      because: "a placeholder is left in an id",
      steps: [step("{target}.a")],
      told: "Error StepIdOpen steps.0.id",
    },
    {
      because: "check and retry are together",
      steps: [step("a", { retry: { max_attempts: 2 }, check: { check: { path: "./t" } } })],
      told: "Error KeysExclusive steps.0.check",
    },
    {
      because: "nobody could have the children that are waited for",
      steps: [step("a", { waits_for: "all-children" })],
      told: "Error SpawnerUnknown steps.0.waits_for Write `children-of(STEP)`.",
    },
    {
      because: "the spawner has a typo",
      steps: [step("spawn"), step("b", { waits_for: "children-of(spwan)" })],
      told: "Error SpawnerUnknown steps.1.waits_for Did you mean `spawn`?",
    },
    { because: "there are no steps", steps: [], told: "Error FieldMissing steps" },
  ])("given that $because, when cooked, then it is told with its field", ({ steps, told: expected }) => {
    expect(told(library({ formula: "f", steps }))).toEqual([expected]);
  });

  test("given waits_for, when cooked, then the spawner is the one named, else the first need", () => {
    const formula = library({
      formula: "f",
      steps: [
        step("a"),
        step("b", { needs: ["a"], waits_for: "any-children" }),
        step("c", { waits_for: "children-of(b)" }),
      ],
    });
    expect(cooked(formula, { values: {} }).steps.map(({ waitsFor }) => waitsFor)).toEqual([
      undefined,
      { gate: "any-children", spawner: "a" },
      { gate: "all-children", spawner: "b" },
    ]);
  });

  test("given several mistakes, when cooked, then all are told and cooked throws the first with the number of the others", () => {
    const formula = library({ formula: "f", steps: [step("a", { needs: ["x"] }), step("b", { needs: ["y"] })] });
    expect(told(formula)).toHaveLength(2);
    expect(() => cooked(formula, { values: {} })).toThrow(
      "formula f: step 'a' needs 'x', which is no step of this formula (and 1 more)",
    );
  });

  test("given the same formula with keys in another order, when cooked, then it has the same name; another value, another", () => {
    const one = library({ formula: "f", vars: { x: "1" }, steps: [{ id: "a", title: "A {{x}}", description: "d" }] });
    const two = library({ steps: [{ description: "d", title: "A {{x}}", id: "a" }], vars: { x: "1" }, formula: "f" });
    const id = cooked(one, { values: {} }).id;
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(cooked(two, { values: {} }).id).toBe(id);
    expect(cooked(one, { values: { x: "2" } }).id).not.toBe(id);
    expect(Object.isFrozen(cooked(one, { values: {} }).steps[0])).toBe(true);
  });

  test("given chains of 1,025 and 10,000 steps and one too many, when cooked, then it is done without recursion, or refused", () => {
    const chain = (length: number) =>
      library({
        formula: "hanoi",
        steps: Array.from({ length }, (_, index) => step(`s${index}`, index === 0 ? {} : { needs: [`s${index - 1}`] })),
      });
    expect(cooked(chain(1025), { values: {} }).steps.at(-1)?.id).toBe("s1024");
    expect(cooked(chain(10_000), { values: {} }).steps).toHaveLength(10_000);
    expect(told(chain(10_001))).toEqual(["Error TooManySteps "]);
  });

  test("given a placeholder that is nearly a variable, when cooked, then it is a warning and the formula can be used", () => {
    const formula = library({
      formula: "f",
      vars: { component: "api" },
      steps: [step("a", { description: "{{componnet}} {{other}}" })],
    });
    expect(told(formula)).toEqual(["Warning VariableUnknown steps.0.description Did you mean `component`?"]);
    expect(cook(formula, { values: {} }).protomolecule).toBeDefined();
  });
});
