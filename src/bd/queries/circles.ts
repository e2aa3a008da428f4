import type { BeadRecord, DependencyEdge } from "../../domain/work-graph/bead.ts";
import { findCycles } from "../../domain/work-graph/index/cycles.ts";
import { noForeignBeads } from "../../domain/work-graph/index/foreign-beads.ts";
import { standardStatuses } from "../../domain/work-graph/record/statuses.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

/** Groups of beads of a store that wait for each other in a circle. */
export function findCircles(graph: GraphReader): readonly (readonly string[])[] {
  const source = {
    statuses: standardStatuses,
    foreign: noForeignBeads,
    record: (id: string): BeadRecord | undefined => graph.get(id),
    edgesTo: (id: string): readonly DependencyEdge[] => graph.dependentsOf(id),
  };
  return findCycles(source, graph.list());
}
