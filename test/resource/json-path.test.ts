import { describe, expect, it } from "vitest";
import { compileJsonPath, valueAt } from "../../src/resource/json-path.ts";

const object = {
  metadata: { annotations: { "town.dev/x": "dotted" } },
  spec: {
    role: "r",
    list: [
      { name: "a", n: 1 },
      { name: "b", n: 2 },
    ],
    zero: 0,
    nothing: null,
  },
  status: {
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Stalled", status: "False" },
    ],
  },
};

describe("JSONPath", () => {
  it.each([
    [".spec.role", ["r"]],
    [".spec.zero", [0]],
    [".spec.nothing", []],
    [".spec.absent.deeper", []],
    [".spec.list[0].name", ["a"]],
    [".spec.list[-1].name", ["b"]],
    [".spec.list[7].name", []],
    [".spec.list[*].n", [1, 2]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type!='Ready')].type", ["Stalled"]],
    ['.status.conditions[?(@.type=="None")].status', []],
    ["['spec']['role']", ["r"]],
    [".metadata.annotations.town\\.dev/x", ["dotted"]],
    [".metadata.annotations['town.dev/x']", ["dotted"]],
    [".spec.constructor", []],
  ])("given %s, when read, then %j", (path, expected) => {
    expect(compileJsonPath(path)(object)).toEqual(expected);
  });

  it.each([
    "spec.role",
    ".spec[",
    ".spec..role",
    "{.spec}",
    ".list[?(@.a>3)]",
  ])("given %s, when compiled, then it is refused with the part", (path) => {
    expect(() => compileJsonPath(path)).toThrow(expect.objectContaining({ reason: "BadJsonPath" }));
  });

  it("given a simple path, when one value is wanted, then it is the first", () => {
    expect(valueAt(object, ".spec.list[*].name")).toBe("a");
    expect(valueAt(undefined, ".spec")).toBeUndefined();
  });
});
