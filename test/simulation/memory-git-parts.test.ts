import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ignorePatterns } from "../../src/simulation/ignore-patterns.ts";
import { diffLines, splitLines } from "../../src/simulation/line-diff.ts";
import { mergeText } from "../../src/simulation/line-merge.ts";
import { sha1 } from "../../src/simulation/sha1.ts";
import { unifiedDiff } from "../../src/simulation/unified-diff.ts";
import { fc } from "../property.ts";

const lines = fc.array(fc.constantFrom<string>("a\n", "b\n", "c\n", "d\n"), { maxLength: 12 });

describe("sha1", () => {
  it("given any bytes, when hashed, then it is what node:crypto says", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sha1(bytes)).toBe(createHash("sha1").update(bytes).digest("hex"));
      }),
    );
  });
});

describe("line diff", () => {
  it("given any two texts, when the hunks are applied to the first, then the second comes out", () => {
    fc.assert(
      fc.property(lines, lines, (old, next) => {
        const result = [...old];
        for (const { start, end, lines: news } of diffLines(old, next).reverse())
          result.splice(start, end - start, ...news);
        expect(result).toEqual(next);
      }),
    );
  });

  it("given a change of one line among many, when compared, then the script is that line", () => {
    const old = Array.from({ length: 50 }, (_, i) => `${i}\n`);
    expect(diffLines(old, old.with(20, "x\n"))).toEqual([{ start: 20, end: 21, lines: ["x\n"] }]);
  });

  it("given a text without a last newline, when split, then joining gives it back", () => {
    expect(splitLines("a\n\nb")).toEqual(["a\n", "\n", "b"]);
    expect(splitLines("")).toEqual([]);
  });
});

describe("line merge", () => {
  it("given one side unchanged, or both the same, when merged, then the changed text comes out", () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const [base, side] = [a.join(""), b.join("")];
        expect([mergeText(base, side, base), mergeText(base, base, side), mergeText(base, side, side)]).toEqual([
          side,
          side,
          side,
        ]);
      }),
    );
  });

  it("given sides in any order, when merged, then the result does not depend on it", () => {
    fc.assert(
      fc.property(lines, lines, lines, (base, a, b) => {
        const merged = mergeText(base.join(""), a.join(""), b.join(""));
        expect(merged).toBe(mergeText(base.join(""), b.join(""), a.join("")));
      }),
    );
  });

  it.each([
    ["1\n2\n3\n", "one\n2\n3\n", "1\n2\nthree\n", "one\n2\nthree\n"],
    ["1\n2\n3\n", "one\n2\n3\n", "1\ntwo\n3\n", undefined],
    ["1\n2\n3\n", "1\n2\n3\n4\n", "1\n2\n3\nfour\n", undefined],
    ["1\n2\n3\n", "2\n3\n", "1\n2\n", "2\n"],
  ])("given %j against %j and %j, when merged, then it is %j", (base, ours, theirs, merged) => {
    expect(mergeText(base, ours, theirs)).toBe(merged);
  });
});

describe("unified diff", () => {
  const side = (text: string) => ({ mode: "100644", id: "0123456789", text });

  it("given changes far apart, when shown, then each has its own hunk with three lines around", () => {
    const old = Array.from({ length: 30 }, (_, i) => `${i}\n`);
    const text = unifiedDiff("f", side(old.join("")), side(old.with(4, "x\n").toSpliced(25, 1).join("")));
    expect(text).toBe(
      "diff --git a/f b/f\nindex 0123456..0123456 100644\n--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+x\n 5\n 6\n 7\n@@ -23,7 +23,6 @@\n 22\n 23\n 24\n-25\n 26\n 27\n 28\n",
    );
  });

  it("given an added, a deleted and a re-moded file, when shown, then the head says so", () => {
    expect(unifiedDiff("f", undefined, side("x\n"))).toContain(
      "new file mode 100644\nindex 0000000..0123456\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n",
    );
    expect(unifiedDiff("f", side("x\n"), undefined)).toContain(
      "deleted file mode 100644\nindex 0123456..0000000\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
    );
    expect(unifiedDiff("f", side("x\n"), { ...side("x\n"), mode: "100755" })).toBe(
      "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n",
    );
  });
});

describe("ignore patterns", () => {
  it.each([
    ["*.log", ["a.log", "d/e/a.log"], ["a.log.txt", "log"]],
    ["/out", ["out", "out/x"], ["d/out"]],
    ["build/", ["build/x", "d/build/x"], ["build"]],
    ["d/*.txt", ["d/a.txt"], ["d/e/a.txt", "a.txt"]],
    ["d/**/x", ["d/x", "d/e/f/x"], ["x"]],
    ["*.log\n!keep.log", ["a.log"], ["keep.log"]],
    ["# comment\n\n a?c", [" abc"], ["abc", "# comment"]],
  ])("given %j, when asked, then it ignores %j and not %j", (text, ignored, kept) => {
    const ignores = ignorePatterns(text);
    expect([ignored.filter(ignores), kept.filter(ignores)]).toEqual([ignored, []]);
  });
});
