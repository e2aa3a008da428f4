import { WaitingError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { HistoryEntry, WorkGraph } from "../ports/work-graph.ts";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import { holdingAncestors, holdsDescendants } from "../domain/work-graph/index/readiness.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { parseEventLine } from "./event-log.ts";
import { GraphStore } from "./graph-store.ts";
import type { StoreOptions, Unflushed } from "./graph-store.ts";
import { writeLocalState } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
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
  /** Logs this store wrote under other ids; they go once the branch has them. */
  readonly otherLogs: readonly string[];
}

/** Log segments of this size are closed and, once the branch has them, removed. */
const segmentBytes = 4 * 1024 * 1024;
const maxFlushAttempts = 5;
const maxRetryMs = 30_000;

/** The work graph of one repository: transactions in front, the branch behind. */
export class GitGraph extends GraphStore implements WorkGraph {
  readonly #parts: GitGraphParts;
  #flushing: Promise<unknown> = Promise.resolve();
  #timer: { readonly wake: AbortController; readonly done: Promise<void> } | undefined;
  #stopping = new AbortController();

  constructor(options: StoreOptions, parts: GitGraphParts) {
    super(options);
    this.#parts = parts;
  }

  get repository(): Repository {
    return this.#parts.repository;
  }

  get branch(): string {
    return this.#parts.branch;
  }

  /** Lets this store see beads of other stores. */
  connect(foreign: ForeignBeads): void {
    this.index.foreign = foreign;
    this.foreignChanged(this.foreignTargets());
  }

  foreignTargets(): Iterable<string> {
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

  reachOf(id: string): ReadonlySet<string> {
    return this.index.reachOf(id);
  }

  /** Takes over what a former process had not flushed. */
  resume(unflushed: Unflushed): void {
    this.putBack(unflushed);
    if (unflushed.ids.size > 0 && this.#parts.lock !== undefined) this.onDirty();
  }

  /** Records and events that the branch does not have yet. */
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
          { namespace: this.namespace, branch: this.#parts.branch, err: error, retryMs },
          "cannot flush the work graph",
        );
        await clock.sleep(retryMs, this.#stopping.signal);
      }
    }
    this.#timer = undefined;
    // What came in during the flush waits for the next one.
    if (this.dirtyCount > 0) this.onDirty();
  }

  async flush(): Promise<{ readonly commit: string }> {
    const run = this.#flushing.then(() => this.#flushNow());
    this.#flushing = run.catch(() => undefined);
    return run;
  }

  async #flushNow(): Promise<{ readonly commit: string }> {
    for (let attempt = 1; ; attempt++) {
      const expected = await this.#parts.repository.resolve(this.#parts.branch);
      const commit = await this.#writeCommit(expected);
      if (commit !== undefined) {
        await this.#rotate();
        return { commit };
      }
      if (attempt >= maxFlushAttempts) {
        throw new WaitingError(
          "BranchBusy",
          `Cannot flush the work graph of ${this.namespace}: ${this.#parts.branch} was moved ${attempt} times meanwhile.`,
          1_000,
          {
            hint: "Everything is safe in the log; it is tried again.",
          },
        );
      }
    }
  }

  async #writeCommit(expected: string | undefined): Promise<string | undefined> {
    const { writer } = this.#parts;
    if (this.dirtyCount === 0 && writer.tip !== undefined && writer.tip === expected) return writer.tip;
    const unflushed = this.takeUnflushed();
    const seq = this.seq;
    const records = new Map<string, BeadRecord | undefined>();
    for (const id of unflushed.ids) records.set(id, this.index.stored(id));
    try {
      const commit = await writer.commit({ records, events: unflushed.events, seq }, expected);
      if (commit === undefined) this.putBack(unflushed);
      return commit;
    } catch (error) {
      this.putBack(unflushed);
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { wal, writer } = this.#parts;
    if (wal.size < segmentBytes) return;
    await wal.rotate();
    await this.#writeLocal();
    await wal.drop(writer.positionOf(wal.id));
  }

  async #writeLocal(): Promise<void> {
    const { files, paths, wal } = this.#parts;
    const wisps = [];
    for (const record of this.index.all())
      if (record.ephemeral === true) wisps.push({ record, rev: this.index.revOf(record.id) });
    await writeLocalState(files, paths.local, { logs: new Map([[wal.id, this.seq]]), wisps, requests: this.requests });
  }

  async history(id: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    const { writer, repository } = this.#parts;
    if (writer.tip !== undefined) {
      for (const file of await repository.listFiles(writer.tip, "log")) {
        const text = (await repository.objects.readBlob(file.id)) ?? "";
        for (const line of text.split("\n")) {
          const entry = line.includes(JSON.stringify(id)) ? parseEventLine(line) : undefined;
          if (entry?.id === id) entries.push(entry);
        }
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
    await this.#parts.wal.close();
    await this.#parts.lock.release();
  }
}
