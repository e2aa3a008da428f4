import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { AdapterError, TownError } from "../../errors/town-error.ts";
import { codeOf } from "../error-code.ts";
import { syncDirectory as syncNames } from "../temporary-file.ts";

/** Runs `work`; undefined when what it needs does not exist. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return (await unlessMissing(stat(path))) !== undefined;
}

export async function readTextFile(path: string): Promise<string | undefined> {
  return unlessMissing(readFile(path, "utf8"));
}

/** Makes the names in a directory durable. A directory that is gone has nothing to lose. */
export async function syncDirectory(path: string): Promise<void> {
  await unlessMissing(syncNames(path));
}

/** Content complete and on disk before it has its name; the name itself needs `syncDirectory`. */
export async function writeDurably(
  temporary: string,
  path: string,
  bytes: Uint8Array | string,
  mode: number,
): Promise<void> {
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** Wraps what the disk refused, once, at the room's border. */
export function diskFailure(doing: string, error: unknown): TownError {
  if (error instanceof TownError) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new AdapterError("DiskFailed", `Cannot ${doing}: ${said}`, { cause: error, code: codeOf(error) });
}
