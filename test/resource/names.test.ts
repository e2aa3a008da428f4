import { describe, expect, it } from "vitest";
import {
  annotationCauses,
  dnsLabelCauses,
  finalizerCauses,
  idOfName,
  isSubdomain,
  labelCauses,
  nameCauses,
  nameOfId,
} from "../../src/resource/names.ts";
import { fc, fuzzRuns } from "../property.ts";

describe("names", () => {
  it.each(["a", "a-b", "a.b-1", "0", "x".repeat(253)])("given %s, when checked, then it is a name", (name) => {
    expect(nameCauses(name)).toEqual([]);
  });

  it.each([
    "",
    "A",
    "a_b",
    "-a",
    "a-",
    "a..b",
    ".a",
    "ä",
    "x".repeat(254),
  ])("given %j, when checked, then one cause says the rule", (name) => {
    expect(nameCauses(name)).toMatchObject([{ reason: "FieldValueInvalid", field: "metadata.name" }]);
  });

  it("given labels, annotations, finalizers and namespace names, when checked, then as Kubernetes does", () => {
    expect(labelCauses({ "town.dev/a": "B_c.d", e: "" })).toEqual([]);
    expect(labelCauses({ "a b": "x", c: "-", "Town.dev/x": "y", d: "x".repeat(64) })).toHaveLength(4);
    expect(annotationCauses({ "runtime.town.dev/x": "any text ü" })).toEqual([]);
    expect(annotationCauses({ a: "x".repeat(262_145) })).toMatchObject([{ reason: "FieldValueTooLong" }]);
    expect(finalizerCauses(["town.dev/x", "orphan"])).toEqual([]);
    expect(finalizerCauses(["no good"])).toHaveLength(1);
    expect(dnsLabelCauses("a.b")).toHaveLength(1);
    expect(dnsLabelCauses("x".repeat(64))).toHaveLength(1);
  });
});

describe("names of ids", () => {
  it.each([
    ["hq-a1b2", "hq-a1b2"],
    ["api-x.1", "api-x.1"],
    ["API_1", "id---41-50-49-5f1"],
    ["id--x", "id--id-2d-2dx"],
  ])("given id %s, when named, then %s and back", (id, name) => {
    expect(nameOfId(id)).toBe(name);
    expect(idOfName(name)).toBe(id);
  });

  it("given any id, when named, then the name is valid, its own, and gives the id back", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }).filter((id) => !/[\ud800-\udfff]/u.test(id)),
        (id) => {
          const name = nameOfId(id);
          expect(isSubdomain(name)).toBe(true);
          expect(idOfName(name)).toBe(id);
        },
      ),
      { numRuns: fuzzRuns(500) },
    );
  });

  it("given an id that would not fit, when named, then it is refused", () => {
    expect(() => nameOfId("_".repeat(100))).toThrow(expect.objectContaining({ reason: "IdTooLong" }));
    expect(() => nameOfId("")).toThrow(expect.objectContaining({ reason: "IdTooLong" }));
    expect(idOfName("id---zz")).toBe("id---zz");
  });
});
