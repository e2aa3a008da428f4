import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { tombstone } from "../domain/work-graph/record/statuses.ts";
import { compareVersions, formatStamp } from "../domain/work-graph/record/stamp.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { heal, reportLoss } from "./heal.ts";
import { readableRecords, recordWithoutText } from "./lost-texts.ts";
import type { StorePaths } from "./paths.ts";
import { flushedRef } from "./paths.ts";
import { refValue } from "./salvage.ts";
import { standInFrom } from "./stand-in.ts";
import { isLoss } from "./survey.ts";
import type { Transaction } from "./transaction.ts";
import type { UnflushedChanges } from "./unflushed.ts";
import type { Wal } from "./wal.ts";

export interface LossGuardOptions {
  readonly namespace: string;
  readonly repository: Repository;
  readonly branch: string;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly clock: Clock;
  readonly log: Log;
  readonly writer: BranchWriter;
  readonly wal: Wal;
  readonly otherLogs: ReadonlyMap<string, number>;
  readonly unflushed: UnflushedChanges;
  /** Everything that memory holds. */
  readonly index: GraphIndex;
  /** Seq of the last change in it. */
  readonly seq: () => number;
  readonly write: (actor: string, work: (tx: Transaction) => void) => Promise<unknown>;
  /** False: the store was opened for reading. */
  readonly canWrite: boolean;
  /** Looks for losses, when nothing else works on the branch. */
  readonly verify: () => Promise<unknown>;
  /** Aborted when the store is closed. */
  readonly stopping: AbortSignal;
}

/** How often to look whether somebody still collects garbage. */
const collectionCheckMs = 5_000;

interface Replaced {
  readonly tips: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, string>;
}

const nothingReplaced: Replaced = { tips: new Set(), files: new Map() };

/** Makes good what git loses of the branch of an open store. */
export class LossGuard {
  readonly #options: LossGuardOptions;
  #replaced: Replaced = nothingReplaced;
  #collection: Promise<void> | undefined;
  #restoring: Promise<void> | undefined;
  #isToldOfCache = false;

  constructor(options: LossGuardOptions) {
    this.#options = options;
  }

  /** Commits that git has lost although refs name them, and files of theirs: the next commit takes their place. */
  get replaced(): Replaced {
    return this.#replaced;
  }

  async replace(replaced: Replaced): Promise<void> {
    this.#replaced = replaced;
    await this.#options.writer.readPin();
  }

  /** A commit has taken their place. */
  async settled(): Promise<void> {
    const { repository, branch, log, namespace } = this.#options;
    const { tips } = this.#replaced;
    this.#replaced = nothingReplaced;
    if (tips.size === 0) return;
    try {
      await repository.forgetLost([branch, flushedRef]);
    } catch (error) {
      log.warn({ namespace, branch, err: error }, "cannot take lost commits out of the reflog");
    }
  }

  /** Tip of the branch, also one that is lost. */
  branchTip(): Promise<string | undefined> {
    const { repository, branch } = this.#options;
    // Where there was one, git may have lost what the ref says.
    const isFirst = this.#options.writer.tip === undefined && this.#replaced.tips.size === 0;
    return isFirst ? repository.resolve(branch) : refValue(repository, branch);
  }

