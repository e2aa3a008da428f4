import { describe, expect, it } from "vitest";
import { deepFreeze, jsonEqual } from "../../src/resource/equality.ts";
import { composePatches, mergePatch, patchBetween } from "../../src/resource/merge-patch.ts";
import { fc } from "../property.ts";

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(tie("any"), { maxLength: 3 }),
    tie("record"),
  ),
  record: fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), tie("any"), { maxKeys: 3 }),
})).any;
const record = fc.dictionary(fc.constantFrom("a", "b", "c"), value, { maxKeys: 3 });

describe("merge patches", () => {
  it.each([
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])("given %j, when patched with %j, then %j (RFC 7386, appendix A)", (target, patch, expected) => {
    expect(mergePatch(deepFreeze(target), patch)).toEqual(expected);
  });

  it("given two objects, when the patch between them is applied, then the second comes out, and nothing to do is empty", () => {
    fc.assert(
      fc.property(record, record, (before, after) => {
        expect(jsonEqual(mergePatch(before, patchBetween(before, after)), after)).toBe(true);
        expect(patchBetween(after, structuredClone(after))).toEqual({});
      }),
    );
  });

  it("given a key called __proto__ that goes away, when the patch is made, then it is removed like any other", () => {
    const before = JSON.parse('{"c":{"__proto__":{}}}') as Record<string, unknown>;
    expect(jsonEqual(mergePatch(before, patchBetween(before, { c: {} })), { c: {} })).toBe(true);
  });

  it("given patches of disjoint or record fields, when composed, then they do what both do in turn", () => {
    const leaf = fc.oneof(fc.integer(), fc.constant(null));
    const nested = fc.dictionary(
      fc.constantFrom("a", "b"),
      fc.dictionary(fc.constantFrom("x", "y"), leaf, { maxKeys: 2 }),
      { maxKeys: 2 },
    );
    fc.assert(
      fc.property(nested, nested, nested, (target, first, second) => {
        const base = mergePatch({}, target);
        expect(mergePatch(base, composePatches(first, second))).toEqual(mergePatch(mergePatch(base, first), second));
      }),
    );
  });

  it("given a key named __proto__, when merged, then it is data and no prototype changes", () => {
    const patched = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}')) as Record<string, unknown>;
    expect(Object.keys(patched)).toEqual(["__proto__"]);
    expect((patched as { polluted?: boolean }).polluted).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("equality", () => {
  it.each([
    [{ a: 1, b: undefined }, { a: 1 }, true],
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [[1, 2], [2, 1], false],
    [{ a: null }, {}, false],
    [[], {}, false],
    [{ constructor: undefined }, {}, true],
    [0, "0", false],
  ])("given %j and %j, when compared, then %s", (a, b, expected) => {
    expect(jsonEqual(a, b)).toBe(expected);
    expect(jsonEqual(b, a)).toBe(expected);
  });
});
