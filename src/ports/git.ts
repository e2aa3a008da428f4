import type { CheckoutLock, OperationInProgress } from "./checkout.ts";
import type { TreeChanges } from "../domain/git/tree-change.ts";
import type { CommitInfo, GitIdentity, NewCommit, TreeEntry } from "../domain/git/git-object.ts";

export type { CommitInfo, GitIdentity, NewCommit, TreeChanges, TreeEntry };

export interface Worktree {
  readonly path: string;
  readonly head: string | undefined;
  /** Full ref name; undefined when detached. */
  readonly branch: string | undefined;
  readonly prunable: boolean;
}

export interface WorktreeStatus {
  readonly head: string | undefined;
  readonly branch: string | undefined;
  /** Tracked files that differ from HEAD, staged or not; paths relative to the worktree. */
  readonly changed: readonly string[];
  readonly untracked: readonly string[];
  readonly inProgress: OperationInProgress | undefined;
}

/**
 * The object store of one repository, written without forking a process per object. Ids are hex. Written objects can
 * be read through the same repository at once; they are durable, and visible to other processes, after `sync` or a ref
 * update (which syncs first). A damaged object is read as one that is missing.
 */
export interface GitObjects {
  readBlob(id: string): Promise<string | undefined>;
  readBlobs(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  readTree(id: string): Promise<readonly TreeEntry[]>;
  readCommit(id: string): Promise<CommitInfo | undefined>;
  writeBlob(text: string): Promise<string>;
  writeTree(entries: readonly TreeEntry[]): Promise<string>;
  /** The tree with files set or removed by path; directories come and go with their files. Costs what changed, not its size. */
  changeTree(tree: string, changes: TreeChanges): Promise<string>;
  writeCommit(commit: NewCommit): Promise<string>;
  /** Makes every object written so far durable (fsync of files and directories). */
  sync(): Promise<void>;
  /**
   * Makes objects written so far durable that the repository is said to have and has lost or damaged: what is there is not
   * asked, all of them are written again. Costs their size.
   */
  restore(): Promise<void>;
  /** Those of the ids that are in the repository no more, or cannot be made sense of; what this port remembers counts not. */
  missing(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Somebody collects garbage in the repository now: what is written meanwhile may be taken for garbage, even when a ref leads
   * to it soon after.
   */
  isCollected(): Promise<boolean>;
  /** Ids of all commits in the repository, whether a ref leads to them or not, in no order. Reads the names of all objects. */
  allCommits(): Promise<readonly string[]>;
  /**
   * Joins the loose objects and small packs that were written through this port, and nothing else, into one pack, when
   * there are at least `minimum` (default 2000) objects in them. Returns how many were packed. One caller at a time. With
   * `tip`, a commit that leads to most of them, versions of one file are put together however old they are.
   */
  packOwn(options?: { readonly minimum?: number; readonly tip?: string | undefined }): Promise<number>;
  /** About how many objects lie loose, whoever wrote them, as git itself guesses it: by one of 256 directories. */
  looseCount(): Promise<number>;
  /**
   * Packs all loose objects and joins small packs, whoever wrote them; nothing is removed but what is in a pack as well. In
   * a user's repository only where its own gc settings want it. False while somebody collects garbage there.
   */
  packAll(options: { readonly timeoutMs: number }): Promise<boolean>;
  /** Empty tree's id in this repository's hash. */
  readonly emptyTree: string;
  close(): Promise<void>;
}

export interface RefUpdate {
  readonly ref: string;
  /** null deletes. */
  readonly to: string | null;
  /** Expected old value; null = must not exist; undefined = whatever. */
  readonly from?: string | null;
}

/** One repository. Methods throw AdapterError; hooks and fsmonitor of the repository are never run. */
export interface Repository {
  /** Where it was opened; a worktree or a bare repository. */
  readonly path: string;
  /** `git rev-parse --git-common-dir`, absolute. */
  readonly commonDirectory: string;
  readonly objects: GitObjects;
  /** Commit id of a revision; undefined when it does not exist. */
  resolve(revision: string): Promise<string | undefined>;
  /** Branch HEAD points at (full ref), also when it has no commit yet; undefined when detached. */
  headBranch(): Promise<string | undefined>;
  /** Default branch (short name): origin's HEAD for clones, else HEAD's. */
  defaultBranch(): Promise<string | undefined>;
  /** All or nothing, durable. False when an expectation did not hold. `reason` goes into the reflog. */
  updateRefs(updates: readonly RefUpdate[], reason: string): Promise<boolean>;
  /** Takes entries that lead to commits which git has lost out of the logs of refs. */
  forgetLost(refs: readonly string[]): Promise<void>;
  /**
   * Refs whose full name starts with `prefix`, sorted; symbolic ones (`refs/remotes/origin/HEAD`) are left out. `mergedInto`:
   * only those whose commit that commit contains.
   */
  listRefs(prefix: string, options?: { readonly mergedInto?: string }): Promise<ReadonlyMap<string, string>>;
  config(key: string): Promise<string | undefined>;
  /** The last values of some keys (lower-case), at the cost of one. */
  configs(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  setConfig(key: string, value: string | null): Promise<void>;
  /** `remote`: a name or a URL. Without refspecs those of the configuration; with them only what they name moves. */
  fetch(
    remote: string,
    refspecs: readonly string[],
    options?: { readonly timeoutMs?: number; readonly prune?: boolean },
  ): Promise<void>;
  /**
   * Push with a lease per ref. `Rejected` when the remote moved or refuses, which `refused` is told in git's words; nothing is
   * forced beyond the lease.
   */
  push(
    remote: string,
    updates: readonly { readonly from: string | null; readonly ref: string; readonly expect: string | null }[],
    options?: { readonly timeoutMs?: number; readonly refused?: (said: string) => void },
  ): Promise<"Pushed" | "Rejected">;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  mergeBase(a: string, b: string): Promise<string | undefined>;
  /** Three-way merge on objects, no worktree. `conflicts`: paths; `tree` is only usable when it is empty. */
  mergeTree(ours: string, theirs: string): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }>;
  /** Commits reachable from `to` and not from `from`: the newest `limit` of them, oldest first. */
  log(from: string | undefined, to: string, limit: number): Promise<readonly CommitInfo[]>;
  /** Paths that differ between two commits or trees, sorted. */
  changedFiles(from: string, to: string): Promise<readonly string[]>;
  /** Unified diff, cut at `maxBytes` with a line that says so. */
  diff(from: string, to: string, maxBytes: number): Promise<string>;
  /** Every file below `directory` at a revision, recursively. Paths from the repository's root. */
  listFiles(
    revision: string,
    directory: string,
  ): Promise<readonly { readonly path: string; readonly id: string; readonly mode: string }[]>;
  /**
   * Texts of files at a commit, by path (default: of all), read while the caller waits, for readers that cannot be answered
   * later. What cannot be read is left out.
   */
  filesAtOnce(commit: string, paths?: readonly string[]): ReadonlyMap<string, string>;
  /** All checkouts, the main one included; paths have their symbolic links resolved. */
  worktrees(): Promise<readonly Worktree[]>;
  /**
   * Adopt-or-create: a registered worktree at `path` on `branch` is kept as it is, a half-made one is made anew. The
   * branch (`main` or `refs/heads/main`) is created at `commit` when it does not exist and left where it is when it
   * does. Without branch: detached.
   * Serialised per repository (a race in git makes concurrent adds fail).
   */
  addWorktree(options: { readonly path: string; readonly commit: string; readonly branch?: string }): Promise<void>;
  /**
   * Gives a detached checkout that nobody works in another place and a branch, ignored files included; the branch as in
   * `addWorktree`. `Missing`: there is no such checkout at `from` (any more). Throws where `to` is not free, or local
   * changes are in the branch's way; the checkout may be at `to` then, still detached.
   */
  moveWorktree(options: {
    readonly from: string;
    readonly to: string;
    readonly commit: string;
    readonly branch: string;
  }): Promise<"Moved" | "Missing">;
  /** Removes the checkout and its registration, whatever is in it. Missing is fine. Callers have made the work safe. */
  removeWorktree(path: string): Promise<void>;
  worktreeStatus(path: string): Promise<WorktreeStatus>;
  /** Makes a worktree's files exactly `commit` (detached), removing tracked changes and untracked, not ignored, files. */
  resetWorktree(path: string, commit: string): Promise<void>;
  /** Commits everything in a worktree (ignored files apart); undefined when there was nothing to commit. */
  commitAll(path: string, message: string, author: GitIdentity, committer: GitIdentity): Promise<string | undefined>;
  /**
   * Moves a branch that a worktree has checked out from `from` to `to` together with its files. `Dirty`: tracked
   * changes, something in progress (also a git that holds the index), or an untracked or ignored file in the way;
   * `Moved`: the worktree's branch is not `branch` at `from`. Neither changes anything. Throws NotFastForward.
   */
  fastForwardWorktree(path: string, branch: string, from: string, to: string): Promise<"Done" | "Dirty" | "Moved">;
  /**
   * Takes the index lock of the checkout that has a branch (full ref), so that the branch can be moved together with
   * some files. Also found are checkouts in the middle of a rebase or bisect of the branch.
   */
  lockCheckout(branch: string): Promise<CheckoutLock>;
  /**
   * Removes lock files that a killed git left: of these refs (and files of theirs that hold no ref), and of a worktree's index and HEAD. Only for callers that
   * know that no git works there now (they hold the town lock; the worktree's session is dead). Returns what was removed.
   */
  removeStaleLocks(options: {
    readonly refs?: readonly string[];
    readonly worktree?: string;
  }): Promise<readonly string[]>;
}

export interface Git {
  /** Opens the repository that contains `path`; undefined when there is none. */
  open(path: string): Promise<Repository | undefined>;
  init(path: string, options: { readonly bare: boolean; readonly branch: string }): Promise<Repository>;
  /** Bare clone whose branches are kept under refs/remotes/origin; adopt-or-create: a half-made one is made anew. */
  cloneBare(
    url: string,
    path: string,
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<Repository>;
  close(): Promise<void>;
}
