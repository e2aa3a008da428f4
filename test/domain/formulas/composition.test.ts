import { describe, expect, test } from "vitest";
import { cooked } from "../../../src/domain/formulas/cook.ts";
import { globMatches } from "../../../src/domain/formulas/glob.ts";
import { library, shapeOf, step, told } from "./cooking.ts";

const CHAIN = [step("plan"), step("build", { needs: ["plan"], labels: ["code"] }), step("ship", { needs: ["build"] })];
const DRAFTS = {
  formula: "twice",
  type: "expansion",
  vars: { tone: "calm" },
  template: [
    { id: "{target}.draft", title: "Draft {target.title}", description: "{target.description} in a {tone} tone" },
    { id: "{target}.final", title: "Finish {target.id}", needs: ["{target}.draft"] },
  ],
};
const AUDIT = {
  formula: "audit",
  type: "aspect",
  advice: [
    {
      target: "*",
      around: {
        before: [{ id: "{step.id}-scan", title: "Scan before {step.title}" }],
        after: { id: "recheck", title: "Look again at {step.id}" },
      },
    },
  ],
  pointcuts: [{ glob: "b*" }, { label: "nothing" }],
};

describe("advice and aspects", () => {
  test("given an aspect, when cooked, then its advice stands around the steps that its pointcuts pick", () => {
    const formula = library({ formula: "f", steps: CHAIN, compose: { aspects: ["audit"] } }, AUDIT);
    expect(shapeOf(formula)).toEqual([
      "plan: ",
      "build-scan: plan",
      "build: build-scan",
      "build.recheck: build",
      "ship: build.recheck",
    ]);
    expect(cooked(formula, { values: {} }).steps.map(({ title }) => title)).toContain("Scan before build");
  });

  test.each([
    { because: "a label", pointcuts: [{ label: "co*" }], advised: "build" },
    { because: "a type", pointcuts: [{ type: "bug" }], advised: "ship" },
    { because: "a glob of one letter", pointcuts: [{ glob: "pla?" }], advised: "plan" },
  ])("given a pointcut by $because, when cooked, then only that step is advised", ({ pointcuts, advised }) => {
    const formula = library({
      formula: "f",
      steps: [CHAIN[0], CHAIN[1], { ...CHAIN[2], type: "bug" }],
      advice: [{ before: { id: "first", title: "F" } }],
      pointcuts,
    });
    expect(shapeOf(formula).filter((line) => line.includes("first:"))).toEqual([
      expect.stringContaining(`${advised}.first`),
    ]);
  });

  test("given advice about a step with inner steps and about those, when cooked, then both are advised", () => {
    const formula = library({
      formula: "f",
      steps: [step("outer", { children: [step("inner")] }), step("end", { needs: ["outer"] })],
      advice: [{ target: "*er", after: { id: "seal", title: "S" } }],
    });
    expect(shapeOf(formula)).toEqual([
      "outer: ",
      "outer/inner: ",
      "outer/inner.seal: inner",
      "outer.seal: outer",
      "end: outer.seal",
    ]);
  });

  test("given advice on a step with a condition, when it is false, then the advice goes with it", () => {
    const formula = library({
      formula: "f",
      vars: { v: "no" },
      steps: [step("a"), step("b", { needs: ["a"], condition: "{{v}}" }), step("c", { needs: ["b"] })],
      advice: [{ target: "b", before: { id: "x", title: "X" } }],
    });
    expect(shapeOf(formula)).toEqual(["a: ", "c: a"]);
  });

  test("given advice about no step, when cooked, then it is a warning with what was meant", () => {
    const formula = library({ formula: "f", steps: CHAIN, advice: [{ target: "biuld", before: step("x") }] });
    expect(told(formula)).toEqual(["Warning AdviceWithoutStep advice.0.target Did you mean `build`?"]);
  });

  test("given an aspect that is not there, when cooked, then it is told", () => {
    expect(told(library({ formula: "f", steps: CHAIN, compose: { aspects: ["audti"] } }, AUDIT))).toEqual([
      "Error FormulaUnknown compose.aspects Did you mean `audit`?",
    ]);
  });
});

