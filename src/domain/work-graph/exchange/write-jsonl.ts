import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { sameJson } from "../record/canonical.ts";
import { isDeleted } from "../record/facts.ts";
import { importedRecord } from "./imported-record.ts";
import type { LineProblem, Memory } from "./read-jsonl.ts";
import { linesOf, readLine } from "./read-jsonl.ts";
import { issueLine, styleOf } from "./issue-line.ts";

export interface JsonlExport {
  readonly text: string;
  /** Lines of the former file that could not be read; they are not in the new text. */
  readonly dropped: readonly LineProblem[];
  readonly written: number;
}

export interface ExportOptions {
  /** What the file holds now; undefined: it does not exist. */
  readonly existing: string | undefined;
  /** Also wisps and records of the machinery (agents, roles, rigs, messages). Those in the file already always stay. */
  readonly all?: boolean;
  /** Also templates. Default true. */
  readonly templates?: boolean;
  /** What is remembered; absent: memories in the file stay as they are. */
  readonly memories?: readonly Memory[] | undefined;
}

const machinery = new Set(["agent", "role", "rig", "message"]);

/**
 * The new text of a Beads JSONL file. A line whose record did not change keeps its bytes and its place; changed records
 * are written in Beads' key order and in the manner of the file (escapes, spaces); new ones are put in by id where the file
 * is sorted so, else at its end. Throws TownError `EmptyExport` rather than replace records by nothing.
 */
export function writeJsonl(records: Iterable<BeadRecord>, options: ExportOptions): JsonlExport {
  const existing = options.existing ?? "";
  const style = styleOf(existing);
  const left = new Map<string, BeadRecord>();
  for (const record of records) left.set(record.id, record);
  const rows: Row[] = [];
  const memories = options.memories && new Map(options.memories.map(({ key, value }) => [key, value]));
  const dropped: LineProblem[] = [];
  let former = 0;
  linesOf(existing).forEach((raw, i) => {
    const read = readLine(raw);
    if (read.kind === "Problem") dropped.push({ line: i + 1, problem: read.problem, text: raw });
    else if (read.kind === "Issue") {
      former++;
      const { record: old, note } = importedRecord(read.value, 0);
      if (old === undefined) dropped.push({ line: i + 1, problem: note ?? "it is no record", text: raw });
      const now = old === undefined ? undefined : left.get(old.id);
      if (old === undefined || now === undefined) return;
      left.delete(old.id);
      rows.push({ id: old.id, line: sameJson(old, now) ? raw : issueLine(now, style) });
    } else if (read.kind === "Memory" && memories !== undefined) {
      const { key, value } = read.memory;
      const now = memories.get(key);
      memories.delete(key);
      if (now !== undefined) rows.push({ id: undefined, line: now === value ? raw : memoryLine(key, now) });
    } else if (raw.trim() !== "") rows.push({ id: undefined, line: raw });
  });
  const fresh = [...left.values()].filter((record) => wanted(record, options)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const all = withFresh(
    rows,
    fresh.map((record) => ({ id: record.id, line: issueLine(record, style) })),
  );
  const written = all.filter(({ id }) => id !== undefined).length;
  if (written === 0 && former > 0) {
    throw new TownError("EmptyExport", `Cannot export: there is no record to write, and the file holds ${former}.`, {
      hint: "Remove the file first if that is what you want.",
    });
  }
  const lines = [
    ...all.map(({ line }) => line),
    ...[...(memories ?? [])].map(([key, value]) => memoryLine(key, value)),
  ];
  return { text: lines.length === 0 ? "" : `${lines.join("\n")}\n`, dropped, written };
}

function memoryLine(key: string, value: string): string {
  return JSON.stringify({ _type: "memory", key, value });
}

/** A line of the new file; without id: a header or a memory, which stays where it is. */
interface Row {
  readonly id: string | undefined;
  readonly line: string;
}

function wanted(record: BeadRecord, { all, templates }: ExportOptions): boolean {
  if (record.is_template === true && templates === false) return false;
  if (all === true) return true;
  if (record.ephemeral === true) return false;
  // A deletion is only news to somebody who may know the record.
  return isDeleted(record) || !machinery.has(record.issue_type);
}

// By id where the file is sorted so; else behind its last record.
function withFresh(rows: readonly Row[], fresh: readonly Row[]): readonly Row[] {
  const ids = rows.map(({ id }) => id).filter((id) => id !== undefined);
  const sorted = ids.every((id, i) => i === 0 || (ids[i - 1] ?? "") < id);
  const lastRecord = rows.findLastIndex(({ id }) => id !== undefined);
  const all: Row[] = [];
  let next = 0;
  const take = (until: (id: string) => boolean): void => {
    for (let row = fresh[next]; row?.id !== undefined && until(row.id); row = fresh[++next]) all.push(row);
  };
  rows.forEach((row, i) => {
    if (sorted && row.id !== undefined) take((id) => id < (row.id ?? ""));
    all.push(row);
    if (i === lastRecord) take(() => true);
  });
  take(() => true);
  return all;
}
