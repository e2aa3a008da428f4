import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { yamlText } from "../../../src/cli/output/yaml.ts";
import { fc, fuzzRuns } from "../../property.ts";

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "a",
      " ",
      "\n",
      ":",
      "#",
      "-",
      "'",
      '"',
      "\t",
      "1",
      "%",
      "@",
      "|",
      ">",
      "{",
      "[",
      "&",
      "*",
      "!",
      "é",
      "😀",
    ),
  }),
  fc.constantFrom(
    "yes",
    "No",
    "null",
    "~",
    "on",
    "0x1F",
    "1e3",
    "e0",
    "E+7",
    ".5",
    "+1",
    "2026-01-02",
    "12:30:45",
    "1_000",
    "0o7",
    "=",
    "<<",
    "---",
    "...",
    "- a",
    "a: b",
    "a #b",
    "10m",
    "1.5Gi",
    "5s",
    "a\n\n",
    "\n",
    "a\n b\n",
    " a\nb",
  ),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(text, tie("value"), { maxKeys: 4 }),
  ),
})).value;

describe("yamlText", () => {
  it("given any JSON value, when printed and read back, then it is the same", () => {
    fc.assert(
      fc.property(json, (value) => {
        // A dictionary's own `__proto__` cannot survive any parser that builds plain objects.
        const expected = JSON.parse(JSON.stringify(value)) as unknown;
        for (const version of ["1.1", "1.2"] as const) {
          expect(
            JSON.parse(JSON.stringify(parse(yamlText(expected), { version, uniqueKeys: false, merge: false }) ?? null)),
          ).toEqual(expected);
        }
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it("given an object, when printed, then keys are sorted, lists stand at their key and plain words are unquoted", () => {
    const value = {
      b: ["x", { count: 1, a: true }],
      a: { url: "https://example.com/x.git", wait: "10m", version: "1.0", none: {}, empty: [] },
      text: "one\ntwo\n",
    };
    expect(yamlText(value)).toBe(
      'a:\n  empty: []\n  none: {}\n  url: https://example.com/x.git\n  version: "1.0"\n  wait: 10m\nb:\n- x\n- a: true\n  count: 1\ntext: |\n  one\n  two\n',
    );
  });
});
