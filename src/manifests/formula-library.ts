import { cook } from "../domain/formulas/cook.ts";
import { assemble } from "../domain/formulas/extends.ts";
import { type Formula, formulaOf } from "../domain/formulas/formula.ts";
import type { FormulaDocument } from "../domain/formulas/formula-document.ts";
import { originsOf } from "../domain/formulas/origins.ts";
import type { FormulaProblem } from "../domain/formulas/formula-problem.ts";
import type { FormulaFile } from "./formula-file.ts";
import { formulaFileName } from "./formula-text.ts";
import { byPlace, type Problem } from "./problem.ts";

/** A formula of a library, or what keeps it from being one. */
export interface LibraryEntry {
  readonly name: string;
  /** File that won: the nearest with this name. */
  readonly path: string;
  /** Files of the same name in farther tiers. */
  readonly shadowed: readonly string[];
  /** Undefined when an Error keeps it from being cooked. */
  readonly formula?: Formula;
  readonly document?: FormulaDocument;
  /** All of its file, and what cooking it by itself tells; by place. */
  readonly problems: readonly Problem[];
}

/**
 * The formulas of several files, nearest first: the first file of a name wins. Each is joined with what it extends and
 * cooked once without values, so that what is wrong is known when a file is saved and not when work waits for it. Pure.
 */
export function formulaLibrary(files: readonly FormulaFile[]): ReadonlyMap<string, LibraryEntry> {
  const winners = new Map<string, { readonly file: FormulaFile; readonly shadowed: string[] }>();
  for (const file of files) {
    const name = file.document?.formula ?? formulaFileName(file.path);
    const winner = winners.get(name);
    if (winner === undefined) winners.set(name, { file, shadowed: [] });
    else winner.shadowed.push(file.path);
  }
  const documents = new Map<string, FormulaDocument>();
  for (const { file } of winners.values())
    if (file.document !== undefined) documents.set(file.document.formula, file.document);
  const parts = new Map<string, FormulaDocument>();
  const problems = new Map<string, readonly FormulaProblem[]>();
  for (const name of documents.keys()) {
    const assembled = assemble(name, documents);
    if (assembled === undefined) continue;
    parts.set(name, assembled.document);
    problems.set(name, assembled.problems);
  }
  const origins = originsOf(documents.values());
  const entries = new Map<string, LibraryEntry>();
  for (const [name, { file, shadowed }] of winners) {
    const document = parts.get(name);
    const entry = { name, path: file.path, shadowed };
    if (document === undefined) {
      entries.set(name, { ...entry, problems: file.problems.toSorted(byPlace) });
      continue;
    }
    const formula = formulaOf(document, file.path, parts, origins);
    const found = [...(problems.get(name) ?? []), ...cook(formula, { values: {}, lenient: true }).problems];
    const all = [...file.problems, ...found.map((problem) => problemAt(problem, files, file.path))];
    const failed = all.some((problem) => problem.severity === "Error");
    entries.set(name, { ...entry, document, ...(failed ? {} : { formula }), problems: unique(all).toSorted(byPlace) });
  }
  return entries;
}

/** A problem of the compiler at its place in the file that states it; `otherwise`: path where no file is known. */
export function problemAt(problem: FormulaProblem, files: readonly FormulaFile[], otherwise: string): Problem {
  const file = files.find(({ document }) => document?.formula === problem.formula);
  const place = file?.placeOf(problem.path) ?? { line: 0, column: 0 };
  const { severity, reason, message, hint } = problem;
  const told = { path: file?.path ?? otherwise, ...place, severity, reason, message };
  return hint === undefined ? told : { ...told, hint };
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
  return [...seen.values()];
}
