import { mkdir, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { branchName, branchRef } from "../../domain/git/ref-name.ts";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { Worktree } from "../../ports/git.ts";
import { removeTree } from "../remove-tree.ts";
import { diskFailure, exists, readTextFile, unlessMissing, writeDurably } from "./disk.ts";
import type { GitCommand, GitPlace } from "./git-command.ts";
import {
  canonicalPath,
  commonDirectoryOf,
  gitDirectoryOf,
  worktreeRecord,
  worktreeRecords,
  type WorktreeRecord,
} from "./git-directory.ts";
import { markedGitRuns, runMarked } from "./git-marks.ts";
import { KeyedMutex, type Slots } from "./mutex.ts";
import type { ObjectReader } from "./object-reader.ts";
import { parseWorktrees } from "./worktree-status.ts";

export interface WorktreesOptions {
  readonly command: GitCommand;
  readonly commonDirectory: string;
  readonly reader: ObjectReader;
  /** How many checkouts may write files at once, over all repositories. */
  readonly checkouts: Slots;
}

/** A checkout that was found and belongs to the repository. */
export interface PresentWorktree {
  readonly path: string;
  readonly gitDirectory: string;
}

/**
 * The linked worktrees of one repository.
 *
 * Guarantees: adding is adopt-or-create and survives kill -9 at any point (a checkout counts as complete when its index
 * exists, which git writes last); removing goes on where a killed one stopped; files that this repository did not check
 * out are never deleted. git's own race between two `worktree add` (one trips over the other's half-written record) is
 * kept out by a mutex in this process and by retries against other processes.
 */
export class Worktrees {
  readonly #command: GitCommand;
  readonly #commonDirectory: string;
  readonly #reader: ObjectReader;
  readonly #checkouts: Slots;
  readonly #mutex = new KeyedMutex();

  constructor({ command, commonDirectory, reader, checkouts }: WorktreesOptions) {
    this.#command = command;
    this.#reader = reader;
    this.#commonDirectory = commonDirectory;
    this.#checkouts = checkouts;
  }

  async list(): Promise<readonly Worktree[]> {
    const args = ["worktree", "list", "--porcelain", "-z"];
    const options = { place: this.#place, doing: `list the worktrees of ${this.#commonDirectory}` };
    return parseWorktrees(await this.#serialised(() => this.#command.list(args, options)));
  }

  async present(path: string): Promise<PresentWorktree> {
    const place = await canonicalPath(path);
    const gitDirectory = await gitDirectoryOf(place);
    if (gitDirectory !== undefined && (await commonDirectoryOf(gitDirectory)) === this.#commonDirectory)
      return { path: place, gitDirectory };
    throw new AdapterError("WorktreeMissing", `Cannot use ${path}: it is no worktree of ${this.#commonDirectory}.`);
  }

  /** `commit` is an id. */
  async add(path: string, commit: string, branch: string | undefined): Promise<void> {
    await this.#turn(path, "add", async (place) => {
      if (await this.#adopted(place, branch)) return;
      await this.#serialised(() => this.#register(place, commit, branch));
      await this.#checkOut(place);
    });
  }

  /**
   * `commit` is an id. The record is rewritten before the directory is renamed: of one that a kill left in between, `add`
   * at the new place drops the record, and `remove` at the old one the files.
   */
  async move(at: {
    readonly from: string;
    readonly to: string;
    readonly commit: string;
    readonly branch: string;
  }): Promise<"Moved" | "Missing"> {
    const old = await canonicalPath(at.from);
    return this.#turn(at.to, "move to", (place) =>
      this.#mutex.run(old, async () => {
        const record = await this.#recordOf(old);
        if (record === undefined || !(await this.#isFree(old, record))) return "Missing";
        if ((await this.#recordOf(place)) !== undefined)
          throw new AdapterError("WorktreeInTheWay", `Cannot move ${old} to ${place}: another worktree is there.`);
        await this.#removeLeftover(place);
        await mkdir(dirname(place), { recursive: true });
        await writeDurably(
          join(record.directory, "town-gitdir"),
          join(record.directory, "gitdir"),
          `${place}/.git\n`,
          0o644,
        );
        await rename(old, place);
        await this.#switchBranch(place, at.commit, at.branch);
        return "Moved";
      }),
    );
  }

  /** Whether a complete, detached checkout is there that no git works in. */
  async #isFree(place: string, record: WorktreeRecord): Promise<boolean> {
    const has = (name: string): Promise<boolean> => exists(join(record.directory, name));
    if (record.halfMade || !(await exists(join(place, ".git"))) || !(await has("index")) || (await has(removing)))
      return false;
    return (await this.#headOf(place, record)) === undefined && !(await markedGitRuns(record.directory));
  }

  /** Keeps what the checkout has beside the commit, and refuses where that is in the way. */
  async #switchBranch(place: string, commit: string, branch: string): Promise<void> {
    const { gitDirectory } = await this.present(place);
    const name = branchName(branch);
    const existing = (await this.#reader.info(branchRef(branch))) !== undefined;
    await this.#checkouts.run(() =>
      runMarked(
        this.#command,
        gitDirectory,
        ["checkout", "--quiet", ...(existing ? [name, "--"] : ["--no-track", "-b", name, commit, "--"])],
        {
          place: { gitDirectory, worktree: place },
          doing: `check out ${name} in worktree ${place}`,
          timeoutMs: 1_800_000,
        },
      ),
    );
  }

  async remove(path: string): Promise<void> {
    await this.#turn(path, "remove", async (place) => {
      const gitDirectory = await gitDirectoryOf(place);
      if (gitDirectory === join(place, ".git") || gitDirectory === this.#commonDirectory) {
        throw new AdapterError("MainWorktree", `Cannot remove ${path}: it is the main checkout of a repository.`);
      }
      const record = await this.#recordOf(place);
      if (record !== undefined) return this.#removeRecorded(place, record);
      const ours = gitDirectory !== undefined && this.#isRecord(gitDirectory);
      if (!ours && ((await unlessMissing(readdir(place))) ?? []).length > 0) {
        throw new AdapterError(
          "WorktreeInTheWay",
          `Cannot remove ${path}: it is no worktree of ${this.#commonDirectory}.`,
        );
      }
      await removeTree(place);
    });
  }

  async #turn<T>(path: string, verb: string, task: (place: string) => Promise<T>): Promise<T> {
    try {
      const place = await canonicalPath(path);
      return await this.#mutex.run(place, () => task(place));
    } catch (error) {
      throw diskFailure(`${verb} worktree ${path}`, error);
    }
  }

  /** Whether a complete worktree with the wanted HEAD is there; finishes or clears what a killed call left. */
  async #adopted(place: string, branch: string | undefined): Promise<boolean> {
    const record = await this.#recordOf(place);
    if (record === undefined) return false;
    if (await exists(join(record.directory, removing))) {
      await this.#removeRecorded(place, record);
      return false;
    }
    if (record.halfMade || !(await exists(join(place, ".git")))) {
      await this.#removeLeftover(place);
      await this.#forget(record);
      return false;
    }
    await this.#requireHead(place, record, branch);
    if (!(await exists(join(record.directory, "index")))) {
      if (await markedGitRuns(record.directory)) {
        throw new AdapterError(
          "GitLocked",
          `Cannot add worktree ${place}: a git that was started earlier still checks out its files.`,
        );
      }
      // Nobody can have worked in a checkout that was never finished: the lock is that of the git that was killed.
      await rm(join(record.directory, "index.lock"), { force: true });
      await this.#checkOut(place);
    }
    return true;
  }

  async #register(place: string, commit: string, branch: string | undefined): Promise<void> {
    await this.#removeLeftover(place);
    const existing = branch !== undefined && (await this.#reader.info(branchRef(branch))) !== undefined;
    const head =
      branch === undefined
        ? ["--detach", place, commit]
        : existing
          ? [place, branchName(branch)]
          : ["--no-track", "-b", branchName(branch), place, commit];
    try {
      await this.#command.run(["worktree", "add", "--no-checkout", ...head], {
        place: this.#place,
        doing: `add worktree ${place}`,
      });
    } catch (error) {
      const holder = /already (?:checked out|used by worktree) at '([^']+)'/.exec(messageOf(error))?.[1];
      if (holder === undefined) throw error;
      if (await this.#forgetGone(holder)) return this.#register(place, commit, branch);
      throw new AdapterError(
        "BranchCheckedOut",
        `Cannot add worktree ${place}: ${branch} is checked out at ${holder}.`,
        { cause: error },
      );
    }
  }

  async #checkOut(place: string): Promise<void> {
    const { gitDirectory } = await this.present(place);
    await this.#checkouts.run(() =>
      runMarked(this.#command, gitDirectory, ["reset", "--hard", "--quiet"], {
        place: { gitDirectory, worktree: place },
        doing: `check out the files of worktree ${place}`,
        timeoutMs: 1_800_000,
      }),
    );
  }

  async #requireHead(place: string, record: WorktreeRecord, branch: string | undefined): Promise<void> {
    const head = await this.#headOf(place, record);
    const wanted = branch === undefined ? undefined : branchRef(branch);
    if (head === wanted || (head === undefined && (await branchBeingWorkedOn(record.directory)) === wanted)) return;
    const [has, wants] = [head ?? "no branch", wanted ?? "no branch"];
    throw new AdapterError(
      "WorktreeInTheWay",
      `Cannot add worktree ${place}: it exists with ${has} checked out, not ${wants}.`,
    );
  }

  /** Branch of a worktree's HEAD; read from its file unless refs are kept in tables. */
  async #headOf(place: string, record: WorktreeRecord): Promise<string | undefined> {
    const text = ((await readTextFile(join(record.directory, "HEAD"))) ?? "").trim();
    if (/^[0-9a-f]{40,64}$/.test(text)) return undefined;
    if (/^ref: refs\/heads\/[^.]/.test(text)) return text.slice("ref: ".length);
    const { exitCode, stdout } = await this.#command.run(["symbolic-ref", "--quiet", "HEAD"], {
      place: { gitDirectory: record.directory },
      doing: `read HEAD of worktree ${place}`,
      answers: [0, 1],
    });
    return exitCode === 0 ? stdout.toString("utf8").trim() : undefined;
  }

  /** The directory is deleted first and the record last, so that a killed removal is found again by its record. */
  async #removeRecorded(place: string, record: WorktreeRecord): Promise<void> {
    await writeFile(join(record.directory, removing), "");
    await removeTree(place);
    await this.#forget(record);
  }

  async #forget(record: WorktreeRecord): Promise<void> {
    await this.#serialised(async () => {
      await rm(record.directory, { recursive: true, force: true });
      // git expects that the directory of records exists only while there are some.
      await rmdir(dirname(record.directory)).catch(() => {});
    });
  }

  /** What a killed `worktree add` leaves besides its record: an empty directory, or one with only a `.git` file. */
  async #removeLeftover(place: string): Promise<void> {
    const names = (await unlessMissing(readdir(place))) ?? [];
    if (names.some((name) => name !== ".git") || (names.length > 0 && !(await this.#pointsHere(place)))) {
      throw new AdapterError("WorktreeInTheWay", `Cannot add worktree ${place}: something else is there.`, {
        hint: `Move ${place} away; it holds files that no worktree of ${this.#commonDirectory} accounts for.`,
      });
    }
    await rm(place, { recursive: true, force: true });
  }

  async #pointsHere(place: string): Promise<boolean> {
    const marker = (await readTextFile(join(place, ".git"))) ?? "";
    const gitDirectory = await gitDirectoryOf(place);
    return marker === "" || (gitDirectory !== undefined && this.#isRecord(gitDirectory));
  }

  /** Drops the record of a worktree whose directory was deleted. A missing parent may be a disk that is not mounted. */
  async #forgetGone(holder: string): Promise<boolean> {
    const record = await this.#recordOf(holder);
    if (record === undefined || (await exists(holder)) || !(await exists(dirname(holder)))) return false;
    await rm(record.directory, { recursive: true, force: true });
    return true;
  }

  async #recordOf(place: string): Promise<WorktreeRecord | undefined> {
    const isOf = async (record: WorktreeRecord) =>
      record.path !== undefined && (await canonicalPath(record.path)) === place;
    const named = await gitDirectoryOf(place);
    const direct = named !== undefined && this.#isRecord(named) ? await worktreeRecord(named) : undefined;
    if (direct !== undefined && (await isOf(direct))) return direct;
    for (const record of await worktreeRecords(this.#commonDirectory)) if (await isOf(record)) return record;
    return undefined;
  }

  #isRecord(gitDirectory: string): boolean {
    return dirname(gitDirectory) === join(this.#commonDirectory, "worktrees");
  }

  /** One at a time; what fails because another process adds a worktree right now, or was killed doing so, is repeated. */
  #serialised<T>(task: () => Promise<T>): Promise<T> {
    return this.#mutex.run("records", async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await task();
        } catch (error) {
          if (attempt === 6 || !/commondir|\.lock': File exists|could not create directory of/.test(messageOf(error)))
            throw error;
        }
        await this.#sweepUnreadable();
        await sleep(40 * attempt * (1 + Math.random()));
      }
    });
  }

  /** A record without its `commondir` makes every worktree command of the repository fail; git needs milliseconds to write it. */
  async #sweepUnreadable(): Promise<void> {
    for (const { directory, modifiedMs } of await worktreeRecords(this.#commonDirectory)) {
      const common = (await readTextFile(join(directory, "commondir"))) ?? "";
      if (common.trim() === "" && Date.now() - modifiedMs > 10_000)
        await rm(directory, { recursive: true, force: true });
    }
  }

  get #place(): GitPlace {
    return { gitDirectory: this.#commonDirectory };
  }
}

/** In a worktree's record: its removal began. */
const removing = "town-removing";

/** The branch that a rebase or bisect in this worktree will return to. */
async function branchBeingWorkedOn(gitDirectory: string): Promise<string | undefined> {
  for (const file of ["rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"]) {
    const name = (await readTextFile(join(gitDirectory, file)))?.trim();
    if (name !== undefined && name !== "") return branchRef(name);
  }
  return undefined;
}
