import type { BeadRecord, BeadSketch, DependencyEdge } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { DormantBead } from "../domain/work-graph/index/dormant-bead.ts";
import { isBlocked, openBlockers } from "../domain/work-graph/index/readiness.ts";
import { deepFreeze, sameJson } from "../domain/work-graph/record/canonical.ts";
import { FirstFew } from "../domain/work-graph/queries/sort-beads.ts";
import { parentIdsOf } from "../domain/work-graph/record/edges.ts";
import { metadataOf } from "../domain/work-graph/record/facts.ts";
import { notWorkTypes } from "../domain/work-graph/record/bead-types.ts";
import { isSettled, tombstone } from "../domain/work-graph/record/statuses.ts";
import type { FirstSketches, GraphReader, SketchFilter } from "../ports/work-graph.ts";

export type ListFilter = NonNullable<Parameters<GraphReader["list"]>[0]>;
export type SketchOptions = NonNullable<Parameters<GraphReader["readySketches"]>[0]>;
export type ReadyOptions = NonNullable<Parameters<GraphReader["ready"]>[0]>;

/** Reads of a set of records. What is handed out is frozen on its way, so that loading need not freeze everything. */
export class IndexReader implements GraphReader {
  protected readonly index: GraphIndex;
  readonly #now: () => number;

  constructor(index: GraphIndex, now: () => number) {
    this.index = index;
    this.#now = now;
  }

  get(id: string): BeadRecord | undefined {
    return deepFreeze(this.index.record(id));
  }

  byKey(key: string): BeadRecord | undefined {
    if (key === "") return undefined;
    for (const id of this.index.idsByKey(key)) return this.get(id);
    return undefined;
  }

  get size(): number {
    return this.index.size;
  }

  list(filter: ListFilter = {}): readonly BeadRecord[] {
    const found: BeadRecord[] = [];
    for (const id of this.#candidates(filter)) {
      const record = this.index.record(id);
      if (record !== undefined && matches(record, filter)) found.push(deepFreeze(record));
    }
    return found;
  }

  sketches(filter: SketchFilter = {}): readonly BeadSketch[] {
    const found: BeadSketch[] = [];
    const fits = statusTest(filter);
    const narrow = this.#narrowest(filter);
    for (const bead of narrow === undefined ? this.index.beads(fits) : this.index.beadsOf(narrow))
      if (fits(bead.status) && matches(bead, filter)) found.push(deepFreeze(bead));
    return found;
  }

  firstSketches(
    filter: SketchFilter,
    want: FirstSketches,
  ): { readonly first: readonly BeadSketch[]; readonly total: number } {
    const first = new FirstFew(want.first, want.compare);
    const fits = statusTest(filter);
    let total = 0;
    const look = (bead: BeadRecord | DormantBead): void => {
      if (!matches(bead, filter) || !want.fits(bead)) return;
      total += 1;
      first.offer(bead, kept);
    };
    const narrow = this.#narrowest(filter);
    if (narrow === undefined) this.index.visitBeads(fits, look);
    else for (const bead of this.index.beadsOf(narrow)) if (fits(bead.status)) look(bead);
    return { first: first.items, total };
  }

