import { TownError } from "../../errors/town-error.ts";
import { MERGE } from "../../work/submission.ts";
import { rigSource } from "../../work/rig-target.ts";
import type { MergePlace } from "./merge-place.ts";
import type { MergesAction } from "./merges.plan.ts";

const AUTHOR = { actor: "loop/merges" };
type Land = Extract<MergesAction, { do: "Land" }>;

/**
 * Moves the target from the commit that was tested on to the tested commit, by compare-and-swap. A target that moved
 * meanwhile, or a checked-out target with local changes, changes nothing; the queue looks again.
 *
 * Guarantees: the landed commit's tree is the tested tree; killed at any line, the next look finds the commit in the
 * target, or not, and goes on from there.
 */
export async function land(action: Land, at: MergePlace): Promise<void> {
  const commit = await at.clone.objects.readCommit(action.commit);
  if (commit === undefined || commit.tree !== action.tree || !commit.parents.includes(action.target)) {
    throw new TownError(
      "TestedTreeDiffers",
      `commit ${action.commit} of ${action.request} is not the tested tree ${action.tree} on ${action.target}; nothing was moved`,
    );
  }
  const outcome = at.object.spec.path === undefined ? await landOnClone(action, at) : await landOnPath(action, at);
  if (outcome === "Landed" || outcome === "Moved") return;
  const reason = `TargetCheckedOutDirty: ${outcome.path} has ${action.branch} checked out with local changes; commit or stash them there`;
  await at.graph.transact(AUTHOR, (tx) => {
    if (tx.get(action.request)?.metadata?.[MERGE.reason] !== reason)
      tx.setMetadata(action.request, { [MERGE.state]: "Waiting", [MERGE.reason]: reason });
  });
  at.ports.events.record(
    { kind: "MergeRequest", namespace: at.rig, name: action.request },
    { type: "Warning", reason: "TargetCheckedOutDirty", message: reason },
  );
}

type Outcome = "Landed" | "Moved" | { readonly path: string };

/**
 * Town's own branch is the target; it is pushed first where the rig says so. A remote that has commits of its own is
 * never overwritten: the merge stays here, and the rig's condition Pushed says why.
 */
async function landOnClone(action: Land, at: MergePlace): Promise<Outcome> {
  const ref = `refs/heads/${action.branch}`;
  const theirs = await at.clone.resolve(`refs/remotes/origin/${action.branch}`);
  const follows = theirs === undefined || (await at.clone.isAncestor(theirs, action.commit));
  if (
    at.object.spec.push.target &&
    follows &&
    (await at.clone.push("origin", [{ from: action.commit, ref, expect: theirs ?? null }])) === "Rejected"
  )
    return "Moved";
  const own = await at.clone.resolve(ref);
  return (await at.clone.updateRefs([{ ref, to: action.commit, from: own ?? null }], `town: land ${action.request}`))
    ? "Landed"
    : "Moved";
}

/** The user's branch is the target: its worktree follows where it is checked out clean. */
async function landOnPath(action: Land, at: MergePlace): Promise<Outcome> {
  const source = rigSource(at.object.spec, at.ports.layout.root);
  const user = await at.ports.git.open(source);
  if (user === undefined)
    throw new TownError("RepositoryNotFound", `no git repository at ${source} any more`, {
      hint: "correct spec.path of the Rig",
    });
  const ref = `refs/heads/${action.branch}`;
  const carrier = `refs/town/landing/${action.request}`;
  await at.clone.updateRefs([{ ref: carrier, to: action.commit }], "town: landing");
  await user.fetch(at.clone.path, [`+${carrier}:${carrier}`]);
  try {
    const worktree = (await user.worktrees()).find((candidate) => candidate.branch === ref);
    if (worktree === undefined)
      return (await user.updateRefs([{ ref, to: action.commit, from: action.target }], `town: land ${action.request}`))
        ? "Landed"
        : "Moved";
    const outcome = await user.fastForwardWorktree(worktree.path, ref, action.target, action.commit);
    return outcome === "Done" ? "Landed" : outcome === "Moved" ? "Moved" : { path: worktree.path };
  } finally {
    await user.updateRefs([{ ref: carrier, to: null }], "town: landed");
    await at.clone.updateRefs([{ ref: carrier, to: null }], "town: landed");
  }
}
