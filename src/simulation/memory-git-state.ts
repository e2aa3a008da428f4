import { refNameProblem } from "../domain/git/ref-name.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { RefUpdate, WorktreeStatus } from "../ports/git.ts";
import type { LoggedRefs } from "./logged-refs.ts";
import type { MemoryObjects } from "./memory-git-objects.ts";

export interface IndexEntry {
  readonly mode: string;
  readonly id: string;
}

/** A checkout: where its HEAD is and what its index holds. Its files live on the simulated disk. */
export interface WorktreeState {
  readonly path: string;
  /** A branch's full ref, or a commit id when detached. */
  head: { readonly branch: string } | { readonly commit: string };
  index: Map<string, IndexEntry>;
  /** Who holds the index: a git, or a caller of `lockCheckout`; `left`: its process died. */
  lock?: "Git" | { left: boolean; readonly released: Promise<void> };
  /** A rebase or the like that a person began; HEAD is detached meanwhile. */
  operation?: { readonly name: NonNullable<WorktreeStatus["inProgress"]>; readonly branch: string };
}

/** One repository of the simulated world; shared by everything that has it open. */
export interface RepositoryState {
  /** Changes when somebody moves a bare repository. */
  commonDirectory: string;
  readonly objects: MemoryObjects;
  readonly refs: LoggedRefs;
  /** Symbolic refs other than HEAD, as refs/remotes/origin/HEAD. */
  readonly symbolic: Map<string, string>;
  readonly config: Map<string, string>;
  /** HEAD of a bare repository. */
  bareHead: string;
  /** The checkout that contains the repository; undefined when it is bare. */
  readonly main: WorktreeState | undefined;
  /** Linked worktrees by path. */
  readonly linked: Map<string, WorktreeState>;
}

export function allWorktrees(repository: RepositoryState): WorktreeState[] {
  return [...(repository.main === undefined ? [] : [repository.main]), ...repository.linked.values()];
}

export function headCommit(repository: RepositoryState, worktree: WorktreeState | undefined): string | undefined {
  if (worktree === undefined) return repository.refs.get(repository.bareHead);
  return "commit" in worktree.head ? worktree.head.commit : repository.refs.get(worktree.head.branch);
}

/** Moves a checkout's HEAD: the branch it is on, or the detached HEAD itself. */
export function moveHead(repository: RepositoryState, worktree: WorktreeState, commit: string): void {
  if ("branch" in worktree.head) repository.refs.set(worktree.head.branch, commit);
  else worktree.head = { commit };
}

export function holderOf(repository: RepositoryState, ref: string): WorktreeState | undefined {
  return allWorktrees(repository).find((one) => "branch" in one.head && one.head.branch === ref);
}

/** `RefUpdate`s as git applies them: all, or none (false) when an expectation does not hold. */
export function applyRefUpdates(repository: RepositoryState, updates: readonly RefUpdate[]): boolean {
  const seen = new Set<string>();
  for (const { ref } of updates) {
    requireRefName(ref);
    if (seen.has(ref)) throw new AdapterError("InvalidRefUpdate", `Cannot update ${ref} twice in one transaction.`);
    seen.add(ref);
  }
  const holds = ({ ref, from }: RefUpdate) => from === undefined || (repository.refs.get(ref) ?? null) === from;
  if (!updates.every(holds)) return false;
  const next = new Map(repository.refs);
  for (const { ref, to } of updates) if (to === null) next.delete(ref);
  for (const { ref, to } of updates) {
    if (to === null) continue;
    requireTarget(repository.objects, ref, to);
    // git looks for clashes before it deletes anything.
    refuseClash(repository.refs, ref);
    setRef(next, ref, to);
  }
  replaceAll(repository.refs, next);
  return true;
}

function requireTarget(objects: MemoryObjects, ref: string, to: string): void {
  if (!objects.has(to)) throw new AdapterError("ObjectMissing", `Cannot set ${ref} to ${to}: there is no such object.`);
  if (ref.startsWith("refs/heads/") && objects.peekCommit(to) === undefined) {
    throw new AdapterError("InvalidRefUpdate", `Cannot set branch ${ref} to ${to}: it is no commit.`);
  }
}

export function requireRefName(ref: string): void {
  const problem = refNameProblem(ref);
  if (problem !== undefined) throw new AdapterError("InvalidRefName", `Cannot use '${ref}' as a ref: it ${problem}.`);
}

export function setRef(refs: Map<string, string>, ref: string, to: string): void {
  refuseClash(refs, ref);
  refs.set(ref, to);
}

function refuseClash(refs: ReadonlyMap<string, string>, ref: string): void {
  for (const other of refs.keys()) {
    if (other.startsWith(`${ref}/`) || ref.startsWith(`${other}/`)) {
      throw new AdapterError(
        "RefConflict",
        `Cannot create ${ref}: ${other} exists, and a ref cannot be both a name and a directory of names.`,
      );
    }
  }
}

function replaceAll(refs: Map<string, string>, next: ReadonlyMap<string, string>): void {
  refs.clear();
  for (const [ref, id] of next) refs.set(ref, id);
}
