import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "./error-code.ts";

/** Names of unfinished files: never listed, never watched, swept when old. */
const PREFIX = ".town-tmp-";
const STALE_MS = 3_600_000;
/** What file systems answer that cannot sync a directory (some network and FUSE mounts). */
const NO_DIRECTORY_SYNC: ReadonlySet<string> = new Set(["EINVAL", "EISDIR", "EPERM", "ENOTSUP", "EBADF", "ENOSYS"]);

export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX);
}

/** Writes a new file beside `path`, synced; the caller moves it into place or removes it. */
export async function writeBeside(
  path: string,
  content: string | Uint8Array,
  mode: number | undefined,
): Promise<string> {
  const temporary = join(dirname(path), `${PREFIX}${process.pid}-${randomBytes(6).toString("hex")}`);
  const handle = await open(temporary, "wx", mode);
  try {
    if (mode !== undefined) await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  return temporary;
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    await handle.sync();
  } catch (error) {
    if (!NO_DIRECTORY_SYNC.has(codeOf(error) ?? "")) throw error;
  } finally {
    await handle?.close();
  }
}

/** Removes what a killed process left in a directory an hour ago or earlier. Failures do not matter. */
export async function sweepTemporary(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter(isTemporary)) {
    const path = join(directory, name);
    const age = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}
