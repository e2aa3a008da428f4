import type { BeadRecord } from "../bead.ts";
import { textOf } from "../record/facts.ts";
import { importedRecord } from "./imported-record.ts";
import type { JsonlContents, LineProblem } from "./read-jsonl.ts";
import { linesOf, readLine } from "./read-jsonl.ts";

/** Texts of the files below `.beads/backup/`; those that are missing are empty. */
export interface DoltBackup {
  readonly issues: string;
  readonly dependencies?: string | undefined;
  readonly labels?: string | undefined;
  readonly comments?: string | undefined;
}

type Row = Readonly<Record<string, unknown>>;

const flags = new Set(["ephemeral", "pinned", "is_template", "no_history"]);
const zeroIsNone = new Set(["compaction_level", "original_size", "estimated_minutes", "timeout_ns", "timeout"]);
const columnsLeftOut = new Set(["content_hash", "is_blocked", "row_lock"]);

/**
 * Reads Beads' Dolt backup: SQL rows, one file per table. Empty columns disappear, 0/1 become flags, texts that hold JSON
 * become values, and the rows of the other tables are put into their issues.
 */
export function readDoltBackup(backup: DoltBackup, options: { readonly nowMs: number }): JsonlContents {
  const problems: LineProblem[] = [];
  const labels = rowsByIssue(backup.labels, problems);
  const edges = rowsByIssue(backup.dependencies, problems);
  const comments = rowsByIssue(backup.comments, problems);
  const records: BeadRecord[] = [];
  for (const { line, row, text } of rowsOf(backup.issues, problems)) {
    const id = textOf(row["id"]);
    const issue: Record<string, unknown> = issueOf(row);
    const own = labels.get(id)?.map((label) => String(label["label"])) ?? [];
    if (own.length > 0) issue["labels"] = own.sort();
    const ownEdges = edges.get(id)?.map(edgeOf) ?? [];
    if (ownEdges.length > 0) issue["dependencies"] = ownEdges;
    const ownComments = comments.get(id)?.map(commentOf) ?? [];
    if (ownComments.length > 0) issue["comments"] = ownComments;
    const { record, note } = importedRecord(issue, options.nowMs);
    if (record === undefined) problems.push({ line, problem: note ?? "it is no record", text });
    else records.push(record);
  }
  return { records, memories: [], problems, notes: [], undated: new Set() };
}

function rowsOf(
  text: string | undefined,
  problems: LineProblem[],
): readonly { readonly line: number; readonly row: Row; readonly text: string }[] {
  const rows: { readonly line: number; readonly row: Row; readonly text: string }[] = [];
  linesOf(text ?? "").forEach((raw, i) => {
    const read = readLine(raw);
    if (read.kind === "Issue") rows.push({ line: i + 1, row: read.value, text: raw });
    else if (read.kind === "Problem") problems.push({ line: i + 1, problem: read.problem, text: raw });
  });
  return rows;
}

function rowsByIssue(text: string | undefined, problems: LineProblem[]): ReadonlyMap<string, readonly Row[]> {
  const byIssue = new Map<string, Row[]>();
  for (const { row } of rowsOf(text, problems)) {
    const id = textOf(row["issue_id"]);
    const rows = byIssue.get(id);
    if (rows === undefined) byIssue.set(id, [row]);
    else rows.push(row);
  }
  return byIssue;
}

function issueOf(row: Row): Record<string, unknown> {
  const issue: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(row)) {
    if (value === null || value === "" || columnsLeftOut.has(key) || (zeroIsNone.has(key) && Number(value) === 0))
      continue;
    if (flags.has(key)) {
      if (Number(value) === 1 || value === true) issue[key] = true;
    } else if (key === "timeout_ns") issue["timeout"] = Number(value);
    else if (key === "metadata" || key === "waiters" || key === "bonded_from") setParsed(issue, key, value);
    else issue[key] = isTimeKey(key) ? isoTime(value) : value;
  }
  return issue;
}

// A text that holds JSON; empty objects and lists are what an empty column holds.
function setParsed(issue: Record<string, unknown>, key: string, value: unknown): void {
  let parsed: unknown = value;
  if (typeof value === "string") {
    try {
      parsed = JSON.parse(value);
    } catch {
      parsed = value;
    }
  }
  const empty = parsed === null || (typeof parsed === "object" && Object.keys(parsed).length === 0);
  if (!empty) issue[key] = parsed;
}

function isTimeKey(key: string): boolean {
  return key.endsWith("_at") || key === "defer_until";
}

// SQL writes `2026-01-17 04:18:05`, in UTC.
function isoTime(value: unknown): unknown {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$/.test(value)) return value;
  return `${value.replace(" ", "T")}Z`;
}

function edgeOf(row: Row): Row {
  const { metadata, thread_id: thread, ...rest } = row;
  return {
    ...rest,
    ...(row["created_at"] === undefined ? {} : { created_at: isoTime(row["created_at"]) }),
    ...(metadata === undefined || metadata === null || metadata === ""
      ? {}
      : { metadata: typeof metadata === "string" ? metadata : JSON.stringify(metadata) }),
    ...(thread === undefined || thread === null || thread === "" ? {} : { thread_id: thread }),
  };
}

function commentOf(row: Row): Row {
  return { ...row, created_at: isoTime(row["created_at"]) };
}
