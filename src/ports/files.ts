export interface FileStat {
  readonly kind: "File" | "Directory" | "Link" | "Other";
  readonly size: number;
  readonly modifiedMs: number;
  readonly mode: number;
}

/**
 * An append-only file. `append` resolves when the bytes are on disk (fdatasync) unless `durable` is false; appends that
 * wait together share one write and one sync, in order. After a failed write nothing of it stays in the file; after a
 * failed sync the handle refuses everything (what the disk holds is then unknown): open and read the file again.
 */
export interface AppendFile {
  append(text: string, options?: { readonly durable?: boolean }): Promise<void>;
  /** Size in bytes after all acknowledged appends. */
  readonly size: number;
  close(): Promise<void>;
}

/**
 * A file that is read in parts, for parts that are looked up one at a time: it stays what it was when it was opened, also
 * after it was replaced or removed. Only for files that are written as a whole and then never changed.
 */
export interface ReadFile {
  readonly size: number;
  /** Bytes from `start` up to `end`, read at once; fewer at the end of the file. Throws AdapterError. */
  bytes(start: number, end: number): Uint8Array;
  close(): Promise<void>;
}

/**
 * The disk. Paths are absolute. A missing file is `undefined`, every other failure throws AdapterError with `code`.
 *
 * Guarantees: `writeAtomic` is tmp + fsync + rename + fsync of the directory, so a reader (or a crash) sees the old or
 * the new content, never a mixture; a symbolic link at the path is replaced, not followed. `createExclusive`, `rename`,
 * `truncate`, `makeDirectory` and the creation by `openAppend` are durable too when they resolve; `remove`, `removeTree`,
 * `copy` and `symlink` may be undone by a power loss. Parent directories are not made. A path below a plain file is missing.
 */
export interface Files {
  readText(path: string): Promise<string | undefined>;
  /** Bytes from `start` to the end, for tailing; undefined when the file is missing. */
  readFrom(path: string, start: number, maxBytes?: number): Promise<Uint8Array | undefined>;
  /** Undefined when the file is missing. */
  openRead(path: string): Promise<ReadFile | undefined>;
  writeAtomic(path: string, content: string | Uint8Array, options?: { readonly mode?: number }): Promise<void>;
  openAppend(path: string, options?: { readonly mode?: number }): Promise<AppendFile>;
  /** Cuts a file to `size` bytes (used to set a torn tail aside). */
  truncate(path: string, size: number): Promise<void>;
  /** Creates the file only if it does not exist; false when it does. Content complete before it is visible (link). */
  createExclusive(path: string, text: string, options?: { readonly mode?: number }): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Missing is fine. */
  remove(path: string): Promise<void>;
  /** Removes a directory tree; missing is fine. */
  removeTree(path: string): Promise<void>;
  /** With parents; existing is fine. */
  makeDirectory(path: string, options?: { readonly mode?: number }): Promise<void>;
  /** Names in a directory, sorted; empty when it is missing. */
  list(path: string): Promise<readonly string[]>;
  stat(path: string): Promise<FileStat | undefined>;
  copy(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  realPath(path: string): Promise<string | undefined>;
  /** Free bytes of the file system that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /**
   * Calls `changed` (debounced by the adapter to at most once per 10 ms, never lost) after something below one of the
   * paths changed. Watching a path that does not exist yet is allowed. Edge only: callers also rescan. A notice may come
   * without a change, as when watching has begun: what happened meanwhile is then not missed.
   */
  watch(paths: readonly string[], changed: () => void): { close(): Promise<void> };
}
