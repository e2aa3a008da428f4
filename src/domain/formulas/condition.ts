import type { Values } from "./fill-text.ts";

const FALSY: ReadonlySet<string> = new Set(["", "false", "0", "no", "off"]);

/** Asked when a formula is cooked: `{{v}}`, `!{{v}}`, `{{v}} == x`, `{{v}} != x`; a value may be in quotes. */
export interface CookCondition {
  readonly variable: string;
  readonly negated: boolean;
  /** Undefined: whether the variable's value counts as true. */
  readonly equals?: string;
}

/** Undefined: not a condition of cook time. */
export function parseCondition(text: string): CookCondition | undefined {
  const match = /^\s*(!?)\s*\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}\s*(?:(==|!=)(?!=)\s*(.*?)\s*)?$/s.exec(text);
  if (match === null) return undefined;
  const [, not, variable = "", operator, right] = match;
  if (operator === undefined) return { variable, negated: not === "!" };
  if (not === "!") return undefined;
  return { variable, negated: operator === "!=", equals: unquoted(right ?? "") };
}

/** Undefined: the variable has no value yet. A name that is no variable at all counts as empty. */
export function conditionHolds(condition: CookCondition, values: Values): boolean | undefined {
  const value = values.get(condition.variable);
  if (value === undefined && values.has(condition.variable)) return undefined;
  const holds =
    condition.equals === undefined
      ? !FALSY.has((value ?? "").trim().toLowerCase())
      : (value ?? "") === condition.equals;
  return holds !== condition.negated;
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}
