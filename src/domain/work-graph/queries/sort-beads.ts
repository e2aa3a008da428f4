import type { BeadRecord, BeadSketch } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import { DormantBead } from "../index/dormant-bead.ts";
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

export interface SortOptions {
  readonly nowMs: number;
  readonly reverse?: boolean;
  /** Only so many, the first ones. Default all. */
  readonly first?: number | undefined;
}

/**
 * Sorted copies of beads. Times are newest first, except `due` and `oldest`; `priority` breaks ties by age, older first;
 * `hybrid` lists those made in the last 48 h first by priority, then the rest by age. Equal ones are in id order.
 */
export function sortBeads(records: readonly BeadRecord[], key: SortKey, options: SortOptions): readonly BeadRecord[] {
  return sortBy(records, (record) => record, key, options);
}

/** As `sortBeads`, of anything that has a bead; where that is a sketch, `key` must be a sketch order. */
export function sortBy<T>(
  items: readonly T[],
  beadOf: (item: T) => BeadSketch,
  key: SortKey,
  { first = items.length, ...order }: SortOptions,
): readonly T[] {
  const compareBeads = sketchOrder(key, order);
  const compare = (left: T, right: T): number => compareBeads(beadOf(left), beadOf(right));
  return first * 4 < items.length ? firstOf(items, first, compare) : [...items].sort(compare).slice(0, first);
}

/** How two sketches compare in an order that `isSketchOrder` knows; equal ones by id. */
export function sketchOrder(
  key: SortKey,
  { nowMs, reverse }: Pick<SortOptions, "nowMs" | "reverse">,
): (a: BeadSketch, b: BeadSketch) => number {
  const compareBeads = comparisons(nowMs)[key];
  const sign = reverse === true ? -1 : 1;
  // Such an order looks at nothing that a sketch lacks.
  return (a, b) => sign * compareBeads(a as BeadRecord, b as BeadRecord) || compareIds(a.id, b.id);
}

/** The first few in order: most items are looked at once, and the rest is never sorted. */
function firstOf<T>(items: readonly T[], count: number, compare: (a: T, b: T) => number): readonly T[] {
  const first = new FirstFew(count, compare);
  for (const item of items) first.offer(item);
  return first.items;
}

/** The first few of what is offered, in order; of equal ones those that came first. */
export class FirstFew<T> {
  readonly #items: T[] = [];
  readonly #count: number;
  readonly #compare: (a: T, b: T) => number;

  constructor(count: number, compare: (a: T, b: T) => number) {
    this.#count = count;
    this.#compare = compare;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  /** `keep` makes what is kept of an item that is among the first; default the item itself. */
  offer(item: T, keep?: (item: T) => T): void {
    const kept = this.#items;
    if (this.#count <= 0 || (kept.length === this.#count && this.#compare(kept[kept.length - 1] as T, item) <= 0))
      return;
    let low = 0;
    for (let high = kept.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (this.#compare(kept[middle] as T, item) <= 0) low = middle + 1;
      else high = middle;
    }
    kept.splice(low, 0, keep === undefined ? item : keep(item));
    if (kept.length > this.#count) kept.pop();
  }
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

function comparisons(nowMs: number): Readonly<Record<SortKey, Compare>> {
  const known = new Map<BeadRecord, number>();
  // Reading a time costs far more than comparing two.
  const created = (record: BeadRecord): number => {
    if (record instanceof DormantBead) return record.createdMs;
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
    created: (a, b) => created(b) - created(a),
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
