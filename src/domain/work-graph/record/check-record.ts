import type { ErrorCause } from "../../../errors/town-error.ts";
import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { validId } from "../ids/parse-id.ts";
import { canonicalType, validTypeName } from "./bead-types.ts";
import { copyJson } from "./canonical.ts";
import type { StatusBook } from "./statuses.ts";
import { tombstone } from "./statuses.ts";
import { parseStamp } from "./stamp.ts";

/** What is wrong with one field. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

type Check = (value: unknown, book: StatusBook) => string | undefined;

const optionalText: Check = (value) => (typeof value === "string" ? undefined : "must be a text");
const flag: Check = (value) => (typeof value === "boolean" ? undefined : "must be true or false");
const time: Check = (value) =>
  parseStamp(value) === undefined ? "must be an RFC 3339 time such as 2026-11-05T10:00:00Z" : undefined;
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")
    ? undefined
    : "must be a list of non-empty texts";

const checks: Readonly<Record<string, Check>> = {
  id: (value) =>
    typeof value === "string" && validId(value) ? undefined : "must be letters, digits, '.', '-' and '_', at most 200",
  title: checkTitle,
  status: checkStatus,
  priority: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 4
      ? undefined
      : "must be a whole number from 0 to 4",
  issue_type: (value) =>
    typeof value === "string" && validTypeName(value)
      ? undefined
      : "must be lower-case letters, digits, '-' and '_', at most 50",
  description: optionalText,
  design: optionalText,
  acceptance_criteria: optionalText,
  notes: optionalText,
  assignee: optionalText,
  owner: optionalText,
  close_reason: optionalText,
  closed_by_session: optionalText,
  external_ref: optionalText,
  spec_id: optionalText,
  estimated_minutes: (value) =>
    Number.isInteger(value) && Number(value) >= 0 ? undefined : "must be a whole number of minutes, 0 or more",
  created_at: time,
  updated_at: time,
  started_at: time,
  closed_at: time,
  lease_expires_at: time,
  heartbeat_at: time,
  due_at: time,
  defer_until: time,
  labels: texts,
  pinned: flag,
  is_template: flag,
  ephemeral: flag,
  metadata: (value) =>
    value !== null && typeof value === "object" && !Array.isArray(value) ? undefined : "must be an object",
};

function checkTitle(value: unknown): string | undefined {
  if (typeof value !== "string" || value.trim() === "") return "must be a text that is not empty";
  // Beads counts bytes, so a title that is accepted here can be exported to it.
  const bytes = new TextEncoder().encode(value).length;
  return bytes > 500 ? `must not be longer than 500 bytes, it has ${bytes}` : undefined;
}

function checkStatus(value: unknown, book: StatusBook): string | undefined {
  if (typeof value === "string" && (value === tombstone || book.categoryOf(value) !== undefined)) return undefined;
  return `must be one of ${book.names.join(", ")}`;
}

/** Problems of the given fields; fields nobody knows are fine. */
export function fieldProblems(fields: Readonly<Record<string, unknown>>, book: StatusBook): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue;
    const message = checks[field]?.(value, book);
    if (message !== undefined) problems.push({ field, message: `\`${field}\` ${message}: ${shown(value)}` });
  }
  return problems;
}

/** Throws TownError `InvalidBead` with one cause per wrong field. `what` is put into the message: `create a bead`. */
export function requireValidFields(what: string, fields: Readonly<Record<string, unknown>>, book: StatusBook): void {
  const problems = fieldProblems(fields, book);
  if (problems.length === 0) return;
  const causes: readonly ErrorCause[] = problems.map(({ field, message }) => ({
    reason: "FieldValueInvalid",
    field,
    message,
  }));
  throw new TownError("InvalidBead", `Cannot ${what}: ${problems.map(({ message }) => message).join("; ")}.`, {
    hint: "Correct the named fields and try again.",
    causes,
  });
}

/**
 * Checks a whole record as it stands in a file; the fields that make a record a record must be there.
 * Unknown keys and dangling references are fine.
 */
export function recordProblems(record: Readonly<Record<string, unknown>>, book: StatusBook): readonly FieldProblem[] {
  const missing = ["id", "title", "status", "priority", "issue_type", "created_at", "updated_at"].filter(
    (field) => record[field] === undefined || record[field] === null,
  );
  return [
    ...missing.map((field) => ({ field, message: `\`${field}\` must be given` })),
    ...fieldProblems(record, book),
    ...edgeProblems(record),
  ];
}

function edgeProblems(record: Readonly<Record<string, unknown>>): readonly FieldProblem[] {
  const edges = record["dependencies"];
  if (edges === undefined) return [];
  if (!Array.isArray(edges)) return [{ field: "dependencies", message: "`dependencies` must be a list" }];
  const problems: FieldProblem[] = [];
  edges.forEach((edge: unknown, i) => {
    const { issue_id: issue, depends_on_id: target, type } = (edge ?? {}) as Readonly<Record<string, unknown>>;
    const field = `dependencies[${i}]`;
    if (issue !== record["id"])
      problems.push({ field, message: `\`${field}.issue_id\` must be '${String(record["id"])}'` });
    if (typeof target !== "string" || target === "")
      problems.push({ field, message: `\`${field}.depends_on_id\` must be an id` });
    if (typeof type !== "string" || type === "" || type.length > 50)
      problems.push({ field, message: `\`${field}.type\` must have 1 to 50 characters` });
  });
  return problems;
}

/** A copy of the fields as they are stored: alias types resolved, labels sorted and unique, `P2` read as 2. */
export function normalisedFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const next: Record<string, unknown> = copyJson(fields);
  if (typeof next["issue_type"] === "string") next["issue_type"] = canonicalType(next["issue_type"]);
  if (typeof next["priority"] === "string" && /^[Pp]?[0-4]$/.test(next["priority"]))
    next["priority"] = Number(next["priority"].slice(-1));
  if (Array.isArray(next["labels"]) && next["labels"].every((label) => typeof label === "string"))
    next["labels"] = sortedUnique(next["labels"]);
  return next;
}

function sortedUnique(values: readonly string[]): readonly string[] {
  return [...new Set(values)].sort();
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? `'${value}'` : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** Only for records whose required fields were checked. */
export function asRecord(fields: Readonly<Record<string, unknown>>): BeadRecord {
  return fields as unknown as BeadRecord;
}
