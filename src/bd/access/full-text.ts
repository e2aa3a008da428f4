import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { BdContext } from "../context.ts";
import { flag } from "../grammar/flag.ts";

/** Flag of commands that show texts. */
export const fullFlag = flag("full", "the texts that digests of old beads stand for");

interface StoredBead {
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
}

/** Beads with the texts that their digests stand for, in the given order, and a note where those are not to be had. */
export async function inFull<T extends StoredBead>(
  beads: readonly T[],
  { tools }: Pick<BdContext, "tools">,
): Promise<{ readonly beads: readonly T[]; readonly notes: readonly string[] }> {
  const texts = new Map<WorkGraph, Map<string, BeadRecord>>();
  const notes: string[] = [];
  for (const graph of new Set(beads.map((bead) => bead.graph))) {
    const own = beads.filter((bead) => bead.graph === graph).map(({ record }) => record);
    const { records, missing } = await tools.fullTexts(graph, own);
    texts.set(graph, new Map(records.map((record) => [record.id, record])));
    if (missing.length > 0) notes.push(missingNote(missing));
  }
  return {
    beads: beads.map((bead) => ({ ...bead, record: texts.get(bead.graph)?.get(bead.record.id) ?? bead.record })),
    notes,
  };
}

function missingNote(ids: readonly string[]): string {
  const few = ids.length > 5 ? `${ids.slice(0, 5).join(", ")}, …` : ids.join(", ");
  return `Note: the full texts of ${few} are not in this repository; a shallow clone gets them with: git fetch --unshallow`;
}
