import { constants, lstatSync, readdirSync, readFileSync } from "node:fs";
import {
  chmod,
  copyFile,
  link,
  lstat,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  statfs,
  symlink,
  truncate,
  unlink,
} from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileError } from "../ports/file-error.ts";
import type { AppendFile, FileStat, Files, ReadFile } from "../ports/files.ts";
import { codeOf } from "./error-code.ts";
import { makePath } from "./make-path.ts";
import { openAppendFile } from "./node-append-file.ts";
import { openReadFile } from "./node-read-file.ts";
import { PathWatch } from "./path-watch.ts";
import { removeTree } from "./remove-tree.ts";
import { isTemporary, sweepTemporary, syncDirectory, writeBeside } from "./temporary-file.ts";

export interface NodeFilesOptions {
  /** Watch by looking every so many ms. Default: the system's notices, and polling only when it has no more to give. */
  readonly pollMs?: number;
  /** Read and look without handing it to another thread: quicker in a program that does one thing and ends. Default false. */
  readonly readsAtOnce?: boolean;
  /** False: behave as on a file system without hard links, where a new lock file is visible before it is complete. Default true. */
  readonly hardLinks?: boolean;
}

const MISSING: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
/** `link` on file systems that have none: exFAT, some network and FUSE mounts. */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);
const NOTICE_GAP_MS = 10;

/** The disk, with the guarantees of the Files port. */
export function createNodeFiles(options: NodeFilesOptions = {}): Files {
  return new NodeFiles(options);
}

class NodeFiles implements Files {
  readonly #options: NodeFilesOptions;
  readonly #swept = new Set<string>();

  constructor(options: NodeFilesOptions) {
    this.#options = options;
  }

