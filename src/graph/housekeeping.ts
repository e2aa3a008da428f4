import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import type { BranchWriter } from "./branch-writer.ts";
import type { ChangedRecords } from "./cached-changes.ts";
import { appendChanges } from "./cached-changes.ts";
import type { CachePosition, CommitHead } from "./commit-head.ts";
import type { DamageListener } from "./cached-texts.ts";
import { HistoryCache } from "./history-cache.ts";
import type { KeptWisp, RenewedLease } from "./local-state.ts";
import { writeLocalState } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
import type { LoadedCommit } from "./load-commit.ts";
import type { Captured } from "./record-cache.ts";
import { CacheWriter, changesPath } from "./record-cache.ts";
import { standInFrom } from "./stand-in.ts";
import { writeIdentity } from "./store-identity.ts";
import type { Wal } from "./wal.ts";
import { fingerprint } from "./wal-record.ts";
import type { WispHistory } from "./wisp-history.ts";

export interface HousekeepingOptions {
  readonly repository: Repository;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly wal: Wal;
  readonly writer: BranchWriter;
  readonly index: GraphIndex;
  readonly log: Log;
  /** What the local state keeps: seq of the last committed change, answers, what happened to wisps, renewed leases. */
  readonly state: () => {
    readonly seq: number;
    readonly requests: ReadonlyMap<string, unknown>;
    readonly wispHistory: WispHistory;
    /** Records whose lease is later than the branch knows. */
    readonly renewed: readonly BeadRecord[];
  };
  readonly segmentBytes: number;
  /** The commit that the store was opened with. */
  readonly loaded: LoadedCommit | undefined;
  /** Logs written under other ids, with their last seq; they go once everything in them is elsewhere. */
  readonly otherLogs: ReadonlyMap<string, number>;
  readonly onDamaged: DamageListener;
}

/** The cache is written again after so many records changed, and more than this share of all: a few more are read in no time. */
const cacheEvery = 200;
const cacheShare = 0.01;
/** Packing is considered after so many commits; the repository decides whether there is enough to pack. */
const packEvery = 20;
/** A store that is closed leaves no longer log than this to whoever opens it next. */
const leftOpenBytes = 64 * 1024;

/** What a commit that is made at this instant will hold, as far as the cache wants it. */
export interface CacheSnapshot {
  /** Everything, where the cache should be written anew. */
  readonly whole: Captured | undefined;
  /** What was changed since the commit of the cache. */
  readonly changed: ChangedRecords;
  /** Undefined: others added to the logs, too. */
  readonly told: Told | undefined;
}

/** What a commit adds to the logs of its parent. */
export interface Told {
  readonly parent: string | undefined;
  readonly events: readonly HistoryEntry[];
  /** Files that others bring with it. */
  readonly files: Iterable<string>;
}

/** What the cache was good for. */
export interface CacheState {
  /** The store took longer to open than it need: a writer that opens and closes it leaves a new cache. */
  readonly isDue: boolean;
  /** The text of a record is damaged there and elsewhere: a store that is opened after this one was closed looks for losses. */
  readonly isLost: boolean;
}

