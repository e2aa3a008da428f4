import { AdapterError } from "../errors/town-error.ts";
import type { GitIdentity, WorktreeStatus } from "../ports/git.ts";
import { ignorePatterns } from "./ignore-patterns.ts";
import { filesOfCommit, treeOfFiles } from "./memory-git-history.ts";
import { headCommit, moveHead, type IndexEntry, type RepositoryState, type WorktreeState } from "./memory-git-state.ts";
import type { WorktreeFiles } from "./memory-worktree-files.ts";

/** The files of one checkout against its index and HEAD. */
export class Checkout {
  readonly #repository: RepositoryState;
  readonly #worktree: WorktreeState;
  readonly #files: WorktreeFiles;

  constructor(repository: RepositoryState, worktree: WorktreeState, files: WorktreeFiles) {
    this.#repository = repository;
    this.#worktree = worktree;
    this.#files = files;
  }

  async status(): Promise<WorktreeStatus> {
    const commit = headCommit(this.#repository, this.#worktree);
    const head = filesOfCommit(this.#repository.objects, commit);
    const disk = await this.#scan();
    const { index } = this.#worktree;
    const changed = new Set<string>();
    for (const path of new Set([...head.keys(), ...index.keys()])) {
      const staged = index.get(path);
      if (!same(head.get(path), staged) || (staged !== undefined && !same(staged, disk.get(path)))) changed.add(path);
    }
    const untracked = [...disk.keys()].filter((path) => !index.has(path));
    return {
      head: commit,
      branch: "branch" in this.#worktree.head ? this.#worktree.head.branch : undefined,
      changed: [...changed].sort(),
      untracked: untracked.sort(),
      inProgress: undefined,
    };
  }

  /** Makes tracked files those of `commit`; files that were never tracked stay. */
  async checkOut(commit: string | undefined): Promise<void> {
    const wanted = filesOfCommit(this.#repository.objects, commit);
    for (const path of this.#worktree.index.keys()) if (!wanted.has(path)) await this.#removeFile(path);
    const disk = await this.#scan();
    for (const [path, entry] of wanted) if (!same(disk.get(path), entry)) await this.#writeFile(path, entry);
    this.#worktree.index = wanted;
  }

  async removeUntracked(): Promise<void> {
    for (const path of (await this.status()).untracked) await this.#removeFile(path);
  }

  async commitAll(message: string, author: GitIdentity, committer: GitIdentity): Promise<string | undefined> {
    const head = headCommit(this.#repository, this.#worktree);
    const disk = await this.#scan();
    const { objects } = this.#repository;
    const tree = treeOfFiles(objects, disk);
    const before = head === undefined ? objects.emptyTree : objects.peekCommit(head)?.tree;
    this.#worktree.index = disk;
    if (tree === before) return undefined;
    const id = objects.putCommit({ tree, parents: head === undefined ? [] : [head], message, author, committer });
    await objects.sync();
    moveHead(this.#repository, this.#worktree, id);
    return id;
  }

  /** A file that `to` brings and that exists without being tracked: git would have to overwrite it. */
  async untrackedInTheWay(to: string): Promise<boolean> {
    for (const path of filesOfCommit(this.#repository.objects, to).keys()) {
      if (this.#worktree.index.has(path)) continue;
      const found = await this.#files.stat(this.#at(path));
      if (found !== undefined && found.kind !== "Directory") return true;
    }
    return false;
  }

  /** What a commit of everything would hold: tracked files, and others unless ignored. */
  async #scan(): Promise<Map<string, IndexEntry>> {
    const exclude = await this.#files.readText(`${this.#repository.commonDirectory}/info/exclude`);
    const own = await this.#files.readText(this.#at(".gitignore"));
    const ignored = ignorePatterns(`${exclude ?? ""}\n${own ?? ""}`);
    const found = new Map<string, IndexEntry>();
    for (const path of await this.#walk("")) {
      if (ignored(path) && !this.#worktree.index.has(path)) continue;
      const entry = await this.#readEntry(path);
      if (entry !== undefined) found.set(path, entry);
    }
    return found;
  }

  async #walk(directory: string): Promise<string[]> {
    const paths: string[] = [];
    for (const name of await this.#files.list(directory === "" ? this.#worktree.path : this.#at(directory))) {
      const path = directory === "" ? name : `${directory}/${name}`;
      if (name === ".git") continue;
      const stat = await this.#files.stat(this.#at(path));
      if (stat?.kind === "Directory") paths.push(...(await this.#walk(path)));
      else if (stat !== undefined) paths.push(path);
    }
    return paths;
  }

  async #readEntry(path: string): Promise<IndexEntry | undefined> {
    const stat = await this.#files.stat(this.#at(path));
    const tracked = this.#worktree.index.get(path);
    // The Files port does not read links: one that is tracked counts as unchanged, others are not seen.
    if (stat?.kind === "Link") return tracked?.mode === "120000" ? tracked : undefined;
    const text = await this.#files.readText(this.#at(path));
    if (stat === undefined || text === undefined) return undefined;
    return { mode: (stat.mode & 0o100) === 0 ? "100644" : "100755", id: this.#repository.objects.putBlob(text) };
  }

  async #writeFile(path: string, entry: IndexEntry): Promise<void> {
    const full = this.#at(path);
    const text = this.#repository.objects.peekBlob(entry.id) ?? "";
    await this.#files.makeDirectory(full.slice(0, full.lastIndexOf("/")));
    if ((await this.#files.stat(full))?.kind === "Directory") await this.#files.removeTree(full);
    if (entry.mode === "120000") await this.#files.symlink(text, full);
    else await this.#files.writeAtomic(full, text, { mode: entry.mode === "100755" ? 0o755 : 0o644 });
  }

  async #removeFile(path: string): Promise<void> {
    await this.#files.remove(this.#at(path));
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const directory = this.#at(path.slice(0, slash));
      if ((await this.#files.list(directory)).length > 0) return;
      await this.#files.removeTree(directory);
    }
  }

  #at(path: string): string {
    return `${this.#worktree.path}/${path}`;
  }
}

export function requireWorktree(repository: RepositoryState, path: string): WorktreeState {
  if (repository.main?.path === path) return repository.main;
  const found = repository.linked.get(path);
  if (found !== undefined) return found;
  throw new AdapterError("WorktreeMissing", `Cannot use ${path}: it is no worktree of ${repository.commonDirectory}.`);
}

function same(a: IndexEntry | undefined, b: IndexEntry | undefined): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}
