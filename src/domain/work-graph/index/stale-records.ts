import type { BeadRecord } from "../bead.ts";
import { isMerged } from "../record/facts.ts";
import { blockingTypes, edgesOf, parentChild } from "../record/edges.ts";
import type { EdgeIndex } from "./edge-index.ts";

/** What a change of a record can have touched besides the record itself. */
export interface Reach {
  /** Whether others still wait for it. */
  readonly settles: boolean;
  /** Whether it holds its descendants. */
  readonly holds: boolean;
}

/**
 * Records whose readiness must be looked at again. Marks are cheap; the records they reach (dependents, descendants) are
 * only followed when somebody asks.
 */
export class StaleRecords {
  readonly #edges: EdgeIndex;
  readonly #marks = new Map<string, Reach>();
  readonly #spawners = new Set<string>();
  #everything = false;

  constructor(edges: EdgeIndex) {
    this.#edges = edges;
  }

  mark(id: string, reach: Reach): void {
    const known = this.#marks.get(id);
    this.#marks.set(
      id,
      known === undefined ? reach : { settles: known.settles || reach.settles, holds: known.holds || reach.holds },
    );
  }

  /** Marks something outside of these records, if one of them refers to it: nobody may ask for years, and others change a lot. */
  markOutside(id: string): void {
    if (this.#marks.has(id) || this.#edges.to(id).length > 0) this.mark(id, { settles: true, holds: true });
  }

  /** Marks that wait to be followed. */
  get size(): number {
    return this.#marks.size + this.#spawners.size;
  }

  /** The children of `id` changed: who waits for them must be looked at. */
  markSpawner(id: string): void {
    this.#spawners.add(id);
  }

  markAll(): void {
    this.#everything = true;
  }

  /** The ids to look at again; the marks are gone afterwards. */
  take(): ReadonlySet<string> | "Everything" {
    const everything = this.#everything;
    const stale = everything ? undefined : this.#reached();
    this.#marks.clear();
    this.#spawners.clear();
    this.#everything = false;
    return stale ?? "Everything";
  }

  #reached(): ReadonlySet<string> {
    const stale = new Set<string>();
    for (const [id, reach] of this.#marks) {
      if (reach.holds) this.#addWithDescendants(id, stale);
      else stale.add(id);
      if (!reach.settles) continue;
      for (const edge of this.#edges.to(id)) {
        if (blockingTypes.has(edge.type)) this.#addWithDescendants(edge.issue_id, stale);
      }
    }
    for (const id of this.#spawners) {
      for (const waiter of this.#edges.waitersOn(id)) this.#addWithDescendants(waiter, stale);
    }
    return stale;
  }

  /** Everything below a record, and below those that wait for it. */
  reachOf(id: string): ReadonlySet<string> {
    const reached = new Set<string>();
    this.#addWithDescendants(id, reached);
    for (const edge of this.#edges.to(id))
      if (blockingTypes.has(edge.type)) this.#addWithDescendants(edge.issue_id, reached);
    return reached;
  }

  #addWithDescendants(root: string, stale: Set<string>): void {
    const seen = new Set([root]);
    const open = [root];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      stale.add(id);
      for (const edge of this.#edges.to(id)) {
        if (edge.type !== parentChild || seen.has(edge.issue_id)) continue;
        seen.add(edge.issue_id);
        open.push(edge.issue_id);
      }
    }
  }
}

/** Edges that mean the same to everybody. */
export function sameEdges(a: BeadRecord | undefined, b: BeadRecord | undefined): boolean {
  const [left, right] = [edgesOf(a), edgesOf(b)];
  if (left === right) return true;
  return (
    left.length === right.length &&
    left.every((edge, i) => {
      const other = right[i];
      const isSame = edge.depends_on_id === other?.depends_on_id && edge.type === other.type;
      return isSame && (edge.type !== "waits-for" || edge.metadata === other.metadata);
    })
  );
}

/** What others wait for is the same in both: records that are alike here are alike to every dependent. */
export function sameState(a: BeadRecord | undefined, b: BeadRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.status === b.status &&
    a.close_reason === b.close_reason &&
    (a.metadata === b.metadata || isMerged(a) === isMerged(b))
  );
}
