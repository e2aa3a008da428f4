import type { BeadRecord } from "../bead.ts";
import { textOf } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";
import { importedRecord } from "./imported-record.ts";

/** A line that is no record, with what is wrong and its text, for setting aside. */
export interface LineProblem {
  /** 1-based. */
  readonly line: number;
  readonly problem: string;
  readonly text: string;
}

/** A memory of `bd remember`, kept in the same file. */
export interface Memory {
  readonly key: string;
  readonly value: string;
}

export interface JsonlContents {
  /** One per id, in the order of the file. */
  readonly records: readonly BeadRecord[];
  readonly memories: readonly Memory[];
  /** What could not be read. */
  readonly problems: readonly LineProblem[];
  /** What was read although it is odd: two lines of one id, edges of another issue. */
  readonly notes: readonly LineProblem[];
  /** Ids of records whose line does not say when they changed last; they bear the time of reading. */
  readonly undated: ReadonlySet<string>;
}

/**
 * Reads a Beads JSONL file of any era: headers are skipped, memories kept apart, tombstones and unknown keys kept. Of two
 * lines of one id the newer counts. Nothing is thrown for what a file holds.
 */
export function readJsonl(text: string, options: { readonly nowMs: number }): JsonlContents {
  const byId = new Map<string, { readonly record: BeadRecord; readonly line: number }>();
  const memories: Memory[] = [];
  const problems: LineProblem[] = [];
  const notes: LineProblem[] = [];
  const undated = new Set<string>();
  linesOf(text).forEach((raw, i) => {
    const line = i + 1;
    const read = readLine(raw);
    if (read.kind === "Nothing") return;
    if (read.kind === "Problem") problems.push({ line, problem: read.problem, text: raw });
    else if (read.kind === "Memory") memories.push(read.memory);
    else {
      const { record, note } = importedRecord(read.value, options.nowMs);
      if (note !== undefined) (record === undefined ? problems : notes).push({ line, problem: note, text: raw });
      if (record === undefined) return;
      const other = byId.get(record.id);
      if (other !== undefined) {
        notes.push({
          line,
          problem: `the id ${record.id} is on line ${other.line} too; the newer one counts`,
          text: raw,
        });
        if (isOlder(record, other.record)) return;
      }
      byId.set(record.id, { record, line });
      if (isDated(read.value)) undated.delete(record.id);
      else undated.add(record.id);
    }
  });
  return { records: [...byId.values()].map(({ record }) => record), memories, problems, notes, undated };
}

type Line =
  | { readonly kind: "Nothing" }
  | { readonly kind: "Problem"; readonly problem: string }
  | { readonly kind: "Memory"; readonly memory: Memory }
  | { readonly kind: "Issue"; readonly value: Readonly<Record<string, unknown>> };

/** Lines without line ends and byte order mark. */
export function linesOf(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(/\r?\n/);
}

/** What one line of a file is. */
export function readLine(raw: string): Line {
  const line = raw.trim();
  if (line === "") return { kind: "Nothing" };
  if (/^(<{7}|={7}|>{7}|\|{7})(\s|$)/.test(line))
    return { kind: "Problem", problem: "it is a mark of a merge conflict" };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { kind: "Problem", problem: `it is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { kind: "Problem", problem: "it is no JSON object" };
  const record = value as Readonly<Record<string, unknown>>;
  if (record["_type"] === "memory") {
    return { kind: "Memory", memory: { key: textOf(record["key"]), value: textOf(record["value"]) } };
  }
  if (record["_schema"] !== undefined && record["id"] === undefined) return { kind: "Nothing" };
  return { kind: "Issue", value: record };
}

function isDated(value: Readonly<Record<string, unknown>>): boolean {
  return timeOf(value["updated_at"]) !== undefined || timeOf(value["created_at"]) !== undefined;
}

function isOlder(a: BeadRecord, b: BeadRecord): boolean {
  return (timeOf(a.updated_at) ?? 0) < (timeOf(b.updated_at) ?? 0);
}