describe("expansion", () => {
  const expected = ["plan: ", "build.draft: plan", "build.final: build.draft", "ship: build.final"];

  test("given expand on a step, in compose or by a map, when cooked, then the template stands in its place", () => {
    const inline = CHAIN.map((each) => (each.id === "build" ? { ...each, expand: "twice" } : each));
    expect(shapeOf(library({ formula: "f", steps: inline }, DRAFTS))).toEqual(expected);
    const composed = { expand: [{ target: "build", with: "twice" }] };
    expect(shapeOf(library({ formula: "f", steps: CHAIN, compose: composed }, DRAFTS))).toEqual(expected);
    const mapped = { map: [{ select: "b*", with: "twice" }] };
    expect(shapeOf(library({ formula: "f", steps: CHAIN, compose: mapped }, DRAFTS))).toEqual(expected);
  });

  test("given variables, labels and acceptance, when expanded, then placeholders are filled and nothing of the step is lost", () => {
    const formula = library(
      {
        formula: "f",
        steps: [
          {
            ...step("build", { title: "the API", description: "Make it", priority: 1, labels: ["code"] }),
            acceptance: "It works",
            metadata: { k: "v" },
            expand: "twice",
            expand_vars: { tone: "firm" },
          },
        ],
      },
      DRAFTS,
    );
    expect(cooked(formula, { values: {} }).steps).toEqual([
      {
        id: "build.draft",
        title: "Draft the API",
        description: "Make it in a firm tone",
        needs: [],
        priority: 1,
        labels: ["code"],
        metadata: { k: "v" },
      },
      {
        id: "build.final",
        title: "Finish build",
        description: "",
        needs: ["build.draft"],
        priority: 1,
        labels: ["code"],
        metadata: { k: "v" },
        acceptance: "It works",
      },
    ]);
  });

  test("given a template in a template, when cooked, then both are expanded; in itself, it is refused", () => {
    const outer = {
      formula: "outer",
      template: [
        { id: "{target}.a", title: "A" },
        { id: "{target}.b", title: "B", needs: ["{target}.a"], expand: "twice" },
      ],
    };
    const steps = [step("s", { expand: "outer" })];
    expect(shapeOf(library({ formula: "f", steps }, outer, DRAFTS))).toEqual([
      "s.a: ",
      "s.b.draft: s.a",
      "s.b.final: s.b.draft",
    ]);
    const itself = { formula: "outer", template: [{ id: "{target}.a", title: "A", expand: "outer" }] };
    expect(told(library({ formula: "f", steps }, itself))).toEqual(["Error ExpansionTooDeep template.0.expand"]);
  });

  test("given a template without {target} in its ids, when mapped over several steps, then ids do not collide", () => {
    const plain = { formula: "plain", template: [step("one"), step("two", { needs: ["one"] })] };
    const formula = library({ formula: "f", steps: CHAIN, compose: { map: [{ select: "*", with: "plain" }] } }, plain);
    expect(shapeOf(formula)).toEqual([
      "plan.one: ",
      "plan.two: plan.one",
      "build.one: plan.two",
      "build.two: build.one",
      "ship.one: build.two",
      "ship.two: ship.one",
    ]);
  });

  test("given an expansion by itself, when cooked, then it is about the whole bead", () => {
    const formula = library(DRAFTS);
    expect(cooked(formula, { values: { title: "the fix" } }).steps.map(({ id, title }) => `${id} ${title}`)).toEqual([
      "main.draft Draft the fix",
      "main.final Finish main",
    ]);
  });

  test.each([
    {
      because: "the template is not there",
      compose: { expand: [{ target: "build", with: "twcie" }] },
      told: "Error FormulaUnknown compose.expand.0.with Did you mean `twice`?",
    },
    {
      because: "the step is not there",
      compose: { expand: [{ target: "biuld", with: "twice" }] },
      told: "Error StepUnknown compose.expand.0.target Did you mean `build`?",
    },
    {
      because: "no step matches",
      compose: { map: [{ select: "x*", with: "twice" }] },
      told: "Error StepUnknown compose.map.0.select",
    },
    {
      because: "it has no template",
      compose: { expand: [{ target: "build", with: "audit" }] },
      told: "Error NoTemplate compose.expand.0.with",
    },
  ])("given that $because, when cooked, then it is told", ({ compose, told: expected }) => {
    expect(told(library({ formula: "f", steps: CHAIN, compose }, DRAFTS, AUDIT))).toEqual([expected]);
  });

  test("given a step with inner steps, when it is to be expanded, then that is refused", () => {
    const steps = [step("s", { expand: "twice", children: [step("c")] })];
    expect(told(library({ formula: "f", steps }, DRAFTS))).toEqual(["Error ExpandedStepHasMore steps.0"]);
  });
});

describe("compose", () => {
  test("given a branch, when cooked, then its steps fork from one and join in one", () => {
    const formula = library({
      formula: "f",
      steps: [step("from"), step("x"), step("y"), step("join")],
      compose: { branch: [{ from: "from", steps: ["x", "y"], join: "join" }] },
    });
    expect(shapeOf(formula)).toEqual(["from: ", "x: from", "y: from", "join: x y"]);
  });

  test("given a gate, when cooked, then the step has it", () => {
    const formula = library({
      formula: "f",
      steps: CHAIN,
      compose: { gate: [{ before: "ship", condition: "steps.complete >= 2" }] },
    });
    expect(cooked(formula, { values: {} }).steps.at(-1)?.gate).toEqual({
      type: "conditional",
      condition: "steps.complete >= 2",
    });
  });

  test("given branches and gates of unknown steps, when cooked, then each is told", () => {
    const compose = {
      branch: [{ from: "paln", steps: ["build", "no"], join: "ship" }],
      gate: [{ before: "shp", condition: "x" }],
    };
    expect(told(library({ formula: "f", steps: CHAIN, compose }))).toEqual([
      "Error StepUnknown compose.branch.0.from Did you mean `plan`?",
      "Error StepUnknown compose.branch.0.steps",
      "Error StepUnknown compose.gate.0.before Did you mean `ship`?",
    ]);
  });
});

