import type { z } from "zod";
import { type FormulaDocument, formulaDocument } from "../domain/formulas/formula-document.ts";
import { didYouMean } from "../domain/text/suggestion.ts";
import { isRecord } from "../resource/equality.ts";
import { fieldText, valueAt } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import { keysWithoutEffect } from "./formula-keys.ts";
import { formulaFileName, type FormulaText, readFormulaText } from "./formula-text.ts";
import type { Problem } from "./problem.ts";
import { fieldsAt, inputSchema } from "./schema-fields.ts";
import { houseMessage } from "../resource/schema-messages.ts";
import { fieldPath, sentence } from "./spec-check.ts";

/** A formula file as read by itself: what it refers to is another matter. */
export interface FormulaFile {
  readonly path: string;
  /** Undefined when an Error keeps it from being used. */
  readonly document?: FormulaDocument;
  /** Errors, and warnings about keys without effect. Line 0: the whole file. */
  readonly problems: readonly Problem[];
  readonly placeOf: FormulaText["placeOf"];
}

/** What this compiler is, for `requires.formula_compiler`: the graph contract's second version. */
const COMPILER = [2, 0, 0] as const;
const CONTRACTS = ["graph.v1", "graph.v2"];

/**
 * Reads a formula (`*.formula.toml`, `*.toml`, `*.formula.json`) into a document of the whole language. Pure; never
 * throws; linear in the size of the file. Unknown keys are warnings with their place and left out; so are keys of the
 * language that do nothing yet, which are kept: nothing in a file is passed over in silence.
 */
export function loadFormula(path: string, text: string): FormulaFile {
  const read = readFormulaText(path, text);
  if ("problem" in read) return { path, problems: [read.problem], placeOf: () => ({ line: 0, column: 0 }) };
  const reading = new FormulaReading(path, read);
  const document = reading.document();
  const failed = reading.problems.some((problem) => problem.severity === "Error");
  return {
    path,
    ...(document === undefined || failed ? {} : { document }),
    problems: reading.problems,
    placeOf: read.placeOf,
  };
}

class FormulaReading {
  readonly problems: Problem[] = [];
  readonly #path: string;
  readonly #text: FormulaText;

  constructor(path: string, text: FormulaText) {
    this.#path = path;
    this.#text = text;
  }

  document(): FormulaDocument | undefined {
    const { value } = this.#text;
    if (!isRecord(value)) {
      this.#add("Error", [], "FormulaInvalid", "the file must be a table with `formula` and `steps`");
      return undefined;
    }
    const document = this.#parsed(value);
    if (document === undefined) return undefined;
    for (const { path, text } of keysWithoutEffect(value))
      this.#add("Warning", path, "KeyWithoutEffect", `\`${fieldText(path)}\` ${text}`);
    const name = formulaFileName(this.#path);
    if (name !== document.formula)
      this.#add(
        "Warning",
        ["formula"],
        "NameDiffers",
        `the file is called '${name}', its formula '${document.formula}'`,
      );
    this.#contract(document);
    return document;
  }

