import { link, lstat, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CheckoutLock } from "../../ports/checkout.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import type { Worktree } from "../../ports/git.ts";
import { codeOf } from "../error-code.ts";
import { diskFailure, exists, readTextFile, unlessMissing, writeDurably } from "./disk.ts";
import type { OwnerProbe } from "./forward-lock.ts";
import type { GitCommand } from "./git-command.ts";
import { gitDirectoryOf, worktreeRecords } from "./git-directory.ts";
import { NodeLockedCheckout } from "./locked-checkout.ts";
import { KeyedMutex } from "./mutex.ts";
import { operationInProgress } from "./worktree-status.ts";

export interface CheckoutLockOptions {
  readonly command: GitCommand;
  readonly commonDirectory: string;
  /** The checkout that the repository was opened in: a git directory does not always tell where its files are. */
  readonly opened: { readonly path: string; readonly gitDirectory: string };
  readonly owners: OwnerProbe;
  readonly hash: "sha1" | "sha256";
  /** For the rare layouts in which HEAD files do not tell: `git worktree list`. */
  readonly worktrees: () => Promise<readonly Worktree[]>;
}

interface Place {
  readonly path: string;
  readonly gitDirectory: string;
}

/** Callers that count as one owner hold a checkout one at a time; the others of them wait their turn. */
const turnsOf = new WeakMap<OwnerProbe, KeyedMutex>();

function turns(owner: OwnerProbe): KeyedMutex {
  const known = turnsOf.get(owner) ?? new KeyedMutex();
  turnsOf.set(owner, known);
  return known;
}

/** Finds the checkout of a branch and takes its `index.lock`, without running git where HEAD is a file that tells. */
export class CheckoutLocks {
  readonly #options: CheckoutLockOptions;

  constructor(options: CheckoutLockOptions) {
    this.#options = options;
  }

  async lock(branch: string): Promise<CheckoutLock> {
    const places = await this.#places();
    for (const place of places) {
      const operation = await operationOn(place.gitDirectory, branch);
      if (operation !== undefined) return { state: "InProgress", path: place.path, operation };
    }
    const holders: Place[] = [];
    for (const place of places) if ((await headOf(place.gitDirectory)) === branch) holders.push(place);
    const [place, second] = holders;
    if (place === undefined) return { state: "NotCheckedOut" };
    if (second !== undefined) return { state: "Busy", path: second.path };
    return this.#take(place, branch);
  }

  async #take(place: Place, branch: string): Promise<CheckoutLock> {
    let release = (): void => {};
    const turn = new Promise<void>((resolve) => {
      release = resolve;
    });
    await new Promise<void>((mine) => {
      void turns(this.#options.owners).run(place.gitDirectory, async () => {
        mine();
        await turn;
      });
    });
    const lock = new IndexLock(place.gitDirectory, this.#options.owners);
    try {
      if (!(await lock.take())) {
        release();
        return { state: "Busy", path: place.path };
      }
      const operation = await operationInProgress(place.gitDirectory);
      if (operation !== undefined || (await headOf(place.gitDirectory)) !== branch) {
        await lock.release();
        release();
        return operation === undefined
          ? { state: "Busy", path: place.path }
          : { state: "InProgress", path: place.path, operation };
      }
    } catch (error) {
      release();
      throw diskFailure(`lock the index of ${place.path}`, error);
    }
    const { command, hash } = this.#options;
    const checkout = new NodeLockedCheckout({
      ...place,
      command,
      hash,
      unlock: async () => {
        await lock.release();
        release();
      },
    });
    return { state: "Locked", checkout };
  }

  async #places(): Promise<readonly Place[]> {
    const { commonDirectory } = this.#options;
    const head = (await readTextFile(join(commonDirectory, "HEAD"))) ?? "";
    const config = (await readTextFile(join(commonDirectory, "config"))) ?? "";
    const isBare = /^\s*bare\s*=\s*(true|yes|on|1)\s*$/im.test(config);
    const isUsual = isBare || basename(commonDirectory) === ".git";
    // Refs in tables leave a HEAD that names no branch; other settings put the files elsewhere than beside `.git`.
    const isTold = /^\s*(worktree|worktreeConfig)\s*=/im.test(config) || head.includes("refs/heads/.invalid");
    if (!isUsual || isTold) return this.#listed();
    const places: Place[] = isBare ? [] : [{ path: dirname(commonDirectory), gitDirectory: commonDirectory }];
    for (const record of await worktreeRecords(commonDirectory)) {
      if (record.path !== undefined && !record.halfMade && (await exists(join(record.path, ".git"))))
        places.push({ path: record.path, gitDirectory: record.directory });
    }
    return places;
  }

  async #listed(): Promise<readonly Place[]> {
    const { opened, worktrees } = this.#options;
    const places: Place[] = opened.path === opened.gitDirectory ? [] : [opened];
    for (const { path } of await worktrees()) {
      const gitDirectory = await gitDirectoryOf(path);
      if (gitDirectory !== undefined && places.every((place) => place.gitDirectory !== gitDirectory))
        places.push({ path, gitDirectory });
    }
    return places;
  }
}

