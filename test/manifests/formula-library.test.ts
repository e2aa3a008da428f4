import { describe, expect, test } from "vitest";
import { loadFormula } from "../../src/manifests/formula-file.ts";
import { formulaLibrary } from "../../src/manifests/formula-library.ts";
import { problemText } from "../../src/manifests/problem.ts";

const STEP = '[[steps]]\nid = "a"\ntitle = "A"\n';
const library = (files: Readonly<Record<string, string>>) =>
  formulaLibrary(Object.entries(files).map(([path, text]) => loadFormula(path, text)));

describe("formulaLibrary", () => {
  test("given a name in two tiers, when joined, then the nearest file wins and the other is named", () => {
    const entry = library({
      "town/work.toml": `formula = "work"\ndescription = "near"\n${STEP}`,
      "builtin/work.formula.toml": `formula = "work"\ndescription = "far"\n${STEP}`,
    }).get("work");
    expect(entry).toMatchObject({ path: "town/work.toml", shadowed: ["builtin/work.formula.toml"] });
    expect(entry?.formula?.description).toBe("near");
  });

  test("given a near file that does not parse, when joined, then it wins and is broken: a far one is something else", () => {
    const entry = library({ "town/work.toml": "formula = ", "builtin/work.toml": `formula = "work"\n${STEP}` }).get(
      "work",
    );
    expect(entry?.formula).toBeUndefined();
    expect(entry?.problems).toHaveLength(1);
  });

  test("given a mistake in a file that another one extends, when joined, then it is told at its own file and line", () => {
    const entries = library({
      "child.toml": `formula = "child"\nextends = ["base"]\n[[steps]]\nid = "b"\ntitle = "B"\nneeds = ["a"]\n`,
      "base.toml": `formula = "base"\n${STEP}needs = ["gone"]\n`,
    });
    const text = "base.toml:5:1: step 'a' needs 'gone', which is no step of this formula.";
    expect(entries.get("child")?.problems.map(problemText)).toEqual([text]);
    expect(entries.get("base")?.problems.map(problemText)).toEqual([text]);
  });

  test("given formulas that extend each other and one that is not there, when joined, then it is told", () => {
    const entries = library({
      "a.toml": `formula = "a"\nextends = ["b"]\n${STEP}`,
      "b.toml": `formula = "b"\nextends = ["a"]\n${STEP}`,
      "c.toml": `formula = "c"\nextends = ["work"]\n${STEP}`,
      "works.toml": `formula = "works"\n${STEP}`,
    });
    expect(entries.get("a")?.problems.map(problemText)).toEqual([
      "b.toml:2:1: formulas extend each other in a circle: a → b → a.",
    ]);
    expect(entries.get("c")?.problems.map(problemText)).toEqual([
      "c.toml:2:1: there is no formula 'work' to extend. Did you mean `works`?",
    ]);
  });

  test("given a required variable, when joined, then that alone is no mistake", () => {
    const entry = library({ "f.toml": `formula = "f"\n[vars.v]\nrequired = true\n${STEP}condition = "{{v}}"\n` }).get(
      "f",
    );
    expect(entry?.problems).toEqual([]);
    expect(entry?.formula).toBeDefined();
  });
});
