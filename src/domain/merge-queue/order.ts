export interface QueueEntry {
  readonly id: string;
  /** 0 is most urgent. */
  readonly priority: number;
  /** ms; when its convoy (or, without one, the bead) was made. */
  readonly convoyMs: number;
  /** ms; when it was submitted. */
  readonly submittedMs: number;
  /** How often its work was sent back before. */
  readonly retries: number;
}

/** Each level of priority passes what was submitted up to this much before it. */
const PRIORITY_MS = 4 * 3_600_000;
/** An older convoy passes a younger one within a level, by as much as it is older, but no more than this. */
const MOST_CONVOY_MS = 2 * 3_600_000;
/** A retry goes behind other work, but by so much at most. */
const RETRY_PENALTY_MS = 60_000;
const MOST_PENALTY_MS = 300_000;

/** Whatever is submitted this much later never goes first: what waits is passed by a bounded number of others. */
export const MOST_PASSED_MS = 4 * PRIORITY_MS + MOST_CONVOY_MS + MOST_PENALTY_MS;

/**
 * Queue order: priority, age of the convoy, age of the request, less a penalty for retries. Each counts as time with a
 * bound, so that nothing is starved; the order of two requests never changes while they wait. Total and stable.
 */
export function queueOrder<T extends QueueEntry>(entries: readonly T[]): readonly T[] {
  return entries.toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function rank({ priority, convoyMs, submittedMs, retries }: QueueEntry): number {
  const older = Math.max(0, Math.min(MOST_CONVOY_MS, submittedMs - convoyMs));
  const level = Math.max(0, Math.min(4, priority));
  return submittedMs + level * PRIORITY_MS - older + Math.min(retries * RETRY_PENALTY_MS, MOST_PENALTY_MS);
}
