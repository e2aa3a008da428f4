import { AdapterError } from "../errors/town-error.ts";
import type { CheckoutLock, CheckoutPath, FileVersion, LockedCheckout } from "../ports/checkout.ts";
import { allWorktrees, type RepositoryState, type WorktreeState } from "./memory-git-state.ts";
import type { WorktreeFiles } from "./memory-worktree-files.ts";

/** Takes the index lock of the checkout of a branch, as the port says. */
export async function lockCheckout(
  repository: RepositoryState,
  files: WorktreeFiles,
  branch: string,
): Promise<CheckoutLock> {
  for (const { path, operation } of allWorktrees(repository)) {
    if (operation?.branch === branch) return { state: "InProgress", path, operation: operation.name };
  }
  const worktree = allWorktrees(repository).find((one) => "branch" in one.head && one.head.branch === branch);
  if (worktree === undefined) return { state: "NotCheckedOut" };
  for (;;) {
    const holder = worktree.lock;
    if (holder === "Git") return { state: "Busy", path: worktree.path };
    if (holder === undefined || holder.left) break;
    await holder.released;
  }
  let released = (): void => {};
  const lock = { left: false, released: new Promise<void>((resolve) => (released = resolve)) };
  worktree.lock = lock;
  const unlock = (): void => {
    if (worktree.lock === lock) delete worktree.lock;
    released();
  };
  return { state: "Locked", checkout: new MemoryLockedCheckout(repository, worktree, files, unlock) };
}

class MemoryLockedCheckout implements LockedCheckout {
  readonly path: string;
  readonly #repository: RepositoryState;
  readonly #worktree: WorktreeState;
  readonly #files: WorktreeFiles;
  readonly #unlock: () => void;
  #released = false;

  constructor(repository: RepositoryState, worktree: WorktreeState, files: WorktreeFiles, unlock: () => void) {
    this.path = worktree.path;
    this.#repository = repository;
    this.#worktree = worktree;
    this.#files = files;
    this.#unlock = unlock;
  }

  async inspect(paths: readonly string[]): Promise<ReadonlyMap<string, CheckoutPath>> {
    this.#requireHeld("look at the index");
    const found = new Map<string, CheckoutPath>();
    for (const path of paths)
      found.set(path, { index: this.#worktree.index.get(path), disk: await this.#onDisk(path) });
    return found;
  }

  async placeFile(path: string, file: { readonly text: string; readonly mode: string } | null): Promise<void> {
    this.#requireHeld(`write ${path}`);
    if (path.split("/").includes("..") || (await this.#isBehindLink(path))) {
      throw new AdapterError(
        "PathLeavesCheckout",
        `Cannot write ${path} in ${this.path}: a part of the path is a link or a file.`,
      );
    }
    const full = `${this.path}/${path}`;
    if (file === null) {
      await this.#files.remove(full);
      await this.#removeEmptyAbove(path);
      return;
    }
    await this.#files.makeDirectory(full.slice(0, full.lastIndexOf("/")));
    await this.#files.writeAtomic(full, file.text, { mode: file.mode === "100755" ? 0o755 : 0o644 });
  }

  async stage(entries: ReadonlyMap<string, FileVersion | null>): Promise<void> {
    this.#requireHeld("write the index");
    const next = new Map(this.#worktree.index);
    for (const [path, version] of entries) {
      if (version === null) next.delete(path);
      else next.set(path, version);
    }
    this.#worktree.index = next;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#unlock();
  }

  async #onDisk(path: string): Promise<CheckoutPath["disk"]> {
    if (await this.#isBehindLink(path)) return "Other";
    const stat = await this.#files.stat(`${this.path}/${path}`);
    if (stat === undefined) return undefined;
    const text = stat.kind === "File" ? await this.#files.readText(`${this.path}/${path}`) : undefined;
    if (text === undefined) return "Other";
    return { mode: (stat.mode & 0o100) === 0 ? "100644" : "100755", id: this.#repository.objects.putBlob(text) };
  }

  async #isBehindLink(path: string): Promise<boolean> {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length += 1) {
      const kind = (await this.#files.stat(`${this.path}/${parts.slice(0, length).join("/")}`))?.kind;
      if (kind === undefined) return false;
      if (kind !== "Directory") return true;
    }
    return false;
  }

  async #removeEmptyAbove(path: string): Promise<void> {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const directory = `${this.path}/${path.slice(0, slash)}`;
      if ((await this.#files.list(directory)).length > 0) return;
      await this.#files.removeTree(directory);
    }
  }

  #requireHeld(doing: string): void {
    if (this.#released)
      throw new AdapterError("CheckoutReleased", `Cannot ${doing} of ${this.path}: its lock was released.`);
  }
}
