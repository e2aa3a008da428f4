import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { DormantBead } from "../domain/work-graph/index/dormant-bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { TownError } from "../errors/town-error.ts";

/** Its text in the cache is damaged, and git does not have it either. */
export function isTextLost(error: unknown): boolean {
  return error instanceof TownError && error.reason === "CacheDamaged";
}

/** All records but wisps, tombstones included; `unreadable`: ids of those whose text is lost. */
export function readableRecords(index: GraphIndex): {
  readonly records: readonly BeadRecord[];
  readonly unreadable: ReadonlySet<string>;
} {
  const records: BeadRecord[] = [];
  const unreadable = new Set<string>();
  for (const id of index.sortedIds()) {
    try {
      const record = index.stored(id);
      if (record !== undefined && record.ephemeral !== true) records.push(record);
    } catch (error) {
      if (!isTextLost(error)) throw error;
      unreadable.add(id);
    }
  }
  return { records, unreadable };
}

/** What indexes know of a record whose text is nowhere any more. */
export function recordWithoutText(index: GraphIndex, id: string): BeadRecord | undefined {
  for (const bead of index.beadsOf([id])) {
    const facts = bead instanceof DormantBead ? bead.facts : bead;
    return { ...facts, title: `${id} (its text was lost)`, updated_at: facts.created_at };
  }
  return undefined;
}
