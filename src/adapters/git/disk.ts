import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { AdapterError, TownError } from "../../errors/town-error.ts";

/** Node's error code of a thrown value (`ENOENT`), where it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

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
  const handle = await unlessMissing(open(path, "r"));
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems cannot sync a directory; they have no weaker promise to give then.
    if (codeOf(error) !== "EINVAL" && codeOf(error) !== "EPERM") throw error;
  } finally {
    await handle.close();
  }
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

/** Removes a directory tree; missing is fine. Read-only directories (as Go's module cache has) are made writable first. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (codeOf(error) !== "EACCES" && codeOf(error) !== "EPERM") throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}
