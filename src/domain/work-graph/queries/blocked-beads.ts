import type { BeadRecord } from "../bead.ts";
import { holdingAncestors } from "../index/readiness.ts";
import { edgesOf, parentChild } from "../record/edges.ts";
import type { StatusBook } from "../record/statuses.ts";
import { isSettled, settledNames, standardStatuses } from "../record/statuses.ts";
import type { GraphView } from "./graph-view.ts";
import { sourceOf } from "./graph-view.ts";

export interface BlockedBead {
  readonly record: BeadRecord;
  /** Open direct blockers; ids of beads, or external references. */
  readonly blockedBy: readonly string[];
  /** Ancestors that hold it, nearest first. */
  readonly heldBy: readonly string[];
}

/** Every open bead that waits, with what it waits for; in id order. */
export function blockedBeads(
  view: GraphView,
  options: { readonly nowMs: number; readonly statuses?: StatusBook; readonly records?: readonly BeadRecord[] },
): readonly BlockedBead[] {
  const statuses = options.statuses ?? standardStatuses;
  const blocked: BlockedBead[] = [];
  for (const record of options.records ?? view.list({ excludeStatus: settledNames(statuses) })) {
    if (isSettled(record.status, statuses) || edgesOf(record).length === 0 || !view.isBlocked(record.id)) continue;
    blocked.push({
      record,
      blockedBy: blockerIds(view, record),
      heldBy: holdingAncestors(sourceOf(view, { statuses }), record, options.nowMs),
    });
  }
  return blocked;
}

// External references block without being beads.
function blockerIds(view: GraphView, record: BeadRecord): readonly string[] {
  const beads = view.blockersOf(record.id).map(({ id }) => id);
  const external = edgesOf(record)
    .filter(({ type, depends_on_id: target }) => type !== parentChild && target.startsWith("external:"))
    .map(({ depends_on_id: target }) => target);
  return [...new Set([...beads, ...external])];
}
