import { describe, expect, it } from "vitest";
import { matchesLabels, parseFieldSelector, parseLabelSelector } from "../../src/resource/selector.ts";
import { fc } from "../property.ts";

const matches = (selector: string, labels: Record<string, string> | undefined) =>
  matchesLabels(labels, parseLabelSelector(selector));

describe("label selectors", () => {
  it.each([
    ["", {}, true],
    ["a=b", { a: "b" }, true],
    ["a==b", { a: "b" }, true],
    ["a=b", { a: "c" }, false],
    ["a=", { a: "" }, true],
    ["a!=b", { a: "b" }, false],
    ["a!=b", {}, true],
    ["a", { a: "" }, true],
    ["!a", { a: "" }, false],
    ["!a", {}, true],
    ["a in (b,c)", { a: "c" }, true],
    ["a in (b, c)", { a: "d" }, false],
    ["a notin (b,c)", {}, true],
    ["a notin (b,c)", { a: "b" }, false],
    ["town.dev/pool=cats,a in (x,y),!z", { "town.dev/pool": "cats", a: "y" }, true],
    ["town.dev/pool=cats,a in (x,y),!z", { "town.dev/pool": "cats", a: "y", z: "" }, false],
    ["toString", {}, false],
  ])("given %j, when matched with %j, then %s", (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });

  it.each([
    "a=b=c",
    "a in b",
    "=b",
    "a in (b",
    "a b",
    "a,,b",
    "!",
  ])("given %j, when parsed, then it is refused with the part", (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(expect.objectContaining({ code: 400, reason: "BadRequest" }));
  });

  it("given any text, when parsed, then it answers or refuses, and never breaks", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseLabelSelector(text);
          parseFieldSelector(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 400 });
        }
      }),
    );
  });
});

describe("field selectors", () => {
  it("given several, when parsed, then fields, operators and escaped values are told", () => {
    expect(parseFieldSelector("metadata.name=x,spec.role!=y,spec.a==b\\,c\\=d")).toEqual([
      { field: "metadata.name", equal: true, value: "x" },
      { field: "spec.role", equal: false, value: "y" },
      { field: "spec.a", equal: true, value: "b,c=d" },
    ]);
    expect(() => parseFieldSelector("metadata.name")).toThrow(expect.objectContaining({ code: 400 }));
  });
});
