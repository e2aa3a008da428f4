import { branchName, branchRef } from "../domain/git/ref-name.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { CheckoutLock } from "../ports/checkout.ts";
import type {
  CommitInfo,
  GitIdentity,
  GitObjects,
  RefUpdate,
  Repository,
  Worktree,
  WorktreeStatus,
} from "../ports/git.ts";
import { lockCheckout } from "./memory-checkout.ts";
import { ancestorsOf, filesOfTree, logOf, mergeBaseOf, requireCommit, resolveRevision } from "./memory-git-history.ts";
import { mergeCommits } from "./memory-git-merge.ts";
import { fetchRefs, pushRefs, type PushUpdate } from "./memory-git-remotes.ts";
import {
  allWorktrees,
  applyRefUpdates,
  headCommit,
  holderOf,
  moveHead,
  setRef,
  type RepositoryState,
  type WorktreeState,
} from "./memory-git-state.ts";
import { Checkout, requireWorktree } from "./memory-git-worktree.ts";
import type { WorktreeFiles } from "./memory-worktree-files.ts";
import { unifiedDiff, type DiffSide } from "./unified-diff.ts";

/** What an open repository needs of the simulated world around it. */
export interface GitWorld {
  readonly files: () => WorktreeFiles;
  /** The repository at a URL; throws what git would when there is none. */
  readonly remote: (url: string) => RepositoryState;
}

/** `Repository` over the simulated world. `worktree` is the checkout it was opened in, undefined for a bare one. */
export class MemoryRepository implements Repository {
  readonly path: string;
  readonly commonDirectory: string;
  readonly objects: GitObjects;
  readonly #state: RepositoryState;
  readonly #worktree: WorktreeState | undefined;
  readonly #world: GitWorld;

  constructor(state: RepositoryState, worktree: WorktreeState | undefined, world: GitWorld) {
    this.path = worktree?.path ?? state.commonDirectory;
    this.commonDirectory = state.commonDirectory;
    this.objects = state.objects;
    this.#state = state;
    this.#worktree = worktree;
    this.#world = world;
  }

