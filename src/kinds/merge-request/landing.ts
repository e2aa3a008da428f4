import type { BatchMember } from "../../domain/merge-queue/queue-record.ts";
import { TownError } from "../../errors/town-error.ts";
import { changeQueue, readQueue } from "../../work/merge-queue.ts";
import { rigSource } from "../../work/rig-target.ts";
import type { MergePlace } from "./merge-place.ts";
import type { MergesAction } from "./merges.plan.ts";

const AUTHOR = { actor: "loop/merges" };
type Land = Extract<MergesAction, { do: "Land" }>;

/**
 * Moves the target from the commit that the batch was built on to the top of what was tested, by compare-and-swap. A
 * target that moved meanwhile, or a checked-out target with local changes, changes nothing; the queue looks again.
 *
 * Guarantees: the landed commit's tree is the tested tree, and each request's commit is in it, on the one before; killed
 * at any line, the next look finds the commits in the target, or not, and goes on from there.
 */
export async function land(action: Land, at: MergePlace): Promise<void> {
  const top = await requireStack(action, at);
  const move = { branch: action.branch, from: action.base, to: top.commit, request: top.request };
  const outcome = at.object.spec.path === undefined ? await landOnClone(move, at) : await landOnPath(move, at);
  if (outcome === "Landed" || outcome === "Moved") return;
  const held = `TargetCheckedOutDirty: ${outcome.path} has ${action.branch} checked out with local changes; commit or stash them there`;
  await at.graph.transact(AUTHOR, (tx) => {
    const { batch } = readQueue(tx);
    if (batch !== undefined && batch.held !== held)
      changeQueue(tx, (queue) => ({ ...queue, batch: { ...batch, held } }));
  });
  at.ports.events.record(
    { kind: "MergeRequest", namespace: at.rig, name: top.request },
    { type: "Warning", reason: "TargetCheckedOutDirty", message: held },
  );
}

/** The commits are what was recorded when they were built: each on the one before, with the work in it. */
async function requireStack({ base, members }: Land, at: MergePlace): Promise<BatchMember> {
  const squash = (parents: readonly string[]): boolean => parents.length === 1;
  let below = base;
  let top: BatchMember | undefined;
  for (const member of members) {
    const commit = await at.clone.objects.readCommit(member.commit);
    const carries = commit !== undefined && (squash(commit.parents) || commit.parents[1] === member.head);
    if (commit === undefined || commit.tree !== member.tree || commit.parents[0] !== below || !carries)
      throw new TownError(
        "TestedTreeDiffers",
        `commit ${member.commit} of ${member.request} is not the tested tree ${member.tree} on ${below}; nothing was moved`,
      );
    below = member.commit;
    top = member;
  }
  if (top === undefined) throw new TownError("EmptyBatch", `there is nothing to land on ${base}; nothing was moved`);
  return top;
}

interface Move {
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  readonly request: string;
}

type Outcome = "Landed" | "Moved" | { readonly path: string };

/**
 * Town's own branch is the target; it is pushed first where the rig says so. A remote that has commits of its own is
 * never overwritten: the merge stays here, and the rig's condition Pushed says why.
 */
async function landOnClone(move: Move, at: MergePlace): Promise<Outcome> {
  const ref = `refs/heads/${move.branch}`;
  const theirs = await at.clone.resolve(`refs/remotes/origin/${move.branch}`);
  const follows = theirs === undefined || (await at.clone.isAncestor(theirs, move.to));
  if (
    at.object.spec.push.target &&
    follows &&
    (await at.clone.push("origin", [{ from: move.to, ref, expect: theirs ?? null }])) === "Rejected"
  )
    return "Moved";
  const own = await at.clone.resolve(ref);
  return (await at.clone.updateRefs([{ ref, to: move.to, from: own ?? null }], `town: land ${move.request}`))
    ? "Landed"
    : "Moved";
}

/** The user's branch is the target: its worktree follows where it is checked out clean. */
async function landOnPath(move: Move, at: MergePlace): Promise<Outcome> {
  const source = rigSource(at.object.spec, at.ports.layout.root);
  const user = await at.ports.git.open(source);
  if (user === undefined)
    throw new TownError("RepositoryNotFound", `no git repository at ${source} any more`, {
      hint: "correct spec.path of the Rig",
    });
  const ref = `refs/heads/${move.branch}`;
  const carrier = `refs/town/landing/${move.request}`;
  await at.clone.updateRefs([{ ref: carrier, to: move.to }], "town: landing");
  await user.fetch(at.clone.path, [`+${carrier}:${carrier}`]);
  try {
    const worktree = (await user.worktrees()).find((candidate) => candidate.branch === ref);
    if (worktree === undefined)
      return (await user.updateRefs([{ ref, to: move.to, from: move.from }], `town: land ${move.request}`))
        ? "Landed"
        : "Moved";
    const outcome = await user.fastForwardWorktree(worktree.path, ref, move.from, move.to);
    return outcome === "Done" ? "Landed" : outcome === "Moved" ? "Moved" : { path: worktree.path };
  } finally {
    await user.updateRefs([{ ref: carrier, to: null }], "town: landed");
    await at.clone.updateRefs([{ ref: carrier, to: null }], "town: landed");
  }
}
