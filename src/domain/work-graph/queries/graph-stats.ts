import type { BeadRecord } from "../bead.ts";
import { isDeferred } from "../index/readiness.ts";
import { timeOf } from "../record/stamp.ts";
import type { StatusBook } from "../record/statuses.ts";
import { isSettled, standardStatuses } from "../record/statuses.ts";
import { openEpics } from "./epics.ts";
import type { GraphView } from "./graph-view.ts";

export interface GraphStats {
  readonly total: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byType: Readonly<Record<string, number>>;
  readonly byPriority: Readonly<Record<string, number>>;
  readonly ready: number;
  readonly blocked: number;
  /** Status deferred, or open with a time that is still to come. */
  readonly deferred: number;
  readonly pinned: number;
  readonly wisps: number;
  readonly epicsClosable: number;
  /** From creation to close, over all closed beads, hours; undefined when none is closed. */
  readonly averageLeadTimeHours: number | undefined;
  readonly createdRecently: number;
  readonly closedRecently: number;
  readonly updatedRecently: number;
}

/** Counts over all beads (wisps apart, except in `wisps`). `recentMs` is the span of "recently", default 24 h. */
export function graphStats(
  view: GraphView,
  options: {
    readonly nowMs: number;
    readonly recentMs?: number;
    readonly statuses?: StatusBook;
    readonly records?: readonly BeadRecord[];
  },
): GraphStats {
  const statuses = options.statuses ?? standardStatuses;
  const all = options.records ?? view.list();
  const records = all.filter(({ ephemeral }) => ephemeral !== true);
  const since = options.nowMs - (options.recentMs ?? 24 * 3_600_000);
  const recent = (field: string): number => records.filter((record) => (timeOf(record[field]) ?? 0) >= since).length;
  const ids = new Set(records.map(({ id }) => id));
  return {
    total: records.length,
    byStatus: countBy(records, (record) => record.status),
    byType: countBy(records, (record) => record.issue_type),
    byPriority: countBy(records, (record) => `P${record.priority}`),
    ready: view.ready().filter(({ id }) => ids.has(id)).length,
    blocked: records.filter((record) => !isSettled(record.status, statuses) && view.isBlocked(record.id)).length,
    deferred: records.filter(
      (record) => record.status === "deferred" || (record.status === "open" && isDeferred(record, options.nowMs)),
    ).length,
    pinned: records.filter(({ pinned, status }) => pinned === true || status === "pinned").length,
    wisps: all.length - records.length,
    epicsClosable: openEpics(view, statuses).filter(({ epic, closable }) => closable && ids.has(epic.id)).length,
    averageLeadTimeHours: averageLeadTime(records),
    createdRecently: recent("created_at"),
    closedRecently: recent("closed_at"),
    updatedRecently: recent("updated_at"),
  };
}

function countBy(
  records: readonly BeadRecord[],
  keyOf: (record: BeadRecord) => string,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const record of records) counts[keyOf(record)] = (counts[keyOf(record)] ?? 0) + 1;
  return counts;
}

function averageLeadTime(records: readonly BeadRecord[]): number | undefined {
  const hours: number[] = [];
  for (const record of records) {
    const from = timeOf(record.created_at);
    const to = record.status === "closed" ? timeOf(record.closed_at) : undefined;
    if (from !== undefined && to !== undefined && to >= from) hours.push((to - from) / 3_600_000);
  }
  return hours.length === 0 ? undefined : hours.reduce((sum, value) => sum + value, 0) / hours.length;
}
