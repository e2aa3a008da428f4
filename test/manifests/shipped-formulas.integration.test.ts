import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cooked } from "../../src/domain/formulas/cook.ts";
import { loadFormula } from "../../src/manifests/formula-file.ts";
import { formulaLibrary } from "../../src/manifests/formula-library.ts";
import { problemText } from "../../src/manifests/problem.ts";

const DIRECTORY = join(import.meta.dirname, "../../formulas");

test("given the formulas that come with the program, when loaded, then none has a problem and the steps of each are worth a bead", () => {
  const files = readdirSync(DIRECTORY).map((name) =>
    loadFormula(join(DIRECTORY, name), readFileSync(join(DIRECTORY, name), "utf8")),
  );
  const entries = [...formulaLibrary(files).values()];
  expect(entries.flatMap(({ problems }) => problems.map(problemText))).toEqual([]);
  const steps = Object.fromEntries(
    entries.flatMap(({ name, formula }) =>
      formula === undefined ? [] : [[name, cooked(formula, { values: {} }).steps.map(({ id }) => id)]],
    ),
  );
  expect(steps).toEqual({
    work: ["implement", "verify", "submit"],
    "rule-of-five": ["main.draft", "main.correct", "main.clear", "main.edges", "main.finish"],
  });
});
