import { type FSWatcher as DirectoryWatcher, watch as watchDirectory } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type FSWatcher as TreeWatcher, watch as watchTree } from "chokidar";
import { isTemporary } from "./temporary-file.ts";

export interface PathWatchOptions {
  readonly path: string;
  readonly changed: () => void;
  /** Look every so many ms instead of asking the system for notices (network mounts, WSL drives). */
  readonly pollMs?: number;
}

/** Used when the system has no more watches to give (`ENOSPC`, `EMFILE`). */
const FALLBACK_POLL_MS = 2000;
/** A new directory is read before it is watched; a notice after this long covers what fell between. */
const SETTLE_MS = 100;

/**
 * Watches one path that may not exist yet, be a file or a directory, go away and come back.
 *
 * An anchor on the nearest existing parent directory sees the path come, go and (for a file) change; while the path is
 * a directory, chokidar watches what is below it. Every time a part is attached a notice follows, so nothing that
 * happened before is missed. chokidar alone drops changes within 5 ms of another and does not see a path whose
 * parents are missing; its raw events and the anchor make up for both.
 */
export class PathWatch {
  readonly #path: string;
  readonly #changed: () => void;
  #pollMs: number | undefined;
  #anchor: { readonly directory: string; readonly inode: number; close(): void } | undefined;
  #tree: { readonly inode: number; readonly watcher: TreeWatcher } | undefined;
  #seen = "";
  #refreshing: Promise<void> | undefined;
  #again = false;
  #closed = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: PathWatchOptions) {
    this.#path = options.path;
    this.#changed = options.changed;
    this.#pollMs = options.pollMs;
    this.#refresh();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#refreshing;
    this.#anchor?.close();
    await this.#tree?.watcher.close();
  }

  /** Brings anchor and tree in line with what is there now; calls during a run make it run once more. */
  #refresh(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#refreshing ??= (async () => {
      while (this.#again && !this.#closed) {
        this.#again = false;
        await this.#placeAnchor();
        await this.#placeTree();
      }
      this.#refreshing = undefined;
    })();
  }

  async #placeAnchor(): Promise<void> {
    const found = await nearestDirectory(dirname(this.#path));
    if (this.#anchor?.directory === found.directory && this.#anchor.inode === found.inode) return;
    this.#anchor?.close();
    this.#anchor = { ...found, close: this.#watchAnchor(found.directory) };
    this.#again = true;
  }

  #watchAnchor(directory: string): () => void {
    if (this.#pollMs !== undefined) {
      const poll = setInterval(() => this.#refresh(), this.#pollMs);
      return () => clearInterval(poll);
    }
    const entry = nextEntry(directory, this.#path);
    const self = basename(directory);
    try {
      const watcher: DirectoryWatcher = watchDirectory(directory, (_event, name) => {
        if (name !== null && name !== entry && name !== self) return;
        if (directory === dirname(this.#path)) this.#notify();
        this.#refresh();
      });
      watcher.on("error", (error) => this.#failed(error));
      return () => watcher.close();
    } catch (error) {
      this.#failed(error);
      return () => undefined;
    }
  }

  async #placeTree(): Promise<void> {
    const found = await stat(this.#path).catch(() => undefined);
    const seen =
      found === undefined ? "" : `${found.ino} ${found.isDirectory() ? "" : `${found.size} ${found.mtimeMs}`}`;
    if (seen !== this.#seen) this.#notify();
    this.#seen = seen;
    const inode = found?.isDirectory() === true ? found.ino : undefined;
    if (this.#tree?.inode === inode || this.#closed) return;
    await this.#tree?.watcher.close();
    this.#tree = inode === undefined ? undefined : { inode, watcher: this.#watchTree() };
  }

  #watchTree(): TreeWatcher {
    const polling =
      this.#pollMs === undefined
        ? { usePolling: false }
        : { usePolling: true, interval: this.#pollMs, binaryInterval: this.#pollMs };
    const watcher = watchTree(this.#path, {
      ignoreInitial: true,
      ignorePermissionErrors: true,
      atomic: false,
      ignored: (path) => isTemporary(basename(path)),
      ...polling,
    });
    watcher.on("ready", () => this.#notify());
    watcher.on("all", (event) => {
      this.#notify();
      if (event === "addDir") this.#later(SETTLE_MS, () => this.#notify());
    });
    watcher.on("raw", (_event, name) => {
      if (typeof name !== "string" || !isTemporary(name)) this.#notify();
    });
    watcher.on("error", (error) => this.#failed(error));
    return watcher;
  }

  /** Out of watches: everything is attached anew, polling. */
  #failed(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (this.#closed || this.#pollMs !== undefined) return;
    if (code !== "ENOSPC" && code !== "EMFILE") {
      this.#later(SETTLE_MS, () => this.#refresh());
      return;
    }
    this.#pollMs = FALLBACK_POLL_MS;
    this.#anchor?.close();
    this.#anchor = undefined;
    const tree = this.#tree;
    this.#tree = undefined;
    void tree?.watcher.close();
    this.#refresh();
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #notify(): void {
    if (!this.#closed) this.#changed();
  }
}

async function nearestDirectory(path: string): Promise<{ readonly directory: string; readonly inode: number }> {
  for (let directory = path; ; directory = dirname(directory)) {
    const found = await stat(directory).catch(() => undefined);
    if (found?.isDirectory() === true) return { directory, inode: found.ino };
    if (directory === dirname(directory)) return { directory, inode: (await lstat(directory)).ino };
  }
}

/** The entry of `directory` through which `path` goes. */
function nextEntry(directory: string, path: string): string {
  const start = join(directory, "/").length;
  const end = path.indexOf("/", start);
  return path.slice(start, end === -1 ? undefined : end);
}
