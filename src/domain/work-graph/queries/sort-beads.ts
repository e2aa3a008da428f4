import type { BeadRecord, BeadSketch } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import { textOf } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";

export type SortKey =
  | "id"
  | "priority"
  | "created"
  | "updated"
  | "closed"
  | "due"
  | "title"
  | "status"
  | "type"
  | "assignee"
  | "hybrid"
  | "oldest";

type Compare = (a: BeadRecord, b: BeadRecord) => number;

const hybridWindowMs = 48 * 3_600_000;
const time =
  (field: string, missing: number): ((record: BeadRecord) => number) =>
  (record) =>
    timeOf(record[field]) ?? missing;
const text =
  (field: string): Compare =>
  (a, b) => {
    const x = textOf(a[field]).toLowerCase();
    const y = textOf(b[field]).toLowerCase();
    return x < y ? -1 : x > y ? 1 : 0;
  };
const newestFirst =
  (field: string): Compare =>
  (a, b) =>
    time(field, 0)(b) - time(field, 0)(a);

/**
 * Sorted copies of beads. Times are newest first, except `due` and `oldest`; `priority` breaks ties by age, older first;
 * `hybrid` lists those made in the last 48 h first by priority, then the rest by age. Equal ones are in id order.
 */
export function sortBeads(
  records: readonly BeadRecord[],
  key: SortKey,
  options: { readonly nowMs: number; readonly reverse?: boolean },
): readonly BeadRecord[] {
  const compare = comparisons(options.nowMs)[key];
  const sign = options.reverse === true ? -1 : 1;
  return [...records].sort((a, b) => sign * compare(a, b) || compareIds(a.id, b.id));
}

const sketchOrders: ReadonlySet<SortKey> = new Set([
  "id",
  "priority",
  "created",
  "status",
  "type",
  "assignee",
  "hybrid",
  "oldest",
]);

/** Whether sketches can be ordered so. */
export function isSketchOrder(key: SortKey): boolean {
  return sketchOrders.has(key);
}

/** As `sortBeads`, by what sketches say; `key` must be a sketch order. */
export function sortSketches(
  sketches: readonly BeadSketch[],
  key: SortKey,
  options: { readonly nowMs: number; readonly reverse?: boolean },
): readonly BeadSketch[] {
  // Such an order looks at nothing that a sketch lacks.
  return sortBeads(sketches as readonly BeadRecord[], key, options);
}

function comparisons(nowMs: number): Readonly<Record<SortKey, Compare>> {
  const known = new Map<BeadRecord, number>();
  // Reading a time costs far more than comparing two.
  const created = (record: BeadRecord): number => {
    const found = known.get(record) ?? timeOf(record.created_at) ?? 0;
    known.set(record, found);
    return found;
  };
  const oldest: Compare = (a, b) => created(a) - created(b);
  const priority: Compare = (a, b) => a.priority - b.priority || oldest(a, b);
  const recent = (record: BeadRecord): boolean => nowMs - created(record) < hybridWindowMs;
  return {
    id: (a, b) => compareIds(a.id, b.id),
    priority,
    created: newestFirst("created_at"),
    updated: newestFirst("updated_at"),
    closed: newestFirst("closed_at"),
    due: (a, b) => time("due_at", Number.MAX_SAFE_INTEGER)(a) - time("due_at", Number.MAX_SAFE_INTEGER)(b),
    title: text("title"),
    status: text("status"),
    type: text("issue_type"),
    assignee: text("assignee"),
    oldest,
    hybrid: (a, b) => Number(recent(b)) - Number(recent(a)) || (recent(a) ? priority(a, b) : oldest(a, b)),
  };
}
