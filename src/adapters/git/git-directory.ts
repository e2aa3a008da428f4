import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readTextFile, unlessMissing } from "./disk.ts";

/** The git directory behind `<worktree>/.git`, itself or as the file says; undefined when there is none. */
export async function gitDirectoryOf(worktree: string): Promise<string | undefined> {
  const marker = join(worktree, ".git");
  const found = await unlessMissing(stat(marker));
  if (found === undefined) return undefined;
  if (found.isDirectory()) return marker;
  const target = /^gitdir: (.*)$/m.exec((await readTextFile(marker)) ?? "")?.[1];
  return target === undefined ? undefined : resolve(worktree, target);
}

/** The repository that a git directory belongs to: for a linked worktree what its `commondir` says, else itself. */
export async function commonDirectoryOf(gitDirectory: string): Promise<string> {
  const common = (await readTextFile(join(gitDirectory, "commondir")))?.trim();
  return canonicalPath(common === undefined || common === "" ? gitDirectory : resolve(gitDirectory, common));
}

/** The path with symbolic links resolved as far as it exists, which is how git records worktrees. */
export async function canonicalPath(path: string): Promise<string> {
  const real = await unlessMissing(realpath(path));
  if (real !== undefined) return real;
  const parent = dirname(path);
  return parent === path ? path : join(await canonicalPath(parent), basename(path));
}

/** git's record of one linked worktree: `<common>/worktrees/<id>`. */
export interface WorktreeRecord {
  readonly directory: string;
  /** The checkout it points at; undefined when git was killed before it wrote that. */
  readonly path: string | undefined;
  /** git was killed (or still works) between the first and the last file of the record. */
  readonly halfMade: boolean;
  readonly modifiedMs: number;
}

/** The record in that directory; undefined when there is none. */
export async function worktreeRecord(directory: string): Promise<WorktreeRecord | undefined> {
  const found = await unlessMissing(stat(directory));
  if (found?.isDirectory() !== true) return undefined;
  const [pointer, common, lock] = await Promise.all(
    ["gitdir", "commondir", "locked"].map((file) => readTextFile(join(directory, file))),
  );
  const marker = pointer?.trim();
  const path = marker === undefined || marker === "" ? undefined : dirname(resolve(directory, marker));
  const halfMade = (common ?? "").trim() === "" || path === undefined || lock?.trim() === "initializing";
  return { directory, path, halfMade, modifiedMs: found.mtimeMs };
}

export async function worktreeRecords(commonDirectory: string): Promise<WorktreeRecord[]> {
  const parent = join(commonDirectory, "worktrees");
  const names = (await unlessMissing(readdir(parent))) ?? [];
  const records = await Promise.all(names.map((name) => worktreeRecord(join(parent, name))));
  return records.filter((record) => record !== undefined);
}
