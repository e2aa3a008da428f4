import type { BeadRecord, BeadSketch, DependencyEdge } from "../bead.ts";
import { parentChild, parentIdsOf } from "../record/edges.ts";
import { isDeleted, keyOf } from "../record/facts.ts";
import type { StatusBook } from "../record/statuses.ts";
import { isSettled, standardStatuses, tombstone } from "../record/statuses.ts";
import type { BeadTable } from "./bead-table.ts";
import { timeText } from "./bead-table.ts";
import { Deferrals } from "./deferrals.ts";
import { DormantBead } from "./dormant-bead.ts";
import { EdgeIndex } from "./edge-index.ts";
import { FieldIndex } from "./field-index.ts";
import type { ForeignBeads } from "./foreign-beads.ts";
import { noForeignBeads } from "./foreign-beads.ts";
import type { LaidColumns, LaidRecords } from "./lay-columns.ts";
import { KeyIndex } from "./key-index.ts";
import { isReady } from "./readiness.ts";
import type { ReadyListName } from "./ready-lists.ts";
import { ReadyLists } from "./ready-lists.ts";
import { RecordLayers } from "./record-layers.ts";
import type { RecordSource } from "./record-source.ts";
import { RevCounters } from "./rev-counters.ts";
import { SortedIds } from "./sorted-ids.ts";
import { sameEdges, sameState, StaleRecords } from "./stale-records.ts";

export type IndexedField = "status" | "assignee" | "issue_type" | "label";

export interface GraphIndexOptions {
  readonly statuses?: StatusBook;
  readonly foreign?: ForeignBeads;
}

/**
 * All records of a store in memory, with what queries need kept up to date change by change. Deleted records (tombstones)
 * are stored but invisible. Readiness is evaluated when asked for, only for records that a change can have touched.
 *
 * Assumptions: records are never changed in place; `advance` is called with the time before time-dependent reads.
 */