  /** Does something with the branch; where objects are missing, once more when they are there again. */
  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isLoss(error) || !(await this.heal())) throw error;
      return await work();
    }
  }

  /** False: nothing is missing. */
  async heal(): Promise<boolean> {
    const { unflushed, log, otherLogs, wal, paths, index } = this.#options;
    const memory = { seq: this.#options.seq(), ...readableRecords(index) };
    const taken = unflushed.take();
    let left = taken;
    try {
      const logs = [...otherLogs.keys(), wal.id];
      const healing = await heal({ ...this.#options, ...memory, wal: paths.wal, logs });
      if (healing === undefined) {
        await this.#takeInstead(memory.unreadable, this.#atTip(memory.unreadable));
        return memory.unreadable.size > 0;
      }
      const { salvaged, beyond, foreign, left: remnants } = healing;
      reportLoss(log, salvaged, this.#options);
      if (beyond !== undefined) {
        left = { ids: new Set([...taken.ids, ...beyond.ids]), events: beyond.events };
        this.#replaced = { tips: salvaged.broken, files: beyond.files };
      }
      // Where all could be made again, they can be read again.
      if (beyond !== undefined) await this.#takeInstead(memory.unreadable, remnants);
      await this.takeLater(foreign);
      return true;
    } finally {
      unflushed.putBack(left);
    }
  }

  /** What others had put on the branch and is later than what is here. */
  async takeLater(records: readonly BeadRecord[]): Promise<void> {
    const { index, write } = this.#options;
    if (records.length === 0) return;
    await write("loop/merge", (tx) => {
      for (const record of records) {
        const here = index.stored(record.id);
        if (here === undefined || compareVersions(record, here) > 0) tx.replace(record.id, record);
      }
    });
  }

  #atTip(ids: ReadonlySet<string>): readonly BeadRecord[] {
    const { repository, writer } = this.#options;
    const standIn = writer.tip === undefined ? undefined : standInFrom(repository, writer.tip);
    return [...ids].map((id) => standIn?.(id)).filter((record) => record !== undefined);
  }

  /** What is left of records whose text is lost takes their place, and says so. */
  async #takeInstead(ids: ReadonlySet<string>, remnants: readonly BeadRecord[]): Promise<void> {
    const { index, write, log, namespace } = this.#options;
    const known = new Map(remnants.map((record) => [record.id, record]));
    const records = [...ids]
      .map((id) => known.get(id) ?? recordWithoutText(index, id))
      .filter((record) => record !== undefined);
    if (records.length === 0) return;
    for (const record of records) index.putInstead(record);
    await write("loop/heal", (tx) => {
      for (const { id, updated_at: at, status } of records)
        if (status !== tombstone)
          tx.comment(id, `The text of this bead was lost on disk: this is what is left of it, as of ${at}.`);
    });
    for (const { id, updated_at: asOf } of records)
      log.error({ namespace, bead: id, asOf }, "text of a bead was lost, what is left of it takes its place");
  }

  /** The text of a bead cannot be read from the cache; `isLost`: git does not have it either. */
  missText(id: string, isLost: boolean): void {
    const { log, namespace, canWrite, stopping } = this.#options;
    if (!isLost) {
      // One tells of all: nothing is missing, and the cache is made anew.
      if (!this.#isToldOfCache) log.info({ namespace, bead: id }, "texts in the cache are damaged, read from git");
      this.#isToldOfCache = true;
      return;
    }
    log.error({ namespace, bead: id }, "text of a bead is lost in the cache and in git");
    if (canWrite && !stopping.aborted) this.#restoring ??= this.#restore().finally(() => (this.#restoring = undefined));
  }

  async #restore(): Promise<void> {
    const { verify, log, namespace } = this.#options;
    try {
      await verify();
    } catch (error) {
      log.error({ namespace, err: error }, "cannot bring back lost texts of the work graph");
    }
  }

  /** Objects were written while somebody collected garbage. Whoever opens the store next looks for losses, if not this process. */
  async suspect(): Promise<void> {
    const { files, paths, clock } = this.#options;
    await files.writeAtomic(paths.suspicion, `${formatStamp({ ms: clock.now(), tick: 0 })}\n`);
    this.watch();
  }

  /** Once nobody collects garbage any more, looks whether the branch lost something by it. Never rejects. */
  watch(): void {
    this.#collection ??= this.#lookAfterCollection().finally(() => {
      this.#collection = undefined;
    });
  }

  async #lookAfterCollection(): Promise<void> {
    const { clock, log, namespace, repository, stopping, verify } = this.#options;
    try {
      do await clock.sleep(collectionCheckMs, stopping);
      while (!stopping.aborted && (await repository.objects.isCollected()));
      if (!stopping.aborted) await verify();
    } catch (error) {
      if (!stopping.aborted) log.warn({ namespace, err: error }, "cannot look for lost objects of the work graph");
    }
  }

  /** Resolves when nothing goes on any more; the store is stopping. */
  async finish(): Promise<void> {
    await this.#collection;
    await this.#restoring;
  }
}
