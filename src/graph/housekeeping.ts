import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { BranchWriter } from "./branch-writer.ts";
import type { KeptWisp } from "./local-state.ts";
import { writeLocalState } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
import { writeCache } from "./record-cache.ts";
import { writeIdentity } from "./store-identity.ts";
import type { Wal } from "./wal.ts";
import type { WispHistory } from "./wisp-history.ts";

export interface HousekeepingOptions {
  readonly repository: Repository;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly wal: Wal;
  readonly writer: BranchWriter;
  readonly index: GraphIndex;
  readonly log: Log;
  /** Seq of the last committed change, answers to requests, and what happened to wisps: what the local state keeps. */
  readonly state: () => {
    readonly seq: number;
    readonly requests: ReadonlyMap<string, unknown>;
    readonly wispHistory: WispHistory;
  };
  readonly segmentBytes: number;
  /** Records that were not in the cache when the store was opened. */
  readonly loadedFromGit: number;
  /** Logs written under other ids, with their last seq; they go once everything in them is elsewhere. */
  readonly otherLogs: ReadonlyMap<string, number>;
}

/** The cache is written again after so many records changed, and more than this share of all: reading a few from git is cheap. */
const cacheEvery = 1_000;
const cacheShare = 0.05;
/** Packing is considered after so many commits; the repository decides whether there is enough to pack. */
const packEvery = 20;

/** What keeps a store small and quick to open: cache, packs, and the end of log segments. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #uncached: number;
  #caching: Promise<void> | undefined;
  #packing: Promise<void> | undefined;
  #commits = 0;
  #otherLogs: ReadonlyMap<string, number>;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#uncached = options.loadedFromGit;
    this.#otherLogs = options.otherLogs;
  }

  /** The records that a commit made at this instant holds, where the cache should be written with it. */
  snapshotFor(changed: number): readonly BeadRecord[] | undefined {
    return this.#isDue(changed) ? this.#lastingRecords() : undefined;
  }

  #isDue(changed: number): boolean {
    const least = Math.max(cacheEvery, this.#options.index.size * cacheShare);
    return this.#caching === undefined && this.#uncached + changed >= least;
  }

  #lastingRecords(): readonly BeadRecord[] {
    const records: BeadRecord[] = [];
    for (const record of this.#options.index.all()) if (record.ephemeral !== true) records.push(record);
    return records;
  }

  /** Told of each commit, with how many records it changed and the snapshot that belongs to it. */
  async committed(commit: string, changed: number, snapshot: readonly BeadRecord[] | undefined): Promise<void> {
    this.#uncached += changed;
    if (snapshot !== undefined) this.#refreshCache(commit, snapshot);
    if (++this.#commits % packEvery === 0) this.#packing ??= this.#pack();
    await this.#endSegments();
  }

  // In the background: a cache that could not be written costs time at the next start, nothing else.
  #refreshCache(commit: string, records: readonly BeadRecord[]): void {
    const { files, paths, log } = this.#options;
    this.#uncached = 0;
    this.#caching = writeCache(files, paths.cache, commit, records)
      .catch((error: unknown) => log.warn({ err: error }, "cannot write the cache of the work graph"))
      .finally(() => {
        this.#caching = undefined;
      });
  }

  // In the background, never in the way of a commit: loose objects cost disk, not correctness.
  async #pack(): Promise<void> {
    try {
      await this.#options.repository.objects.packOwn();
    } catch (error) {
      this.#options.log.warn({ err: error }, "cannot pack objects of the work graph");
    } finally {
      this.#packing = undefined;
    }
  }

  /** Segments go once the branch has their beads and the local state their wisps. */
  async #endSegments(): Promise<void> {
    const { wal, writer, segmentBytes, files, paths } = this.#options;
    if (wal.size < segmentBytes && this.#otherLogs.size === 0) return;
    await wal.rotate();
    await this.#writeLocal();
    await wal.drop(writer.positionOf(wal.id));
    for (const id of this.#otherLogs.keys()) await files.removeTree(`${paths.wal}/${id}`);
    if (this.#otherLogs.size > 0) await writeIdentity(files, paths, this.#options.repository.commonDirectory, [wal.id]);
    this.#otherLogs = new Map();
  }

  async #writeLocal(): Promise<void> {
    const { files, paths, wal, index, state } = this.#options;
    const { seq, requests, wispHistory } = state();
    const wisps: KeptWisp[] = [];
    const revs = new Map<string, number>();
    for (const record of index.all()) {
      const rev = index.revOf(record.id);
      if (record.ephemeral === true) wisps.push({ record, rev, history: wispHistory.of(record.id) });
      else if (rev > 1) revs.set(record.id, rev);
    }
    await writeLocalState(files, paths.local, {
      logs: new Map([...this.#otherLogs, [wal.id, seq]]),
      wisps,
      revs,
      requests,
    });
  }

  /** Before the store is closed with `tip` as its last commit and nothing unwritten. */
  async finish(tip: string | undefined): Promise<void> {
    // One that is being written is of an earlier commit.
    await this.#caching;
    if (tip !== undefined && this.#isDue(0)) this.#refreshCache(tip, this.#lastingRecords());
    await this.#caching;
    await this.#packing;
  }
}
