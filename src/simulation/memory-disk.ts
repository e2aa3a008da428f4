import { fileError } from "../ports/file-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { DiskTree } from "./disk-tree.ts";
import { type DiskOperation, MemoryFiles, type MountedDisk } from "./memory-files.ts";

export interface DiskFault {
  /** Default: every operation that writes. */
  readonly operations?: readonly DiskOperation[];
  /** Only paths that start with this. Default all. */
  readonly below?: string;
  /** `ENOSPC`, `EIO`, `EACCES`, … */
  readonly code: string;
  /** How often it strikes. Default: until it is lifted. */
  readonly times?: number;
}

export interface MemoryDiskOptions {
  readonly clock: Clock;
  /** Default: 64 GiB. Writes beyond it fail with ENOSPC. */
  readonly capacityBytes?: number;
}

interface Watcher {
  readonly paths: readonly string[];
  readonly changed: () => void;
  pending: boolean;
}

const WRITES: ReadonlySet<DiskOperation> = new Set([
  "writeAtomic",
  "openAppend",
  "append",
  "sync",
  "truncate",
  "createExclusive",
  "rename",
  "remove",
  "removeTree",
  "makeDirectory",
  "copy",
  "symlink",
]);
const DEBOUNCE_MS = 10;

/**
 * A disk in memory that outlives the processes using it. Each process life mounts it anew; `kill` ends a life with the
 * page cache intact, `crash` is a power loss.
 *
 * Guarantees: after `crash` everything that Files promises as durable is there; the rest is gone or, with a Random,
 * partly there (torn tails, undone removals), as a real file system may leave it. A call of an ended life never returns.
 */
export class MemoryDisk implements MountedDisk {
  readonly tree: DiskTree;
  readonly clock: Clock;
  readonly capacityBytes: number;
  /** Called before each step of each operation; a test may crash or wait here. */
  onStep: ((operation: DiskOperation, path: string) => void | Promise<void>) | undefined;
  readonly #faults: { readonly fault: DiskFault; left: number }[] = [];
  readonly #watchers = new Set<Watcher>();
  #mounts = new WeakSet<MemoryFiles>();

  constructor(options: MemoryDiskOptions) {
    this.clock = options.clock;
    this.capacityBytes = options.capacityBytes ?? 64 * 2 ** 30;
    this.tree = new DiskTree(() => options.clock.now());
  }

  mount(): MemoryFiles {
    const files = new MemoryFiles(this);
    this.#mounts.add(files);
    return files;
  }

  /** kill -9 of every process that uses the disk: what was written stays, synced or not. */
  kill(): void {
    this.#mounts = new WeakSet();
    this.#watchers.clear();
  }

  /** Power loss. Without `random` only what was durable survives; with it, un-synced changes survive by chance. */
  crash(random?: Random): void {
    this.kill();
    this.tree.dropUnsynced(random);
  }

  /** Makes operations fail; the returned function lifts the fault. */
  inject(fault: DiskFault): () => void {
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#faults.push(entry);
    return () => {
      entry.left = 0;
    };
  }

  #faultFor(operation: DiskOperation, path: string): string | undefined {
    for (const entry of this.#faults) {
      const { operations, below } = entry.fault;
      const meant = operations === undefined ? WRITES.has(operation) : operations.includes(operation);
      if (entry.left <= 0 || !meant || !path.startsWith(below ?? "")) continue;
      entry.left -= 1;
      return entry.fault.code;
    }
    return undefined;
  }

  /** One step of an operation of `files`: hook, liveness, faults. */
  async step(files: MemoryFiles, operation: DiskOperation, path: string): Promise<void> {
    await this.onStep?.(operation, path);
    if (!this.#mounts.has(files)) await new Promise<never>(() => undefined);
    const code = this.#faultFor(operation, path);
    if (code !== undefined) throw fileError(operation, path, code);
  }

  watch(_files: MemoryFiles, paths: readonly string[], changed: () => void): { close(): Promise<void> } {
    const watcher: Watcher = { paths, changed, pending: false };
    this.#watchers.add(watcher);
    return {
      close: async () => {
        this.#watchers.delete(watcher);
      },
    };
  }

  /** Tells watchers of a change at a canonical path. */
  changedAt(path: string): void {
    for (const watcher of this.#watchers) {
      if (
        watcher.pending ||
        !watcher.paths.some((watched) => related(path, watched) || related(path, this.tree.canonical(watched)))
      )
        continue;
      watcher.pending = true;
      void this.clock.sleep(DEBOUNCE_MS).then(() => {
        watcher.pending = false;
        if (this.#watchers.has(watcher)) watcher.changed();
      });
    }
  }
}

/** True when a change at `changed` may be seen at or below `watched`: it is below it, or it is one of its parents. */
function related(changed: string, watched: string): boolean {
  return changed === watched || changed.startsWith(`${watched}/`) || watched.startsWith(`${changed}/`);
}
