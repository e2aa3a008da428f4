import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { refNameProblem } from "../../domain/git/ref-name.ts";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { RefUpdate } from "../../ports/git.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { syncDirectory } from "./disk.ts";
import type { GitCommand, GitPlace } from "./git-command.ts";
import { GitService } from "./git-service.ts";
import { KeyedMutex } from "./mutex.ts";

export interface RefTransactionsOptions {
  readonly command: GitCommand;
  /** The git directory of the checkout (its HEAD's reflog follows its branch) or the bare repository. */
  readonly gitDirectory: string;
  readonly commonDirectory: string;
}

/** Ref updates through one lasting `git update-ref --stdin`, restarted when the reflog message changes. */
export class RefTransactions {
  readonly #command: GitCommand;
  readonly #place: GitPlace;
  readonly #commonDirectory: string;
  readonly #mutex = new KeyedMutex();
  #service: { readonly reason: string; readonly git: GitService } | undefined;

  constructor({ command, gitDirectory, commonDirectory }: RefTransactionsOptions) {
    this.#command = command;
    this.#place = { gitDirectory };
    this.#commonDirectory = commonDirectory;
  }

  /**
   * All or nothing; false when an expectation does not hold. Another process' lock is waited for about half a second.
   *
   * Guarantee: true means that the refs are on disk, and so do their directory entries.
   */
  async update(updates: readonly RefUpdate[], reason: string): Promise<boolean> {
    requireSound(updates);
    if (updates.length === 0) return true;
    return this.#mutex.run("", async () => {
      let left = updates;
      for (let attempt = 1; left.length > 0; attempt++) {
        const failure = await this.#try(left, oneLine(reason));
        if (failure === undefined) break;
        const now = await this.read(updates.map(({ ref }) => ref));
        if (!updates.every(({ ref, from }) => from === undefined || (now.get(ref) ?? null) === from)) return false;
        // git does not always take the deletion of a ref that is not there (its name may be a directory of others).
        const needed = left.filter(({ ref, to }) => to !== null || now.has(ref));
        if (needed.length === left.length && (!isPassing(failure) || attempt >= 4))
          throw updateFailure(failure, updates);
        if (needed.length === left.length) await sleep(50 * attempt * (1 + Math.random()));
        left = needed;
      }
      const directories = updates.map(({ ref }) => dirname(join(this.#commonDirectory, ref)));
      // A deletion may have rewritten packed-refs.
      if (updates.some(({ to }) => to === null)) directories.push(this.#commonDirectory);
      await Promise.all([...new Set(directories)].map(syncDirectory));
      return true;
    });
  }

  /** Values of exactly these refs. */
  async read(refs: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const lines = await this.#command.text(["for-each-ref", "--format=%(objectname) %(refname)", ...refs], {
      place: this.#place,
      doing: `read refs of ${this.#commonDirectory}`,
    });
    const found = new Map<string, string>();
    for (const line of lines.split("\n")) {
      const [id = "", ref = ""] = line.split(" ");
      if (refs.includes(ref)) found.set(ref, id);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#mutex.run("", async () => {
      await this.#service?.git.close();
      this.#service = undefined;
    });
  }

  async #try(updates: readonly RefUpdate[], reason: string): Promise<unknown> {
    if (this.#service?.reason !== reason) {
      await this.#service?.git.close();
      this.#service = {
        reason,
        git: new GitService(this.#command, ["update-ref", "-m", reason, "--stdin"], this.#place, { retry: false }),
      };
    }
    try {
      await this.#service.git.ask(["start", ...updates.map(updateLine), "prepare", "commit", ""].join("\n"), committed);
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

function requireSound(updates: readonly RefUpdate[]): void {
  const seen = new Set<string>();
  for (const { ref, to, from } of updates) {
    const problem = refNameProblem(ref);
    if (problem !== undefined) throw new AdapterError("InvalidRefName", `Cannot use '${ref}' as a ref: it ${problem}.`);
    if (seen.has(ref)) throw new AdapterError("InvalidRefUpdate", `Cannot update ${ref} twice in one transaction.`);
    seen.add(ref);
    for (const id of [to, from]) {
      if (typeof id === "string" && !/^[0-9a-f]{40,64}$/.test(id)) {
        throw new AdapterError("InvalidRefUpdate", `Cannot update ${ref}: '${id}' is no object id.`);
      }
    }
  }
}

function updateLine({ ref, to, from }: RefUpdate): string {
  if (to === null) return from === null ? `verify ${ref}` : `delete ${ref}${from === undefined ? "" : ` ${from}`}`;
  if (from === undefined) return `update ${ref} ${to}`;
  return from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
}

function committed(): (bytes: ByteQueue) => true | undefined {
  return (bytes) => {
    for (let line = bytes.takeLine(); line !== undefined; line = bytes.takeLine())
      if (line === "commit: ok") return true;
    return undefined;
  };
}

/** Someone else's lock, or a process that was killed: worth another attempt. */
function isPassing(failure: unknown): boolean {
  return /\.lock': File exists|was killed by|packed-refs\.lock/.test(messageOf(failure));
}

function updateFailure(failure: unknown, updates: readonly RefUpdate[]): AdapterError {
  const said = messageOf(failure);
  const refs = updates.map(({ ref }) => ref).join(", ");
  const lock = /Unable to create '([^']+\.lock)'/.exec(said)?.[1];
  if (lock !== undefined) {
    const hint = `If no git process runs there, a killed one left it behind: remove ${lock}.`;
    return new AdapterError("GitLocked", `Cannot update ${refs}: ${lock} exists.`, { cause: failure, hint });
  }
  const reason = refusals.find(([pattern]) => pattern.test(said))?.[1] ?? "GitFailed";
  return new AdapterError(reason, `Cannot update ${refs}: ${said}`, { cause: failure });
}

const refusals: readonly (readonly [RegExp, string])[] = [
  [/nonexistent object/, "ObjectMissing"],
  [/non-commit object/, "InvalidRefUpdate"],
  // A ref cannot be both a name and a directory of names.
  [/exists; cannot create|non-empty directory|cannot process .* at the same time/, "RefConflict"],
];

function oneLine(reason: string): string {
  return reason.replace(/\s+/g, " ").trim() || "town";
}
