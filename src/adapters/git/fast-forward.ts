import { copyFile, lstat, readFile, readlink, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { branchRef } from "../../domain/git/ref-name.ts";
import type { WorktreeStatus } from "../../ports/git.ts";
import { somethingInTheWay } from "./checkout-files.ts";
import { diskFailure, syncDirectory, unlessMissing } from "./disk.ts";
import { ForwardLock, type ForwardIntent, type OwnerProbe } from "./forward-lock.ts";
import type { GitCommand, GitRunOptions } from "./git-command.ts";
import { markedGitRuns, runMarked } from "./git-marks.ts";
import { KeyedMutex } from "./mutex.ts";
import type { RefTransactions } from "./ref-transactions.ts";
import type { PresentWorktree } from "./worktrees.ts";

export interface FastForwardOptions {
  readonly command: GitCommand;
  readonly refs: RefTransactions;
  readonly owners: OwnerProbe;
  readonly status: (worktree: PresentWorktree) => Promise<WorktreeStatus>;
}

/** Over all repositories of this process, so that a lock of its own is never taken for a live one. */
const turns = new KeyedMutex();

/**
 * Moves a branch that a person has checked out, together with the files.
 *
 * Flow: (1) the branch is where it is expected, no tracked file differs, nothing is in progress, nothing untracked stands
 * where a file comes; (2) take the checkout's index.lock, with the intent as its content, and look at all that again;
 * (3) let git update the files, into a copy of the index; (4) move the branch by compare-and-swap; (5) put the new index
 * in place, release. A checkout that is in the way is asked about again and again: its lock is left to its user's git.
 *
 * Guarantees: killed before (4), the next call puts the old files back; after it, it puts the new index in place. A file
 * is only ever replaced when its content is the old commit's, or what (3) was writing when it was killed.
 */
export class FastForward {
  readonly #options: FastForwardOptions;

  constructor(options: FastForwardOptions) {
    this.#options = options;
  }

  /** `from` and `to` are commit ids, the second a descendant of the first. */
  async move(worktree: PresentWorktree, branch: string, from: string, to: string): Promise<"Done" | "Dirty" | "Moved"> {
    return this.#turn(worktree, async (lock) => {
      const left = await this.#left(worktree, lock);
      if (left === "Busy") return "Dirty";
      if (left !== "Free") await this.#recover(worktree, left, lock);
      const intent = { branch: branchRef(branch), from, to };
      const obstacle = await this.#obstacle(worktree, intent);
      if (obstacle !== undefined) return obstacle;
      if (!(await lock.take(intent))) return "Dirty";
      return this.#moveLocked(worktree, intent, lock);
    });
  }

  /** Ends what a killed move left in this checkout; false when there is none or its owner lives. */
  async recover(worktree: PresentWorktree): Promise<boolean> {
    return this.#turn(worktree, async (lock) => {
      const left = await this.#left(worktree, lock);
      if (left === "Busy" || left === "Free") return false;
      await this.#recover(worktree, left, lock);
      return true;
    });
  }

  async #turn<T>(worktree: PresentWorktree, task: (lock: ForwardLock) => Promise<T>): Promise<T> {
    const lock = new ForwardLock(worktree.gitDirectory, this.#options.owners);
    return turns
      .run(worktree.gitDirectory, () => task(lock))
      .catch((error: unknown) => {
        throw diskFailure(`move the branch checked out at ${worktree.path}`, error);
      });
  }

  /** A git that outlived the owner of the lock is waited for. */
  async #left(worktree: PresentWorktree, lock: ForwardLock): Promise<ForwardIntent | "Free" | "Busy"> {
    const left = await lock.left();
    return left !== "Free" && (await markedGitRuns(worktree.gitDirectory)) ? "Busy" : left;
  }

  async #moveLocked(worktree: PresentWorktree, intent: Intent, lock: ForwardLock): Promise<"Done" | "Dirty" | "Moved"> {
    const { branch, from, to } = intent;
    const obstacle = await this.#obstacle(worktree, intent);
    if (obstacle !== undefined) {
      await lock.release();
      return obstacle;
    }
    if (!(await this.#updateFiles(worktree, intent))) {
      await this.#putBack(worktree, intent);
      await lock.release();
      return "Dirty";
    }
    if (!(await this.#options.refs.update([{ ref: branch, from, to }], "town: fast-forward"))) {
      await this.#putBack(worktree, intent);
      await lock.release();
      return "Moved";
    }
    await this.#installIndex(worktree, lock);
    return "Done";
  }

  async #obstacle(worktree: PresentWorktree, { branch, from, to }: Intent): Promise<"Dirty" | "Moved" | undefined> {
    const status = await this.#options.status(worktree);
    if (status.branch !== branch || status.head !== from) return "Moved";
    if (status.changed.length > 0 || status.inProgress !== undefined) return "Dirty";
    const added = await this.#list(worktree, [
      "diff-tree",
      "-r",
      "-z",
      "--name-only",
      "--no-renames",
      "--diff-filter=A",
      from,
      to,
    ]);
    if (added.length === 0) return undefined;
    const tracked = await this.#list(worktree, ["ls-tree", "-r", "-z", "--name-only", "--full-tree", from]);
    const ignoreCase = await this.#ignoresCase(worktree);
    return (await somethingInTheWay(worktree.path, added, new Set(tracked), ignoreCase)) ? "Dirty" : undefined;
  }

  /** False when git refused or failed half-way: a file changed under it, the disk is full. */
  async #updateFiles(worktree: PresentWorktree, { from, to }: Intent): Promise<boolean> {
    const next = nextIndex(worktree);
    await rm(next, { force: true });
    await rm(`${next}.lock`, { force: true });
    await copyFile(join(worktree.gitDirectory, "index"), next);
    const env = { GIT_INDEX_FILE: next };
    await this.#change(worktree, ["update-index", "-q", "--refresh"], { env, answers: [0, 1] });
    const { exitCode } = await this.#change(worktree, ["read-tree", "-m", "-u", from, to], {
      env,
      answers: [0, 128],
      timeoutMs: 1_800_000,
    });
    return exitCode === 0;
  }

  async #recover(worktree: PresentWorktree, intent: ForwardIntent, lock: ForwardLock): Promise<void> {
    const head = (await this.#options.refs.read([intent.branch])).get(intent.branch);
    if (head !== intent.to) {
      await this.#putBack(worktree, intent);
      await lock.release();
      return;
    }
    const next = nextIndex(worktree);
    if ((await unlessMissing(lstat(next))) === undefined) {
      await copyFile(join(worktree.gitDirectory, "index"), next);
      await this.#change(worktree, ["read-tree", "-m", intent.from, intent.to], { env: { GIT_INDEX_FILE: next } });
    }
    await this.#installIndex(worktree, lock);
  }

  async #installIndex(worktree: PresentWorktree, lock: ForwardLock): Promise<void> {
    await rename(nextIndex(worktree), join(worktree.gitDirectory, "index"));
    await syncDirectory(worktree.gitDirectory);
    await lock.release();
  }

  /** The files of `from` again, wherever what is there now was written on the way to `to`. */
  async #putBack(worktree: PresentWorktree, { from, to }: Intent): Promise<void> {
    const copy = nextIndex(worktree);
    await rm(copy, { force: true });
    await rm(`${copy}.lock`, { force: true });
    const differing = await this.#list(worktree, ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to]);
    const old = new Set(await this.#list(worktree, ["ls-tree", "-r", "-z", "--name-only", "--full-tree", from]));
    const taken = async (path: string) => {
      const now = await contentOf(join(worktree.path, path));
      if (now === undefined) return true;
      if (now === "Directory" || !(await this.#wasWritten(worktree, path, now, { from, to }))) return false;
      await rm(join(worktree.path, path));
      return true;
    };
    // New files first: a directory of them may be where an old file belongs.
    for (const path of differing.filter((one) => !old.has(one)))
      if (await taken(path)) await pruneEmpty(worktree.path, path);
    const restored: string[] = [];
    for (const path of differing.filter((one) => old.has(one))) if (await taken(path)) restored.push(path);
    if (restored.length === 0) return;
    // From the index in place, which is still that of `from`; a copy, since it is locked.
    await copyFile(join(worktree.gitDirectory, "index"), copy);
    const input = restored.map((path) => `${path}\0`).join("");
    await this.#change(worktree, ["checkout-index", "-f", "-q", "-z", "--stdin"], {
      env: { GIT_INDEX_FILE: copy },
      input,
    });
    await rm(copy, { force: true });
  }

  /** Whether a file is what `to` has there or a first part of it, and not simply what `from` has. */
  async #wasWritten(
    worktree: PresentWorktree,
    path: string,
    now: Buffer,
    { from, to }: Pick<Intent, "from" | "to">,
  ): Promise<boolean> {
    const [old, next] = [await this.#checkedOut(worktree, from, path), await this.#checkedOut(worktree, to, path)];
    if (next === undefined || !next.subarray(0, now.length).equals(now)) return false;
    // Equal on both sides: only the mode differs, and writing the old file again puts that right.
    return old === undefined || !old.equals(now) || old.equals(next);
  }

  /** A file's content as git would write it to the disk. */
  async #checkedOut(worktree: PresentWorktree, commit: string, path: string): Promise<Buffer | undefined> {
    const { exitCode, stdout } = await this.#run(worktree, ["cat-file", "--filters", `${commit}:${path}`], {
      answers: [0, 128],
    });
    return exitCode === 0 ? stdout : undefined;
  }

  async #ignoresCase(worktree: PresentWorktree): Promise<boolean> {
    const { stdout } = await this.#run(worktree, ["config", "--type=bool", "--get", "core.ignoreCase"], {
      answers: [0, 1],
    });
    return stdout.toString("utf8").trim() === "true";
  }

  async #list(worktree: PresentWorktree, args: readonly string[]): Promise<string[]> {
    const { stdout } = await this.#run(worktree, args, {});
    return stdout.toString("utf8").split("\0").slice(0, -1);
  }

  #run(worktree: PresentWorktree, args: readonly string[], options: RunOptions) {
    return this.#options.command.run(args, { ...whereOf(worktree), ...options });
  }

  #change(worktree: PresentWorktree, args: readonly string[], options: RunOptions) {
    return runMarked(this.#options.command, worktree.gitDirectory, args, { ...whereOf(worktree), ...options });
  }
}

type RunOptions = Omit<GitRunOptions, "place" | "doing">;

function whereOf(worktree: PresentWorktree): Pick<GitRunOptions, "place" | "doing"> {
  const place = { gitDirectory: worktree.gitDirectory, worktree: worktree.path };
  return { place, doing: `move the branch checked out at ${worktree.path}` };
}

type Intent = Pick<ForwardIntent, "branch" | "from" | "to">;

function nextIndex(worktree: PresentWorktree): string {
  return join(worktree.gitDirectory, "town-index");
}

/** Removes the directories above a removed file that are empty now. */
async function pruneEmpty(root: string, path: string): Promise<void> {
  for (let directory = dirname(path); directory !== "."; directory = dirname(directory)) {
    const removed = await rmdir(join(root, directory)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

async function contentOf(path: string): Promise<Buffer | "Directory" | undefined> {
  const found = await unlessMissing(lstat(path));
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) return Buffer.from(await readlink(path));
  return found.isFile() ? readFile(path) : "Directory";
}
