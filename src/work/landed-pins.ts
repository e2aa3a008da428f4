import type { Repository } from "../ports/git.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { PINNED_HEADS } from "./sandbox-fact.ts";
import { isMerged } from "./task-branches.ts";

/** A ref that kept a head of a bead's work. */
export interface LandedPin {
  readonly ref: string;
  readonly commit: string;
}

const DAY_MS = 24 * 3_600_000;
/** What the target contains is kept by it; a target that is moved back by mistake is noticed within a day. */
const CONTAINED_MS = DAY_MS;
/** What was squashed, rebased or redone before its bead was merged is in the target by its content alone. */
const MERGED_MS = 30 * DAY_MS;

/**
 * Pins of a rig's closed beads that keep nothing that would be missed: a day after, those that `target` contains; 30 days
 * after, all of a merged bead. Those of a bead that ended without a merge stay for ever, unless the target has them.
 */
export async function landedPins(
  repository: Repository,
  graph: GraphReader,
  { target, now }: { readonly target: string | undefined; readonly now: number },
): Promise<readonly LandedPin[]> {
  const closed = [...(await repository.listRefs(PINNED_HEADS))].flatMap(([ref, commit]) => {
    const id = ref.slice(PINNED_HEADS.length, ref.lastIndexOf("/"));
    const bead = graph.get(id);
    if (bead?.status !== "closed" || bead.closed_at === undefined) return [];
    const ageMs = now - Date.parse(bead.closed_at);
    return ageMs > CONTAINED_MS ? [{ ref, commit, id, ageMs }] : [];
  });
  if (closed.length === 0) return [];
  const contained = target === undefined ? undefined : await repository.listRefs(PINNED_HEADS, { mergedInto: target });
  return closed
    .filter(({ ref, id, ageMs }) => contained?.has(ref) === true || (ageMs > MERGED_MS && isMerged(graph, id)))
    .map(({ ref, commit }) => ({ ref, commit }));
}
