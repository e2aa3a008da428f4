import { describe, expect, it } from "vitest";
import { KNOWN_TYPES } from "../../../src/cli/resources/known-types.ts";
import { KINDS } from "../../../src/kinds/index.ts";

describe("KNOWN_TYPES", () => {
  it("given the kinds' own definitions, when compared, then no guess is wrong", () => {
    for (const known of KNOWN_TYPES) {
      const definition = KINDS.find((candidate) => candidate.kind === known.kind);
      expect(definition, `kind ${known.kind}`).toBeDefined();
      const { group, version, kind, plural, singular, shortNames, scope } = definition!;
      expect({ group, version, kind, plural, singular, shortNames, namespaced: scope === "Namespaced" }).toEqual({
        group: known.group,
        version: known.version,
        kind: known.kind,
        plural: known.plural,
        singular: known.singular,
        shortNames: known.shortNames,
        namespaced: known.namespaced,
      });
      expect(known.subresources.includes("scale")).toBe(definition!.scale !== undefined);
    }
  });

  it("given a name of one type, when looked up in all of them, then no other type has it", () => {
    const names = KINDS.flatMap(({ plural, singular, shortNames }) => [...new Set([plural, singular, ...shortNames])]);
    expect(new Set(names).size).toBe(names.length);
  });
});