  get #atOnce(): boolean {
    return this.#options.readsAtOnce === true;
  }

  async readText(path: string): Promise<string | undefined> {
    return orMissing("read", path, async () => (this.#atOnce ? readFileSync(path, "utf8") : readFile(path, "utf8")));
  }

  async readFrom(path: string, start: number, maxBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    return orMissing("read", path, async () => {
      const handle = await open(path, "r");
      try {
        const { size } = await handle.stat();
        const bytes = new Uint8Array(Math.max(0, Math.min(size - start, maxBytes)));
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } finally {
        await handle.close();
      }
    });
  }

  async openRead(path: string): Promise<ReadFile | undefined> {
    return orMissing("open", path, () => openReadFile(path));
  }

  async writeAtomic(
    path: string,
    content: string | Uint8Array,
    options: { readonly mode?: number } = {},
  ): Promise<void> {
    await attempt("write", path, async () => {
      await this.#sweepOnce(dirname(path));
      const temporary = await writeBeside(path, content, options.mode);
      await orDiscard(temporary, () => rename(temporary, path));
      await syncDirectory(dirname(path));
    });
  }

  async openAppend(path: string, options: { readonly mode?: number } = {}): Promise<AppendFile> {
    return attempt("open", path, () => openAppendFile(path, options.mode));
  }

  async truncate(path: string, size: number): Promise<void> {
    await attempt("truncate", path, async () => {
      await truncate(path, size);
      const handle = await open(path, "r+");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    });
  }

  async createExclusive(path: string, text: string, options: { readonly mode?: number } = {}): Promise<boolean> {
    return attempt("create", path, async () => {
      await this.#sweepOnce(dirname(path));
      const temporary = await writeBeside(path, text, options.mode);
      const created = await orDiscard(temporary, () => this.#linkNew(temporary, path, text, options.mode));
      await rm(temporary, { force: true });
      if (created) await syncDirectory(dirname(path));
      return created;
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await attempt("rename", `${from} to ${to}`, async () => {
      await rename(from, to);
      await syncDirectory(dirname(to));
      if (dirname(to) !== dirname(from)) await syncDirectory(dirname(from));
    });
  }

  async remove(path: string): Promise<void> {
    await orMissing("remove", path, () => unlink(path));
  }

  async removeTree(path: string): Promise<void> {
    await orMissing("remove", path, () => removeTree(path));
  }

  async makeDirectory(path: string, options: { readonly mode?: number } = {}): Promise<void> {
    await attempt("make directory", path, async () => {
      const first = await makePath(path, options);
      if (first === undefined) return;
      if (options.mode !== undefined) await chmod(path, options.mode);
      const shortest = resolve(first).length;
      for (let made = resolve(path); made.length >= shortest; made = dirname(made)) await syncDirectory(dirname(made));
    });
  }

  async list(path: string): Promise<readonly string[]> {
    const names = await attempt("list", path, async () => {
      try {
        return this.#atOnce ? readdirSync(path) : await readdir(path);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return [];
        throw error;
      }
    });
    return names.filter((name) => !isTemporary(name)).sort();
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return orMissing("inspect", path, async () => {
      const found = this.#atOnce ? lstatSync(path) : await lstat(path);
      const kind = found.isFile()
        ? "File"
        : found.isDirectory()
          ? "Directory"
          : found.isSymbolicLink()
            ? "Link"
            : "Other";
      return { kind, size: found.size, modifiedMs: found.mtimeMs, mode: found.mode & 0o7777 };
    });
  }

  async copy(from: string, to: string): Promise<void> {
    await attempt("copy", `${from} to ${to}`, () => copyFile(from, to, constants.COPYFILE_FICLONE));
  }

  async symlink(target: string, path: string): Promise<void> {
    await attempt("link", path, () => symlink(target, path));
  }

  async realPath(path: string): Promise<string | undefined> {
    return orMissing("resolve", path, () => realpath(path));
  }

  async freeBytes(path: string): Promise<number> {
    return attempt("measure", path, async () => {
      for (let place = path; ; place = dirname(place)) {
        try {
          const found = await statfs(place);
          return found.bavail * found.bsize;
        } catch (error) {
          if (!MISSING.has(codeOf(error) ?? "") || place === dirname(place)) throw error;
        }
      }
    });
  }

  watch(paths: readonly string[], changed: () => void): { close(): Promise<void> } {
    const notices = new PacedNotices(changed);
    const { pollMs } = this.#options;
    const watches = paths.map(
      (path) =>
        new PathWatch({
          path: resolve(path),
          changed: () => notices.notice(),
          ...(pollMs === undefined ? {} : { pollMs }),
        }),
    );
    return {
      close: async () => {
        notices.close();
        await Promise.all(watches.map((watch) => watch.close()));
      },
    };
  }

  async #linkNew(temporary: string, path: string, text: string, mode: number | undefined): Promise<boolean> {
    try {
      if (this.#options.hardLinks === false)
        throw Object.assign(new Error("hard links are switched off"), { code: "ENOTSUP" });
      await link(temporary, path);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      if (!NO_HARD_LINKS.has(codeOf(error) ?? "")) throw error;
      return createInPlace(path, text, mode);
    }
  }

  async #sweepOnce(directory: string): Promise<void> {
    if (this.#swept.has(directory)) return;
    this.#swept.add(directory);
    await sweepTemporary(directory);
  }
}

/** Passes notices on at once, but never two within 10 ms: the later ones become one at the end of that time. */
class PacedNotices {
  readonly #changed: () => void;
  #pause: NodeJS.Timeout | undefined;
  #missed = false;
  #closed = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  notice(): void {
    if (this.#closed) return;
    if (this.#pause !== undefined) {
      this.#missed = true;
      return;
    }
    this.#missed = false;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#missed) this.notice();
    }, NOTICE_GAP_MS);
    this.#changed();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
  }
}

async function createInPlace(path: string, text: string, mode: number | undefined): Promise<boolean> {
  try {
    const handle = await open(path, "wx", mode);
    try {
      if (mode !== undefined) await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function orDiscard<T>(temporary: string, place: () => Promise<T>): Promise<T> {
  try {
    return await place();
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

async function attempt<T>(action: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw fileError(action, path, codeOf(error), error);
  }
}

/** As `attempt`, but a path that is not there gives undefined. */
async function orMissing<T>(action: string, path: string, act: () => Promise<T>): Promise<T | undefined> {
  return attempt(action, path, async () => {
    try {
      return await act();
    } catch (error) {
      if (MISSING.has(codeOf(error) ?? "")) return undefined;
      throw error;
    }
  });
}
