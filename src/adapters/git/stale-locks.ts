import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AdapterError } from "../../errors/town-error.ts";
import { exists, unlessMissing } from "./disk.ts";
import { markedGitRuns } from "./git-marks.ts";
import type { PresentWorktree } from "./worktrees.ts";

/** A git that packs refs holds that lock for moments; a longer one was left behind. */
const longestPackingMs = 60_000;

/** Locks of refs, and that of the packed ones, which their deletion takes too, when it is old: others take it as well. */
export async function refLocks(commonDirectory: string, refs: readonly string[]): Promise<string[]> {
  const locks = refs.map((ref) => join(commonDirectory, `${ref}.lock`));
  const packed = join(commonDirectory, "packed-refs.lock");
  const found = await unlessMissing(stat(packed));
  const isOld = found !== undefined && Date.now() - found.mtimeMs > longestPackingMs;
  return locks.length > 0 && isOld ? [...locks, packed] : locks;
}

/** What git takes for a ref: an id, also with something behind it, or the name of another ref. */
const refText = /^([0-9a-f]{40}(\s|$)|[0-9a-f]{64}(\s|$)|ref:\s*\S)/;

/**
 * Files of refs that hold nothing, or nothing that is a ref, as a power loss or a disk may leave them: git neither reads nor
 * replaces such a ref. What it said before, packed, counts again then.
 */
export async function damagedRefs(commonDirectory: string, refs: readonly string[]): Promise<string[]> {
  const damaged: string[] = [];
  for (const path of refs.map((ref) => join(commonDirectory, ref))) {
    const found = await unlessMissing(stat(path));
    // An empty directory in its place is nothing to git; one that holds refs is somebody's.
    if (found?.isFile() !== true) continue;
    const text = await unlessMissing(readFile(path, "latin1"));
    if (text !== undefined && !refText.test(text)) damaged.push(path);
  }
  return damaged;
}

/** Locks of a checkout; refuses while a git that Town started there before it was killed still runs. */
export async function checkoutLocks({ path, gitDirectory }: PresentWorktree): Promise<string[]> {
  if (!(await markedGitRuns(gitDirectory))) return ["index.lock", "HEAD.lock"].map((name) => join(gitDirectory, name));
  throw new AdapterError(
    "GitLocked",
    `Cannot remove the locks of ${path}: a git that was started earlier still works there.`,
  );
}

/** Removes those that exist and returns them. */
export async function removeLocks(locks: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const lock of locks) {
    if (!(await exists(lock))) continue;
    await rm(lock, { force: true });
    removed.push(lock);
  }
  return removed;
}
