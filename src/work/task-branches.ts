import { META } from "../domain/work-graph/bead.ts";
import type { Repository } from "../ports/git.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { TASK_BRANCHES } from "./agent-record.ts";
import { pinRef } from "./sandbox-fact.ts";
import { MERGE } from "./submission.ts";

/** A task branch whose bead is merged and on which no worktree stands. */
export interface EndedBranch {
  readonly ref: string;
  readonly head: string;
  readonly bead: string;
}

/**
 * Task branches of a rig that nobody needs any more: every branch of a merged bead, also of attempts that other agents
 * made before. A bead that was closed without a merge keeps its branches, since they may be all there is of it.
 */
export async function endedBranches(
  repository: Repository,
  graph: GraphReader,
  namespace: string,
): Promise<readonly EndedBranch[]> {
  const prefix = `${TASK_BRANCHES}${namespace}/`;
  const ended = [...(await repository.listRefs(prefix))].flatMap(([ref, head]) => {
    const [, ...id] = ref.slice(prefix.length).split("/");
    const bead = id.join("/");
    return isMerged(graph, bead) ? [{ ref, head, bead }] : [];
  });
  if (ended.length === 0) return [];
  const standing = new Set((await repository.worktrees()).map(({ branch }) => branch));
  return ended.filter(({ ref }) => !standing.has(ref));
}

/** Deletes it; its head stays pinned. A branch that moved meanwhile stays. */
export async function removeEndedBranch(repository: Repository, { ref, head, bead }: EndedBranch): Promise<void> {
  const updates = [
    { ref: pinRef(bead, head), to: head },
    { ref, to: null, from: head },
  ];
  await repository.updateRefs(updates, "town: merged");
}

/** Deletes the branches of merged beads; for who just merged one or took the last worktree from one. */
export async function removeEndedBranches(
  repository: Repository,
  graph: GraphReader,
  namespace: string,
): Promise<void> {
  for (const branch of await endedBranches(repository, graph, namespace)) await removeEndedBranch(repository, branch);
}

export function isMerged(graph: GraphReader, id: string): boolean {
  const bead = graph.get(id);
  if (bead?.status !== "closed") return false;
  const request = bead.metadata?.[META.mergeRequest];
  return typeof request === "string" && graph.get(request)?.metadata?.[MERGE.state] === "Merged";
}
