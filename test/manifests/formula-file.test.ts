import { describe, expect, test } from "vitest";
import { orderedSteps } from "../../src/domain/formulas/formula.ts";
import { loadFormula } from "../../src/manifests/formula-file.ts";
import { problemText } from "../../src/manifests/problem.ts";

const load = (text: string, path = "f.formula.toml") => loadFormula(path, text);
const texts = (text: string, path?: string) => load(text, path).problems.map(problemText);

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
  test("given a linear formula, when loaded, then all of it is there", () => {
    const { formula, problems } = load(GOOD.replace("[vars]\nmode", "[vars.mode]\ndefault"));
    expect(problems).toEqual([]);
    expect(formula).toEqual({
      name: "shiny",
      description: "Two steps.\n[[steps]] in a text is no step\n",
      version: 3,
      source: "f.formula.toml",
      variables: { component: { description: "What", required: true }, mode: { default: "fast" } },
      steps: [
        { id: "design", title: "Design {{component}}", description: "Think.", needs: [] },
        { id: "build", title: "Build", description: "", needs: ["design"], acceptance: "It builds." },
      ],
    });
  });

  test("given a shorthand variable and JSON, when loaded, then both are read", () => {
    const json = JSON.stringify({ formula: "j", vars: { a: "x" }, steps: [{ id: "s", title: "S" }] }, undefined, 2);
    expect(load(json, "j.formula.json").formula).toMatchObject({
      name: "j",
      variables: { a: { default: "x" } },
      version: 1,
    });
    expect(texts(json.replace('"id": "s"', '"id": 5'), "j.formula.json")).toEqual([
      "j.formula.json:8:13: `steps[0].id` must be text that is not empty.",
    ]);
    expect(texts("{", "j.formula.json")[0]).toMatch(/^j\.formula\.json:1:\d+: the document is not valid YAML/);
  });

  const STEPS = '[[steps]]\nid = "a"\ntitle = "A"\n[[steps]]\nid = "b"\ntitle = "B"\nneeds = ["a"]\n';

  test.each([
    {
      because: "the TOML is broken",
      text: 'formula = "x"\nsteps = [\n',
      expected: [expect.stringMatching(/^f\.formula\.toml:[23]:\d+: the file is not valid TOML: /)],
    },
    { because: "the name is missing", text: STEPS, expected: ["f.formula.toml: `formula` must be set."] },
    {
      because: "there are no steps",
      text: 'formula = "x"\ntype = "convoy"\n',
      expected: ["f.formula.toml: `steps` must have at least 1 item ('convoy' formulas are not yet in effect)."],
    },
    {
      because: "a title is missing",
      text: `formula = "x"\n${STEPS.replace('title = "B"\n', "")}`,
      expected: ["f.formula.toml:5:1: `steps[1].title` must be set."],
    },
    {
      because: "an id is there twice",
      text: `formula = "x"\n${STEPS}[[steps]]\n  id = "a"\n  title = "C"\n`,
      expected: ["f.formula.toml:10:3: step 'a' is there twice; the other is in line 3. Give one of them another id."],
    },
    {
      because: "a need has a typo",
      text: `formula = "x"\n${STEPS.replace('id = "a"', 'id = "alpha"').replace('["a"]', '["alhpa"]')}`,
      expected: ["f.formula.toml:8:1: step 'b' needs 'alhpa', which is no step of this formula. Did you mean `alpha`?"],
    },
    {
      because: "steps go in a circle",
      text: `formula = "x"\n${STEPS.replace('title = "A"', 'title = "A"\ndepends_on = ["b"]')}`,
      expected: ["f.formula.toml:2:1: steps need each other in a circle: a → b → a. Remove one of these needs."],
    },
    {
      because: "a step needs itself",
      text: `formula = "x"\n${STEPS.replace('["a"]', '["b"]')}`,
      expected: ["f.formula.toml:8:1: steps need each other in a circle: b → b. Remove one of these needs."],
    },
    {
      because: "a key has a typo",
      text: `formula = "x"\n${STEPS.replace("needs", "need")}`,
      expected: [
        "f.formula.toml:8:1: warning: `steps[1].need` is not a key of formulas; it is ignored. Did you mean `needs`?",
      ],
    },
    {
      because: "keys have no effect yet",
      text: `formula = "x"\n${STEPS}[steps.gate]\ntype = "human"\n[squash]\ntrigger = "on_complete"\n`,
      expected: [
        "f.formula.toml:9:1: warning: `steps[1].gate` is not yet in effect; it is kept, and ignored.",
        "f.formula.toml:11:1: warning: `squash` is not yet in effect; it is kept, and ignored.",
      ],
    },
    {
      because: "a variable is required and has a default",
      text: `formula = "x"\n[vars.v]\ndefault = "1"\nrequired = true\n${STEPS}`,
      expected: ["f.formula.toml:4:1: `vars.v` must not be required and have a default. Remove one of them."],
    },
    {
      because: "a default is a number",
      text: `formula = "x"\n[vars]\nv = {default = 5}\n${STEPS}`,
      expected: ['f.formula.toml:3:1: `vars.v.default` must be text. Quote it: "5".'],
    },
    {
      because: "the version is no number",
      text: `formula = "x"\nversion = "2"\n${STEPS}`,
      expected: ["f.formula.toml:2:1: `version` must be a whole number greater than or equal to 1."],
    },
  ])("given that $because, when loaded, then it is told with its place", ({ text, expected }) => {
    expect(texts(text)).toEqual(expected);
  });

  test("given only warnings, when loaded, then the formula can be used and what it states is kept", () => {
    const { formula, stated } = load(`formula = "x"\npour = true\n${STEPS}`);
    expect(formula?.steps).toHaveLength(2);
    expect(stated).toMatchObject({ pour: true });
  });

  test("given chains of 1,025 and of some 20,000 steps, when loaded, then they are read without recursion, and a circle is told shortly", () => {
    const chain = (length: number, closed = false) =>
      `formula = "hanoi"\n${Array.from({ length }, (_, index) => `[[steps]]\nid = "s${index}"\ntitle = "T"\n${index > 0 ? `needs = ["s${index - 1}"]\n` : closed ? `needs = ["s${length - 1}"]\n` : ""}`).join("")}`;
    const { formula, problems } = load(chain(1025));
    expect(problems).toEqual([]);
    expect(
      formula &&
        orderedSteps(formula)
          .map((step) => step.id)
          .at(-1),
    ).toBe("s1024");
    const [problem] = load(chain(1025, true)).problems;
    expect(problem).toMatchObject({ reason: "StepCycle", line: 5 });
    expect(problem?.message.length).toBeLessThan(200);
    expect(
      load(
        chain(20_000)
          .slice(0, 1024 * 1024 - 100)
          .replace(/\[\[steps\]\][^[]*$/, ""),
      ).problems,
    ).toEqual([]);
  });
});
