import type { GitGraph } from "./git-graph.ts";
import { refValue } from "./salvage.ts";
import { surveyCommit } from "./survey.ts";

export interface ObjectCheck {
  /** `kind id (path)` of what the branch needs and git does not have, or has damaged. */
  readonly lost: readonly string[];
  /** It is made again now. */
  readonly isHealed: boolean;
}

/**
 * Reads everything in the last commit of a store. A store that may be written is healed; for one that was opened for reading
 * a mark is left, so that whoever opens it next for writing looks, too.
 */
export async function checkObjects(graph: GitGraph, mark: () => Promise<void>): Promise<ObjectCheck> {
  const { tip, repository, branch } = graph;
  const lost: string[] = [];
  for (const commit of new Set([tip, await refValue(repository, branch)])) {
    if (commit === undefined) continue;
    for (const { kind, id, path } of (await surveyCommit(repository, commit)).lost)
      lost.push(path === "" ? `${kind} ${id}` : `${kind} ${id} (${path})`);
  }
  if (lost.length === 0) return { lost, isHealed: false };
  if (graph.canWrite) await graph.verify();
  else await mark();
  return { lost, isHealed: graph.canWrite };
}
