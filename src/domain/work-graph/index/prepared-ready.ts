import type { BeadRecord } from "../bead.ts";
import { blockingTypes, edgesOf, parentChild } from "../record/edges.ts";
import type { StatusBook } from "../record/statuses.ts";

/** Lists of records that are not wisps. */
export const preparedLists = ["Work", "Epic", "Other"] as const;

/** What was ready when a set of records was put away, so that it need not be found out again of each. */
export interface PreparedReady {
  /** At this time, ms. */
  readonly nowMs: number;
  /** With statuses that mean this; see `statusesKey`. */
  readonly statuses: string;
  /** Ids, most urgent first. */
  readonly lists: Readonly<Record<(typeof preparedLists)[number], readonly string[]>>;
}

/** What is known of the records in tables besides. */
export interface LoadedTables {
  readonly outside?: readonly string[];
  readonly ready?: PreparedReady | undefined;
  readonly loose?: readonly string[];
}

/** Tells sets of statuses apart by what they mean. */
export function statusesKey(book: StatusBook): string {
  return book.names.map((name) => `${name}:${book.categoryOf(name)}`).join();
}

/** Records that wait for, or are below, something that is not among them: what is there decides, and it is asked each time. */
export function looseIds(records: readonly BeadRecord[]): readonly string[] {
  const here = new Set(records.map(({ id }) => id));
  const isLoose = (record: BeadRecord): boolean =>
    edgesOf(record).some(
      ({ depends_on_id: on, type }) => !here.has(on) && (type === parentChild || blockingTypes.has(type)),
    );
  return records.filter(isLoose).map(({ id }) => id);
}