  async resolve(revision: string): Promise<string | undefined> {
    return resolveRevision(this.#state, this.#worktree, revision);
  }

  async headBranch(): Promise<string | undefined> {
    const head = this.#worktree?.head ?? { branch: this.#state.bareHead };
    return "branch" in head ? head.branch : undefined;
  }

  async defaultBranch(): Promise<string | undefined> {
    const origin = this.#state.symbolic.get("refs/remotes/origin/HEAD");
    if (origin !== undefined) return origin.slice("refs/remotes/origin/".length);
    const head = await this.headBranch();
    return head === undefined ? undefined : branchName(head);
  }

  async updateRefs(updates: readonly RefUpdate[], _reason: string): Promise<boolean> {
    if (!applyRefUpdates(this.#state, updates)) return false;
    await this.objects.sync();
    return true;
  }

  async forgetLost(): Promise<void> {}

  async listRefs(
    prefix: string,
    { mergedInto }: { readonly mergedInto?: string } = {},
  ): Promise<ReadonlyMap<string, string>> {
    const contained = mergedInto === undefined ? undefined : ancestorsOf(this.#state.objects, this.#commit(mergedInto));
    const refs = [...this.#state.refs].filter(
      ([ref, id]) => ref.startsWith(prefix) && (contained === undefined || contained.has(id)),
    );
    return new Map(refs.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async config(key: string): Promise<string | undefined> {
    return this.#state.config.get(key);
  }

  async configs(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map([...this.#state.config].filter(([key]) => keys.includes(key)));
  }

  async setConfig(key: string, value: string | null): Promise<void> {
    if (value === null) this.#state.config.delete(key);
    else this.#state.config.set(key, value);
  }

  async fetch(remote: string, refspecs: readonly string[], options: { readonly prune?: boolean } = {}): Promise<void> {
    const source = this.#world.remote(this.#state.config.get(`remote.${remote}.url`) ?? remote);
    const configured = this.#state.config.get(`remote.${remote}.fetch`);
    const specs = refspecs.length > 0 || configured === undefined ? refspecs : [configured];
    fetchRefs(this.#state, source, specs, options.prune === true);
    this.#adoptRemoteHead(remote, source);
  }

  async push(
    remote: string,
    updates: readonly PushUpdate[],
    options: { readonly refused?: (said: string) => void } = {},
  ): Promise<"Pushed" | "Rejected"> {
    const target = this.#world.remote(this.#state.config.get(`remote.${remote}.url`) ?? remote);
    const outcome = pushRefs(this.#state, target, updates);
    const isHeld = updates.some(({ ref }) => holderOf(target, ref) !== undefined);
    if (outcome === "Rejected")
      options.refused?.(isHeld ? "[remote rejected] (branch is currently checked out)" : "[rejected] (stale info)");
    return outcome;
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    const [old, recent] = [this.#commit(ancestor), this.#commit(descendant)];
    return ancestorsOf(this.#state.objects, recent).has(old);
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    return mergeBaseOf(this.#state.objects, this.#commit(a), this.#commit(b));
  }

  async mergeTree(
    ours: string,
    theirs: string,
  ): Promise<{ readonly tree: string; readonly conflicts: readonly string[] }> {
    return mergeCommits(this.#state.objects, this.#commit(ours), this.#commit(theirs));
  }

  async log(from: string | undefined, to: string, limit: number): Promise<readonly CommitInfo[]> {
    return logOf(this.#state.objects, from === undefined ? undefined : this.#commit(from), this.#commit(to), limit);
  }

  async changedFiles(from: string, to: string): Promise<readonly string[]> {
    const [old, recent] = [this.#filesAt(from), this.#filesAt(to)];
    const paths = [...new Set([...old.keys(), ...recent.keys()])];
    return paths
      .filter((path) => old.get(path)?.id !== recent.get(path)?.id || old.get(path)?.mode !== recent.get(path)?.mode)
      .sort();
  }

  async diff(from: string, to: string, maxBytes: number): Promise<string> {
    const [old, recent] = [this.#filesAt(from), this.#filesAt(to)];
    const side = (entry: { mode: string; id: string } | undefined): DiffSide | undefined =>
      entry === undefined ? undefined : { ...entry, text: this.#state.objects.peekBlob(entry.id) ?? "" };
    const changed = await this.changedFiles(from, to);
    const text = changed.map((path) => unifiedDiff(path, side(old.get(path)), side(recent.get(path)))).join("");
    return text.length <= maxBytes ? text : `${text.slice(0, maxBytes)}\n[diff cut at ${maxBytes} bytes]\n`;
  }

  async listFiles(
    revision: string,
    directory: string,
  ): Promise<readonly { readonly path: string; readonly id: string; readonly mode: string }[]> {
    const prefix = directory === "" || directory === "." ? "" : `${directory.replace(/\/+$/, "")}/`;
    const files = [...this.#filesAt(revision)].filter(([path]) => path.startsWith(prefix));
    return files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, { id, mode }]) => ({ path, id, mode }));
  }

  filesAtOnce(commit: string, paths?: readonly string[]): ReadonlyMap<string, string> {
    const { objects } = this.#state;
    const found = new Map<string, string>();
    if (objects.peekCommit(commit) === undefined) return found;
    for (const [path, { id }] of this.#filesAt(commit)) {
      const text = paths?.includes(path) === false ? undefined : objects.peekBlob(id);
      if (text !== undefined) found.set(path, text);
    }
    return found;
  }

  async worktrees(): Promise<readonly Worktree[]> {
    const found: Worktree[] = [];
    for (const one of allWorktrees(this.#state)) {
      const linked = one !== this.#state.main;
      const gone = linked && (await this.#world.files().stat(`${one.path}/.git`)) === undefined;
      const branch = "branch" in one.head ? one.head.branch : undefined;
      found.push({ path: one.path, head: headCommit(this.#state, one), branch, prunable: gone });
    }
    return found;
  }

  async addWorktree(options: {
    readonly path: string;
    readonly commit: string;
    readonly branch?: string;
  }): Promise<void> {
    const { path } = options;
    const branch = options.branch === undefined ? undefined : branchRef(options.branch);
    const commit = this.#commit(options.commit);
    const existing = this.#state.linked.get(path);
    const files = this.#world.files();
    if (existing !== undefined && (await files.stat(`${path}/.git`)) !== undefined)
      return requireSameHead(existing, branch);
    if ((await files.list(path)).length > 0) {
      throw new AdapterError("WorktreeInTheWay", `Cannot add worktree ${path}: something else is there.`);
    }
    this.#state.linked.delete(path);
    const holder = branch === undefined ? undefined : holderOf(this.#state, branch);
    if (holder !== undefined) {
      throw new AdapterError(
        "BranchCheckedOut",
        `Cannot add worktree ${path}: ${branch} is checked out at ${holder.path}.`,
      );
    }
    if (branch !== undefined && !this.#state.refs.has(branch)) setRef(this.#state.refs, branch, commit);
    const worktree: WorktreeState = { path, head: branch === undefined ? { commit } : { branch }, index: new Map() };
    this.#state.linked.set(path, worktree);
    await files.makeDirectory(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    await files.writeAtomic(`${path}/.git`, `gitdir: ${this.commonDirectory}/worktrees/${name}\n`);
    await this.#checkout(worktree).checkOut(headCommit(this.#state, worktree));
  }

  async moveWorktree(at: {
    readonly from: string;
    readonly to: string;
    readonly commit: string;
    readonly branch: string;
  }): Promise<"Moved" | "Missing"> {
    const branch = branchRef(at.branch);
    const commit = this.#commit(at.commit);
    const files = this.#world.files();
    const standing = this.#state.linked.get(at.from);
    if (standing === undefined || "branch" in standing.head || (await files.stat(`${at.from}/.git`)) === undefined)
      return "Missing";
    if (this.#state.linked.has(at.to) || (await files.list(at.to)).length > 0)
      throw new AdapterError("WorktreeInTheWay", `Cannot move ${at.from} to ${at.to}: something else is there.`);
    await files.makeDirectory(at.to.slice(0, at.to.lastIndexOf("/")));
    await files.removeTree(at.to);
    const moved: WorktreeState = { path: at.to, head: standing.head, index: standing.index };
    this.#state.linked.delete(at.from);
    this.#state.linked.set(at.to, moved);
    await files.rename(at.from, at.to);
    const start = this.#state.refs.get(branch) ?? commit;
    const checkout = this.#checkout(moved);
    if ((await checkout.untrackedInTheWay(start)) || holderOf(this.#state, branch) !== undefined)
      throw new AdapterError("GitFailed", `Cannot check out ${branch} in worktree ${at.to}.`);
    if (!this.#state.refs.has(branch)) setRef(this.#state.refs, branch, commit);
    moved.head = { branch };
    await checkout.checkOut(start);
    return "Moved";
  }

  async removeWorktree(path: string): Promise<void> {
    if (this.#state.main?.path === path)
      throw new AdapterError("MainWorktree", `Cannot remove ${path}: it is the repository's main checkout.`);
    const registered = this.#state.linked.delete(path);
    const marker = await this.#world.files().readText(`${path}/.git`);
    if (registered || marker?.startsWith(`gitdir: ${this.commonDirectory}/worktrees/`) === true)
      await this.#world.files().removeTree(path);
    else if ((await this.#world.files().list(path)).length > 0) {
      throw new AdapterError(
        "WorktreeInTheWay",
        `Cannot remove ${path}: it is no worktree of ${this.commonDirectory}.`,
      );
    }
  }

  async worktreeStatus(path: string): Promise<WorktreeStatus> {
    return this.#checkout(await this.#presentWorktree(path)).status();
  }

  async resetWorktree(path: string, commit: string): Promise<void> {
    const worktree = await this.#presentWorktree(path);
    worktree.head = { commit: this.#commit(commit) };
    const checkout = this.#checkout(worktree);
    await checkout.checkOut(this.#commit(commit));
    await checkout.removeUntracked();
  }

  async commitAll(
    path: string,
    message: string,
    author: GitIdentity,
    committer: GitIdentity,
  ): Promise<string | undefined> {
    return this.#checkout(await this.#presentWorktree(path)).commitAll(message, author, committer);
  }

  lockCheckout(branch: string): Promise<CheckoutLock> {
    return lockCheckout(this.#state, this.#world.files(), branch);
  }

  async fastForwardWorktree(
    path: string,
    branch: string,
    from: string,
    to: string,
  ): Promise<"Done" | "Dirty" | "Moved"> {
    const worktree = await this.#presentWorktree(path);
    const [old, next] = [this.#commit(from), this.#commit(to)];
    if (!ancestorsOf(this.#state.objects, next).has(old)) {
      throw new AdapterError(
        "NotFastForward",
        `Cannot move ${branch} from ${from} to ${to}: the second does not descend from the first.`,
      );
    }
    const checkout = this.#checkout(worktree);
    const status = await checkout.status();
    if (status.branch !== branchRef(branch) || status.head !== old) return "Moved";
    if (status.changed.length > 0 || (await checkout.untrackedInTheWay(next))) return "Dirty";
    await checkout.checkOut(next);
    moveHead(this.#state, worktree, next);
    return "Done";
  }

  async removeStaleLocks(): Promise<readonly string[]> {
    return [];
  }

  #adoptRemoteHead(remote: string, source: RepositoryState): void {
    const name = `refs/remotes/${remote}/HEAD`;
    const head = source.main?.head ?? { branch: source.bareHead };
    if (this.#state.symbolic.has(name) || !("branch" in head)) return;
    const target = `refs/remotes/${remote}/${branchName(head.branch)}`;
    if (this.#state.refs.has(target)) this.#state.symbolic.set(name, target);
  }

  #commit(revision: string): string {
    return requireCommit(this.#state, this.#worktree, revision);
  }

  #filesAt(revision: string): ReadonlyMap<string, { readonly mode: string; readonly id: string }> {
    const commit = resolveRevision(this.#state, this.#worktree, revision);
    const tree = commit === undefined ? revision : (this.#state.objects.peekCommit(commit)?.tree ?? "");
    const known = tree === this.objects.emptyTree || this.#state.objects.has(tree);
    return filesOfTree(this.#state.objects, known ? tree : this.#commit(revision));
  }

  #checkout(worktree: WorktreeState): Checkout {
    return new Checkout(this.#state, worktree, this.#world.files());
  }

  async #presentWorktree(path: string): Promise<WorktreeState> {
    const worktree = requireWorktree(this.#state, path);
    if ((await this.#world.files().stat(`${path}/.git`)) !== undefined) return worktree;
    throw new AdapterError("WorktreeMissing", `Cannot use worktree ${path}: its directory is gone.`);
  }
}

function requireSameHead(worktree: WorktreeState, branch: string | undefined): void {
  const now = "branch" in worktree.head ? worktree.head.branch : undefined;
  if (now === branch) return;
  const [has, wants] = [now ?? "no branch", branch ?? "no branch"];
  throw new AdapterError(
    "WorktreeInTheWay",
    `Cannot add worktree ${worktree.path}: it exists with ${has} checked out, not ${wants}.`,
  );
}
