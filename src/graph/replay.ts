import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { compareVersions } from "../domain/work-graph/record/stamp.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import { entriesOf } from "./event-log.ts";
import { isWispChange } from "./graph-store.ts";
import type { RecordChange } from "./transaction.ts";
import type { Contained, WalEntry } from "./wal.ts";
import type { WalOperation, WalRecord } from "./wal-record.ts";
import { authorOf, fingerprint, lastSeqOf } from "./wal-record.ts";
import type { WispHistory } from "./wisp-history.ts";

export interface Replayed {
  /** Ids whose records differ from the loaded commit. */
  readonly dirty: ReadonlySet<string>;
  readonly events: readonly HistoryEntry[];
  readonly requests: ReadonlyMap<string, unknown>;
  /** Changes that were made on another state than what is here, so they were not applied. */
  readonly refused: readonly WalRecord[];
  readonly lastSeq: number;
}

/** What is known beside the branch of the records on it. */
export interface BesideBranch {
  /** What happened to wisps. */
  readonly wispHistory: WispHistory;
  /** Records whose lease was renewed without the branch knowing, as the branch has them. */
  readonly leaseWritten: Map<string, BeadRecord>;
}

/**
 * Applies what a log holds beyond the given positions. A change counts only when it was made on the state that is here:
 * of two writers that appended to one log against all locks, the first in the file wins. What happens beside the
 * branch is added to what is known of it. `lenient`: states in between may be lost, so a later one counts whatever it was
 * made on.
 */
export function replay(
  index: GraphIndex,
  entries: readonly WalEntry[],
  contained: Contained,
  { wispHistory, leaseWritten }: BesideBranch,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Replayed {
  const dirty = new Set<string>();
  const events: HistoryEntry[] = [];
  const requests = new Map<string, unknown>();
  const refused: WalRecord[] = [];
  let lastSeq = Math.max(contained.branch, contained.local);
  for (const { record, afterDamage } of entries) {
    lastSeq = Math.max(lastSeq, lastSeqOf(record));
    if (record.r !== undefined) requests.set(record.r, record.v);
    const due = record.o.filter(
      (operation, i) =>
        isDue(operation, record.s + i, contained) && !isThere(index, operation) && !isPast(index, operation),
    );
    const accepts = (operation: WalOperation): boolean =>
      (lenient && isLater(index, operation)) || fits(index, operation, record, contained, afterDamage);
    if (!due.every(accepts)) {
      // What was merged in from a branch is merged in again.
      if (record.q !== 1) refused.push(record);
      continue;
    }
    // Also of what the branch has: records there do not carry their rev.
    for (const { i, k } of record.o) index.raiseRev(i, k);
    for (const operation of due) {
      const change = applyOperation(index, operation);
      if (operation.l === 1) {
        if (change.before !== undefined && !leaseWritten.has(operation.i)) leaseWritten.set(operation.i, change.before);
        continue;
      }
      leaseWritten.delete(operation.i);
      const told = record.q === 1 ? [] : entriesOf([change], authorOf(record), record.t);
      if (isWispChange(change) || (change.after === undefined && operation.e === 1)) {
        wispHistory.add(told);
        if (change.after === undefined) wispHistory.take(operation.i);
        continue;
      }
      dirty.add(operation.i);
      if (change.before?.ephemeral === true) events.push(...wispHistory.take(operation.i));
      events.push(...told);
    }
  }
  return { dirty, events, requests, refused, lastSeq };
}

function applyOperation(index: GraphIndex, operation: WalOperation): RecordChange {
  const before = index.stored(operation.i);
  const after = operation.d ?? undefined;
  index.put(operation.i, after, after === undefined ? undefined : operation.k);
  return { id: operation.i, before, after, ...(operation.m === undefined ? {} : { note: operation.m }) };
}

// A wisp that became a real bead is due when the branch does not have it yet.
function isDue(operation: WalOperation, seq: number, contained: Contained): boolean {
  const wisp = operation.d === null ? operation.e === 1 : operation.d.ephemeral === true;
  return seq > (wisp || operation.l === 1 ? contained.local : contained.branch);
}

// A lease that was renewed before the bead changed otherwise: what it became has its own.
function isPast(index: GraphIndex, { i, w, l }: WalOperation): boolean {
  return l === 1 && fingerprint(index.stored(i)) !== w;
}

// The branch already has the outcome, though no commit of ours says so.
function isThere(index: GraphIndex, { i, w, d }: WalOperation): boolean {
  const here = fingerprint(index.stored(i));
  return here !== w && here === fingerprint(d ?? undefined);
}

function isLater(index: GraphIndex, { i, d }: WalOperation): boolean {
  const here = index.stored(i);
  return here === undefined || d === null || compareVersions(d, here) >= 0;
}

function fits(
  index: GraphIndex,
  operation: WalOperation,
  record: WalRecord,
  contained: Contained,
  afterDamage: boolean,
): boolean {
  if (fingerprint(index.stored(operation.i)) === operation.w) return true;
  // The state before was in the damaged line, and this newer one is whole.
  if (afterDamage) return true;
  // The wisp it was made from is already gone from the local state.
  return operation.e === 1 && record.s <= contained.local;
}
