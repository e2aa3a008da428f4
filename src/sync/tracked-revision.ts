import type { Repository } from "../ports/git.ts";
import {
  compareRemote,
  followRemote,
  pushHint,
  type RemoteBranch,
  type RemoteState,
} from "../manifests/remote-truth.ts";
import type { Standing } from "./sync-result.ts";

/** What is to be applied from the tracked branch. */
export interface TrackedRevision {
  /** Newest commit there is. */
  readonly attempted: string | undefined;
  /** Commit to apply; undefined: there is none, and what was applied stays. */
  readonly revision: string | undefined;
  readonly standing: Standing | undefined;
}

/** Without a remote the local branch is the truth. */
export async function localRevision(repository: Repository, branch: string): Promise<TrackedRevision> {
  const revision = await repository.resolve(`refs/heads/${branch}`);
  if (revision !== undefined) return { attempted: revision, revision, standing: undefined };
  const standing: Standing = {
    status: "Unknown",
    reason: "BranchMissing",
    message: `the town repository has no branch ${branch} with a commit`,
    hint: "Commit the manifests, or set spec.sync.branch.",
  };
  return { attempted: undefined, revision: undefined, standing };
}

/**
 * What to apply where a remote's branch is the truth. The local branch follows where that is a plain fast-forward;
 * where both have commits of their own, what was applied stays: nothing is merged by guess. `unreachable`: why the last
 * fetch failed.
 */
export async function remoteRevision(
  repository: Repository,
  at: RemoteBranch,
  known: { readonly applied: string | undefined; readonly unreachable: string | undefined },
): Promise<TrackedRevision> {
  const compared = await compareRemote(repository, at);
  const { local, remote } = compared;
  const revision = await revisionFor(repository, compared, known.applied);
  let standing = known.unreachable === undefined ? undefined : unreachable(at, compared, known.unreachable);
  standing ??= standingOf(at, compared);
  if (compared.state === "Behind" && remote !== undefined && !(await followRemote(repository, at, remote)))
    standing ??= notFollowing(at, compared);
  return { attempted: remote ?? local, revision, standing };
}

async function revisionFor(
  repository: Repository,
  { state, remote }: RemoteState,
  applied: string | undefined,
): Promise<string | undefined> {
  const former = applied === undefined ? undefined : await repository.resolve(applied);
  if (state === "Diverged" || state === "Missing") return former;
  // The remote was made the truth by a commit that it does not have yet: going back would unmake that.
  const isBack =
    state === "Ahead" && remote !== undefined && former !== undefined && (await repository.isAncestor(remote, former));
  return isBack ? former : remote;
}

function standingOf(at: RemoteBranch, { state, local, remote }: RemoteState): Standing | undefined {
  const name = nameOf(at);
  const both = `the local branch is at ${short(local)}, ${name} at ${short(remote)}`;
  if (state === "Missing")
    return {
      status: "Unknown",
      reason: "RemoteBranchMissing",
      message: `${name} does not exist; what was applied stays`,
      hint: pushHint(at, state),
    };
  if (state === "Diverged")
    return {
      status: "Unknown",
      reason: "RemoteDiverged",
      message: `${both}; both have commits that the other does not have, so what was applied stays`,
      hint: pushHint(at, state),
    };
  if (state === "Ahead")
    return {
      status: "OutOfSync",
      reason: "CommitsNotPushed",
      message: `${both}: commits that were not pushed are not applied`,
      hint: pushHint(at, state),
    };
  return undefined;
}

function unreachable(at: RemoteBranch, { local, remote }: RemoteState, why: string): Standing {
  return {
    status: "Unknown",
    reason: "RemoteUnreachable",
    message: `${nameOf(at)} cannot be reached: ${why}; it was last seen at ${short(remote)}, the local branch is at ${short(local)}`,
    hint: "It is tried again; writes are refused until then.",
  };
}

/** Applied all the same: only the files in the person's checkout are older. */
function notFollowing(at: RemoteBranch, { local, remote }: RemoteState): Standing {
  return {
    status: "OutOfSync",
    reason: "CheckoutBehind",
    message: `${short(remote)} of ${nameOf(at)} is applied, but the local branch stays at ${short(local)}: changes in its checkout are in the way`,
    hint: "Commit or stash them, then `git pull`.",
  };
}

function nameOf({ remote, branch }: RemoteBranch): string {
  return `${remote} ${branch.replace("refs/heads/", "")}`;
}

function short(commit: string | undefined): string {
  return commit?.slice(0, 12) ?? "none";
}
