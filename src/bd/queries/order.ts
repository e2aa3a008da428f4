import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { compareIds } from "../../domain/work-graph/ids/mint-id.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { usageError } from "../grammar/usage-error.ts";

type Compare = (a: BeadRecord, b: BeadRecord) => number;

const byText =
  (valueOf: (record: BeadRecord) => string): Compare =>
  (a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };
const newest =
  (valueOf: (record: BeadRecord) => string | undefined): Compare =>
  (a, b) =>
    (timeOf(valueOf(b)) ?? 0) - (timeOf(valueOf(a)) ?? 0);
const byPriority: Compare = (a, b) => a.priority - b.priority;
const newestCreated = newest((record) => record.created_at);
const oldestCreated: Compare = (a, b) => newestCreated(b, a);

const orders: Readonly<Record<string, Compare>> = {
  priority: byPriority,
  created: newestCreated,
  updated: newest((record) => record.updated_at),
  closed: newest((record) => record.closed_at),
  due: (a, b) => (timeOf(a.due_at) ?? Number.MAX_VALUE) - (timeOf(b.due_at) ?? Number.MAX_VALUE),
  status: byText((record) => record.status),
  id: (a, b) => compareIds(a.id, b.id),
  title: byText((record) => record.title.toLowerCase()),
  type: byText((record) => record.issue_type),
  assignee: byText((record) => record.assignee ?? ""),
};

/** Sorted by a field; priority, then the newest first among equals, as bd. Throws TownError `Usage` for an unknown field. */
export function sorted(records: readonly BeadRecord[], field: string, isReverse: boolean): readonly BeadRecord[] {
  const compare = orders[field];
  if (compare === undefined)
    throw usageError(`invalid sort field "${field}"`, `sort by ${Object.keys(orders).join(", ")}`);
  const all = records.toSorted(
    (a, b) => compare(a, b) || byPriority(a, b) || newestCreated(a, b) || compareIds(a.id, b.id),
  );
  return isReverse ? all.reverse() : all;
}

const recentMs = 48 * 3_600_000;

/**
 * Ready work in bd's orders. `priority`: most urgent first, older first among equals; `oldest`; `hybrid`: what is younger
 * than 48 h by priority, then the rest by age. Throws TownError `Usage`.
 */
export function readySorted(records: readonly BeadRecord[], policy: string, now: number): readonly BeadRecord[] {
  const byAge: Compare = (a, b) => oldestCreated(a, b) || compareIds(a.id, b.id);
  const urgent: Compare = (a, b) => byPriority(a, b) || byAge(a, b);
  if (policy === "priority") return records.toSorted(urgent);
  if (policy === "oldest") return records.toSorted(byAge);
  if (policy !== "hybrid") throw usageError(`invalid sort policy "${policy}"`, "sort by priority, oldest or hybrid");
  const isRecent = (record: BeadRecord): boolean => now - (timeOf(record.created_at) ?? 0) < recentMs;
  return [
    ...records.filter(isRecent).toSorted(urgent),
    ...records.filter((record) => !isRecent(record)).toSorted(byAge),
  ];
}
