import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "./error-code.ts";

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

async function makeWritable(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) return;
  await chmod(path, found.mode | 0o700);
  for (const name of await readdir(path)) await makeWritable(join(path, name));
}
