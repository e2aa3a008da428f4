import type { GitGraph } from "./git-graph.ts";
import { leftBehind } from "./left-behind.ts";
import { refValue } from "./salvage.ts";
import { surveyCommit } from "./survey.ts";

export interface ObjectCheck {
  /** `kind id (path)` of what the branch needs and git does not have, or has damaged. */
  readonly lost: readonly string[];
  /** It is made again now. */
  readonly isHealed: boolean;
  /** A line for each commit of the store that no ref leads to and that holds later beads. */
  readonly leftBehind: readonly string[];
}

/**
 * Reads everything in the last commit of a store. A store that may be written is healed; for one that was opened for reading
 * a mark is left, so that whoever opens it next for writing looks, too. Also looks for what no ref leads to any more.
 */
export async function checkObjects(graph: GitGraph, mark: () => Promise<void>): Promise<ObjectCheck> {
  const { tip, repository, branch } = graph;
  const lost: string[] = [];
  for (const commit of new Set([tip, await refValue(repository, branch)])) {
    if (commit === undefined) continue;
    for (const { kind, id, path } of (await surveyCommit(repository, commit)).lost)
      lost.push(path === "" ? `${kind} ${id}` : `${kind} ${id} (${path})`);
  }
  if (lost.length > 0 && graph.canWrite) await graph.verify();
  else if (lost.length > 0) await mark();
  const behind = (await leftBehind(graph)).map(
    ({ commit, timeMs, later }) =>
      `commit ${commit} of ${new Date(timeMs).toISOString()}: later there, or only there: ${named(later)}`,
  );
  return { lost, isHealed: lost.length > 0 && graph.canWrite, leftBehind: behind };
}

const maxNamed = 5;

function named(ids: readonly string[]): string {
  const more = ids.length > maxNamed ? ` and ${ids.length - maxNamed} more` : "";
  return `${ids.slice(0, maxNamed).join(", ")}${more}`;
}
