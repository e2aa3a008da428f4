import { describe, expect, test } from "vitest";
import { cooked } from "../../src/domain/formulas/cook.ts";
import { loadFormula } from "../../src/manifests/formula-file.ts";
import { formulaLibrary } from "../../src/manifests/formula-library.ts";
import { problemText } from "../../src/manifests/problem.ts";

const load = (text: string, path = "x.formula.toml") => loadFormula(path, text);
/** What is told of a file, and of cooking it by itself. */
const texts = (text: string, path?: string) =>
  [...formulaLibrary([load(text, path)]).values()].flatMap(({ problems }) => problems.map(problemText));

const GOOD = `# A formula.
formula = "shiny"
description = """
Two steps.
[[steps]] in a text is no step
"""
version = 3

[vars.component]
description = "What"
required = true
[vars]
mode = "fast"

[[steps]]
id = "design"
title = "Design {{component}}"
description = """
Think.
"""

[[steps]]
id = "build"
title = "Build"
needs = ["design"]
acceptance = "It builds."
`;

describe("loadFormula", () => {
  test("given a linear formula, when loaded, then all of it is there as the file states it", () => {
    const { document, problems } = load(GOOD.replace("[vars]\nmode", "[vars.mode]\ndefault"), "shiny.formula.toml");
    expect(problems).toEqual([]);
    expect(document).toEqual({
      formula: "shiny",
      description: "Two steps.\n[[steps]] in a text is no step\n",
      version: 3,
      vars: { component: { description: "What", required: true }, mode: { default: "fast" } },
      steps: [
        { id: "design", title: "Design {{component}}", description: "Think.\n" },
        { id: "build", title: "Build", needs: ["design"], acceptance: "It builds." },
      ],
    });
  });

  test("given a shorthand variable and JSON, when loaded, then both are read", () => {
    const json = JSON.stringify({ formula: "j", vars: { a: "x" }, steps: [{ id: "s", title: "S" }] }, undefined, 2);
    expect(load(json, "j.formula.json").document).toMatchObject({ formula: "j", vars: { a: { default: "x" } } });
    expect(texts(json.replace('"id": "s"', '"id": 5'), "j.formula.json")).toEqual([
      'j.formula.json:8:13: `steps[0].id` must be text, not 5. Quote it: "5".',
    ]);
    expect(texts("{", "j.formula.json")[0]).toMatch(/^j\.formula\.json:1:\d+: the document is not valid YAML/);
  });

  const STEPS = '[[steps]]\nid = "a"\ntitle = "A"\n[[steps]]\nid = "b"\ntitle = "B"\nneeds = ["a"]\n';

  test.each([
    {
      because: "the TOML is broken",
      text: 'formula = "x"\nsteps = [\n',
      expected: [expect.stringMatching(/^x\.formula\.toml:[23]:\d+: the file is not valid TOML: /)],
    },
    { because: "the name is missing", text: STEPS, expected: ["x.formula.toml: `formula` must be set."] },
    {
      because: "there are no steps",
      text: 'formula = "x"\ntype = "convoy"\n',
      expected: ["x.formula.toml: `legs` must have at least 1 item."],
    },
    {
      because: "a title is missing",
      text: `formula = "x"\n${STEPS.replace('title = "B"\n', "")}`,
      expected: ["x.formula.toml:5:1: step 'b' must have a title."],
    },
    {
      because: "an id is there twice",
      text: `formula = "x"\n${STEPS}[[steps]]\n  id = "a"\n  title = "C"\n`,
      expected: ["x.formula.toml:10:3: step 'a' is there twice. Give one of them another id."],
    },
    {
      because: "a need has a typo",
      text: `formula = "x"\n${STEPS.replace('id = "a"', 'id = "alpha"').replace('["a"]', '["alhpa"]')}`,
      expected: ["x.formula.toml:8:1: step 'b' needs 'alhpa', which is no step of this formula. Did you mean `alpha`?"],
    },
    {
      because: "steps go in a circle",
      text: `formula = "x"\n${STEPS.replace('title = "A"', 'title = "A"\ndepends_on = ["b"]')}`,
      expected: ["x.formula.toml:2:1: steps need each other in a circle: a → b → a. Remove one of these needs."],
    },
    {
      because: "a step needs itself",
      text: `formula = "x"\n${STEPS.replace('["a"]', '["b"]')}`,
      expected: ["x.formula.toml:8:1: steps need each other in a circle: b → b. Remove one of these needs."],
    },
    {
      because: "a key has a typo",
      text: `formula = "x"\n${STEPS.replace("needs", "need")}`,
      expected: [
        "x.formula.toml:8:1: warning: `steps[1].need` is not a key of formulas; it is ignored. Did you mean `needs`?",
      ],
    },
    {
      because: "keys have no effect yet",
      text: `formula = "x"\n${STEPS}[steps.retry]\nmax_attempts = 2\n[squash]\ntrigger = "on_complete"\n`,
      expected: [
        "x.formula.toml:9:1: warning: `steps[1].retry` is not yet in effect; it is kept, and ignored.",
        "x.formula.toml:11:1: warning: `squash` is not yet in effect; it is kept, and ignored.",
      ],
    },
    {
      because: "a value is none of those allowed",
      text: `formula = "x"\ntype = "workflw"\n${STEPS}`,
      expected: [
        "x.formula.toml:2:1: `type` must be one of 'workflow', 'expansion', 'aspect', 'convoy', not 'workflw'. Did you mean `workflow`?",
      ],
    },
    {
      because: "a key deep in a step has a typo",
      text: `formula = "x"\n${STEPS}[steps.loop]\ncuont = 2\ncount = 2\n[[steps.loop.body]]\nid = "c"\ntitle = "C"\nasignee = "x"\n`,
      expected: [
        "x.formula.toml:10:1: warning: `steps[1].loop.cuont` is not a key of formulas; it is ignored. Did you mean `count`?",
        "x.formula.toml:15:1: warning: `steps[1].loop.body[0].asignee` is not a key of formulas; it is ignored. Did you mean `assignee`?",
      ],
    },
    {
      because: "it needs another compiler and another contract",
      text: `formula = "x"\ncontract = "graph.v3"\n${STEPS}[requires]\nformula_compiler = ">=3.1"\n`,
      expected: [
        "x.formula.toml:2:1: contract 'graph.v3' is not known; known are graph.v1 and graph.v2. Did you mean `graph.v1`?",
        "x.formula.toml:11:1: the formula needs a compiler >=3.1, and this one is 2.0.0.",
      ],
    },
    {
      because: "the bound of the compiler is none",
      text: `formula = "x"\n${STEPS}[requires]\nformula_compiler = "new"\n`,
      expected: ["x.formula.toml:10:1: `requires.formula_compiler` must be a bound such as '>=2.0.0', not 'new'."],
    },
    {
      because: "the file has another name",
      text: `formula = "y"\n${STEPS}`,
      expected: ["x.formula.toml:1:1: warning: the file is called 'x', its formula 'y'."],
    },
    {
      because: "a variable is required and has a default",
      text: `formula = "x"\n[vars.v]\ndefault = "1"\nrequired = true\n${STEPS}`,
      expected: ["x.formula.toml:2:1: `vars.v` must not be required and have a default."],
    },
    {
      because: "a default is a number",
      text: `formula = "x"\n[vars]\nv = {default = 5}\n${STEPS}`,
      expected: ['x.formula.toml:3:1: `vars.v.default` must be text, not 5. Quote it: "5".'],
    },
    {
      because: "the version is no number",
      text: `formula = "x"\nversion = "2"\n${STEPS}`,
      expected: ["x.formula.toml:2:1: `version` must be a number, not '2'."],
    },
  ])("given that $because, when loaded, then it is told with its place", ({ text, expected }) => {
    expect(texts(text)).toEqual(expected);
  });

  test.each([
    ">=2.0.0",
    ">1, <3",
    "^2",
    "~2.0",
    "2.0.0",
  ])("given that it needs a compiler %s, when loaded, then this one is enough", (bound) => {
    expect(texts(`formula = "x"\n${STEPS}[requires]\nformula_compiler = "${bound}"\n`)).toEqual([]);
  });

  test("given a revision of 14, when loaded, then it says nothing about the compiler", () => {
    expect(texts(`formula = "x"\nversion = 14\n${STEPS}`)).toEqual([]);
  });

  test("given only warnings, when loaded, then the formula can be used and what it states is kept", () => {
    const { document } = load(`formula = "x"\nmode = "report"\nlater = 1\n${STEPS}`);
    expect(document).toMatchObject({ mode: "report", steps: [{ id: "a" }, { id: "b" }] });
    expect(document).not.toHaveProperty("later");
  });

  test("given chains of 1,025 and of some 10,000 steps, when loaded, then they are read without recursion, and a circle is told shortly", () => {
    const chain = (length: number, closed = false) =>
      `formula = "hanoi"\n${Array.from({ length }, (_, index) => `[[steps]]\nid = "s${index}"\ntitle = "T"\n${index > 0 ? `needs = ["s${index - 1}"]\n` : closed ? `needs = ["s${length - 1}"]\n` : ""}`).join("")}`;
    const entry = formulaLibrary([load(chain(1025), "hanoi.toml")]).get("hanoi");
    expect(entry?.problems).toEqual([]);
    expect(entry?.formula && cooked(entry.formula, { values: {} }).steps.at(-1)?.id).toBe("s1024");
    const [problem] = formulaLibrary([load(chain(1025, true), "hanoi.toml")]).get("hanoi")?.problems ?? [];
    expect(problem).toMatchObject({ reason: "StepCycle", line: 5 });
    expect(problem?.message.length).toBeLessThan(200);
    expect(texts(chain(10_000), "hanoi.toml")).toEqual([]);
  });
});
