import { link, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessIdentity, Processes } from "../../ports/processes.ts";
import { codeOf } from "../error-code.ts";
import { readTextFile, syncDirectory, writeDurably } from "./disk.ts";
import { isAlive } from "./process-alive.ts";

/** What a fast-forward under way means to do; it is the content of the index lock it holds. */
export interface ForwardIntent {
  readonly town: "fast-forward";
  readonly version: 1;
  readonly branch: string;
  readonly from: string;
  readonly to: string;
  /** Differs between runs of the program that reuse a pid. */
  readonly owner: ProcessIdentity;
}

export type OwnerProbe = Pick<Processes, "self" | "probe">;

/**
 * git's `index.lock` of one checkout, taken by Town. While it is held no git changes the index or the branch by commit,
 * and its content says whose it is and what was intended, so that after a crash it can be told from a lock of git's own.
 */
export class ForwardLock {
  readonly #gitDirectory: string;
  readonly #owners: OwnerProbe;

  constructor(gitDirectory: string, owners: OwnerProbe) {
    this.#gitDirectory = gitDirectory;
    this.#owners = owners;
  }

  /** False when anyone holds it. Complete and on disk before it is visible. */
  async take(intent: Omit<ForwardIntent, "town" | "version" | "owner">): Promise<boolean> {
    const whole: ForwardIntent = { town: "fast-forward", version: 1, ...intent, owner: await this.#owners.self() };
    const temporary = join(this.#gitDirectory, `town-forward-${process.pid}`);
    await rm(temporary, { force: true });
    await writeDurably(`${temporary}.tmp`, temporary, `${JSON.stringify(whole)}\n`, 0o644);
    try {
      await link(temporary, this.path);
      await syncDirectory(this.#gitDirectory);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /** What the lock's holder meant to do: `Free`, `Busy` (git, or a live owner), or the intent of one that died. */
  async left(): Promise<ForwardIntent | "Free" | "Busy"> {
    const text = await readTextFile(this.path);
    if (text === undefined) return "Free";
    const intent = parseIntent(text);
    if (intent === undefined) return "Busy";
    const self = await this.#owners.self();
    // Forwards of this process take turns, so a lock of its own here is one whose owner failed.
    if (intent.owner.pid === self.pid && intent.owner.startTime === self.startTime) return intent;
    return (await this.#owners.probe(intent.owner)) === "Dead" ? intent : "Busy";
  }

  get path(): string {
    return join(this.#gitDirectory, "index.lock");
  }
}

function parseIntent(text: string): ForwardIntent | undefined {
  try {
    const value = JSON.parse(text) as Partial<ForwardIntent> | null;
    return value?.town === "fast-forward" && value.version === 1 ? (value as ForwardIntent) : undefined;
  } catch {
    // An index that git is writing.
    return undefined;
  }
}

/** Tells owners by pid alone, for programs that have no process table at hand: a reused pid then counts as alive. */
export const ownersByPid: OwnerProbe = {
  self: async () => ({ pid: process.pid, startTime: "", bootId: "" }),
  probe: async ({ pid }) => (isAlive(pid) ? "Alive" : "Dead"),
};