  #candidates(filter: ListFilter): Iterable<string> {
    const narrow = this.#narrowest(filter);
    if (narrow !== undefined) return [...narrow].sort();
    if (filter.status === undefined && filter.excludeStatus === undefined) return this.index.sortedIds();
    // Closed beads are most of them, and asleep: they stay so.
    const found: string[] = [];
    this.index.visitBeads(statusTest(filter), ({ id }) => found.push(id));
    return found.sort();
  }

  /** The smallest set that an index knows; undefined when the filter names no indexed field. */
  #narrowest(filter: ListFilter): ReadonlySet<string> | undefined {
    let smallest: ReadonlySet<string> | undefined;
    const consider = (set: ReadonlySet<string>): void => {
      if (smallest === undefined || set.size < smallest.size) smallest = set;
    };
    if (filter.assignee !== undefined) consider(this.index.idsBy("assignee", filter.assignee));
    if (filter.label !== undefined) consider(this.index.idsBy("label", filter.label));
    if (filter.type?.length === 1) consider(this.index.idsBy("issue_type", filter.type[0] ?? ""));
    if (filter.status?.length === 1) consider(this.index.idsBy("status", filter.status[0] ?? ""));
    const key = filter.metadata?.["town.key"];
    if (typeof key === "string") consider(this.index.idsByKey(key));
    return this.#unsettled(filter.status, smallest) ?? smallest;
  }

  /** All with one of some statuses that end with the work: they are few however many were closed. Undefined: not fewer. */
  #unsettled(statuses: readonly string[] = [], than: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
    if (statuses.length < 2 || statuses.some((status) => isSettled(status, this.index.statuses))) return undefined;
    const sets = statuses.map((status) => this.index.idsBy("status", status));
    const most = sets.reduce((sum, { size }) => sum + size, 0);
    return than !== undefined && than.size <= most ? undefined : new Set(sets.flatMap((set) => [...set]));
  }

  ready(options: ReadyOptions = {}): readonly BeadRecord[] {
    this.index.advance(this.#now());
    const { limit = Number.POSITIVE_INFINITY, type, assignee } = options;
    const found: BeadRecord[] = [];
    if (limit <= 0) return found;
    this.index.visitReady(listFor(type), (record) => {
      const fits =
        (type === undefined || record.issue_type === type) &&
        (assignee === undefined || (record.assignee ?? "") === assignee);
      if (fits) found.push(deepFreeze(record));
      return found.length < limit;
    });
    return found;
  }

  readySketches({ type, limit = Number.POSITIVE_INFINITY }: SketchOptions = {}): readonly BeadSketch[] {
    this.index.advance(this.#now());
    const facts = this.index.readySketches(listFor(type), type === undefined ? limit : undefined);
    const fitting = type === undefined ? facts : facts.filter((one) => one.issue_type === type).slice(0, limit);
    return fitting.map(deepFreeze);
  }

  readyCount(): number {
    this.index.advance(this.#now());
    return this.index.readyCount();
  }

  isBlocked(id: string): boolean {
    const record = this.index.record(id);
    if (record === undefined || this.index.isSettled(record)) return false;
    return isBlocked(this.index, record, this.#now());
  }

  blockersOf(id: string): readonly BeadRecord[] {
    const record = this.index.record(id);
    if (record === undefined) return [];
    const found: BeadRecord[] = [];
    for (const blocker of openBlockers(this.index, record)) {
      const other = this.index.record(blocker) ?? this.index.foreign.lookup(blocker);
      if (typeof other === "object") found.push(deepFreeze(other));
    }
    return found;
  }

  childrenOf(id: string): readonly BeadRecord[] {
    const found: BeadRecord[] = [];
    for (const child of this.index.childIds(id)) {
      const record = this.index.record(child);
      if (record !== undefined) found.push(deepFreeze(record));
    }
    return found;
  }

  parentOf(id: string): BeadRecord | undefined {
    const parent = parentIdsOf(this.index.record(id))[0];
    if (parent === undefined) return undefined;
    const record = this.index.record(parent) ?? this.index.foreign.lookup(parent);
    return typeof record === "object" ? deepFreeze(record) : undefined;
  }

  dependentsOf(id: string): readonly DependencyEdge[] {
    return deepFreeze([...this.index.wholeEdgesTo(id)]);
  }

  revOf(id: string): number {
    return this.index.record(id) === undefined ? 0 : this.index.revOf(id);
  }
}

function listFor(type: string | undefined): "Work" | "Epic" | "Other" {
  if (type === "epic") return "Epic";
  return type !== undefined && notWorkTypes.has(type) ? "Other" : "Work";
}

function matches(record: BeadSketch & { readonly metadata?: BeadRecord["metadata"] }, filter: ListFilter): boolean {
  if (filter.status !== undefined && !filter.status.includes(record.status)) return false;
  if (filter.excludeStatus?.includes(record.status) === true) return false;
  if (filter.type !== undefined && !filter.type.includes(record.issue_type)) return false;
  if (filter.assignee !== undefined && (record.assignee ?? "") !== filter.assignee) return false;
  if (filter.label !== undefined && !(Array.isArray(record.labels) && record.labels.includes(filter.label)))
    return false;
  if (filter.metadata === undefined) return true;
  const metadata = metadataOf(record);
  return Object.entries(filter.metadata).every(([key, value]) => sameJson(metadata[key], value));
}

/** The statuses a filter lets through; tombstones never. */
function statusTest({ status: wanted, excludeStatus }: SketchFilter): (status: string) => boolean {
  return (status) =>
    status !== tombstone && wanted?.includes(status) !== false && excludeStatus?.includes(status) !== true;
}

/** A sketch of a walk over many, to be handed out. */
function kept(bead: BeadSketch): BeadSketch {
  return deepFreeze(bead instanceof DormantBead ? bead.copy() : bead);
}
