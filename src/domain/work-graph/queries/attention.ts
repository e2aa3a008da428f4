import type { BeadRecord } from "../bead.ts";
import { findCycles } from "../index/cycles.ts";
import { timeOf } from "../record/stamp.ts";
import type { StatusBook } from "../record/statuses.ts";
import { settledNames, standardStatuses } from "../record/statuses.ts";
import { leaseExpired } from "../rules/claim.ts";
import type { GraphView } from "./graph-view.ts";
import { sourceOf } from "./graph-view.ts";

/** Open beads that nobody changed for `days`, the longest first. `status` narrows it. */
export function staleBeads(
  view: GraphView,
  options: {
    readonly nowMs: number;
    readonly days: number;
    readonly status?: readonly string[];
    readonly statuses?: StatusBook;
  },
): readonly BeadRecord[] {
  const before = options.nowMs - options.days * 24 * 3_600_000;
  const statuses = options.statuses ?? standardStatuses;
  return view
    .list({
      excludeStatus: settledNames(statuses),
      ...(options.status === undefined ? {} : { status: options.status }),
    })
    .filter((record) => record.ephemeral !== true && record.is_template !== true)
    .map((record) => ({ record, updated: timeOf(record.updated_at) ?? 0 }))
    .filter(({ updated }) => updated < before)
    .sort((a, b) => a.updated - b.updated)
    .map(({ record }) => record);
}

/** Claims whose lease has run out: to be given back once their holder is known to be gone. */
export function expiredClaims(view: GraphView, nowMs: number): readonly BeadRecord[] {
  return view.list({ status: ["in_progress", "hooked"] }).filter((record) => leaseExpired(record, nowMs));
}

/** Groups of beads that wait for each other in a circle. */
export function cyclesOf(view: GraphView): readonly (readonly string[])[] {
  return findCycles(sourceOf(view), view.list());
}

/** Open beads with the same title and description, in groups of two and more, the oldest first in each. */
export function duplicateGroups(
  view: GraphView,
  statuses: StatusBook = standardStatuses,
): readonly (readonly BeadRecord[])[] {
  const groups = new Map<string, BeadRecord[]>();
  for (const record of view.list({ excludeStatus: settledNames(statuses) })) {
    if (record.ephemeral === true || record.is_template === true) continue;
    const key = `${record.issue_type}\n${normal(record.title)}\n${normal(record.description ?? "")}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [record]);
    else group.push(record);
  }
  const age = (record: BeadRecord): number => timeOf(record.created_at) ?? 0;
  return [...groups.values()].filter((group) => group.length > 1).map((group) => group.sort((a, b) => age(a) - age(b)));
}

function normal(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}