/** What keeps a store small and quick to open: cache, packs, and the end of log segments. */
export class Housekeeping implements CacheState {
  readonly #options: HousekeepingOptions;
  #uncached: number;
  #caching: Promise<void> | undefined;
  #packing: Promise<void> | undefined;
  #commits = 0;
  #otherLogs: ReadonlyMap<string, number>;
  /** Commit that the tables of the cache are of, and the one that the cache leads to with what was added to it. */
  #cached: CachePosition | undefined;
  /** There is no cache yet, and the smallest is better than none. */
  #isFirst: boolean;
  /** Changed since the commit that the cache leads to. */
  #changed = new Set<string>();
  /** What comes while the cache is written anew is added to the new one. */
  #added: (() => Promise<void>)[] = [];
  readonly #cache: CacheWriter;
  readonly #history: HistoryCache;
  #telling: Promise<void> = Promise.resolve();
  #isFinishing = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#uncached = options.loaded?.uncached ?? 0;
    this.#otherLogs = options.otherLogs;
    this.#cached = options.loaded?.cache;
    this.#isFirst = this.#cached === undefined;
    this.changed(options.loaded?.changed ?? []);
    const { files, paths, index, loaded } = options;
    this.#cache = new CacheWriter({
      files,
      directory: paths.cache,
      index,
      texts: loaded?.texts,
      standInAt: (commit) => standInFrom(options.repository, commit),
      onDamaged: options.onDamaged,
    });
    this.#history = new HistoryCache({
      repository: options.repository,
      trees: options.writer.trees,
      files,
      directory: paths.cache,
    });
  }

  /** Records were changed by taking in commits of others. */
  changed(ids: Iterable<string>): void {
    for (const id of ids) this.#changed.add(id);
  }

  /** Taken at the instant when what a commit will hold is what memory holds; `ids`: what the commit changes. */
  snapshot(ids: Iterable<string>, told: Told): CacheSnapshot {
    this.changed(ids);
    const isOnlyOurs = [...told.files].every((path) => !path.startsWith("log/"));
    const changed = new Map<string, BeadRecord | undefined>();
    for (const id of this.#changed) changed.set(id, this.#options.index.stored(id));
    return {
      changed,
      told: isOnlyOurs ? told : undefined,
      whole: this.#isDue(changed.size) ? this.#options.index.captured() : undefined,
    };
  }

  get isDue(): boolean {
    return this.#isDue(0);
  }

  get isLost(): boolean {
    return this.#cache.isLost;
  }

  #isDue(changed: number): boolean {
    if (this.#cache.isDamaged && !this.#cache.isLost) return this.#caching === undefined;
    const least = this.#isFirst ? 1 : Math.max(cacheEvery, this.#options.index.size * cacheShare);
    return this.#caching === undefined && this.#uncached + changed >= least;
  }

  /** Told of each commit, with the snapshot that was taken for it. */
  async committed({ whole, changed, told }: CacheSnapshot): Promise<void> {
    const { head } = this.#options.writer;
    this.#uncached += changed.size;
    for (const id of changed.keys()) this.#changed.delete(id);
    if (whole !== undefined && head !== undefined) this.#refreshCache(head, whole);
    else if (head !== undefined) await this.#extendCache(head, changed);
    if (head !== undefined) this.#tell(head, told);
    if (++this.#commits % packEvery === 0) this.#packing ??= this.#pack();
    await this.#endSegments();
  }

  // In the background: a cache that could not be written costs time at the next start, nothing else.
  #refreshCache(head: CommitHead, whole: Captured): void {
    const { log } = this.#options;
    this.#uncached = 0;
    this.#isFirst = false;
    this.#caching = this.#cache
      .write(head, whole)
      .then(async () => {
        this.#cached = { tables: head.commit, commit: head.commit };
        for (const add of this.#added) await add();
        // Whoever has closed the store may still look at what it holds.
        if (!this.#isFinishing) this.#options.index.rest();
      })
      .catch((error: unknown) => {
        // What this commit changed was not added to the former one either.
        this.#cached = undefined;
        log.warn({ err: error }, "cannot write the cache of the work graph");
      })
      .finally(() => {
        this.#added = [];
        this.#caching = undefined;
      });
  }

  async #extendCache(head: CommitHead, changed: ChangedRecords): Promise<void> {
    const add = async (): Promise<void> => {
      const { files, paths, log } = this.#options;
      const cached = this.#cached;
      if (cached === undefined || cached.commit === head.commit) return;
      try {
        await appendChanges(files, changesPath(paths.cache, cached.tables), cached.commit, head, changed);
        this.#cached = { tables: cached.tables, commit: head.commit };
      } catch (error) {
        this.#cached = undefined;
        log.warn({ err: error }, "cannot add to the cache of the work graph");
      }
    };
    if (this.#caching === undefined) await add();
    else this.#added.push(add);
  }

  // In the background: whoever wants to read it waits for `told`. Where others added to the logs, too, git is asked.
  #tell({ commit }: CommitHead, told: Told | undefined): void {
    const extend = async (): Promise<void> => {
      const isTold = told !== undefined && (await this.#history.extend(told.parent, commit, told.events));
      if (!isTold) await this.#followHistory();
    };
    this.#telling = this.#telling.then(extend).catch(() => undefined);
  }

  /** Resolves when the history of what was committed can be read from the cache, as far as it could be written. */
  told(): Promise<void> {
    return this.#telling;
  }

  async #followHistory(): Promise<void> {
    const { writer, log } = this.#options;
    try {
      if (writer.tip !== undefined) await this.#history.follow(writer.tip);
    } catch (error) {
      log.debug({ err: error }, "cannot read the logs of the work graph for the cache");
    }
  }

  // In the background, never in the way of a commit: loose objects cost disk, not correctness.
  async #pack(): Promise<void> {
    try {
      await this.#options.repository.objects.packOwn({ tip: this.#options.writer.tip });
    } catch (error) {
      this.#options.log.warn({ err: error }, "cannot pack objects of the work graph");
    } finally {
      this.#packing = undefined;
    }
  }

  /** Segments go once the branch has their beads and the local state their wisps. */
  async #endSegments(least = this.#options.segmentBytes): Promise<void> {
    const { wal, writer, files, paths } = this.#options;
    if (wal.size < least && this.#otherLogs.size === 0) return;
    await wal.rotate();
    await this.#writeLocal();
    await wal.drop(writer.positionOf(wal.id));
    for (const id of this.#otherLogs.keys()) await files.removeTree(`${paths.wal}/${id}`);
    if (this.#otherLogs.size > 0) await writeIdentity(files, paths, this.#options.repository.commonDirectory, [wal.id]);
    this.#otherLogs = new Map();
  }

  async #writeLocal(): Promise<void> {
    const { files, paths, wal, index, state } = this.#options;
    const { seq, requests, wispHistory, renewed } = state();
    const wisps: KeptWisp[] = [];
    const revs = new Map<string, number>();
    for (const record of index.wisps())
      wisps.push({ record, rev: index.revOf(record.id), history: wispHistory.of(record.id) });
    const own = new Set(wisps.map(({ record }) => record.id));
    for (const [id, rev] of index.revs) if (rev > 1 && !own.has(id)) revs.set(id, rev);
    await writeLocalState(files, paths.local, {
      logs: new Map([...this.#otherLogs, [wal.id, seq]]),
      wisps,
      leases: new Map(renewed.map((record) => [record.id, leaseOf(record)])),
      revs,
      requests,
    });
  }

  /** Before the store is closed with nothing unwritten. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#endSegments(Math.min(this.#options.segmentBytes, leftOpenBytes));
    // One that is being written is of an earlier commit.
    await this.#caching;
    const { head } = this.#options.writer;
    if (head !== undefined && this.#isDue(0)) this.#refreshCache(head, this.#options.index.captured());
    await this.#caching;
    await this.#telling;
    await this.#followHistory();
    await this.#packing;
  }

  /** Lets the files of the cache go: nothing that sleeps can be read any more. */
  close(): Promise<void> {
    return this.#cache.close();
  }
}

function leaseOf(record: BeadRecord): RenewedLease {
  return {
    from: record.heartbeat_at ?? record.updated_at,
    to: record.lease_expires_at ?? record.updated_at,
    of: fingerprint(record) ?? "",
  };
}
