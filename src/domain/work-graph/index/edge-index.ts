import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { edgesOf, waitsForOf } from "../record/edges.ts";
import { isDeleted } from "../record/facts.ts";
import type { RecordLayers } from "./record-layers.ts";

const none: readonly DependencyEdge[] = [];
const nobody: readonly string[] = [];

/** So many records are searched for one by one before an index is made: a command asks for few. */
const fewSearches = 12;

/**
 * Edges by the record they point at, and waits-for edges by the record whose children they wait for. Those of rows are found
 * in their table; those of records that are awake are gathered when they are first asked for.
 */
export class EdgeIndex {
  readonly #byTarget = new Map<string, DependencyEdge[]>();
  readonly #waiters = new Map<string, string[]>();
  readonly #records: RecordLayers;
  #isBuilt = false;
  #searches = 0;

  constructor(records: RecordLayers) {
    this.#records = records;
  }

  #build(): void {
    if (this.#isBuilt) return;
    this.#isBuilt = true;
    for (const record of this.#records.awakeRecords()) if (!isDeleted(record)) this.#add(edgesOf(record));
  }

  to(id: string): readonly DependencyEdge[] {
    const sleeping = this.#sleepingTo(id);
    const awake = this.#awakeTo(id);
    return sleeping.length === 0 ? awake : awake.length === 0 ? sleeping : [...sleeping, ...awake];
  }

  #awakeTo(id: string): readonly DependencyEdge[] {
    if (this.#isBuilt || ++this.#searches > fewSearches) {
      this.#build();
      return this.#byTarget.get(id) ?? none;
    }
    const edges: DependencyEdge[] = [];
    for (const record of this.#records.awakeRecords())
      for (const edge of isDeleted(record) ? none : edgesOf(record)) if (edge.depends_on_id === id) edges.push(edge);
    return edges;
  }

  #sleepingTo(id: string): readonly DependencyEdge[] {
    const { table } = this.#records;
    const numbers = table?.edgesTo(id);
    if (table === undefined || numbers === undefined || numbers.length === 0) return none;
    const edges: DependencyEdge[] = [];
    for (const edge of numbers) if (this.#counts(edge)) edges.push(table.edge(edge));
    return edges;
  }

  /** Whether an edge of the table is one of a row that counts. A tombstone keeps none. */
  #counts(edge: number): boolean {
    return this.#records.isAsleep(this.#records.table?.columns.arrays.edgeRow[edge] ?? 0);
  }

  /** Records with a waits-for edge whose spawner is `id`. */
  waitersOn(id: string): readonly string[] {
    this.#build();
    const awake = this.#waiters.get(id) ?? nobody;
    const { table } = this.#records;
    const sleeping: string[] = [];
    for (const number of table?.waits() ?? []) {
      const edge = this.#counts(number) ? table?.edge(number) : undefined;
      if (edge !== undefined && waitsForOf(edge).spawnerId === id) sleeping.push(edge.issue_id);
    }
    return sleeping.length === 0 ? awake : [...sleeping, ...awake];
  }

  /** Ids that somebody points at and that are not here. */
  *missingTargets(): Iterable<string> {
    this.#build();
    const given = new Set<string>();
    for (const ids of [this.#byTarget.keys(), this.#records.missingTargets()]) {
      for (const id of ids) {
        if (given.has(id) || this.#records.has(id)) continue;
        given.add(id);
        yield id;
      }
    }
  }

  /** A record that slept is awake from now on. */
  wake(record: BeadRecord): void {
    if (this.#isBuilt && !isDeleted(record)) this.#add(edgesOf(record));
  }

  /** `before`: what was awake. */
  change(before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    if (!this.#isBuilt) return;
    const old = before === undefined || isDeleted(before) ? none : edgesOf(before);
    const current = after === undefined || isDeleted(after) ? none : edgesOf(after);
    if (old === current) return;
    for (const edge of old) {
      take(this.#byTarget, edge.depends_on_id, edge);
      if (edge.type === "waits-for") take(this.#waiters, waitsForOf(edge).spawnerId, edge.issue_id);
    }
    this.#add(current);
  }

  #add(edges: readonly DependencyEdge[]): void {
    for (const edge of edges) {
      give(this.#byTarget, edge.depends_on_id, edge);
      if (edge.type === "waits-for") give(this.#waiters, waitsForOf(edge).spawnerId, edge.issue_id);
    }
  }
}

function give<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

// From the end: what is taken out is mostly what came last, also under a target with thousands of edges.
function take<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  const at = list?.lastIndexOf(item) ?? -1;
  if (list === undefined || at < 0) return;
  if (list.length === 1) map.delete(key);
  else list.splice(at, 1);
}
