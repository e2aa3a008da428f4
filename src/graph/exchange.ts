import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { DoltBackup } from "../domain/work-graph/exchange/dolt-backup.ts";
import { readDoltBackup } from "../domain/work-graph/exchange/dolt-backup.ts";
import type { ImportOutcome } from "../domain/work-graph/exchange/import-plan.ts";
import { importOutcome } from "../domain/work-graph/exchange/import-plan.ts";
import type { JsonlContents, LineProblem, Memory } from "../domain/work-graph/exchange/read-jsonl.ts";
import { readJsonl } from "../domain/work-graph/exchange/read-jsonl.ts";
import type { ExportOptions, JsonlExport } from "../domain/work-graph/exchange/write-jsonl.ts";
import { writeJsonl } from "../domain/work-graph/exchange/write-jsonl.ts";
import type { Files } from "../ports/files.ts";
import type { Author } from "../ports/work-graph.ts";
import type { GitGraph } from "./git-graph.ts";

export interface ImportReport {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: number;
  /** Ids whose record here is newer than the one in the file. */
  readonly older: readonly string[];
  /** Lines that are no records; they were set aside. */
  readonly problems: readonly LineProblem[];
  readonly notes: readonly LineProblem[];
  readonly memories: readonly Memory[];
}

export interface ImportOptions {
  /** Name of the source, for messages and the set-aside file. */
  readonly source: string;
  readonly author: Author;
  readonly nowMs: number;
  /** Report what would happen and change nothing. */
  readonly dryRun?: boolean;
  /** Older records overwrite newer ones, too. */
  readonly allowStale?: boolean;
}

/** Imports are cut into transactions of so many records, so that nothing else waits long; importing again is harmless. */
const recordsPerTransaction = 500;

/** Imports a Beads JSONL file. */
export function importJsonl(graph: GitGraph, text: string, options: ImportOptions): Promise<ImportReport> {
  return importContents(graph, readJsonl(text, options), options);
}

/** Imports Beads' Dolt backup files. */
export function importDoltBackup(graph: GitGraph, backup: DoltBackup, options: ImportOptions): Promise<ImportReport> {
  return importContents(graph, readDoltBackup(backup, options), options);
}

async function importContents(graph: GitGraph, contents: JsonlContents, options: ImportOptions): Promise<ImportReport> {
  const outcomes: { readonly id: string; readonly outcome: ImportOutcome }[] = [];
  const decide = (
    records: readonly BeadRecord[],
    here: (id: string) => BeadRecord | undefined,
    put: (record: BeadRecord) => void,
  ): void => {
    for (const incoming of records) {
      const { outcome, record } = importOutcome(here(incoming.id), incoming, {
        allowStale: options.allowStale,
        isUndated: contents.undated.has(incoming.id),
      });
      if (outcome === "Created" || outcome === "Updated") put(record);
      outcomes.push({ id: incoming.id, outcome });
    }
  };
  if (options.dryRun === true)
    decide(
      contents.records,
      (id) => graph.stored(id),
      () => undefined,
    );
  else {
    for (let from = 0; from < contents.records.length; from += recordsPerTransaction) {
      const part = contents.records.slice(from, from + recordsPerTransaction);
      await graph.replaceRecords(options.author, (here, put) => decide(part, here, put));
    }
    await graph.setAside(
      "import",
      contents.problems.map(({ line, problem, text }) => ({ place: `${options.source}:${line}`, problem, text })),
      { isTold: true },
    );
  }
  const ids = (wanted: ImportOutcome): readonly string[] =>
    outcomes.filter(({ outcome }) => outcome === wanted).map(({ id }) => id);
  return {
    created: ids("Created"),
    updated: ids("Updated"),
    unchanged: ids("Unchanged").length,
    older: ids("Older"),
    problems: contents.problems,
    notes: contents.notes,
    memories: contents.memories,
  };
}

/**
 * Writes the graph (or the given version of its records) into a Beads JSONL file, atomically. Lines of the former file that cannot be read are set aside first.
 * Throws TownError `EmptyExport`, or AdapterError.
 */
export async function exportJsonl(
  graph: GitGraph,
  files: Files,
  path: string,
  options: Omit<ExportOptions, "existing"> & { readonly records?: readonly BeadRecord[] } = {},
): Promise<JsonlExport> {
  const existing = await files.readText(path);
  const { records = graph.storedRecords(), ...how } = options;
  const result = writeJsonl(records, { ...how, existing });
  await graph.setAside(
    "export",
    result.dropped.map(({ line, problem, text }) => ({ place: `${path}:${line}`, problem, text })),
    { isTold: true },
  );
  if (result.text !== existing) await files.writeAtomic(path, result.text);
  return result;
}
