import { rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { codeOf } from "../error-code.ts";
import { readTextFile } from "./disk.ts";
import { isAlive } from "./process-alive.ts";

/** As git has it: who holds the lock for longer is not believed (builtin/gc.c, lock_repo_for_gc). */
const believedMs = 12 * 3_600_000;
/** A lock on the lock is held for an instant; one that is older was left by a process that died. */
const instantMs = 60_000;

/**
 * git's own lock against two collections of garbage at once, `gc.pid`: taken, a user's `git gc` says that one is running and
 * ends. Undefined: somebody else collects now.
 *
 * Whoever removes an object from one place because it is in another must hold it: a collection that began before may have
 * decided to remove it there, because it is here.
 */
export async function takeGcLock(commonDirectory: string): Promise<{ release(): Promise<void> } | undefined> {
  const path = join(commonDirectory, "gc.pid");
  const lock = `${path}.lock`;
  const mine = `${process.pid} ${hostname()}`;
  if (!(await created(lock, mine))) {
    const written = (await stat(lock).catch(() => undefined))?.mtimeMs;
    if (written === undefined || Date.now() - written < instantMs || (await holderLives(lock))) return undefined;
    await rm(lock, { force: true });
    if (!(await created(lock, mine))) return undefined;
  }
  if (await isHeld(path)) {
    await rm(lock, { force: true });
    return undefined;
  }
  await rename(lock, path);
  return {
    release: async () => {
      if ((await readTextFile(path)) === mine) await rm(path, { force: true });
    },
  };
}

/** Whether some other process holds it. */
export function isGcRunning(commonDirectory: string): Promise<boolean> {
  return isHeld(join(commonDirectory, "gc.pid"));
}

/** Written into the `.keep` file of a pack that is not whole yet. */
export function keepText(): string {
  return `town ${process.pid} ${hostname()}\n`;
}

/** A `.keep` file that a process of ours left when it died. Those of users are theirs. */
export async function isLeftBehind(keepFile: string): Promise<boolean> {
  const [, pid, host] = /^town (\d+) (\S+)$/.exec(((await readTextFile(keepFile)) ?? "").trim()) ?? [];
  return pid !== undefined && host === hostname() && !isAlive(Number(pid));
}

async function created(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function isHeld(path: string): Promise<boolean> {
  const written = (await stat(path).catch(() => undefined))?.mtimeMs;
  return written !== undefined && Date.now() - written <= believedMs && holderLives(path);
}

async function holderLives(path: string): Promise<boolean> {
  const [, pid, host] = /^(\d+) (\S+)$/.exec(((await readTextFile(path)) ?? "").trim()) ?? [];
  if (pid === undefined) return false;
  return host !== hostname() || isAlive(Number(pid));
}
