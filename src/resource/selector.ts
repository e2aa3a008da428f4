import { ApiStatusError } from "../errors/town-error.ts";

/** One comparison of a label selector. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
}

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

const KEY = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?`;
const VALUE = String.raw`[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?`;
const SET_FORM = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EQUAL_FORM = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})?$`);
const EXISTS_FORM = new RegExp(`^(!?)\\s*(${KEY})$`);

/**
 * Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`; commas mean "and". Throws ApiStatusError 400 with the part that is wrong.
 */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  return splitOutsideBrackets(text).map((part) => {
    const set = SET_FORM.exec(part);
    if (set !== null) {
      const values = (set[3] ?? "").split(",").map((value) => value.trim());
      return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values };
    }
    const equal = EQUAL_FORM.exec(part);
    if (equal !== null)
      return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
    const exists = EXISTS_FORM.exec(part);
    if (exists !== null)
      return { key: exists[2] ?? "", operator: exists[1] === "!" ? "DoesNotExist" : "Exists", values: [] };
    throw new ApiStatusError(
      400,
      "BadRequest",
      `unable to parse requirement: found '${part}', expected key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`,
    );
  });
}

export function matchesLabels(
  labels: Readonly<Record<string, string>> | undefined,
  requirements: readonly LabelRequirement[],
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case "Exists":
        return value !== undefined;
      case "DoesNotExist":
        return value === undefined;
      case "In":
        return value !== undefined && values.includes(value);
      case "NotIn":
        return value === undefined || !values.includes(value);
      default:
        return operator satisfies never;
    }
  });
}

/** Parses `metadata.name=x,spec.role!=y`; `\,` `\=` `\\` are literal. Throws ApiStatusError 400. */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  return splitEscaped(text).map((part) => {
    const form = /^([^=!]+)(==|=|!=)(.*)$/s.exec(part);
    if (form === null)
      throw new ApiStatusError(
        400,
        "BadRequest",
        `invalid field selector: '${part}'; can't understand it, expected field=value or field!=value`,
      );
    return {
      field: (form[1] ?? "").trim(),
      equal: form[2] !== "!=",
      value: (form[3] ?? "").replace(/\\([\\,=])/g, "$1"),
    };
  });
}

function splitOutsideBrackets(text: string): readonly string[] {
  if (text.trim() === "") return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "(") depth += 1;
    if (text[index] === ")") depth -= 1;
    if (text[index] !== "," || depth > 0) continue;
    parts.push(text.slice(start, index).trim());
    start = index + 1;
  }
  parts.push(text.slice(start).trim());
  return parts;
}

function splitEscaped(text: string): readonly string[] {
  if (text.trim() === "") return [];
  return text.split(/(?<!\\)(?:\\\\)*,/).filter((part) => part !== "");
}
