import { writeFileSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessMissing } from "./disk.ts";
import type { GitCommand, GitResult, GitRunOptions } from "./git-command.ts";
import { isAlive } from "./process-alive.ts";

const prefix = "town-git-";

/** A pid that has been marked for longer is somebody else's by now: no command here may run as long. */
const oldestMs = 3_600_000;

/**
 * Runs a git that changes a checkout, with its pid marked in the checkout's git directory meanwhile. When this program
 * is killed the git lives on, and whoever comes next must be able to tell its locks from abandoned ones.
 */
export async function runMarked(
  command: GitCommand,
  gitDirectory: string,
  args: readonly string[],
  options: GitRunOptions,
): Promise<GitResult> {
  let mark: string | undefined;
  const started = (pid: number) => {
    mark = join(gitDirectory, `${prefix}${pid}`);
    writeFileSync(mark, "");
  };
  try {
    return await command.run(args, { ...options, started });
  } finally {
    if (mark !== undefined) await rm(mark, { force: true });
  }
}

/** Whether a git that this or a former run of the program started still changes that checkout. */
export async function markedGitRuns(gitDirectory: string): Promise<boolean> {
  const names = (await unlessMissing(readdir(gitDirectory))) ?? [];
  let runs = false;
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const mark = join(gitDirectory, name);
    const age = Date.now() - ((await unlessMissing(stat(mark)))?.mtimeMs ?? 0);
    if (age < oldestMs && isAlive(Number(name.slice(prefix.length)))) runs = true;
    else await rm(mark, { force: true });
  }
  return runs;
}
