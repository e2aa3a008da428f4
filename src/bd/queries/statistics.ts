import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

/** Numbers of a store, in the names of bd's `stats --json`. */
export interface Statistics {
  readonly total_issues: number;
  readonly open_issues: number;
  readonly in_progress_issues: number;
  readonly closed_issues: number;
  readonly blocked_issues: number;
  readonly deferred_issues: number;
  readonly ready_issues: number;
  readonly pinned_issues: number;
  readonly epics_eligible_for_closure: number;
  readonly average_lead_time_hours: number;
}

export function statisticsOf(graph: GraphReader, records: readonly BeadRecord[]): Statistics {
  const inScope = new Set(records.map(({ id }) => id));
  const count = (isCounted: (record: BeadRecord) => boolean): number => records.filter(isCounted).length;
  return {
    total_issues: records.length,
    open_issues: count(({ status }) => status === "open"),
    in_progress_issues: count(({ status }) => status === "in_progress" || status === "hooked"),
    closed_issues: count(({ status }) => status === "closed"),
    blocked_issues: count((record) => record.status !== "closed" && graph.isBlocked(record.id)),
    deferred_issues: count(({ status }) => status === "deferred"),
    ready_issues: graph.ready().filter(({ id }) => inScope.has(id)).length,
    pinned_issues: count((record) => record.pinned === true || record.status === "pinned"),
    epics_eligible_for_closure: closableEpics(graph).filter(({ id }) => inScope.has(id)).length,
    average_lead_time_hours: averageLeadHours(records),
  };
}

/** Open epics with children, all of them closed. */
export function closableEpics(graph: GraphReader): readonly BeadRecord[] {
  return graph.list({ type: ["epic"] }).filter((epic) => {
    const children = graph.childrenOf(epic.id);
    return epic.status !== "closed" && children.length > 0 && children.every(({ status }) => status === "closed");
  });
}

function averageLeadHours(records: readonly BeadRecord[]): number {
  const hours = records.flatMap((record) => {
    const [from, to] = [timeOf(record.created_at), timeOf(record.closed_at)];
    return from === undefined || to === undefined ? [] : [Math.max(0, to - from) / 3_600_000];
  });
  if (hours.length === 0) return 0;
  return Math.round((hours.reduce((sum, value) => sum + value, 0) / hours.length) * 100) / 100;
}

export interface Activity {
  readonly hours_tracked: number;
  readonly issues_created: number;
  readonly issues_closed: number;
  readonly issues_updated: number;
  readonly total_changes: number;
}

/** What happened in the last hours, as far as the records tell. */
export function activityOf(records: readonly BeadRecord[], now: number, hours: number): Activity {
  const since = now - hours * 3_600_000;
  const isRecent = (time: string | undefined): boolean => (timeOf(time) ?? 0) >= since;
  const created = records.filter((record) => isRecent(record.created_at));
  const closed = records.filter((record) => isRecent(record.closed_at));
  const updated = records.filter(
    (record) => isRecent(record.updated_at) && !isRecent(record.created_at) && !isRecent(record.closed_at),
  );
  return {
    hours_tracked: hours,
    issues_created: created.length,
    issues_closed: closed.length,
    issues_updated: updated.length,
    total_changes: created.length + closed.length + updated.length,
  };
}
