import { ApiStatusError, messageOf } from "../errors/town-error.ts";
import type { Repository } from "../ports/git.ts";
import { REFLOG } from "./reflog.ts";

/** A fetch or push that takes longer counts as an unreachable remote. */
const NETWORK_MS = 30_000;

/** The remote's branch, by the name of the tracked one. */
export interface RemoteBranch {
  /** Name of a remote of the repository (`origin`), or a URL. */
  readonly remote: string;
  /** Full ref of the tracked branch, here and there: `refs/heads/main`. */
  readonly branch: string;
}

/**
 * How the tracked branch stands to the remote's:
 * `Same`; `Behind`: the remote's has more; `Ahead`: the local one has commits that were not pushed; `Diverged`: both;
 * `Rewritten`: the remote was force-pushed, and the local one has nothing that was not on it before; `Missing`: the
 * remote has no such branch; `Unreachable`: it could not be asked (`remote` is then what was last seen).
 */
export interface RemoteState {
  readonly state: "Same" | "Behind" | "Ahead" | "Diverged" | "Rewritten" | "Missing" | "Unreachable";
  readonly local: string | undefined;
  readonly remote: string | undefined;
  /** Why, for `Unreachable`. */
  readonly message?: string;
}

/** Where the branches of the remote are kept: git's own place for a named one. */
function trackingPrefix(remote: string): string {
  return /[:/\\]/.test(remote) ? "refs/town/remote/" : `refs/remotes/${remote}/`;
}

/** Ref that holds the remote's branch as last seen. */
export function trackingRef({ remote, branch }: RemoteBranch): string {
  return `${trackingPrefix(remote)}${branch.replace("refs/heads/", "")}`;
}

/** Commit that was the remote's branch before a force-push: what it holds was published, so nobody loses it here. */
function publishedRef({ branch }: RemoteBranch): string {
  return `refs/town/published/${branch.replace("refs/heads/", "")}`;
}

/**
 * Asks the remote. Moves nothing but the tracking ref; a force-push there is no error. Throws AdapterError when it
 * cannot be reached.
 */
export async function fetchRemote(repository: Repository, at: RemoteBranch): Promise<void> {
  const former = await repository.resolve(trackingRef(at));
  await repository.fetch(at.remote, [`+refs/heads/*:${trackingPrefix(at.remote)}*`], {
    timeoutMs: NETWORK_MS,
    prune: true,
  });
  const next = await repository.resolve(trackingRef(at));
  if (former === undefined || next === undefined || former === next || (await repository.isAncestor(former, next)))
    return;
  const local = await repository.resolve(at.branch);
  if (local !== undefined && (await isWithin(repository, local, former)))
    await repository.updateRefs([{ ref: publishedRef(at), to: former }], REFLOG);
}

/** Compares the tracked branch with what was last seen of the remote's; asks nobody. */
export async function compareRemote(repository: Repository, at: RemoteBranch): Promise<RemoteState> {
  const [local, remote, published] = await Promise.all(
    [at.branch, trackingRef(at), publishedRef(at)].map((ref) => repository.resolve(ref)),
  );
  if (remote === undefined) return { state: "Missing", local, remote };
  if (local === remote) return { state: "Same", local, remote };
  if (local === undefined || (await repository.isAncestor(local, remote))) return { state: "Behind", local, remote };
  if (published !== undefined && (await isWithin(repository, local, published)))
    return { state: "Rewritten", local, remote };
  return { state: (await repository.isAncestor(remote, local)) ? "Ahead" : "Diverged", local, remote };
}

/** Fetches the remote's branch and compares. */
export async function readRemoteState(repository: Repository, at: RemoteBranch): Promise<RemoteState> {
  try {
    await fetchRemote(repository, at);
  } catch (error) {
    const { local, remote } = await compareRemote(repository, at);
    return { state: "Unreachable", local, remote, message: messageOf(error) };
  }
  return compareRemote(repository, at);
}

async function isWithin(repository: Repository, commit: string, tip: string): Promise<boolean> {
  return commit === tip || repository.isAncestor(commit, tip);
}

/**
 * The remote's tip to write on. Throws ApiStatusError: 503 when the remote cannot be asked, 409 when the local branch
 * has commits that it does not have, since they would be lost from sight or merged by guess.
 */
export async function remoteTip(repository: Repository, at: RemoteBranch): Promise<string | undefined> {
  const { state, local, remote, message } = await readRemoteState(repository, at);
  const name = `${at.remote}/${at.branch.replace("refs/heads/", "")}`;
  if (state === "Unreachable")
    throw new ApiStatusError(
      503,
      "ServiceUnavailable",
      `nothing was written: ${name} is the truth and cannot be reached: ${message ?? ""}`,
      { hint: "Try again when the network is back, or unset spec.sync.remote." },
    );
  if (state === "Ahead" || state === "Diverged" || (state === "Missing" && local !== undefined)) {
    throw new ApiStatusError(
      409,
      "Conflict",
      `nothing was written: the local branch (${short(local)}) has commits that ${name} (${short(remote)}) does not have`,
      { hint: pushHint(at, state) },
    );
  }
  return remote;
}

/** Pushes a commit as the remote's branch if that is still at `from`. Throws ApiStatusError 503 when it cannot be reached. */
export async function pushCommit(
  repository: Repository,
  at: RemoteBranch,
  commit: string,
  from: string | undefined,
): Promise<"Pushed" | "Rejected"> {
  try {
    const pushed = await repository.push(at.remote, [{ from: commit, ref: at.branch, expect: from ?? null }], {
      timeoutMs: NETWORK_MS,
    });
    if (pushed === "Pushed") await repository.updateRefs([{ ref: trackingRef(at), to: commit }], REFLOG);
    return pushed;
  } catch (error) {
    throw new ApiStatusError(
      503,
      "ServiceUnavailable",
      `it is not known whether commit ${commit} reached ${at.remote}: ${messageOf(error)}`,
      { cause: error, hint: "See `town status`; the next sync shows what is true." },
    );
  }
}

/**
 * Brings the local branch to the remote's commit, with the files of its checkout, where that is a plain fast-forward.
 * False where it is not, or where a person's changes are in the way: then they pull when they like.
 */
export async function followRemote(repository: Repository, at: RemoteBranch, commit: string): Promise<boolean> {
  const local = await repository.resolve(at.branch);
  if (local === commit) return true;
  if (local !== undefined && !(await repository.isAncestor(local, commit))) return false;
  const holder = (await repository.worktrees()).find((worktree) => worktree.branch === at.branch && !worktree.prunable);
  if (holder === undefined || local === undefined)
    return holder === undefined && repository.updateRefs([{ ref: at.branch, to: commit, from: local ?? null }], REFLOG);
  return (await repository.fastForwardWorktree(holder.path, at.branch, local, commit)) === "Done";
}

/** What a person does about local commits that the remote does not have. */
export function pushHint({ remote, branch }: RemoteBranch, state: RemoteState["state"]): string {
  const name = branch.replace("refs/heads/", "");
  return state === "Diverged"
    ? `Bring them together and push: \`git pull --rebase ${remote} ${name} && git push ${remote} ${name}\`.`
    : `Push them: \`git push ${remote} ${name}\`.`;
}

function short(commit: string | undefined): string {
  return commit?.slice(0, 12) ?? "none";
}
