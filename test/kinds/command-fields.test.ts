import { describe, expect, test } from "vitest";
import { z } from "zod";
import { COMMAND_FIELDS } from "../../src/kinds/command-fields.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { isRecord } from "../../src/resource/equality.ts";

/** Paths of the fields of a schema that are called as commands are. */
function commandPaths(schema: unknown, path = ""): readonly string[] {
  if (!isRecord(schema)) return [];
  const own = Object.entries(isRecord(schema["properties"]) ? schema["properties"] : {}).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [...(/^(?:command|exec|condition|script)$/.test(name) ? [at] : []), ...commandPaths(field, at)];
  });
  return [...own, ...commandPaths(schema["items"], `${path}[]`)];
}

describe("fields with commands", () => {
  test("given every kind that manifests declare, when its schema has a command, then it is known as one", () => {
    const known = new Set(COMMAND_FIELDS.map(({ kind, path }) => `${kind} ${path}`));
    const found = KINDS.filter(({ truth, kind }) => truth === "Desired" && kind !== "Town").flatMap(({ kind, spec }) =>
      commandPaths(z.toJSONSchema(spec, { io: "input", unrepresentable: "any" })).map((path) => `${kind} ${path}`),
    );
    expect(found.filter((field) => !known.has(field))).toEqual([]);
    expect(found.length).toBeGreaterThan(5);
  });
});