  /** Twice: the second time without the keys that the first one did not know. */
  #parsed(value: Readonly<Record<string, unknown>>): FormulaDocument | undefined {
    const first = formulaDocument.safeParse(value, { error: houseMessage, reportInput: true });
    if (first.success) return first.data;
    const unknown = first.error.issues.filter((issue) => issue.code === "unrecognized_keys");
    for (const issue of unknown) for (const key of issue.keys) this.#unknownKey([...fieldPath(issue), key]);
    const second =
      unknown.length === 0
        ? first
        : formulaDocument.safeParse(without(value, unknown), { error: houseMessage, reportInput: true });
    if (second.success) return second.data;
    for (const issue of second.error.issues) this.#issue(issue, value);
    return undefined;
  }

  #unknownKey(path: FieldPath): void {
    const hint = didYouMean(String(path.at(-1)), fieldsAt(inputSchema(formulaDocument), path.slice(0, -1)));
    this.#add("Warning", path, "KeyUnknown", `\`${fieldText(path)}\` is not a key of formulas; it is ignored`, hint);
  }

  #issue(issue: z.core.$ZodIssue, value: unknown): void {
    const path = fieldPath(issue);
    const given = valueAt(value, path);
    const reason = issue.message === "must be set" ? "FieldMissing" : "FieldInvalid";
    const wantsText = issue.code === "invalid_type" && issue.expected === "string";
    const quote =
      wantsText && ["number", "boolean"].includes(typeof given) ? `Quote it: "${String(given)}".` : undefined;
    const meant =
      issue.code === "invalid_value" && typeof given === "string"
        ? didYouMean(given, issue.values.map(String))
        : undefined;
    this.#add("Error", path, reason, sentence(path, issue.message), quote ?? meant);
  }

  #contract(document: FormulaDocument): void {
    const { contract } = document;
    if (contract !== undefined && !CONTRACTS.includes(contract))
      this.#add(
        "Error",
        ["contract"],
        "ContractUnknown",
        `contract '${contract}' is not known; known are ${CONTRACTS.join(" and ")}`,
        didYouMean(contract, CONTRACTS),
      );
    const wanted = document.requires?.formula_compiler;
    const met = wanted === undefined ? true : compilerMeets(wanted);
    if (met === true) return;
    const path = ["requires", "formula_compiler"];
    if (met === undefined)
      this.#add(
        "Error",
        path,
        "FieldInvalid",
        `\`${fieldText(path)}\` must be a bound such as '>=2.0.0', not '${wanted}'`,
      );
    else
      this.#add(
        "Error",
        path,
        "CompilerTooOld",
        `the formula needs a compiler ${wanted}, and this one is ${COMPILER.join(".")}`,
      );
  }

  #add(severity: Problem["severity"], path: FieldPath, reason: string, message: string, hint?: string): void {
    const place = this.#text.placeOf(path);
    const told = { path: this.#path, ...place, severity, reason, message };
    this.problems.push(hint === undefined ? told : { ...told, hint });
  }
}

/** A copy without the keys that the issues name. Advice that is one table stands at index 0 of a list for the schema. */
function without(
  value: Readonly<Record<string, unknown>>,
  issues: readonly z.core.$ZodIssueUnrecognizedKeys[],
): Readonly<Record<string, unknown>> {
  const copy = structuredClone(value);
  for (const issue of issues) {
    let at: unknown = copy;
    for (const part of fieldPath(issue)) {
      if (Array.isArray(at) && typeof part === "number") at = at[part];
      else if (isRecord(at) && typeof part === "string") at = at[part];
    }
    if (isRecord(at)) for (const key of issue.keys) delete (at as Record<string, unknown>)[key];
  }
  return copy;
}

/** Undefined: not a bound. All of several, parted by spaces or commas, must hold. */
function compilerMeets(bounds: string): boolean | undefined {
  let meets = true;
  for (const bound of bounds.trim().split(/[\s,]+(?=[<>=^~\d])/)) {
    const match = /^(>=|>|<=|<|=|\^|~)?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(bound);
    if (match === null) return undefined;
    const wanted = [match[2], match[3], match[4]].map((part) => Number(part ?? 0));
    const difference = COMPILER.map((part, index) => part - (wanted[index] ?? 0)).find((each) => each !== 0) ?? 0;
    meets = meets && HOLDS[match[1] ?? "="]?.(difference, wanted[0] === COMPILER[0]) === true;
  }
  return meets;
}

const HOLDS: Readonly<Record<string, (difference: number, sameMajor: boolean) => boolean>> = {
  ">=": (difference) => difference >= 0,
  ">": (difference) => difference > 0,
  "<=": (difference) => difference <= 0,
  "<": (difference) => difference < 0,
  "=": (difference) => difference === 0,
  "^": (difference, sameMajor) => difference >= 0 && sameMajor,
  "~": (difference, sameMajor) => difference >= 0 && sameMajor,
};
