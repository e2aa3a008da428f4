export interface QueueEntry {
  readonly id: string;
  /** 0 is most urgent. */
  readonly priority: number;
  /** ms; when its convoy (or, without one, the bead) was made. */
  readonly convoyAgeMs: number;
  /** ms; when it was submitted. */
  readonly submittedMs: number;
  /** How often its work was sent back before. */
  readonly retries: number;
}

/** A retry goes behind work of its own priority, but by this much at most, so that it is never starved. */
const RETRY_PENALTY_MS = 60_000;
const MOST_PENALTY_MS = 300_000;

/** Queue order: priority, then age of the convoy, then age of the request with a bounded penalty for retries. Total and stable. */
export function queueOrder<T extends QueueEntry>(entries: readonly T[]): readonly T[] {
  const rank = (entry: QueueEntry): number =>
    entry.submittedMs + Math.min(entry.retries * RETRY_PENALTY_MS, MOST_PENALTY_MS);
  return entries.toSorted(
    (a, b) => a.priority - b.priority || a.convoyAgeMs - b.convoyAgeMs || rank(a) - rank(b) || a.id.localeCompare(b.id),
  );
}
