import type { z } from "zod";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { isRecord } from "../resource/equality.ts";
import type { DocumentReport } from "./document-report.ts";
import type { FieldPath } from "./field-path.ts";
import { fieldText, valueAt } from "./field-path.ts";
import { fieldsAt, inputSchema, unknownFieldHint } from "./schema-fields.ts";
import { houseMessage } from "../resource/schema-messages.ts";
import { didYouMean, suggestionFor } from "../domain/text/suggestion.ts";

type Spec = Readonly<Record<string, unknown>>;

/** The spec with defaults as the kind's schema gives it, or undefined after telling the report every field that is wrong. */
export function checkSpec(definition: KindDefinition, spec: unknown, report: DocumentReport): Spec | undefined {
  const result = definition.spec.safeParse(spec ?? {}, { error: houseMessage, reportInput: true });
  if (result.success) return isRecord(result.data) ? result.data : {};
  const misspelt = misspeltFields(definition, result.error.issues);
  for (const issue of result.error.issues) {
    const isAbsent = valueAt(spec ?? {}, fieldPath(issue)) === undefined;
    const missing = isAbsent && misspelt.has(fieldText(issue.path.map(String)));
    if (!missing) addIssue(definition, issue, report);
  }
  return undefined;
}

/** The same without places: undefined when the spec does not follow the schema. */
export function specWithDefaults(definition: KindDefinition, spec: unknown): Spec | undefined {
  const result = definition.spec.safeParse(spec ?? {});
  return result.success && isRecord(result.data) ? result.data : undefined;
}

/** Fields that unknown ones were probably meant to be: that they are missing needs no second complaint. */
function misspeltFields(definition: KindDefinition, issues: readonly z.core.$ZodIssue[]): ReadonlySet<string> {
  const meant = new Set<string>();
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const path = fieldPath(issue);
    for (const key of issue.keys) {
      const name = suggestionFor(key, fieldsAt(inputSchema(definition.spec), path));
      if (name !== undefined) meant.add(fieldText([...path, name].map(String)));
    }
  }
  return meant;
}

function addIssue(definition: KindDefinition, issue: z.core.$ZodIssue, report: DocumentReport): void {
  const path = fieldPath(issue);
  const full: FieldPath = ["spec", ...path];
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) {
      report.add([...full, key], {
        at: "Key",
        reason: "FieldUnknown",
        message: `\`${fieldText([...full, key])}\` is not a field of ${definition.kind}`,
        hint: unknownFieldHint(inputSchema(definition.spec), path, key),
      });
    }
    return;
  }
  if (issue.code === "invalid_key") {
    report.add(full, {
      at: "Key",
      reason: "FieldInvalid",
      message: `\`${fieldText(full)}\` has a key that is not allowed: ${issue.issues.map((each) => each.message).join(", ")}`,
    });
    return;
  }
  report.add(full, { reason: reasonOf(issue), message: sentence(full, issue.message), hint: valueHint(issue) });
}

/** Where in the document an issue is. */
export function fieldPath(issue: z.core.$ZodIssue): FieldPath {
  return issue.path.map((part) => (typeof part === "number" ? part : String(part)));
}

function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.message === "must be set" ? "FieldMissing" : "FieldInvalid";
}

function valueHint(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== "invalid_value" || typeof issue.input !== "string") return undefined;
  return didYouMean(issue.input, issue.values.map(String));
}

/** `must …` goes on after the field; any other message of a schema stands on its own after a colon. */
export function sentence(path: FieldPath, message: string): string {
  const joined = /^(must|may|is|has)\b/.test(message)
    ? `\`${fieldText(path)}\` ${message}`
    : `\`${fieldText(path)}\`: ${message}`;
  return joined.replace(/\.$/, "");
}
