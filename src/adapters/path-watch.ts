import { type BigIntStats, type FSWatcher as DirectoryWatcher, watch as watchDirectory } from "node:fs";
import { stat } from "node:fs/promises";
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
  #anchor: { readonly directory: string; readonly identity: string; close(): void } | undefined;
  #tree: { readonly identity: string; readonly watcher: TreeWatcher } | undefined;
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
    this.#dropAnchor();
    await this.#dropTree();
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
    if (this.#anchor?.directory === found.directory && this.#anchor.identity === found.identity) return;
    this.#dropAnchor();
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
        if (name === self) this.#dropAnchor();
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
    const found = await inspect(this.#path);
    const seen =
      found === undefined || found.isDirectory() ? "" : `${identityOf(found)} ${found.size} ${found.mtimeNs}`;
    if (seen !== this.#seen) this.#notify();
    this.#seen = seen;
    const identity = found?.isDirectory() === true ? identityOf(found) : undefined;
    if (this.#tree?.identity === identity || this.#closed) return;
    await this.#dropTree();
    this.#notify();
    this.#tree = identity === undefined ? undefined : { identity, watcher: this.#watchTree() };
  }

  #dropAnchor(): void {
    this.#anchor?.close();
    this.#anchor = undefined;
  }

  async #dropTree(): Promise<void> {
    const tree = this.#tree;
    this.#tree = undefined;
    await tree?.watcher.close();
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
    watcher.on("all", (event, path) => {
      this.#notify();
      if (event === "unlinkDir" && path === this.#path) void this.#dropTree().then(() => this.#refresh());
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
    this.#dropAnchor();
    void this.#dropTree().then(() => this.#refresh());
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

async function inspect(path: string): Promise<BigIntStats | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

/** Inode numbers are reused at once by ext4, so the time of birth is part of what makes it the same entry. */
function identityOf(found: BigIntStats): string {
  return `${found.ino} ${found.birthtimeNs}`;
}

async function nearestDirectory(path: string): Promise<{ readonly directory: string; readonly identity: string }> {
  for (let directory = path; ; directory = dirname(directory)) {
    const found = await inspect(directory);
    if (found?.isDirectory() === true) return { directory, identity: identityOf(found) };
    if (directory === dirname(directory)) return { directory, identity: "" };
  }
}

/** The entry of `directory` through which `path` goes. */
function nextEntry(directory: string, path: string): string {
  const start = join(directory, "/").length;
  const end = path.indexOf("/", start);
  return path.slice(start, end === -1 ? undefined : end);
}
