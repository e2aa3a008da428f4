import { branchRef } from "../domain/git/ref-name.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Git, GitIdentity, Repository } from "../ports/git.ts";
import { LoggedRefs } from "./logged-refs.ts";
import { MemoryObjects } from "./memory-git-objects.ts";
import { allWorktrees, type RepositoryState, type WorktreeState } from "./memory-git-state.ts";
import { memoryWorktreeFiles, type WorktreeFiles } from "./memory-worktree-files.ts";
import { MemoryRepository } from "./memory-repository.ts";

export interface MemoryGitOptions {
  /** Default: a clock that stands at the epoch. */
  readonly clock?: Pick<Clock, "now">;
  /** The disk that worktrees are checked out to. Default: one of its own. */
  readonly files?: WorktreeFiles;
}

/**
 * All git repositories of a simulated world, addressed by path; a path (or `file://` path) is also the URL of a remote.
 *
 * Guarantees: object ids are git's own; refs are durable once updated; objects that no ref update and no `sync`
 * followed are lost by `crash`. Limits: no renames in merges, no tags followed by fetch, `HEAD` moves only by the
 * methods of the port. Beyond the port it has the few calls that a simulated agent or a test needs to work in a checkout.
 */
export class MemoryGit implements Git {
  /** Remotes that fetch and push cannot reach; change at will. */
  readonly unreachable = new Set<string>();
  readonly #repositories = new Map<string, RepositoryState>();
  /** Bare ones, by the number that their directory holds. */
  readonly #made: RepositoryState[] = [];
  readonly #clock: Pick<Clock, "now">;
  #files: WorktreeFiles;

  constructor(options: MemoryGitOptions = {}) {
    this.#clock = options.clock ?? { now: () => 0 };
    this.#files = options.files ?? memoryWorktreeFiles();
  }

