import type { BeadRecord, DependencyEdge } from "../bead.ts";
import type { ForeignBeads } from "../index/foreign-beads.ts";
import { noForeignBeads } from "../index/foreign-beads.ts";
import type { RecordSource } from "../index/record-source.ts";
import type { StatusBook } from "../record/statuses.ts";
import { standardStatuses } from "../record/statuses.ts";

/** The reads that queries are made of; every GraphReader is one (a store, a transaction, a state of the past). */
export interface GraphView {
  get(id: string): BeadRecord | undefined;
  list(filter?: {
    readonly status?: readonly string[];
    readonly excludeStatus?: readonly string[];
    readonly type?: readonly string[];
    readonly assignee?: string;
    readonly label?: string;
  }): readonly BeadRecord[];
  /** Ready work, most urgent first: a pure function of the records and the time. */
  ready(options?: {
    readonly limit?: number;
    readonly assignee?: string;
    readonly type?: string;
  }): readonly BeadRecord[];
  isBlocked(id: string): boolean;
  /** Open direct blockers of a record. */
  blockersOf(id: string): readonly BeadRecord[];
  childrenOf(id: string): readonly BeadRecord[];
  parentOf(id: string): BeadRecord | undefined;
  /** Edges that point at this record. */
  dependentsOf(id: string): readonly DependencyEdge[];
}

/** A view as the source that cycle checks and readiness rules read. */
export function sourceOf(
  view: GraphView,
  options: { readonly statuses?: StatusBook; readonly foreign?: ForeignBeads } = {},
): RecordSource {
  return {
    statuses: options.statuses ?? standardStatuses,
    foreign: options.foreign ?? noForeignBeads,
    facts: (id) => view.get(id),
    statusOf: (id) => view.get(id)?.status,
    edgesTo: (id) => view.dependentsOf(id),
  };
}

/** Everything below a bead by parent-child, nearest first, each once; the bead itself is not in it. */
export function descendantsOf(view: GraphView, id: string): readonly BeadRecord[] {
  const found = new Map<string, BeadRecord>();
  let level = view.childrenOf(id);
  while (level.length > 0) {
    const next: BeadRecord[] = [];
    for (const child of level) {
      if (child.id === id || found.has(child.id)) continue;
      found.set(child.id, child);
      for (const below of view.childrenOf(child.id)) next.push(below);
    }
    level = next;
  }
  return [...found.values()];
}
