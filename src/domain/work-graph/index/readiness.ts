import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { notWorkTypes } from "../record/bead-types.ts";
import { blockingTypes, edgesOf, externalTarget, parentChild, parentIdsOf, waitsForOf } from "../record/edges.ts";
import { hasFailed, isMerged, metadataOf } from "../record/facts.ts";
import { isSettled } from "../record/statuses.ts";
import { timeOf } from "../record/stamp.ts";
import type { RecordSource } from "./record-source.ts";

/** Ids of the direct blockers that are still in the way of a record. A pure function of the records. */
export function openBlockers(source: RecordSource, record: BeadRecord): readonly string[] {
  const ids: string[] = [];
  for (const edge of edgesOf(record)) {
    if (blockingTypes.has(edge.type) && edgeBlocks(source, edge)) ids.push(edge.depends_on_id);
  }
  return ids;
}

/** A record waits by itself, apart from what its ancestors do. */
export function isBlockedDirectly(source: RecordSource, record: BeadRecord): boolean {
  for (const edge of edgesOf(record)) {
    if (blockingTypes.has(edge.type) && edgeBlocks(source, edge)) return true;
  }
  return false;
}

function edgeBlocks(source: RecordSource, edge: DependencyEdge): boolean {
  const external = externalTarget(edge.depends_on_id);
  if (external !== undefined) return !source.foreign.provides(external.project, external.capability);
  if (edge.type === "waits-for") return waitsForChildren(source, edge);
  const status = edge.type === "blocks" ? source.statusOf(edge.depends_on_id) : undefined;
  if (status !== undefined) return !isSettled(status, source.statuses);
  const target = source.facts(edge.depends_on_id) ?? source.foreign.lookup(edge.depends_on_id);
  // Nobody has the target: a reference that dangles does not hold work for ever. A store that is away does.
  if (target === undefined || target === "Missing") return false;
  if (target === "Unavailable") return true;
  if (edge.type === "merge-blocks") return !isMerged(target);
  // "Runs only if the target fails": success keeps it waiting for good.
  if (edge.type === "conditional-blocks") return !hasFailed(target);
  return !isSettled(target.status, source.statuses);
}

function waitsForChildren(source: RecordSource, edge: DependencyEdge): boolean {
  const { gate, spawnerId } = waitsForOf(edge);
  let open = 0;
  let settled = 0;
  for (const { issue_id: id, type } of source.edgesTo(spawnerId)) {
    const status = type === parentChild ? source.statusOf(id) : undefined;
    if (status === undefined) continue;
    if (isSettled(status, source.statuses)) settled++;
    else open++;
  }
  return gate === "all-children" ? open > 0 : open > 0 && settled === 0;
}

export function isDeferred(record: Pick<BeadRecord, "defer_until">, nowMs: number): boolean {
  const until = timeOf(record.defer_until);
  return until !== undefined && until > nowMs;
}

/** A record that keeps its descendants from being ready: blocked, deferred, or set aside by hand. */
export function holdsDescendants(source: RecordSource, record: BeadRecord, nowMs: number): boolean {
  if (isSettled(record.status, source.statuses)) return false;
  if (record.status === "blocked" || source.statuses.categoryOf(record.status) === "frozen") return true;
  return isDeferred(record, nowMs) || isBlockedDirectly(source, record);
}

/** Ids of the ancestors that hold a record back, nearest first. */
export function holdingAncestors(source: RecordSource, record: BeadRecord, nowMs: number): readonly string[] {
  const holding: string[] = [];
  walkAncestors(source, record, (id, ancestor) => {
    const holds = ancestor === undefined ? source.foreign.holds(id) : holdsDescendants(source, ancestor, nowMs);
    if (holds) holding.push(id);
    return false;
  });
  return holding;
}

/** Held back by dependencies: its own, or an ancestor's state. */
export function isBlocked(source: RecordSource, record: BeadRecord, nowMs: number): boolean {
  return isBlockedDirectly(source, record) || isBelowHolder(source, record, nowMs);
}

function isBelowHolder(source: RecordSource, record: BeadRecord, nowMs: number): boolean {
  return walkAncestors(source, record, (id, ancestor) =>
    ancestor === undefined ? source.foreign.holds(id) : holdsDescendants(source, ancestor, nowMs),
  );
}

/** As `isBelowHolder`, of one that holds nothing itself; what is found out of each parent is kept in `held` for its other children. */
function isHeld(source: RecordSource, record: BeadRecord, nowMs: number, held: Map<string, boolean>): boolean {
  for (const edge of edgesOf(record)) {
    if (edge.type !== parentChild) continue;
    const id = edge.depends_on_id;
    const known = held.get(id);
    if (known === true) return true;
    if (known === false) continue;
    const parent = source.facts(id);
    const holds =
      parent === undefined
        ? source.foreign.holds(id)
        : holdsDescendants(source, parent, nowMs) || isBelowHolder(source, parent, nowMs);
    held.set(id, holds);
    if (holds) return true;
  }
  return false;
}

// Stops at the first ancestor `visit` says yes to. Imported files hold parent cycles, hence `seen`.
function walkAncestors(
  source: RecordSource,
  record: BeadRecord,
  visit: (id: string, ancestor: BeadRecord | undefined) => boolean,
): boolean {
  let level = parentIdsOf(record);
  if (level.length === 0) return false;
  const seen = new Set([record.id]);
  while (level.length > 0) {
    const next: string[] = [];
    for (const id of level) {
      if (seen.has(id)) continue;
      seen.add(id);
      const ancestor = source.facts(id);
      if (visit(id, ancestor)) return true;
      next.push(...parentIdsOf(ancestor));
    }
    level = next;
  }
  return false;
}

/** Open work of a kind that is handed out, dependencies and time apart. */
export function isCandidate(source: RecordSource, record: BeadRecord): boolean {
  return (
    source.statuses.categoryOf(record.status) === "active" && record.pinned !== true && record.is_template !== true
  );
}

/**
 * What a candidate is listed as: work, an epic, a wisp, or something that is not handed out. A step of a molecule belongs to
 * whoever has the molecule's bead.
 */
export function readyList(record: BeadRecord): "Work" | "Epic" | "Wisp" | "Other" {
  if (record.ephemeral === true) return "Wisp";
  if (notWorkTypes.has(record.issue_type) || metadataOf(record)[META.step] !== undefined) return "Other";
  return record.issue_type === "epic" ? "Epic" : "Work";
}

/**
 * Ready now: the whole rule for one record. `held`: where many are looked at at one time, what is known of their parents:
 * whether they, or what is above them, keep their descendants from being ready.
 */
export function isReady(
  source: RecordSource,
  record: BeadRecord,
  nowMs: number,
  held = new Map<string, boolean>(),
): boolean {
  if (!isCandidate(source, record) || isDeferred(record, nowMs)) return false;
  return !isBlockedDirectly(source, record) && !isHeld(source, record, nowMs, held);
}
