import { describe, expect, test } from "vitest";
import { compareLines, unifiedHunks } from "../../../src/domain/text/line-diff.ts";
import { fc } from "../../property.ts";

const lines = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 25 });

describe("compareLines", () => {
  test("given any two texts, when compared, then the runs hold both of them", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const runs = compareLines(before, after);
        expect(runs.filter((run) => run.kind !== "Added").flatMap((run) => run.lines)).toEqual(before);
        expect(runs.filter((run) => run.kind !== "Removed").flatMap((run) => run.lines)).toEqual(after);
      }),
    );
  });

  test("given texts with more differences than are searched, when compared, then the middle is replaced whole", () => {
    const before = ["x", ...Array.from({ length: 3000 }, (_, index) => `a${index}`), "y"];
    const after = ["x", ...Array.from({ length: 3000 }, (_, index) => `b${index}`), "y"];
    expect(compareLines(before, after).map((run) => [run.kind, run.lines.length])).toEqual([
      ["Same", 1],
      ["Removed", 3000],
      ["Added", 3000],
      ["Same", 1],
    ]);
  });
});

describe("unifiedHunks", () => {
  test("given equal texts, when compared, then there are no hunks", () => {
    expect(unifiedHunks(["a", "b"], ["a", "b"])).toEqual([]);
  });

  test("given two changes far apart, when compared, then each has its hunk with context and line numbers", () => {
    const before = Array.from({ length: 20 }, (_, index) => `l${index + 1}`);
    const after = before.with(1, "x").toSpliced(15, 1);
    expect(unifiedHunks(before, after, 1)).toEqual([
      "@@ -1,3 +1,3 @@",
      " l1",
      "-l2",
      "+x",
      " l3",
      "@@ -15,3 +15,2 @@",
      " l15",
      "-l16",
      " l17",
    ]);
  });

  test("given nothing before, when compared, then git's form for a new file is used", () => {
    expect(unifiedHunks([], ["a", "b"])).toEqual(["@@ -0,0 +1,2 @@", "+a", "+b"]);
  });

  test("given any two texts, when the hunks are applied, then the second results", () => {
    fc.assert(
      fc.property(lines, lines, fc.nat(4), (before, after, context) => {
        expect(applied(before, unifiedHunks(before, after, context))).toEqual(after);
      }),
    );
  });
});

function applied(before: readonly string[], hunks: readonly string[]): readonly string[] {
  const result: string[] = [];
  let at = 0;
  for (const line of hunks) {
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@$/.exec(line);
    if (head === null) {
      if (line[0] !== "+") expect(before[at]).toBe(line.slice(1));
      if (line[0] !== "+") at += 1;
      if (line[0] !== "-") result.push(line.slice(1));
      continue;
    }
    const start = Number(head[1]) - (head[2] === "0" ? 0 : 1);
    result.push(...before.slice(at, start));
    at = start;
    expect(result).toHaveLength(Number(head[3]) - (head[4] === "0" ? 0 : 1));
  }
  return [...result, ...before.slice(at)];
}
