import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { edgesOf, waitsForOf } from "../record/edges.ts";
import { isDeleted } from "../record/facts.ts";

const none: readonly DependencyEdge[] = [];
const nobody: readonly string[] = [];

/**
 * Edges by the record they point at, and waits-for edges by the record whose children they wait for. Built when first asked
 * for: a command that only looks at single beads does without.
 */
export class EdgeIndex {
  readonly #byTarget = new Map<string, DependencyEdge[]>();
  readonly #waiters = new Map<string, string[]>();
  readonly #records: () => Iterable<BeadRecord>;
  #isBuilt = false;

  /** `records`: all there are, deleted ones too, as far as indexes need them. */
  constructor(records: () => Iterable<BeadRecord>) {
    this.#records = records;
  }

  #build(): void {
    if (this.#isBuilt) return;
    this.#isBuilt = true;
    for (const record of this.#records()) this.change(undefined, record);
  }

  to(id: string): readonly DependencyEdge[] {
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
    for (const edge of current) {
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
