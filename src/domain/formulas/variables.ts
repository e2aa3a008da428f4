import { didYouMean } from "../text/suggestion.ts";
import type { Compilation } from "./compilation.ts";
import type { FormulaDocument, InputDocument, VariableDocument } from "./formula-document.ts";
import type { FormulaPlace, Tell } from "./formula-problem.ts";

/** Variable that chooses a preset of a convoy. */
export const PRESET = "preset";

/** Values that every pour has beside those declared. */
const GIVEN_ALWAYS: readonly string[] = ["bead", "title", "target", PRESET];

/**
 * The value of each variable: what is given, else the default. Each is held against `enum`, `pattern` and `type`.
 * `lenient`: what is required may be missing and has no value, for checks of a file by itself.
 */
export function resolveVariables(
  document: FormulaDocument,
  given: Readonly<Record<string, string>>,
  options: Pick<Compilation, "lenient" | "tell" | "warn" | "placeOf">,
): ReadonlyMap<string, string | undefined> {
  const values = new Map<string, string | undefined>(Object.entries(given));
  const name = document.formula;
  for (const [key, variable] of Object.entries(document.vars ?? {})) {
    const at = options.placeOf(variable, { formula: name, path: ["vars", key] });
    const value = given[key] ?? variable.default;
    values.set(key, value);
    if (value !== undefined) checkValue(key, value, variable, at, options.tell);
    else if (variable.required === true && !options.lenient) missing(key, at, options.tell);
  }
  for (const [key, input] of Object.entries(document.inputs ?? {})) {
    const at = options.placeOf(input, { formula: name, path: ["inputs", key] });
    const value = given[key] ?? input.default;
    values.set(key, value);
    if (value !== undefined) checkValue(key, value, { type: input.type }, at, options.tell);
    else if (isMissed(input, given) && !options.lenient) missing(key, at, options.tell);
  }
  remarkUnknown(document, given, options.warn);
  return values;
}

function isMissed(input: InputDocument, given: Readonly<Record<string, string>>): boolean {
  if (input.required_unless === undefined) return input.required === true;
  return input.required_unless.every((other) => (given[other] ?? "") === "");
}

function remarkUnknown(document: FormulaDocument, given: Readonly<Record<string, string>>, warn: Tell): void {
  const known = [...Object.keys(document.vars ?? {}), ...Object.keys(document.inputs ?? {})];
  const place = { formula: document.formula, path: [] };
  for (const key of Object.keys(given)) {
    if (known.includes(key) || GIVEN_ALWAYS.includes(key)) continue;
    warn(place, undefined, "VariableUnknown", `there is no variable '${key}'`, didYouMean(key, known));
  }
}

function missing(key: string, at: FormulaPlace, tell: Tell): void {
  tell(at, undefined, "MissingVariable", `variable '${key}' is required`, `give it with --var ${key}=…`);
}

function checkValue(key: string, value: string, rule: VariableDocument, at: FormulaPlace, tell: Tell): void {
  const shown = value.length > 60 ? `${value.slice(0, 57)}...` : value;
  const refuse = (field: string, must: string, hint?: string): void => {
    tell(at, field, "VariableInvalid", `variable '${key}' must ${must}, not '${shown}'`, hint);
  };
  if (rule.enum !== undefined && !rule.enum.includes(value))
    refuse("enum", `be one of ${rule.enum.map((item) => `'${item}'`).join(", ")}`, didYouMean(value, rule.enum));
  if (rule.type !== undefined && !TYPES[rule.type].pattern.test(value)) refuse("type", `be ${TYPES[rule.type].text}`);
  const pattern = rule.pattern === undefined ? undefined : patternOf(rule.pattern);
  if (pattern === null) tell(at, "pattern", "PatternInvalid", `'${rule.pattern}' is no regular expression`);
  else if (pattern !== undefined && !pattern.test(value)) refuse("pattern", `match ${rule.pattern}`);
}

function patternOf(text: string): RegExp | null {
  try {
    return new RegExp(text, "u");
  } catch {
    return null;
  }
}

const ANY = { pattern: /^/, text: "text" };
const WHOLE = { pattern: /^[+-]?\d+$/, text: "a whole number" };
const TRUTH = { pattern: /^(true|false)$/, text: "true or false" };
const TYPES: Readonly<
  Record<NonNullable<VariableDocument["type"]>, { readonly pattern: RegExp; readonly text: string }>
> = {
  string: ANY,
  text: ANY,
  int: WHOLE,
  integer: WHOLE,
  number: { pattern: /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, text: "a number" },
  bool: TRUTH,
  boolean: TRUTH,
};
