import type { FormulaDocument } from "./formula-document.ts";
import type { FormulaPlace } from "./formula-problem.ts";

/** Where each part of a formula is written: by the part itself, which joining formulas leaves as it is. */
export type Origins = ReadonlyMap<object, FormulaPlace>;

const LISTS = ["steps", "template", "legs", "advice"] as const;
const COMPOSED = ["bond_points", "hooks", "expand", "map", "branch", "gate"] as const;
const TABLES = ["vars", "inputs", "presets"] as const;

/** Origins of the parts that formulas which extend another one take over. */
export function originsOf(documents: Iterable<FormulaDocument>): Origins {
  const origins = new Map<object, FormulaPlace>();
  for (const document of documents) {
    const add = (part: object, ...path: readonly (string | number)[]): void => {
      origins.set(part, { formula: document.formula, path });
    };
    for (const key of LISTS) for (const [index, part] of (document[key] ?? []).entries()) add(part, key, index);
    for (const key of COMPOSED)
      for (const [index, part] of (document.compose?.[key] ?? []).entries()) add(part, "compose", key, index);
    for (const key of TABLES)
      for (const [name, part] of Object.entries<object>(document[key] ?? {})) add(part, key, name);
    if (document.synthesis !== undefined) add(document.synthesis, "synthesis");
  }
  return origins;
}