export class GraphIndex implements RecordSource {
  #statuses: StatusBook;
  foreign: ForeignBeads;
  readonly #records = new RecordLayers();
  readonly #revs = new RevCounters((id) => this.#records.has(id));
  readonly #edges = new EdgeIndex(this.#records);
  readonly #keys = new KeyIndex();
  readonly #fields: Readonly<Record<IndexedField, FieldIndex>> = {
    status: new FieldIndex("status", (record) => [record.status]),
    assignee: new FieldIndex("assignee", (record) => [record.assignee ?? ""]),
    issue_type: new FieldIndex("issue_type", (record) => [record.issue_type]),
    label: new FieldIndex("labels", (record) => (Array.isArray(record.labels) ? record.labels : [])),
  };
  readonly #fieldIndexes = Object.values(this.#fields);
  readonly #stale: StaleRecords;
  readonly #ready = new ReadyLists(this, this.#records);
  readonly #deferred = new Deferrals();
  /** Parents that are not here: they may be in another store, where time alone can let their children go. */
  readonly #outsideParents = new Set<string>();
  #nowMs = 0;
  readonly #sortedIds = new SortedIds();
  #topLevel = 0;
  #deleted = 0;

  constructor(options: GraphIndexOptions = {}) {
    this.#statuses = options.statuses ?? standardStatuses;
    this.foreign = options.foreign ?? noForeignBeads;
    this.#stale = new StaleRecords(this.#edges);
  }

  get statuses(): StatusBook {
    return this.#statuses;
  }

  /** What statuses mean changes: everything is looked at again. */
  useStatuses(statuses: StatusBook): void {
    this.#statuses = statuses;
    this.#stale.markAll();
  }

  /** Records that are not deleted. */
  get size(): number {
    return this.#records.size - this.#deleted;
  }

  /** Records without a parent in their id, deleted ones included: what new ids must differ from. */
  get topLevelCount(): number {
    return this.#topLevel;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  record(id: string): BeadRecord | undefined {
    const record = this.#at(id);
    return record === undefined || isDeleted(record) ? undefined : record;
  }

  facts(id: string): BeadRecord | undefined {
    const found = this.#records.get(id);
    const facts = found instanceof DormantBead ? found.facts : found;
    return facts === undefined || isDeleted(facts) ? undefined : facts;
  }

  statusOf(id: string): string | undefined {
    const status = this.#records.get(id)?.status;
    return status === tombstone ? undefined : status;
  }

  /** The record, also when it is a tombstone. */
  stored(id: string): BeadRecord | undefined {
    return this.#at(id);
  }

  #at(id: string): BeadRecord | undefined {
    const found = this.#records.get(id);
    return found instanceof DormantBead ? this.#wake(found) : found;
  }

  #wake(dormant: DormantBead): BeadRecord {
    const record = dormant.wake();
    this.#records.wake(dormant, record);
    this.#edges.wake(record);
    return record;
  }

  revOf(id: string): number {
    return this.#revs.of(id);
  }

  /** Makes the rev of a record at least `rev`, whether the record is here already or not. */
  raiseRev(id: string, rev: number): void {
    this.#revs.raise(id, rev);
  }

  /** Raises many revs when the first is asked for. */
  raiseRevsLater(read: () => ReadonlyMap<string, number>): void {
    this.#revs.raiseLater(read);
  }

  edgesTo(id: string): readonly DependencyEdge[] {
    return this.#edges.to(id);
  }

  /** As `edgesTo`, with all that their records say of them. */
  wholeEdgesTo(id: string): readonly DependencyEdge[] {
    for (const edge of this.#edges.to(id)) this.#at(edge.issue_id);
    return this.#edges.to(id);
  }

  /** Everything, tombstones included, in no particular order. */
  *all(): IterableIterator<BeadRecord> {
    for (const found of this.#records.values()) yield found instanceof DormantBead ? this.#wake(found) : found;
  }

  /** Everything with a status that fits, tombstones included, without reading what sleeps. */
  beads(fits?: (status: string) => boolean): IterableIterator<BeadRecord | DormantBead> {
    return this.#records.values(fits);
  }

  /** As `beads`; what `look` is given is good only until the next, and a dormant one is copied to be kept. */
  visitBeads(fits: (status: string) => boolean, look: (bead: BeadRecord | DormantBead) => void): void {
    this.#records.visit(fits, look);
  }

  /** Some of them. */
  beadsOf(ids: Iterable<string>): readonly (BeadRecord | DormantBead)[] {
    return [...ids].map((id) => this.#records.get(id)).filter((found) => found !== undefined);
  }

  /** Records that never reach the branch. They are always awake. */
  *wisps(): Iterable<BeadRecord> {
    for (const record of this.#records.changedRecords()) if (record.ephemeral === true) yield record;
  }

  /** What is to be put away: rows of the table that still count, and records that are in none. */
  captured(): {
    readonly table: BeadTable | undefined;
    readonly rows: Uint32Array;
    readonly records: readonly BeadRecord[];
  } {
    const { table } = this.#records;
    const records = [...this.#records.changedRecords()].filter(({ ephemeral }) => ephemeral !== true);
    return { table, rows: this.#records.rows(), records };
  }

  /** What was captured lies in a new table now. */
  moveTo(table: BeadTable, laid: LaidRecords, places: LaidColumns): void {
    this.#records.moveTo(table, laid, places);
  }

  /**
   * Lets go of the records that are settled and lie in the table: they are read again when somebody asks for them. So a store
   * that has run for weeks holds no more than one that was just opened.
   */
  rest(): void {
    const sleeping = this.#records.sleep(({ status }) => isSettled(status, this.#statuses));
    for (const record of sleeping) this.#edges.change(record, undefined);
  }

  /** Revs of records that were changed since the store was made. */
  get revs(): ReadonlyMap<string, number> {
    return this.#revs.all;
  }

  /** Adds or replaces a record, or removes it without a trace when `after` is undefined; returns what was there. */
  put(id: string, after: BeadRecord | undefined, rev?: number): BeadRecord | undefined {
    const before = this.#at(id);
    if (after === undefined) this.#records.delete(id);
    else this.#records.set(id, after);
    if (after === undefined && rev === undefined) this.#revs.forget(id);
    else this.#revs.set(id, rev ?? this.revOf(id));
    this.#count(id, before, after);
    this.#edges.change(before, after);
    this.#keys.change(before, after);
    for (const index of this.#fieldIndexes) index.change(before, after);
    this.#deferred.track(id, after?.defer_until, this.#nowMs);
    this.#trackParents(after);
    this.#markStale(id, before, after);
    return before;
  }

  /** As `put`, also where the record that was there cannot be read. */
  putInstead(record: BeadRecord, rev?: number): void {
    const found = this.#records.get(record.id);
    if (found instanceof DormantBead) {
      const { facts } = found;
      this.#records.wake(found, facts);
      this.#edges.wake(facts);
    }
    this.put(record.id, record, rev);
  }

  /** Takes in many records at once; much cheaper than `put` for each. `revs` holds those above 1. */
  load(records: Iterable<BeadRecord>, revs?: ReadonlyMap<string, number>): void {
    for (const record of records) {
      const found = this.#records.get(record.id);
      const before = found instanceof DormantBead ? undefined : found;
      if (found instanceof DormantBead) this.#forget(found);
      this.#records.set(record.id, record);
      this.#count(record.id, before, record);
      this.#edges.change(before, record);
      this.#keys.change(before, record);
      this.#deferred.track(record.id, record.defer_until, this.#nowMs);
      this.#trackParents(record);
      for (const index of this.#fieldIndexes) index.change(before, record);
    }
    for (const [id, rev] of revs ?? []) this.#revs.set(id, rev);
    this.#sortedIds.forget();
    this.#stale.markAll();
  }

  /** Another record takes the place of one that nobody has read. */
  #forget({ id, status }: DormantBead): void {
    if (!id.includes(".")) this.#topLevel--;
    if (status === tombstone) this.#deleted--;
  }

  /**
   * Takes in records that are read when somebody asks for them, before any other record. `without`: ids among them that are
   * no more.
   */
  loadTable(table: BeadTable, without: Iterable<string> = []): void {
    this.#records.lay(table);
    this.#topLevel += table.columns.topLevel;
    this.#deleted += table.columns.deleted;
    for (const [row, until] of table.deferrals()) this.#deferred.track(table.id(row), timeText(until), this.#nowMs);
    table.columns.list("outside").forEach((id, i) => {
      const edges = table.edgesToRow(table.rows + i);
      if (edges.some((edge) => table.edge(edge).type === parentChild)) this.#outsideParents.add(id);
    });
    for (const id of without) {
      const found = this.#records.get(id);
      if (found instanceof DormantBead) this.#forget(found);
      this.#records.delete(id);
    }
    this.#sortedIds.forget();
    this.#stale.markAll();
  }

  #count(id: string, before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    const step = (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (step !== 0 && !id.includes(".")) this.#topLevel += step;
    this.#deleted +=
      (after !== undefined && isDeleted(after) ? 1 : 0) - (before !== undefined && isDeleted(before) ? 1 : 0);
    if (step > 0) this.#sortedIds.add(id);
    else if (step < 0) this.#sortedIds.remove(id);
  }

  #trackParents(after: BeadRecord | undefined): void {
    if (after?.dependencies === undefined) return;
    for (const parent of parentIdsOf(after)) if (!this.#records.has(parent)) this.#outsideParents.add(parent);
  }

  #markStale(id: string, before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    const settles = !sameState(before, after);
    const moved = !sameEdges(before, after);
    this.#stale.mark(id, { settles, holds: settles || moved || before?.defer_until !== after?.defer_until });
    if (!settles && !moved) return;
    for (const parent of parentIdsOf(before)) this.#stale.markSpawner(parent);
    for (const parent of parentIdsOf(after)) this.#stale.markSpawner(parent);
  }

  /** Something outside of this store changed that records here refer to by these ids. */
  foreignChanged(ids: Iterable<string>): void {
    for (const id of ids) this.#stale.markOutside(id);
  }

  /** Ids that records here point at and that are not here. */
  *missingTargets(): Iterable<string> {
    yield* this.#edges.missingTargets();
  }

  /** Ids of records here whose state a change of `id` can have altered for others: its descendants and dependents. */
  reachOf(id: string): ReadonlySet<string> {
    return this.#stale.reachOf(id);
  }

  /** Sets the time of all later reads, ms. Going back is allowed. */
  advance(nowMs: number): void {
    const last = this.#nowMs;
    this.#nowMs = nowMs;
    if (nowMs !== last && this.#outsideParents.size > 0) this.#lookOutside();
    for (const id of this.#deferred.between(last, nowMs)) this.#stale.mark(id, { settles: false, holds: true });
  }

  #lookOutside(): void {
    for (const id of this.#outsideParents) {
      if (this.#records.has(id)) this.#outsideParents.delete(id);
      else if (this.foreign.lookup(id) !== undefined) this.#stale.mark(id, { settles: false, holds: true });
    }
  }

  /** Calls `visit` for what is ready now in a list, most urgent first, older first among equals, until it says false. */
  visitReady(list: ReadyListName, visit: (record: BeadRecord) => boolean): void {
    this.#readyNow.list(list).visit((id) => this.record(id), visit);
  }

  /** The same as far as indexes know it, without reading anything. */
  readySketches(list: ReadyListName = "Work", limit = Number.POSITIVE_INFINITY): readonly BeadSketch[] {
    return this.#readyNow.list(list).sketches(limit);
  }

  readyCount(list: ReadyListName = "Work"): number {
    return this.#readyNow.list(list).size;
  }

  isReady(id: string): boolean {
    const record = this.record(id);
    return record !== undefined && isReady(this, record, this.#nowMs);
  }

  /** The lists as they are now. */
  get #readyNow(): ReadyLists {
    this.#ready.update(this.#stale.take());
    return this.#ready;
  }

  /** Ids by the value of a field; deleted records apart. `""` for assignee means none. */
  idsBy(field: IndexedField, value: string): ReadonlySet<string> {
    return this.#fields[field].ids(value, (wanted) => this.#idsWith(field, wanted));
  }

  *#idsWith(field: IndexedField, value: string): Iterable<string> {
    const index = this.#fields[field];
    for (const record of this.#records.awakeRecords()) if (index.has(record, value)) yield record.id;
    const { table } = this.#records;
    if (table === undefined) return;
    for (const row of table.rowsWith(field, value))
      if (this.#records.isAsleep(row) && table.status(row) !== tombstone) yield table.id(row);
  }

  /** Ids by the key of their creator; deleted records apart. */
  idsByKey(key: string): ReadonlySet<string> {
    if (!this.#keys.isBuilt) this.#keys.build(this.#allKeys());
    return this.#keys.ids(key);
  }

  *#allKeys(): Iterable<readonly [string, string]> {
    for (const record of this.#records.awakeRecords()) {
      const key = keyOf(record);
      if (key !== undefined && record.status !== tombstone) yield [record.id, key];
    }
    const { table } = this.#records;
    for (const [row, key] of table?.keys() ?? []) if (this.#records.isAsleep(row)) yield [table?.id(row) ?? "", key];
  }

  /** All ids in code-unit order, tombstones included. */
  sortedIds(): readonly string[] {
    return this.#sortedIds.list(() => this.#records.ids());
  }

  isSettled(record: BeadRecord): boolean {
    return isSettled(record.status, this.statuses);
  }

  childIds(id: string): readonly string[] {
    const ids: string[] = [];
    for (const edge of this.#edges.to(id)) if (edge.type === parentChild) ids.push(edge.issue_id);
    return ids;
  }
}
