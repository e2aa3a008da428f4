import type { z } from "zod";
import type { ErrorCause } from "../errors/town-error.ts";
import { houseMessage } from "./schema-messages.ts";

/** A spec after defaults, or what is wrong with it in the words of a Kubernetes API server. */
export type Checked =
  | { readonly value: Readonly<Record<string, unknown>> }
  | { readonly causes: readonly ErrorCause[] };

export function checkFields(type: z.ZodType, value: unknown, at: string): Checked {
  const result = type.safeParse(value, { error: houseMessage, reportInput: true });
  if (result.success) return { value: result.data as Readonly<Record<string, unknown>> };
  return { causes: result.error.issues.flatMap((issue) => causeOf(issue, at)) };
}

function causeOf(issue: z.core.$ZodIssue, at: string): readonly ErrorCause[] {
  const field = issue.path.reduce<string>(
    (path, part) => (typeof part === "number" ? `${path}[${part}]` : `${path}.${String(part)}`),
    at,
  );
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      reason: "FieldValueInvalid",
      field: `${field}.${key}`,
      message: `Invalid value: unknown field "${key}"`,
    }));
  }
  if (issue.input === undefined && (issue.code === "invalid_type" || issue.code === "invalid_value")) {
    return [{ reason: "FieldValueRequired", field, message: "Required value" }];
  }
  if (issue.code === "invalid_type") {
    const found = typeName(issue.input);
    return [
      {
        reason: "FieldValueTypeInvalid",
        field,
        message: `Invalid value: "${found}": ${field} in body must be of type ${openApiType(issue.expected)}: "${found}"`,
      },
    ];
  }
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map((allowedValue) => JSON.stringify(allowedValue)).join(", ");
    return [
      {
        reason: "FieldValueNotSupported",
        field,
        message: `Unsupported value: ${brief(issue.input)}: supported values: ${allowed}`,
      },
    ];
  }
  return [{ reason: "FieldValueInvalid", field, message: `Invalid value: ${brief(issue.input)}: ${issue.message}` }];
}

function openApiType(expected: string): string {
  switch (expected) {
    case "int":
      return "integer";
    case "record":
    case "map":
      return "object";
    default:
      return expected;
  }
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
