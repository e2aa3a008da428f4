import type { BeadRecord } from "../bead.ts";
import type { BeadTable } from "./bead-table.ts";
import { DormantBead } from "./dormant-bead.ts";

export const priorityBuckets = 5;

export function bucketOf(priority: number): number {
  return Math.min(priorityBuckets - 1, Math.max(0, Math.trunc(priority)));
}

/** Rows of a table that are ready, by priority; in order as they are added, which must be the order of the table. */
export class ReadyRows {
  readonly table: BeadTable;
  readonly #rows: readonly number[][] = Array.from({ length: priorityBuckets }, () => []);
  /** What was read of them, at the same places. */
  readonly #records: readonly (BeadRecord | undefined)[][] = Array.from({ length: priorityBuckets }, () => []);
  readonly #isIn: Uint8Array;
  #size = 0;

  constructor(table: BeadTable) {
    this.table = table;
    this.#isIn = new Uint8Array(table.rows);
  }

  get size(): number {
    return this.#size;
  }

  add(row: number): void {
    this.#rows[bucketOf(this.table.priority(row))]?.push(row);
    this.#isIn[row] = 1;
    this.#size++;
  }

  has(id: string): boolean {
    return this.#size > 0 && this.#isIn[this.table.find(id)] === 1;
  }

  remove(id: string): void {
    const row = this.#size > 0 ? this.table.find(id) : -1;
    if (this.#isIn[row] !== 1) return;
    this.#isIn[row] = 0;
    this.#size--;
  }

  /** Place of the first row from a place on that is still in; undefined: there is none. */
  next(bucket: number, from: number): number | undefined {
    const rows = this.#rows[bucket] ?? [];
    for (let at = from; at < rows.length; at++) if (this.#isIn[rows[at] ?? 0] === 1) return at;
    return undefined;
  }

  row(bucket: number, at: number): number {
    return this.#rows[bucket]?.[at] ?? 0;
  }

  /** The record at a place, read at most once. */
  record(bucket: number, at: number, wake: (id: string) => BeadRecord | undefined): BeadRecord | undefined {
    const records = this.#records[bucket] ?? [];
    return (records[at] ??= wake(this.table.id(this.row(bucket, at))));
  }

  sketch(bucket: number, at: number): DormantBead {
    return new DormantBead(this.table, this.row(bucket, at));
  }
}
