import type { FormulaDocument } from "./formula-document.ts";
import type { Origins } from "./origins.ts";

/** A formula that can be cooked: what it states with what it extends merged in, and all that it may refer to. */
export interface Formula {
  readonly name: string;
  readonly description: string;
  /** Revision of the document. */
  readonly version: number;
  /** File that it was loaded from. */
  readonly source: string;
  readonly document: FormulaDocument;
  /** Every formula of the library by name, itself included; parents merged in. */
  readonly parts: ReadonlyMap<string, FormulaDocument>;
  /** Where the parts of all of them are written. */
  readonly origins: Origins;
}

export function formulaOf(
  document: FormulaDocument,
  source: string,
  parts: ReadonlyMap<string, FormulaDocument> = new Map([[document.formula, document]]),
  origins: Origins = new Map(),
): Formula {
  return {
    name: document.formula,
    description: document.description ?? "",
    version: document.version ?? 1,
    source,
    document,
    parts,
    origins,
  };
}

/** What a formula is: as it says, else by what it has. */
export function formulaType(document: FormulaDocument): NonNullable<FormulaDocument["type"]> {
  if (document.type !== undefined) return document.type;
  if (document.steps !== undefined) return "workflow";
  if (document.legs !== undefined) return "convoy";
  if (document.template !== undefined) return "expansion";
  return document.advice === undefined ? "workflow" : "aspect";
}
