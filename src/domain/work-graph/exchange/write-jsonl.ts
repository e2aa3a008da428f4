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
  readonly memories?: readonly Memory[];
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
  const before: string[] = [];
  const entries: { readonly id: string; readonly line: string }[] = [];
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
      entries.push({ id: old.id, line: sameJson(old, now) ? raw : issueLine(now, style) });
    } else if (raw.trim() !== "") before.push(raw);
  });
  const fresh = [...left.values()].filter((record) => wanted(record, options)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const lines = placed(
    entries,
    fresh.map((record) => ({ id: record.id, line: issueLine(record, style) })),
  );
  if (lines.length === 0 && former > 0) {
    throw new TownError("EmptyExport", `Cannot export: there is no record to write, and the file holds ${former}.`, {
      hint: "Remove the file first if that is what you want.",
    });
  }
  const known = new Set(before.map((raw) => memoryKey(raw)));
  const memories = (options.memories ?? [])
    .filter(({ key }) => !known.has(key))
    .map(({ key, value }) => JSON.stringify({ _type: "memory", key, value }));
  const all = [...before, ...memories, ...lines];
  return { text: all.length === 0 ? "" : `${all.join("\n")}\n`, dropped, written: lines.length };
}

function memoryKey(raw: string): string | undefined {
  const read = readLine(raw);
  return read.kind === "Memory" ? read.memory.key : undefined;
}

function wanted(record: BeadRecord, { all, templates }: ExportOptions): boolean {
  if (record.is_template === true && templates === false) return false;
  if (all === true) return true;
  if (record.ephemeral === true) return false;
  // A deletion is only news to somebody who may know the record.
  return isDeleted(record) || !machinery.has(record.issue_type);
}

function placed(
  old: readonly { readonly id: string; readonly line: string }[],
  fresh: readonly { readonly id: string; readonly line: string }[],
): readonly string[] {
  const sorted = old.every(({ id }, i) => i === 0 || (old[i - 1]?.id ?? "") < id);
  const all = [...old, ...fresh];
  if (sorted) all.sort((a, b) => (a.id < b.id ? -1 : 1));
  return all.map(({ line }) => line);
}