describe("bond points", () => {
  const EXTRA = {
    formula: "extra",
    vars: { how: "{{mode}}" },
    steps: [step("x", { title: "{{how}}" }), step("y", { needs: ["x"] })],
  };
  const hooked = (point: object) =>
    library(
      {
        formula: "f",
        vars: { mode: "deep" },
        steps: CHAIN,
        compose: {
          bond_points: [{ id: "review", ...point }],
          hooks: [{ trigger: "label:risky", attach: "extra", at: "review", vars: { how: "{{mode}}" } }],
        },
      },
      EXTRA,
    );
  const risky = { subject: { labels: ["risky"] } };

  test("given a bead without the label, when cooked, then nothing is attached", () => {
    expect(shapeOf(hooked({ after_step: "build" }))).toEqual(["plan: ", "build: plan", "ship: build"]);
  });

  test.each([
    {
      point: { after_step: "build" },
      shape: ["plan: ", "build: plan", "review.x: build", "review.y: review.x", "ship: review.y"],
    },
    {
      point: { after_step: "build", parallel: true },
      shape: ["plan: ", "build: plan", "review.x: build", "review.y: review.x", "ship: build"],
    },
    {
      point: { before_step: "build" },
      shape: ["plan: ", "review.x: plan", "review.y: review.x", "build: plan review.y", "ship: build"],
    },
  ])("given $point and a bead with the label, when cooked, then the formula is attached there", ({ point, shape }) => {
    expect(shapeOf(hooked(point), {}, risky)).toEqual(shape);
    expect(cooked(hooked(point), { values: {}, ...risky }).steps.map(({ title }) => title)).toContain("deep");
  });

  test.each([
    { trigger: "type:bug", subject: { type: "bug" } },
    { trigger: "priority:0", subject: { priority: 0 } },
  ])("given the trigger $trigger, when the bead is so, then it fires", ({ trigger, subject }) => {
    const compose = { bond_points: [{ id: "p", after_step: "ship" }], hooks: [{ trigger, attach: "extra", at: "p" }] };
    const formula = library({ formula: "f", steps: CHAIN, compose }, EXTRA);
    expect(shapeOf(formula)).toHaveLength(3);
    expect(shapeOf(formula, {}, { subject })).toHaveLength(5);
  });

  test("given a formula that attaches itself, when the hook fires, then it ends with an error", () => {
    const compose = {
      bond_points: [{ id: "p", after_step: "a" }],
      hooks: [{ trigger: "type:bug", attach: "f", at: "p" }],
    };
    const formula = library({ formula: "f", steps: [step("a")], compose });
    expect(told(formula, {}, { subject: { type: "bug" } })).toEqual(["Error HooksTooDeep compose.hooks"]);
  });
});

describe("extends", () => {
  test("given a child, when joined, then its steps override in place and nothing of either is dropped", () => {
    const parent = {
      formula: "parent",
      description: "of the parent",
      vars: { a: "1", b: "1" },
      steps: CHAIN,
      advice: [{ target: "plan", before: step("p") }],
      compose: { branch: [{ from: "plan", steps: ["build"], join: "ship" }] },
    };
    const child = {
      formula: "child",
      extends: ["parent"],
      phase: "vapor",
      vars: { b: "2", c: "3" },
      steps: [step("build", { title: "{{a}}{{b}}{{c}}", needs: ["plan"] }), step("more", { needs: ["ship"] })],
      advice: [{ target: "more", before: step("q") }],
      compose: { aspects: ["audit"] },
    };
    const formula = library(child, parent, AUDIT);
    const proto = cooked(formula, { values: {} });
    expect(shapeOf(formula)).toEqual([
      "plan.p: ",
      "plan: plan.p",
      "build-scan: plan",
      "build: build-scan",
      "build.recheck: build",
      "ship: build.recheck",
      "more.q: ship",
      "more: more.q",
    ]);
    expect(proto).toMatchObject({ formula: "child", phase: "vapor", description: "of the parent" });
    expect(proto.steps.find(({ id }) => id === "build")?.title).toBe("123");
  });

  test("given two parents, when joined, then both are there in their order", () => {
    const formula = library(
      { formula: "c", extends: ["a", "b"] },
      { formula: "a", steps: [step("x")] },
      { formula: "b", steps: [step("y"), step("x", { title: "of b" })] },
    );
    expect(cooked(formula, { values: {} }).steps.map(({ id, title }) => `${id} ${title}`)).toEqual(["x of b", "y y"]);
  });
});

test.each([
  ["*", "", true],
  ["a*c", "abbc", true],
  ["a*c", "abbd", false],
  ["*.draft", "x.draft", true],
  ["a?c", "abc", true],
  ["a?c", "ac", false],
  ["a.c", "abc", false],
  [`${"*a".repeat(30)}b`, "a".repeat(5000), false],
])("given the glob %s, when matched, then it is exact and ends soon", (glob, text, matches) => {
  expect(globMatches(glob, text)).toBe(matches);
});
