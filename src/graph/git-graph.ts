import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import { holdingAncestors, holdsDescendants } from "../domain/work-graph/index/readiness.ts";
import type { GraphMergeResult } from "../domain/work-graph/merge/merge-graphs.ts";
import { deepFreeze } from "../domain/work-graph/record/canonical.ts";
import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import { formatStamp } from "../domain/work-graph/record/stamp.ts";
import { WaitingError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { HistoryEntry, WorkGraph } from "../ports/work-graph.ts";
import type { AbsorbReport } from "./absorb.ts";
import { BranchMerger } from "./branch-merger.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { historyAt } from "./history-cache.ts";
import { GraphStore, type StoreOptions } from "./graph-store.ts";
import { readOnlyError } from "./store-errors.ts";
import { FlushTimer } from "./flush-timer.ts";
import type { CacheState } from "./housekeeping.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { LoadedCommit } from "./load-commit.ts";
import type { StorePaths } from "./paths.ts";
import { configuredStatuses } from "./configured-statuses.ts";
import { LossGuard } from "./loss-guard.ts";
import { settingsFile } from "./settings-file.ts";
import { WispCollector } from "./outlived-wisps.ts";
import type { SetAsideItem } from "./set-aside.ts";
import { setAside } from "./set-aside.ts";
import type { StoreLock } from "./store-lock.ts";
import type { SettingValues, StoreSettings } from "./store-settings.ts";
import type { Unflushed } from "./unflushed.ts";
import type { Wal } from "./wal.ts";

export interface GitGraphParts {
  readonly repository: Repository;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly branch: string;
  readonly settings: StoreSettings;
  readonly writer: BranchWriter;
  readonly lock: StoreLock | undefined;
  readonly wal: Wal;
  readonly flushIntervalMs: number;
  readonly flushRecords: number;
  readonly segmentBytes: number;
  /** The commit that memory was filled from. */
  readonly loaded: LoadedCommit | undefined;
  readonly otherLogs: ReadonlyMap<string, number>;
}

const maxFlushAttempts = 5;
/** The work graph of one repository: transactions in front, the branch behind. */
export class GitGraph extends GraphStore implements WorkGraph {
  readonly #parts: GitGraphParts;
  readonly #merger: BranchMerger;
  readonly #house: Housekeeping;
  readonly wisps: WispCollector;
  readonly losses: LossGuard;
  readonly #timer: FlushTimer;
  readonly #stopping = new AbortController();
  #serial: Promise<unknown> = Promise.resolve();

  constructor(options: StoreOptions, parts: GitGraphParts) {
    super(options);
    this.#parts = parts;
    const { index, log, random } = options;
    parts.wal.onLost = () => this.#logLost();
    this.#house = new Housekeeping({
      ...parts,
      index,
      log,
      onDamaged: (id, isLost) => this.losses.missText(id, isLost),
      state: () => ({ seq: this.seq, requests: this.requests, wispHistory: this.wispHistory, renewed: this.renewed }),
    });
    this.wisps = new WispCollector({ ...options, transact: (author, work) => this.transact(author, work) });
    this.#timer = new FlushTimer({
      ...options,
      place: { namespace: this.namespace, branch: parts.branch },
      intervalMs: parts.flushIntervalMs,
      flush: () => this.flush(),
      isPending: () => this.unflushed.pending || parts.settings.isDirty,
      stopping: this.#stopping.signal,
    });
    this.losses = new LossGuard({
      ...parts,
      ...options,
      unflushed: this.unflushed,
      seq: () => this.seq,
      write: (actor, work) => this.write({ actor }, work),
      canWrite: parts.lock !== undefined,
      verify: () => this.verify(),
      stopping: this.#stopping.signal,
    });
    this.#merger = new BranchMerger(parts.repository, parts.writer, {
      namespace: this.namespace,
      prefix: this.prefix,
      index,
      random,
      log,
      logId: parts.wal.id,
      raiseSeq: (seq) => this.raiseSeq(seq),
      unflushed: () => ({ ids: this.unflushed.ids, events: this.unflushed.events }),
      apply: (actor, how, run) => this.#applyMerge(actor, how, run),
      mergeSettings: async (base, file) => {
        await parts.settings.takeIn(base, file);
        index.useStatuses(configuredStatuses(parts.settings, log));
      },
      markDirty: (ids) => this.unflushed.mark(ids),
      observeStamp: (record) => this.observeStamp(record),
      setAside: (bad) =>
        this.setAside(
          "branch",
          bad.map(({ path, commit, problem, text }) => ({ place: `${path}@${commit}`, problem, text })),
        ),
    });
  }

  get repository(): Repository {
    return this.#parts.repository;
  }

  /** Full ref name of the branch. */
  get branch(): string {
    return this.#parts.branch;
  }

  /** Lets go of what was read of settled records; it is read again when somebody asks for it. */
  rest(): void {
    this.index.rest();
  }

  get canWrite(): boolean {
    return this.#parts.lock !== undefined && !this.stopped;
  }

  /** Last commit that this store wrote or built on. */
  get tip(): string | undefined {
    return this.#parts.writer.tip;
  }

  get cache(): CacheState {
    return this.#house;
  }

  get statuses(): StatusBook {
    return this.index.statuses;
  }

  /** bd's key-value settings, memories among them. Throws TownError `SettingsUnreadable`. */
  get settings(): SettingValues {
    return this.#parts.settings.values;
  }

  /** Sets settings, or removes those that are undefined. Acknowledged ones are on disk; custom statuses count at once. */
  changeSettings(change: Readonly<Record<string, string | undefined>>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#parts.lock === undefined) throw readOnlyError(this.namespace);
      await this.#parts.settings.change(change, formatStamp({ ms: this.options.clock.now(), tick: 0 }));
      this.index.useStatuses(configuredStatuses(this.#parts.settings, this.options.log));
      if (this.#parts.settings.isDirty) this.onDirty();
    });
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

  /** The record, also when it is a tombstone. */
  stored(id: string): BeadRecord | undefined {
    return deepFreeze(this.index.stored(id));
  }

  /** Keeps for a person what could not be taken in. `isTold`: whoever asked for it is told, so the log need not warn. */
  async setAside(kind: string, items: readonly SetAsideItem[], { isTold = false } = {}): Promise<void> {
    if (this.#parts.lock === undefined) return;
    const { log } = this.options;
    const tell = isTold ? log.info.bind(log) : log.error.bind(log);
    await setAside(this.#parts.files, this.#parts.paths.setAside, kind, items, tell);
  }

  /** Takes over what a former process had not flushed. */
  resume(unflushed: Unflushed): void {
    this.unflushed.putBack(unflushed);
    if (unflushed.ids.size > 0 && this.#parts.lock !== undefined) this.onDirty();
  }

  protected override onDirty(): void {
    if (this.stopped) return;
    this.#timer.start();
    if (this.unflushed.size >= this.#parts.flushRecords) this.#timer.hurry();
  }

  protected override onCommitted(): void {
    this.wisps.changed();
  }

  // What was acknowledged and not flushed yet is in memory alone now.
  #logLost(): void {
    this.options.log.error(
      { namespace: this.namespace, directory: this.#parts.paths.wal },
      "log of the work graph was removed, flushing at once",
    );
    this.onDirty();
    this.#timer.hurry();
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
    const { objects } = this.repository;
    const wasCollected = await objects.isCollected();
    const before = this.tip;
    const commit = await this.losses.guard(() => this.#commitNow());
    if (commit !== before && (wasCollected || (await objects.isCollected()))) await this.losses.suspect();
    return commit;
  }

  /** Looks for objects of the branch that git has lost, and makes them again; true when nothing was missing. */
  verify(): Promise<boolean> {
    return this.#inTurn(async () => {
      const wasHealed = await this.losses.heal();
      if (wasHealed) await this.#commitNow();
      await this.#parts.files.remove(this.#parts.paths.suspicion);
      return !wasHealed;
    });
  }

  async #commitNow(): Promise<string> {
    for (let attempt = 1; attempt <= maxFlushAttempts; attempt++) {
      const { tips } = this.losses.replaced;
      const expected = await this.losses.branchTip();
      const known = expected === undefined || expected === this.tip || expected === this.#merger.pending?.tip;
      if (!known && !tips.has(expected)) await this.#merger.absorb(expected);
      const commit = await this.#writeCommit(expected);
      if (commit !== undefined) return commit;
      await this.#parts.writer.readPin();
    }
    throw new WaitingError(
      "BranchBusy",
      `Cannot flush the work graph of ${this.namespace}: ${this.branch} was moved ${maxFlushAttempts} times meanwhile.`,
      1_000,
      { hint: "Everything is safe in the log; it is tried again." },
    );
  }

  async #writeCommit(expected: string | undefined): Promise<string | undefined> {
    const { writer, settings } = this.#parts;
    const merged = this.#merger.pending;
    const { tips, files: remaining } = this.losses.replaced;
    const isUnchanged = !this.unflushed.pending && tips.size === 0 && merged === undefined && !settings.isDirty;
    if (isUnchanged && writer.tip !== undefined && writer.tip === expected) return writer.tip;
    const text = settings.text;
    const taken = this.unflushed.take();
    const seq = this.seq;
    // What memory holds at this instant is what the commit will hold.
    const records = new Map<string, BeadRecord | undefined>();
    for (const id of taken.ids) records.set(id, this.index.stored(id));
    const further = new Map([...remaining, ...(merged?.files ?? [])]);
    const told = { parent: writer.tip, events: taken.events, files: further.keys() };
    const snapshot = this.#house.snapshot(records.keys(), told);
    let commit: string | undefined;
    try {
      const files = new Map([...further, ...(await this.#settingsFiles(text))]);
      const change = { records, events: taken.events, seq, files };
      commit = await writer.commit(merged === undefined ? change : { ...change, merged: merged.tip }, expected);
    } finally {
      if (commit === undefined) this.unflushed.putBack(taken);
    }
    if (commit === undefined) return undefined;
    this.#merger.settled();
    await this.losses.settled();
    await settings.flushed(text);
    await this.#house.committed(snapshot);
    return commit;
  }

  /** The settings file where the branch is to be told, or a merge would bring that of the other side. */
  async #settingsFiles(text: string | undefined): Promise<readonly (readonly [string, string | null])[]> {
    const isTold = !this.#parts.settings.isDirty && this.#merger.pending?.files.has(settingsFile) !== true;
    if (isTold) return [];
    return [[settingsFile, text === undefined ? null : await this.repository.objects.writeBlob(text)]];
  }

  /**
   * Takes in what others put on the branch, and puts a branch that was reset or removed where it belongs; nothing when it is
   * where this store left it. Never rejects: the next flush sees it too.
   */
  async follow(): Promise<void> {
    if (this.stopped || this.#parts.lock === undefined) return;
    try {
      if ((await this.repository.resolve(this.branch)) !== this.tip) await this.flush();
    } catch (error) {
      this.options.log.warn(
        { namespace: this.namespace, branch: this.branch, err: error },
        "cannot follow the branch of the work graph",
      );
    }
  }

  /** Merges a commit of somebody else into memory and log; the next flush writes the result. */
  absorb(commit: string): Promise<AbsorbReport | undefined> {
    return this.#inTurn(() => this.#merger.absorb(commit));
  }

  async #applyMerge(
    actor: string,
    how: { readonly quiet: boolean; readonly clean: boolean },
    run: (stamp: string) => GraphMergeResult,
  ): Promise<GraphMergeResult> {
    if (this.#parts.lock === undefined) {
      const result = run(formatStamp({ ms: this.options.clock.now(), tick: 0 }));
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
      how,
    );
    const result = merged as GraphMergeResult;
    this.#house.changed(result.records.keys());
    return result;
  }

  /** Packs what this store wrote and nothing else; returns how many objects. */
  packObjects(minimum = 0): Promise<number> {
    return this.#inTurn(() => this.repository.objects.packOwn({ minimum, tip: this.tip }));
  }

  /** In turn: what a flush has taken is neither waiting nor in the tip until it is over. */
  history(id: string): Promise<readonly HistoryEntry[]> {
    if (this.index.stored(id)?.ephemeral === true) return Promise.resolve([...this.wispHistory.of(id)]);
    const read = (): Promise<readonly HistoryEntry[]> => historyAt(this.#parts, this.tip, id);
    return this.#inTurn(async () => {
      await this.#house.told();
      const told = this.#parts.lock === undefined ? await read() : await this.losses.guard(read);
      const pending = this.unflushed.events.filter((entry) => entry.id === id);
      return [...told, ...pending].sort((a, b) => a.timeMs - b.timeMs);
    });
  }

  async close(): Promise<void> {
    if (this.stopped) return;
    await this.stop();
    if (this.#parts.lock === undefined) {
      await this.#house.close();
      return;
    }
    this.#stopping.abort();
    await this.#timer.finish();
    await this.losses.finish();
    try {
      await this.flush();
      await this.#inTurn(() => this.#house.finish());
    } catch (error) {
      this.options.log.warn({ namespace: this.namespace, err: error }, "work graph closed without a last flush");
    }
    await this.#parts.wal.close();
    await this.#house.close();
    await this.#parts.lock.release();
  }
}
