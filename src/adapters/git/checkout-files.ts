import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessMissing } from "./disk.ts";

/**
 * Whether files that are not tracked stand where `added` files are to be written. Ignored files count: git would
 * overwrite them, but they are somebody's. `ignoreCase` lets a file be renamed to another spelling of its name.
 */
export async function somethingInTheWay(
  worktree: string,
  added: readonly string[],
  tracked: ReadonlySet<string>,
  ignoreCase: boolean,
): Promise<boolean> {
  const fold = (path: string) => (ignoreCase ? path.toLowerCase() : path);
  const known = new Set([...tracked].map(fold));
  for (const path of added) {
    for (const place of withParents(path)) {
      const found = await unlessMissing(lstat(join(worktree, place)));
      if (found === undefined) break;
      if (found.isDirectory() && place !== path) continue;
      const files = found.isDirectory() ? await filesBelow(worktree, place) : [place];
      if (files.some((file) => !known.has(fold(file)))) return true;
      break;
    }
  }
  return false;
}

/** `a/b/c`: `a`, `a/b`, `a/b/c`. */
function withParents(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

async function filesBelow(worktree: string, directory: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(worktree, directory), { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await filesBelow(worktree, path)));
    else files.push(path);
  }
  return files;
}
