import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { edgesOf, waitsForOf } from "../record/edges.ts";
import { isDeleted } from "../record/facts.ts";
import { tombstone } from "../record/statuses.ts";
import { DormantBead } from "./dormant-bead.ts";

const none: readonly DependencyEdge[] = [];
const nobody: readonly string[] = [];

/** Where edges come from as long as there is no index of them. */
export interface EdgeSource {
  /** The edges of each record that is not deleted. */
  all(): Iterable<readonly DependencyEdge[]>;
  /** All edges that point at a record, searched for. */
  to(id: string): readonly DependencyEdge[];
}

/** The edges of records as they are at the time; what sleeps is not read. */
export function edgesAmong(beads: () => Iterable<BeadRecord | DormantBead>): EdgeSource {
  function* all(): Iterable<readonly DependencyEdge[]> {
    for (const bead of beads())
      if (bead.status !== tombstone) yield bead instanceof DormantBead ? bead.edges : edgesOf(bead);
  }
  const to = (id: string): readonly DependencyEdge[] => {
    const edges: DependencyEdge[] = [];
    for (const bead of beads()) {
      if (bead.status === tombstone || (bead instanceof DormantBead && !bead.pointsAt(id))) continue;
      for (const edge of bead instanceof DormantBead ? bead.edges : edgesOf(bead))
        if (edge.depends_on_id === id) edges.push(edge);
    }
    return edges;
  };
  return { all, to };
}

/** So many records are searched for one by one before an index is made: a command asks for few. */
const fewSearches = 12;

/**
 * Edges by the record they point at, and waits-for edges by the record whose children they wait for. Built when first asked
 * for: a command that only looks at single beads does without.
 */
export class EdgeIndex {
  readonly #byTarget = new Map<string, DependencyEdge[]>();
  readonly #waiters = new Map<string, string[]>();
  readonly #source: EdgeSource;
  #isBuilt = false;
  #searches = 0;

  constructor(source: EdgeSource) {
    this.#source = source;
  }

  #build(): void {
    if (this.#isBuilt) return;
    this.#isBuilt = true;
    for (const edges of this.#source.all()) this.#add(edges);
  }

  to(id: string): readonly DependencyEdge[] {
    if (!this.#isBuilt && ++this.#searches <= fewSearches) return this.#source.to(id);
    this.#build();
    return this.#byTarget.get(id) ?? none;
  }

  /** Records with a waits-for edge whose spawner is `id`. */
  waitersOn(id: string): readonly string[] {
    this.#build();
    return this.#waiters.get(id) ?? nobody;
  }

  /** Targets that somebody points at, whether they exist or not. */
  targets(): Iterable<string> {
    this.#build();
    return this.#byTarget.keys();
  }

  /** The same edges as other objects, at the same places. */
  swap(before: readonly DependencyEdge[], after: readonly DependencyEdge[]): void {
    if (!this.#isBuilt) return;
    before.forEach((old, i) => {
      const list = this.#byTarget.get(old.depends_on_id);
      const at = list?.indexOf(old) ?? -1;
      const edge = after[i];
      if (list !== undefined && at >= 0 && edge !== undefined) list[at] = edge;
    });
  }

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
