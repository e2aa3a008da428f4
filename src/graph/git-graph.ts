import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import { holdingAncestors, holdsDescendants } from "../domain/work-graph/index/readiness.ts";
import type { GraphMergeResult, LostClaim } from "../domain/work-graph/merge/merge-graphs.ts";
import { deepFreeze } from "../domain/work-graph/record/canonical.ts";
import { formatStamp } from "../domain/work-graph/record/stamp.ts";
import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import { WaitingError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { HistoryEntry, WorkGraph } from "../ports/work-graph.ts";
import type { AbsorbReport } from "./absorb.ts";
import { prepareMerge } from "./absorb.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { parseEventLine } from "./event-log.ts";
import { ForeignReader, mergedLogText } from "./foreign-change.ts";
import type { StoreOptions, Unflushed } from "./graph-store.ts";
import { GraphStore } from "./graph-store.ts";
import { writeLocalState } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
import { writeCache } from "./record-cache.ts";
import type { SetAsideItem } from "./set-aside.ts";
import { setAside } from "./set-aside.ts";
import type { StoreLock } from "./store-lock.ts";
import type { Wal } from "./wal.ts";

export interface GitGraphParts {
  readonly repository: Repository;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly branch: string;
  readonly writer: BranchWriter;
  readonly lock: StoreLock | undefined;
  readonly wal: Wal;
  readonly flushIntervalMs: number;
  readonly flushRecords: number;
  /** Records that were not in the cache when the store was opened. */
  readonly loadedFromGit: number;
  readonly segmentBytes: number;
  /** Logs this store wrote under other ids; they go once the branch has them. */
  readonly otherLogs: readonly string[];
}

/** The cache is written again after so many records changed. */
const cacheEvery = 1_000;
/** Packing is considered after so many commits; the repository decides whether there is enough to pack. */
const packEvery = 100;
const maxFlushAttempts = 5;
const maxRetryMs = 30_000;

/** The work graph of one repository: transactions in front, the branch behind. */
export class GitGraph extends GraphStore implements WorkGraph {
  readonly #parts: GitGraphParts;
  readonly #reader: ForeignReader;
  readonly #stopping = new AbortController();
  #serial: Promise<unknown> = Promise.resolve();
  #timer: { readonly wake: AbortController; readonly done: Promise<void> } | undefined;
  #flushes = 0;
  #uncached: number;
  #caching: Promise<void> | undefined;
  /** A branch that was merged into memory and must become a parent of the next commit, with the files it brings. */
  #merged: { readonly tip: string; readonly files: ReadonlyMap<string, string | null> } | undefined;

  constructor(options: StoreOptions, parts: GitGraphParts) {
    super(options);
    this.#parts = parts;
    this.#uncached = parts.loadedFromGit;
    this.#reader = new ForeignReader(parts.repository, parts.writer.trees, options.index.statuses);
  }

  get repository(): Repository {
    return this.#parts.repository;
  }

  /** Full ref name of the branch. */
  get branch(): string {
    return this.#parts.branch;
  }

  /** Last commit that this store wrote or built on. */
  get tip(): string | undefined {
    return this.#parts.writer.tip;
  }

  /** Lets this store see beads of other stores. */
  connect(foreign: ForeignBeads): void {
    this.index.foreign = foreign;
    this.foreignChanged(this.foreignTargets());
  }

  /** Ids that beads here refer to and that are not here. */
  foreignTargets(): readonly string[] {
    return [...this.index.missingTargets()];
  }

  /** Beads of other stores changed: whoever waits for them here is looked at again. */
  foreignChanged(ids: Iterable<string>): void {
    this.index.foreignChanged(ids);
  }

  /** Whether a bead here, or an ancestor of it, keeps its descendants in other stores from being ready. */
  holdsDescendants(id: string): boolean {
    const record = this.index.record(id);
    if (record === undefined) return false;
    const now = this.options.clock.now();
    return holdsDescendants(this.index, record, now) || holdingAncestors(this.index, record, now).length > 0;
  }

  /** Ids of beads here whose state a change of `id` can have altered. */
  reachOf(id: string): ReadonlySet<string> {
    return this.index.reachOf(id);
  }

  get statuses(): StatusBook {
    return this.index.statuses;
  }

  /** The record, also when it is a tombstone. */
  stored(id: string): BeadRecord | undefined {
    return deepFreeze(this.index.stored(id));
  }

  /** Keeps for a person what could not be taken in. */
  async setAside(kind: string, items: readonly SetAsideItem[]): Promise<void> {
    await setAside(this.#parts.files, this.#parts.paths.setAside, kind, items, this.options.log);
  }

  /** Takes over what a former process had not flushed. */
  resume(unflushed: Unflushed): void {
    this.putBack(unflushed);
    if (unflushed.ids.size > 0 && this.#parts.lock !== undefined) this.onDirty();
  }

  protected override onDirty(): void {
    if (this.stopped) return;
    if (this.#timer === undefined) {
      const wake = new AbortController();
      this.#timer = { wake, done: this.#flushLater(wake) };
    }
    if (this.dirtyCount >= this.#parts.flushRecords) this.#timer.wake.abort();
  }

  // Never rejects: the log has everything, so a failed flush is tried again.
  async #flushLater(wake: AbortController): Promise<void> {
    const { clock, log } = this.options;
    await clock.sleep(this.#parts.flushIntervalMs, AbortSignal.any([wake.signal, this.#stopping.signal]));
    for (let retryMs = 1_000; !this.#stopping.signal.aborted; retryMs = Math.min(maxRetryMs, retryMs * 2)) {
      try {
        await this.flush();
        break;
      } catch (error) {
        log.warn(
          { namespace: this.namespace, branch: this.branch, err: error, retryMs },
          "cannot flush the work graph",
        );
        await clock.sleep(retryMs, this.#stopping.signal);
      }
    }
    this.#timer = undefined;
    // What came in during the flush waits for the next one.
    if (this.dirtyCount > 0) this.onDirty();
  }

  // Flushes and merges of one store never overlap.
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#serial.then(work);
    this.#serial = run.catch(() => undefined);
    return run;
  }

  async flush(): Promise<{ readonly commit: string }> {
    return { commit: await this.#inTurn(() => this.#flushNow()) };
  }

  async #flushNow(): Promise<string> {
    for (let attempt = 1; attempt <= maxFlushAttempts; attempt++) {
      const expected = await this.repository.resolve(this.branch);
      if (expected !== undefined && expected !== this.tip && expected !== this.#merged?.tip)
        await this.#absorb(expected);
      const commit = await this.#writeCommit(expected);
      if (commit === undefined) {
        await this.#parts.writer.readPin();
        continue;
      }
      await this.#tidy();
      return commit;
    }
    throw new WaitingError(
      "BranchBusy",
      `Cannot flush the work graph of ${this.namespace}: ${this.branch} was moved ${maxFlushAttempts} times meanwhile.`,
      1_000,
      {
        hint: "Everything is safe in the log; it is tried again.",
      },
    );
  }

  async #writeCommit(expected: string | undefined): Promise<string | undefined> {
    const { writer } = this.#parts;
    if (this.dirtyCount === 0 && this.#merged === undefined && writer.tip !== undefined && writer.tip === expected) {
      if (this.#uncached >= cacheEvery) this.#refreshCache(writer.tip, this.#lastingRecords());
      return writer.tip;
    }
    const unflushed = this.takeUnflushed();
    // What memory holds at this instant is what the commit will hold.
    const snapshot = this.#uncached + unflushed.ids.size >= cacheEvery ? this.#lastingRecords() : undefined;
    const merged = this.#merged;
    const records = new Map<string, BeadRecord | undefined>();
    for (const id of unflushed.ids) records.set(id, this.index.stored(id));
    let commit: string | undefined;
    try {
      const change = {
        records,
        events: unflushed.events,
        seq: this.seq,
        merged: merged?.tip,
        ...(merged === undefined ? {} : { files: merged.files }),
      };
      commit = await writer.commit(change, expected);
    } finally {
      if (commit === undefined) this.putBack(unflushed);
    }
    if (commit === undefined) return undefined;
    if (this.#merged === merged) this.#merged = undefined;
    this.#uncached += unflushed.ids.size;
    if (snapshot !== undefined) this.#refreshCache(commit, snapshot);
    return commit;
  }

  #lastingRecords(): readonly BeadRecord[] {
    const records: BeadRecord[] = [];
    for (const record of this.index.all()) if (record.ephemeral !== true) records.push(record);
    return records;
  }

  // In the background: a cache that could not be written costs time at the next start, nothing else.
  #refreshCache(commit: string, records: readonly BeadRecord[]): void {
    if (this.#caching !== undefined) return;
    this.#uncached = 0;
    this.#caching = writeCache(this.#parts.files, this.#parts.paths.cache, commit, records)
      .catch((error: unknown) =>
        this.options.log.warn({ namespace: this.namespace, err: error }, "cannot write the cache of the work graph"),
      )
      .finally(() => {
        this.#caching = undefined;
      });
  }

  /** Merges a commit of somebody else into memory and log; the next flush writes the result. */
  absorb(commit: string): Promise<AbsorbReport | undefined> {
    return this.#inTurn(() => this.#absorb(commit));
  }

  async #absorb(theirs: string): Promise<AbsorbReport | undefined> {
    const { writer, repository } = this.#parts;
    const tip = writer.tip;
    const base = tip === undefined ? undefined : await repository.mergeBase(tip, theirs);
    if (base === theirs) return undefined;
    const change = await this.#reader.read(base, theirs);
    const prepared = await prepareMerge(change, {
      repository,
      reader: this.#reader,
      index: this.index,
      prefix: this.prefix,
      random: this.options.random,
      base,
      ourTip: tip,
      theirTip: theirs,
      dirty: this.dirtyIds,
      pendingEvents: this.pendingEvents,
    });
    for (const record of change.theirs.values()) this.observeStamp(record);
    const results: GraphMergeResult[] = [];
    for (const { actor, quiet, run } of prepared) results.push(await this.#applyMerge(actor, quiet, run));
    const continues = tip === undefined || base === tip;
    if (continues) {
      await writer.fastForward(theirs);
      this.#merged = undefined;
      this.markDirty([...results.flatMap(({ differing }) => [...differing]), ...change.badIds]);
    } else {
      this.#merged = { tip: theirs, files: await this.#filesToTake(change.files) };
    }
    return this.#report(theirs, change.bad, results, continues);
  }

  async #applyMerge(
    actor: string,
    quiet: boolean,
    run: (stamp: string) => GraphMergeResult,
  ): Promise<GraphMergeResult> {
    const stampNow = (): string => formatStamp({ ms: this.options.clock.now(), tick: 0 });
    if (this.#parts.lock === undefined) {
      const result = run(stampNow());
      for (const [id, record] of result.records) this.index.put(id, record, this.index.revOf(id) + 1);
      return result;
    }
    const merged = await this.write(
      { actor },
      (tx) => {
        const result = run(formatStamp({ ms: tx.now, tick: 0 }));
        for (const [id, record] of result.records) tx.replace(id, record);
        return result;
      },
      { quiet },
    );
    return merged as GraphMergeResult;
  }

  // Logs are joined, since each store only adds lines to its own; anything else is theirs.
  async #filesToTake(files: ReadonlyMap<string, string | null>): Promise<ReadonlyMap<string, string | null>> {
    const { objects } = this.repository;
    const { writer } = this.#parts;
    const taken = new Map<string, string | null>();
    for (const [path, blob] of files) {
      const ours = path.startsWith("log/") ? await writer.find(path) : undefined;
      if (ours === undefined || ours === blob) taken.set(path, blob);
      else if (blob !== null) {
        const text = mergedLogText((await objects.readBlob(ours)) ?? "", (await objects.readBlob(blob)) ?? "");
        taken.set(path, await objects.writeBlob(text));
      }
    }
    return taken;
  }

  async #report(
    commit: string,
    bad: readonly { readonly path: string; readonly problem: string; readonly text: string }[],
    results: readonly GraphMergeResult[],
    continues: boolean,
  ): Promise<AbsorbReport> {
    const { log } = this.options;
    const lostClaims: readonly LostClaim[] = results.flatMap((result) => result.lostClaims);
    const rekeyed = new Map(results.flatMap((result) => [...result.rekeyed]));
    const changed = results.flatMap(({ records }) => [...records.keys()]);
    const refused = bad.map(({ path }) => `${path}@${commit}`);
    if (this.#parts.lock !== undefined) {
      const items = bad.map(({ path, problem, text }) => ({ place: `${path}@${commit}`, problem, text }));
      await setAside(this.#parts.files, this.#parts.paths.setAside, "branch", items, log);
    }
    log.info(
      { namespace: this.namespace, commit, changed: changed.length, diverged: !continues },
      "foreign commit of the work branch taken in",
    );
    for (const lost of lostClaims) log.warn({ namespace: this.namespace, ...lost }, "claim lost to an earlier one");
    for (const [from, to] of rekeyed)
      log.warn({ namespace: this.namespace, from, to }, "bead id was given twice and is changed");
    return { commit, changed, lostClaims, rekeyed, refused };
  }

  /** Packs what this store wrote and nothing else; returns how many objects. Waits for flushes under way. */
  packObjects(minimum = 0): Promise<number> {
    return this.#inTurn(() => this.repository.objects.packOwn({ minimum }));
  }

  // Closed log segments go once everything in them is durable elsewhere.
  async #tidy(): Promise<void> {
    const { wal, writer, segmentBytes } = this.#parts;
    if (++this.#flushes % packEvery === 0) await this.#packQuietly();
    if (wal.size < segmentBytes) return;
    await wal.rotate();
    await this.#writeLocal();
    await wal.drop(writer.positionOf(wal.id));
  }

  // Loose objects cost disk, not correctness.
  async #packQuietly(): Promise<void> {
    try {
      await this.repository.objects.packOwn();
    } catch (error) {
      this.options.log.warn({ namespace: this.namespace, err: error }, "cannot pack objects of the work graph");
    }
  }

  async #writeLocal(): Promise<void> {
    const { files, paths, wal } = this.#parts;
    const wisps: { readonly record: BeadRecord; readonly rev: number }[] = [];
    const revs = new Map<string, number>();
    for (const record of this.index.all()) {
      const rev = this.index.revOf(record.id);
      if (record.ephemeral === true) wisps.push({ record, rev });
      else if (rev > 1) revs.set(record.id, rev);
    }
    await writeLocalState(files, paths.local, {
      logs: new Map([[wal.id, this.seq]]),
      wisps,
      revs,
      requests: this.requests,
    });
  }

  async history(id: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    const tip = this.tip;
    const needle = JSON.stringify(id);
    for (const file of tip === undefined ? [] : await this.repository.listFiles(tip, "log")) {
      const text = (await this.repository.objects.readBlob(file.id)) ?? "";
      for (const line of text.split("\n")) {
        const entry = line.includes(needle) ? parseEventLine(line) : undefined;
        if (entry?.id === id) entries.push(entry);
      }
    }
    for (const entry of this.pendingEvents) if (entry.id === id) entries.push(entry);
    return entries.sort((a, b) => a.timeMs - b.timeMs);
  }

  async close(): Promise<void> {
    if (this.stopped) return;
    await this.stop();
    this.#stopping.abort();
    await this.#timer?.done;
    if (this.#parts.lock === undefined) return;
    try {
      await this.flush();
    } catch (error) {
      this.options.log.warn({ namespace: this.namespace, err: error }, "work graph closed without a last flush");
    }
    await this.#caching;
    await this.#parts.wal.close();
    await this.#parts.lock.release();
  }
}
