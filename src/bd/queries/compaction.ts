import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { bodySize } from "../../domain/work-graph/compaction/digest.ts";
import type { CompactionRule } from "../../domain/work-graph/compaction/mechanical-digest.ts";
import { mayCompact } from "../../domain/work-graph/compaction/mechanical-digest.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

/** Beads that may be compacted, those with the most text first. */
export function compactable(graph: GraphReader, rule: CompactionRule): readonly BeadRecord[] {
  return graph
    .list({ status: ["closed"] })
    .filter((record) => mayCompact(record, graph.childrenOf(record.id), rule))
    .toSorted((a, b) => bodySize(b) - bodySize(a));
}