  async open(path: string): Promise<Repository | undefined> {
    await this.#followMove(trimmed(path));
    let best:
      | { readonly root: string; readonly state: RepositoryState; readonly worktree: WorktreeState | undefined }
      | undefined;
    for (const state of this.#repositories.values()) {
      const roots = allWorktrees(state).map((worktree) => ({ root: worktree.path, state, worktree }));
      for (const one of [...roots, { root: state.commonDirectory, state, worktree: undefined }]) {
        if (`${trimmed(path)}/`.startsWith(`${one.root}/`) && one.root.length > (best?.root.length ?? 0)) best = one;
      }
    }
    if (best === undefined || (await this.#files.stat(best.root)) === undefined) return undefined;
    return this.#repository(best.state, best.worktree);
  }

  async init(path: string, options: { readonly bare: boolean; readonly branch: string }): Promise<Repository> {
    const top = trimmed(path);
    const existing = this.#repositories.get(options.bare ? top : `${top}/.git`);
    if (existing !== undefined) return this.#repository(existing, existing.main);
    const head = branchRef(options.branch);
    const commonDirectory = options.bare ? top : `${top}/.git`;
    const state: RepositoryState = {
      commonDirectory,
      objects: new MemoryObjects(() => this.#clock.now()),
      refs: new LoggedRefs(),
      symbolic: new Map(),
      config: new Map([["core.bare", String(options.bare)]]),
      bareHead: head,
      main: options.bare ? undefined : { path: top, head: { branch: head }, index: new Map() },
      linked: new Map(),
    };
    this.#repositories.set(commonDirectory, state);
    await this.#files.makeDirectory(commonDirectory);
    if (options.bare) {
      this.#made.push(state);
      await this.#files.writeAtomic(`${commonDirectory}/${marker}`, String(this.#made.length - 1));
    }
    return this.#repository(state, state.main);
  }

  async cloneBare(url: string, path: string): Promise<Repository> {
    // What was there may have been moved away.
    if ((await this.#files.stat(trimmed(path))) === undefined) this.#repositories.delete(trimmed(path));
    const existing = this.#repositories.get(trimmed(path));
    if (existing !== undefined && existing.config.get("remote.origin.url") !== url) {
      throw new AdapterError("CloneInTheWay", `Cannot clone ${url} to ${path}: another repository is there.`);
    }
    if (existing !== undefined) return this.#repository(existing, existing.main);
    if ((await this.#files.list(trimmed(path))).length > 0) {
      throw new AdapterError("CloneInTheWay", `Cannot clone ${url} to ${path}: something else is there.`);
    }
    const source = this.#remote(url);
    const head = source.main?.head ?? { branch: source.bareHead };
    const clone = await this.init(path, { bare: true, branch: "branch" in head ? head.branch : "main" });
    await clone.setConfig("remote.origin.url", url);
    await clone.setConfig("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
    await clone.fetch("origin", [], { prune: true });
    return clone;
  }

  async close(): Promise<void> {}

  /** A bare repository that was moved on the disk is opened where it is now. */
  async #followMove(path: string): Promise<void> {
    const text = await this.#files.readText(`${path}/${marker}`);
    const state = text === undefined ? undefined : this.#made[Number(text)];
    if (state === undefined || state.commonDirectory === path) return;
    if (this.#repositories.get(state.commonDirectory) === state) this.#repositories.delete(state.commonDirectory);
    state.commonDirectory = path;
    this.#repositories.set(path, state);
  }

  /** Puts the checkouts on another disk, as after a restart that mounted it anew. */
  useFiles(files: WorktreeFiles): void {
    this.#files = files;
  }

  /** Power loss: every repository forgets objects that were not made durable, except those that `survives` keeps. */
  crash(survives?: (id: string) => boolean): void {
    for (const state of this.#repositories.values()) {
      state.objects.crash(survives);
      for (const { lock } of allWorktrees(state)) if (typeof lock === "object") lock.left = true;
    }
  }

  /** Every commit that a ref of the repository at a path was at, oldest first. */
  reflog(path: string, ref: string): readonly string[] {
    return this.#remote(path).refs.log(ref);
  }

  /** What a git of a person does in a checkout: holds its index for a while, or begins something with a branch. */
  occupy(
    worktreePath: string,
    by: { readonly index: boolean } | { readonly operation: "Merge" | "Rebase" | "CherryPick" | "Bisect" },
  ): void {
    const worktree = [...this.#repositories.values()].flatMap(allWorktrees).find((one) => one.path === worktreePath);
    if (worktree === undefined)
      throw new AdapterError("WorktreeMissing", `Cannot occupy ${worktreePath}: it is no checkout.`);
    if ("operation" in by) {
      const branch = "branch" in worktree.head ? worktree.head.branch : "";
      worktree.operation = { name: by.operation, branch };
    } else if (by.index) worktree.lock = "Git";
    else delete worktree.lock;
  }

  /** Writes a file of a checkout, as an agent's editor does. */
  async writeFile(
    worktreePath: string,
    path: string,
    text: string,
    options?: { readonly mode?: number },
  ): Promise<void> {
    const full = `${worktreePath}/${path}`;
    await this.#files.makeDirectory(full.slice(0, full.lastIndexOf("/")));
    await this.#files.writeAtomic(full, text, options);
  }

  async readFile(worktreePath: string, path: string): Promise<string | undefined> {
    return this.#files.readText(`${worktreePath}/${path}`);
  }

  async removeFile(worktreePath: string, path: string): Promise<void> {
    await this.#files.remove(`${worktreePath}/${path}`);
  }

  /** Commits everything in the checkout at a path; undefined when there was nothing. */
  async commit(worktreePath: string, message: string, author: GitIdentity = someone): Promise<string | undefined> {
    const repository = await this.open(worktreePath);
    if (repository === undefined)
      throw new AdapterError("NotARepository", `Cannot commit in ${worktreePath}: it is in no repository.`);
    return repository.commitAll(repository.path, message, author, author);
  }

  #repository(state: RepositoryState, worktree: WorktreeState | undefined): Repository {
    return new MemoryRepository(state, worktree, { files: () => this.#files, remote: (url) => this.#remote(url) });
  }

  #remote(url: string): RepositoryState {
    const path = trimmed(url.replace(/^file:\/\//, ""));
    const found = this.#repositories.get(path) ?? this.#repositories.get(`${path}/.git`);
    if (found !== undefined && !this.unreachable.has(url) && !this.unreachable.has(path)) return found;
    throw new AdapterError("RemoteUnreachable", `Cannot reach ${url}: there is no repository there.`);
  }
}

/** File that tells a bare repository wherever its directory is. */
const marker = "simulated";

const someone: GitIdentity = { name: "Someone", email: "someone@example.com" };

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}
