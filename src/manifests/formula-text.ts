import { parse, TomlError } from "smol-toml";
import { messageOf } from "../errors/town-error.ts";
import type { FieldPath } from "./field-path.ts";
import type { Problem } from "./problem.ts";
import { TomlPlaces } from "./toml-places.ts";
import { parseYaml } from "./yaml-document.ts";

/** A formula file as data, with the places of its parts. */
export interface FormulaText {
  readonly value: unknown;
  readonly placeOf: (path: FieldPath) => { readonly line: number; readonly column: number };
}

/** Largest formula file, in characters. The largest known one has 150,000. */
const MAX_FORMULA_SIZE = 1024 * 1024;

const FILE_NAME = /(?:\.formula)?\.toml$|\.formula\.json$/i;

/** Whether a file of this name is a formula: `NAME.formula.toml`, `NAME.toml` or `NAME.formula.json`. */
export function isFormulaFile(name: string): boolean {
  return FILE_NAME.test(name);
}

/** The name that a formula's file gives it. */
export function formulaFileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(FILE_NAME, "");
}

/** Parses TOML or JSON. Never throws. */
export function readFormulaText(path: string, text: string): FormulaText | { readonly problem: Problem } {
  const problem = (
    place: { readonly line: number; readonly column: number },
    reason: string,
    message: string,
  ): { readonly problem: Problem } => ({
    problem: { path, line: place.line, column: place.column, severity: "Error", reason, message },
  });
  if (text.length > MAX_FORMULA_SIZE)
    return problem({ line: 0, column: 0 }, "FileTooLarge", "the file is larger than 1 MiB");
  if (/\.json$/i.test(path)) {
    // JSON is YAML, and that parser tells places.
    const document = parseYaml({ text, line: 1, hasContent: true });
    const [fault] = document.faults;
    return fault === undefined
      ? { value: document.value, placeOf: (at) => document.placeOf(at, "Value") }
      : problem(fault, fault.reason, fault.message);
  }
  try {
    const places = new TomlPlaces(text);
    return { value: parse(text), placeOf: (at) => places.of(at) };
  } catch (error) {
    const place = error instanceof TomlError ? { line: error.line, column: error.column } : { line: 0, column: 0 };
    return problem(
      place,
      "TomlInvalid",
      `the file is not valid TOML: ${(messageOf(error).split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "")}`,
    );
  }
}
