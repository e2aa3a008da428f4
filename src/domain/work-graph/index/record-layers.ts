import type { BeadRecord } from "../bead.ts";
import type { BeadTable } from "./bead-table.ts";
import { DormantBead } from "./dormant-bead.ts";
import type { LaidColumns, LaidRecords } from "./lay-columns.ts";

/** Of a row: it counts; it counts, and its record was read; another record, or none, took its place. */
const state = { asleep: 0, woken: 1, past: 2 } as const;

/** Records by id: those that were read or changed in memory, over a table of those that nobody has asked for. */
export class RecordLayers {
  /** Read, and as their rows say. */
  readonly #woken = new Map<string, BeadRecord>();
  /** In no row, or another than their row says. */
  readonly #changed = new Map<string, BeadRecord>();
  /** Ids of rows whose record is gone without a trace. */
  readonly #gone = new Set<string>();
  #table: BeadTable | undefined;
  #states = new Uint8Array();
  #asleep = 0;

  /** Puts a table under what is there already. */
  lay(table: BeadTable): void {
    this.#table = table;
    this.#states = new Uint8Array(table.rows);
    this.#asleep = table.rows;
    for (const id of this.#changed.keys()) this.#leaveRow(id);
  }

  get table(): BeadTable | undefined {
    return this.#table;
  }

  get size(): number {
    return this.#changed.size + this.#woken.size + this.#asleep;
  }

  isAsleep(row: number): boolean {
    return this.#states[row] === state.asleep;
  }

  get(id: string): BeadRecord | DormantBead | undefined {
    const awake = this.#changed.get(id) ?? this.#woken.get(id);
    if (awake !== undefined || this.#table === undefined) return awake;
    const row = this.#table.find(id);
    return this.#states[row] === state.asleep ? new DormantBead(this.#table, row) : undefined;
  }

  has(id: string): boolean {
    return this.#changed.has(id) || this.#woken.has(id) || this.#states[this.#table?.find(id) ?? -1] === state.asleep;
  }

  /** The record of a row was read. */
  wake({ row }: DormantBead, record: BeadRecord): void {
    if (!this.isAsleep(row)) return;
    this.#states[row] = state.woken;
    this.#asleep--;
    this.#woken.set(record.id, record);
  }

  set(id: string, record: BeadRecord): void {
    if (!this.#changed.has(id)) this.#leaveRow(id);
    this.#changed.set(id, record);
    this.#gone.delete(id);
  }

  delete(id: string): void {
    this.#leaveRow(id);
    this.#changed.delete(id);
    if ((this.#table?.find(id) ?? -1) >= 0) this.#gone.add(id);
  }

  #leaveRow(id: string): void {
    this.#woken.delete(id);
    const row = this.#table?.find(id) ?? -1;
    if (row < 0) return;
    if (this.isAsleep(row)) this.#asleep--;
    this.#states[row] = state.past;
  }

  *awakeRecords(): IterableIterator<BeadRecord> {
    yield* this.#woken.values();
    yield* this.#changed.values();
  }

  /** Those that are in no row. */
  changedRecords(): IterableIterator<BeadRecord> {
    return this.#changed.values();
  }

  /** Those with a status that fits. */
  *values(fits: (status: string) => boolean = () => true): IterableIterator<BeadRecord | DormantBead> {
    // Reading one wakes it; what was awake to begin with is given first.
    const asleep = this.#rowsIn((found) => found === state.asleep);
    const awake = [...this.awakeRecords()];
    for (const record of awake) if (fits(record.status)) yield record;
    const table = this.#table;
    if (table === undefined) return;
    const codes = table.columns.list("status").map(fits);
    const { status } = table.columns.arrays;
    for (const row of asleep) if (codes[status[row] ?? 0] === true) yield new DormantBead(table, row);
  }

  /** As `values`, with one object for all that is asleep, good only until the next: `copy` gives one to keep. */
  visit(fits: (status: string) => boolean, look: (bead: BeadRecord | DormantBead) => void): void {
    const asleep = this.#rowsIn((found) => found === state.asleep);
    const awake = [...this.awakeRecords()];
    for (const record of awake) if (fits(record.status)) look(record);
    const table = this.#table;
    if (table === undefined) return;
    const codes = table.columns.list("status").map(fits);
    const { status } = table.columns.arrays;
    const bead = new DormantBead(table, 0);
    for (let i = 0; i < asleep.length; i++) {
      bead.row = asleep[i] ?? 0;
      if (codes[status[bead.row] ?? 0] === true) look(bead);
    }
  }

  *ids(): IterableIterator<string> {
    for (const record of this.awakeRecords()) yield record.id;
    for (const row of this.#rowsIn((found) => found === state.asleep)) yield this.#table?.id(row) ?? "";
  }

  /** Rows that count, in order. */
  rows(): Uint32Array {
    return this.#rowsIn((found) => found !== state.past);
  }

  #rowsIn(fits: (found: number) => boolean): Uint32Array {
    const rows = new Uint32Array(this.#states.length);
    let count = 0;
    for (let row = 0; row < rows.length; row++) if (fits(this.#states[row] ?? state.past)) rows[count++] = row;
    return rows.subarray(0, count);
  }

  /** The same records over a table of `laid`, which was taken from here before; what changed since stays changed. */
  moveTo(table: BeadTable, laid: LaidRecords, { moved, recordRows }: Pick<LaidColumns, "moved" | "recordRows">): void {
    const states = new Uint8Array(table.rows).fill(state.past);
    for (const row of laid.rows) states[(moved[row] ?? 0) - 1] = this.#states[row] ?? state.past;
    for (const [record] of laid.records) {
      const row = recordRows.get(record.id) ?? 0;
      if (this.#changed.get(record.id) === record) {
        this.#changed.delete(record.id);
        this.#woken.set(record.id, record);
        states[row] = state.woken;
      } else if (!this.#changed.has(record.id)) this.#gone.add(record.id);
    }
    this.#table = table;
    this.#states = states;
  }

  /** Forgets what was read of rows whose record fits; returns these. */
  sleep(fits: (record: BeadRecord) => boolean): readonly BeadRecord[] {
    const sleeping = [...this.#woken.values()].filter(fits);
    for (const { id } of sleeping) {
      this.#woken.delete(id);
      this.#states[this.#table?.find(id) ?? -1] = state.asleep;
    }
    this.#asleep += sleeping.length;
    return sleeping;
  }

  /** Ids that edges of rows point at and that are here no more, or never were. */
  *missingTargets(): Iterable<string> {
    const table = this.#table;
    if (table === undefined) return;
    for (const id of [...table.columns.list("outside"), ...this.#gone])
      if (!this.has(id) && table.edgesTo(id).some((edge) => this.isAsleep(table.columns.arrays.edgeRow[edge] ?? 0)))
        yield id;
  }
}
