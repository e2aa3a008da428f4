import { cook, type CookInput } from "../../../src/domain/formulas/cook.ts";
import { assemble } from "../../../src/domain/formulas/extends.ts";
import { type Formula, formulaOf } from "../../../src/domain/formulas/formula.ts";
import { type FormulaDocument, formulaDocument } from "../../../src/domain/formulas/formula-document.ts";
import { originsOf } from "../../../src/domain/formulas/origins.ts";
import type { Protomolecule } from "../../../src/domain/formulas/protomolecule.ts";

type Stated = Readonly<Record<string, unknown>> & { readonly formula: string };

/** The first document as a formula, in a library of all of them, as a file's content would be read. */
export function library(...stated: readonly Stated[]): Formula {
  const documents = new Map<string, FormulaDocument>(stated.map((each) => [each.formula, formulaDocument.parse(each)]));
  const parts = new Map<string, FormulaDocument>();
  for (const name of documents.keys()) {
    const assembled = assemble(name, documents);
    if (assembled !== undefined) parts.set(name, assembled.document);
  }
  const first = parts.get(stated[0]?.formula ?? "");
  if (first === undefined) throw new Error("a library needs a formula");
  return formulaOf(first, "test", parts, originsOf(documents.values()));
}

export function step(id: string, more: Readonly<Record<string, unknown>> = {}) {
  return { id, title: id, ...more };
}

/** `id: needs` for each step in order, with `parent/` in front. */
export function shape(proto: Protomolecule | undefined): readonly string[] {
  return (proto?.steps ?? []).map(
    ({ id, parent, needs }) => `${parent === undefined ? "" : `${parent}/`}${id}: ${[...needs].toSorted().join(" ")}`,
  );
}

export function shapeOf(
  formula: Formula,
  values: Readonly<Record<string, string>> = {},
  more: Partial<CookInput> = {},
) {
  const { protomolecule, problems } = cook(formula, { values, ...more });
  const errors = problems.filter((problem) => problem.severity === "Error");
  return errors.length > 0 ? errors.map(({ reason, message }) => `${reason}: ${message}`) : shape(protomolecule);
}

export function told(formula: Formula, values: Readonly<Record<string, string>> = {}, more: Partial<CookInput> = {}) {
  return cook(formula, { values, ...more }).problems.map(
    ({ severity, reason, path, hint }) =>
      `${severity} ${reason} ${path.join(".")}${hint === undefined ? "" : ` ${hint}`}`,
  );
}