async function headOf(gitDirectory: string): Promise<string | undefined> {
  return /^ref: (.*)$/m.exec((await readTextFile(join(gitDirectory, "HEAD"))) ?? "")?.[1]?.trim();
}

/** A rebase or bisect detaches HEAD and keeps the branch it will move in a file. */
async function operationOn(gitDirectory: string, branch: string): Promise<"Rebase" | "Bisect" | undefined> {
  for (const file of ["rebase-merge/head-name", "rebase-apply/head-name"]) {
    if ((await readTextFile(join(gitDirectory, file)))?.trim() === branch) return "Rebase";
  }
  const start = (await readTextFile(join(gitDirectory, "BISECT_START")))?.trim();
  return start !== undefined && `refs/heads/${start}` === branch ? "Bisect" : undefined;
}

interface LockText {
  readonly town: "commit";
  readonly version: 1;
  readonly owner: ProcessIdentity;
}

/** git's `index.lock` held by Town; its content tells whose it is. */
class IndexLock {
  readonly #gitDirectory: string;
  readonly #owners: OwnerProbe;

  constructor(gitDirectory: string, owners: OwnerProbe) {
    this.#gitDirectory = gitDirectory;
    this.#owners = owners;
  }

  /** False when git or a living Town holds it. A lock that a dead Town left is taken over. */
  async take(): Promise<boolean> {
    const text: LockText = { town: "commit", version: 1, owner: await this.#owners.self() };
    const temporary = join(this.#gitDirectory, `town-commit-${process.pid}`);
    await rm(temporary, { force: true });
    // On disk before it is visible: after a power loss an empty lock would look like one of git's own.
    await writeDurably(`${temporary}.tmp`, temporary, `${JSON.stringify(text)}\n`, 0o644);
    try {
      await link(temporary, this.#path);
      return true;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      if (!(await this.#isLeft())) return false;
      await rename(temporary, this.#path);
      return true;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true });
  }

  async #isLeft(): Promise<boolean> {
    const owner = ownerIn((await readTextFile(this.#path)) ?? "");
    if (owner === undefined) return (await unlessMissing(lstat(this.#path))) === undefined;
    const self = await this.#owners.self();
    // Callers of one owner take turns, so a lock of its own is one whose holder failed.
    if (owner.pid === self.pid && owner.startTime === self.startTime) return true;
    return (await this.#owners.probe(owner)) === "Dead";
  }

  get #path(): string {
    return join(this.#gitDirectory, "index.lock");
  }
}

function ownerIn(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockText> | null;
    return value?.town === "commit" && value.version === 1 ? value.owner : undefined;
  } catch {
    // An index that git is writing.
    return undefined;
  }
}
