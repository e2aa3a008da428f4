import type { BeadRecord } from "../bead.ts";
import { nextChildId } from "../ids/mint-id.ts";
import { sameJson } from "../record/canonical.ts";
import { isClaimed, isDeleted, withFields } from "../record/facts.ts";
import { tombstone } from "../record/statuses.ts";
import type { MergeSide } from "./merge-record.ts";
import { mergeRecords } from "./merge-record.ts";
import { bornTwice, withIdsReplaced } from "./rekey.ts";

/** What is merged: our records and those that the other side changed since the base. */
export interface GraphMerge {
  /** Ids the other side changed, added or removed. */
  readonly changed: readonly string[];
  readonly base: (id: string) => BeadRecord | undefined;
  readonly ours: (id: string) => BeadRecord | undefined;
  /** Undefined: the other side has no file of this id. */
  readonly theirs: (id: string) => BeadRecord | undefined;
  /** Our records that are not as they were in the base; read only when ids must be replaced. */
  readonly oursChanged: () => Iterable<BeadRecord>;
  readonly oursChangedMs?: (id: string, field: string) => number | undefined;
  readonly theirsChangedMs?: (id: string, field: string) => number | undefined;
  /** A free id for a bead of ours that must give its id up. */
  readonly newId: () => string;
  /** Stamp of deletions that the other side made by removing a file. */
  readonly stamp: string;
}

/** A claim of ours that the other side's earlier one overruled. */
export interface LostClaim {
  readonly id: string;
  readonly assignee: string;
  readonly winner: string | undefined;
}

export interface GraphMergeResult {
  /** Our records as they are afterwards, only those that change; undefined: it moved to another id. */
  readonly records: ReadonlyMap<string, BeadRecord | undefined>;
  /** Ids whose result differs from what the other side has. */
  readonly differing: ReadonlySet<string>;
  readonly lostClaims: readonly LostClaim[];
  /** Old id to new id of beads of ours. */
  readonly rekeyed: ReadonlyMap<string, string>;
}

/** Merges the other side into ours. The other side counts as the one published first. */
export function mergeGraphs(merge: GraphMerge): GraphMergeResult {
  const rekeyed = idsToReplace(merge);
  const records = new Map<string, BeadRecord | undefined>();
  if (rekeyed.size > 0) moveOurs(merge, rekeyed, records);
  const differing = new Set<string>(records.keys());
  const lostClaims: LostClaim[] = [];
  for (const id of merge.changed) {
    const theirs = merge.theirs(id);
    const ours = rekeyed.has(id) ? undefined : (records.get(id) ?? merge.ours(id));
    const merged = mergeOne(merge, id, ours, theirs);
    if (merged === undefined) continue;
    if (!sameJson(merged, theirs)) differing.add(id);
    if (!sameJson(merged, ours)) records.set(id, merged);
    if (ours !== undefined && isClaimed(ours) && merged.assignee !== ours.assignee && !isDeleted(merged)) {
      lostClaims.push({ id, assignee: ours.assignee ?? "", winner: merged.assignee });
    }
  }
  return { records, differing, lostClaims, rekeyed };
}

function mergeOne(
  merge: GraphMerge,
  id: string,
  ours: BeadRecord | undefined,
  theirs: BeadRecord | undefined,
): BeadRecord | undefined {
  if (ours === undefined) return theirs;
  if (theirs === undefined) return removedByFile(merge, id, ours);
  const side = (record: BeadRecord, changedMs: GraphMerge["oursChangedMs"]): MergeSide =>
    changedMs === undefined ? { record } : { record, changedMs: (field) => changedMs(id, field) };
  return mergeRecords(merge.base(id), side(theirs, merge.theirsChangedMs), side(ours, merge.oursChangedMs));
}

// A file that is gone deletes the bead only where we did not touch it, and leaves a tombstone so that this travels.
function removedByFile(merge: GraphMerge, id: string, ours: BeadRecord): BeadRecord {
  const base = merge.base(id);
  if (base === undefined || isDeleted(ours) || !sameJson(base, ours)) return ours;
  return withFields(ours, {
    status: tombstone,
    original_type: ours.issue_type,
    deleted_at: merge.stamp,
    updated_at: merge.stamp,
    dependencies: undefined,
    assignee: undefined,
  });
}

/** Ids that both sides gave to different beads since the base. */
export function idsBornTwice(merge: Pick<GraphMerge, "changed" | "base" | "ours" | "theirs">): readonly string[] {
  return merge.changed.filter((id) => {
    const ours = merge.ours(id);
    const theirs = merge.theirs(id);
    return ours !== undefined && theirs !== undefined && merge.base(id) === undefined && bornTwice(ours, theirs);
  });
}

/** New ids of ours where an id was given twice, children with their parents. */
function idsToReplace(merge: GraphMerge): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const isTaken = (id: string): boolean =>
    taken.has(id) || merge.ours(id) !== undefined || merge.theirs(id) !== undefined;
  for (const id of [...idsBornTwice(merge)].sort()) {
    const next = freeId(id, ids, isTaken, merge.newId);
    ids.set(id, next);
    taken.add(next);
  }
  if (ids.size === 0) return ids;
  // A child of ours follows its parent's new id unless it was there before or the other side has it.
  for (const { id } of [...merge.oursChanged()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const parent = longestPrefix(id, ids);
    if (parent === undefined || ids.has(id) || merge.base(id) !== undefined || merge.theirs(id) !== undefined) continue;
    ids.set(id, `${ids.get(parent)}${id.slice(parent.length)}`);
  }
  return ids;
}

function freeId(
  id: string,
  ids: ReadonlyMap<string, string>,
  taken: (id: string) => boolean,
  newId: () => string,
): string {
  const dot = id.lastIndexOf(".");
  if (dot > 0 && /^\d+$/.test(id.slice(dot + 1))) {
    const parent = id.slice(0, dot);
    return nextChildId(ids.get(parent) ?? parent, [], taken);
  }
  let next = newId();
  while (taken(next)) next = newId();
  return next;
}

function longestPrefix(id: string, ids: ReadonlyMap<string, string>): string | undefined {
  for (let dot = id.lastIndexOf("."); dot > 0; dot = id.lastIndexOf(".", dot - 1)) {
    if (ids.has(id.slice(0, dot))) return id.slice(0, dot);
  }
  return undefined;
}

/** Gives our beads their new ids and turns references to them, as far as they are ours: the other side's mean its own bead. */
function moveOurs(
  merge: GraphMerge,
  ids: ReadonlyMap<string, string>,
  records: Map<string, BeadRecord | undefined>,
): void {
  for (const record of merge.oursChanged()) {
    const next = withIdsReplaced(record, ids);
    if (next === record) continue;
    records.set(next.id, next);
    if (next.id !== record.id && !records.has(record.id)) records.set(record.id, undefined);
  }
}
