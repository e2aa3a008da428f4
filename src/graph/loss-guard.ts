import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { formatStamp } from "../domain/work-graph/record/stamp.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { heal, reportLoss } from "./heal.ts";
import type { StorePaths } from "./paths.ts";
import { refValue } from "./salvage.ts";
import { isLoss } from "./survey.ts";
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
  /** Everything that memory holds, wisps apart, and the seq of the last change in it. */
  readonly memory: () => { readonly seq: number; readonly records: readonly BeadRecord[] };
  /** Takes in versions of records, those that are later than the ones here. */
  readonly takeLater: (records: readonly BeadRecord[]) => Promise<void>;
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
  settled(): void {
    this.#replaced = nothingReplaced;
  }

  /** Tip of the branch, also one that is lost. */
  branchTip(): Promise<string | undefined> {
    const { repository, branch } = this.#options;
    return this.#replaced.tips.size === 0 ? repository.resolve(branch) : refValue(repository, branch);
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
    const { unflushed, log, otherLogs, wal, paths, takeLater } = this.#options;
    const memory = this.#options.memory();
    const taken = unflushed.take();
    let left = taken;
    try {
      const logs = [...otherLogs.keys(), wal.id];
      const healing = await heal({ ...this.#options, ...memory, wal: paths.wal, logs });
      if (healing === undefined) return false;
      const { salvaged, beyond, foreign } = healing;
      reportLoss(log, salvaged, this.#options);
      if (beyond !== undefined) {
        left = { ids: new Set([...taken.ids, ...beyond.ids]), events: beyond.events };
        this.#replaced = { tips: salvaged.broken, files: beyond.files };
      }
      await takeLater(foreign);
      return true;
    } finally {
      unflushed.putBack(left);
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
  }
}
