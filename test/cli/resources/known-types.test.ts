import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { KNOWN_TYPES } from "../../../src/cli/resources/known-types.ts";
import type { KindDefinition } from "../../../src/resource/kind-definition.ts";

const KINDS = new URL("../../../src/kinds/", import.meta.url);

async function definitions(): Promise<readonly KindDefinition[]> {
  const folders = readdirSync(KINDS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const files = folders.flatMap(({ name }) =>
    readdirSync(new URL(`${name}/`, KINDS))
      .filter((file) => file.endsWith(".schema.ts"))
      .map((file) => `${name}/${file}`),
  );
  const modules = await Promise.all(
    files.map(async (file) => (await import(new URL(file, KINDS).href)) as Readonly<Record<string, unknown>>),
  );
  return modules
    .flatMap((module) => Object.values(module))
    .filter(
      (value): value is KindDefinition =>
        typeof value === "object" && value !== null && "plural" in value && "kind" in value && "columns" in value,
    );
}

describe("KNOWN_TYPES", () => {
  it("given the kinds' own definitions, when compared, then no guess is wrong", async () => {
    const defined = await definitions();
    for (const known of KNOWN_TYPES) {
      const definition = defined.find((candidate) => candidate.kind === known.kind);
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

  it("given a name of one type, when looked up in all of them, then no other type has it", async () => {
    const names = (await definitions()).flatMap(({ plural, singular, shortNames }) => [
      ...new Set([plural, singular, ...shortNames]),
    ]);
    expect(new Set(names).size).toBe(names.length);
  });
});
