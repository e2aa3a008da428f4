import type { z } from "zod";
import { isRecord } from "./equality.ts";

type Issue = z.core.$ZodRawIssue;

/**
 * What zod found, in house form: the end of a sentence that begins with the field ("must be …"). Given to zod as the
 * error map of one parse, so that a message which the schema itself states wins.
 */
export function houseMessage(issue: Issue): string | undefined {
  if (issue.input === undefined && ABSENT.has(issue.code)) return "must be set";
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "must be set"
        : `must be ${article(issue.expected)}, not ${shown(issue.input)}`;
    case "too_small":
      return bound(
        issue.origin,
        issue.minimum,
        issue.inclusive === false ? "greater than" : "greater than or equal to",
        "at least",
      );
    case "too_big":
      return bound(
        issue.origin,
        issue.maximum,
        issue.inclusive === false ? "less than" : "less than or equal to",
        "at most",
      );
    case "invalid_value":
      return `must be ${oneOf(issue.values)}, not ${shown(issue.input)}`;
    case "invalid_format":
      return `must be ${formatText(issue)}, not ${shown(issue.input)}`;
    case "not_multiple_of":
      return `must be a multiple of ${String(issue.divisor)}`;
    case "invalid_union":
      return unionMessage(issue);
    case "unrecognized_keys":
      return `must not have ${issue.keys.map((key) => `'${key}'`).join(", ")}`;
    default:
      return undefined;
  }
}

/** Issues that an absent value causes. */
const ABSENT: ReadonlySet<string> = new Set(["invalid_type", "invalid_value", "invalid_union"]);

const FORMATS: Readonly<Record<string, string>> = {
  url: "a URL",
  email: "an e-mail address",
  datetime: "a time such as '2030-01-31T12:00:00Z'",
  date: "a date such as '2030-01-31'",
  uuid: "a UUID",
};

function formatText(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  const form = issue.format === "regex" ? String(issue.pattern) : issue.format;
  return FORMATS[issue.format] ?? `in the form ${form}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "null",
};

function article(type: string): string {
  return TYPES[type] ?? type;
}

function shown(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (isRecord(input)) return "a mapping";
  if (typeof input !== "string") return JSON.stringify(input);
  return `'${input.length > 60 ? `${input.slice(0, 57)}...` : input}'`;
}

function bound(origin: string, limit: number | bigint, compared: string, counted: string): string {
  if (origin === "string")
    return limit === 1 && counted === "at least"
      ? "must not be empty"
      : `must have ${counted} ${String(limit)} characters`;
  if (origin === "array" || origin === "set" || origin === "record")
    return `must have ${counted} ${String(limit)} ${things(origin === "record", limit === 1)}`;
  return `must be ${compared} ${String(limit)}`;
}

function things(isRecord: boolean, isOne: boolean): string {
  if (isRecord) return isOne ? "entry" : "entries";
  return isOne ? "item" : "items";
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map((value) => `'${String(value)}'`);
  return texts.length === 1 ? String(texts[0]) : `one of ${texts.join(", ")}`;
}

function unionMessage(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const expected = issue.errors.map((branch) =>
    branch
      .map((each) => (each.code === "invalid_type" ? article(each.expected) : each.message.replace(/^must be /, "")))
      .join(" and "),
  );
  return `must be ${[...new Set(expected)].join(" or ")}, not ${shown(issue.input)}`;
}
