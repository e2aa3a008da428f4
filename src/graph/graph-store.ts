import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { deepFreeze } from "../domain/work-graph/record/canonical.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { parseStamp, StampClock } from "../domain/work-graph/record/stamp.ts";
import { TownError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { Author, GraphChange, GraphTransaction } from "../ports/work-graph.ts";
import { closedError, readOnlyError } from "./store-errors.ts";
import { entriesOf } from "./event-log.ts";
import { IndexReader } from "./index-reader.ts";
import { RequestMemory } from "./request-memory.ts";
import type { RecordChange } from "./transaction.ts";
import { isLeaseOnly, leaseWorthWriting, Transaction } from "./transaction.ts";
import { UnflushedChanges } from "./unflushed.ts";
import type { WalOperation, WalRecord } from "./wal-record.ts";
import { WispHistory } from "./wisp-history.ts";
import { fingerprint } from "./wal-record.ts";

/** Where transactions become durable: the log of the store. */
export interface Journal {
  append(lines: readonly string[], lastSeq: number): Promise<void>;
}

export interface StoreOptions {
  readonly namespace: string;
  readonly prefix: string;
  readonly index: GraphIndex;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Undefined: nothing can be written. */
  readonly journal: Journal | undefined;
  /** Seq of the last change known so far. */
  readonly lastSeq: number;
  readonly requests: ReadonlyMap<string, unknown>;
  /**
   * Renewals of leases are written to the log, though not to the branch: for a process that ends before anybody else could
   * remember them. Default false: they are kept in memory.
   */
  readonly logRenewals?: boolean;
  /** Records whose lease was renewed without the branch knowing, as the branch has them. */
  readonly leaseWritten?: ReadonlyMap<string, BeadRecord>;
  /** What happened to the wisps that are there. Default: nothing is known. */
  readonly wispHistory?: WispHistory;
}

export interface WriteOptions {
  readonly requestId?: string;
  /** The changes come from another store, whose log has their events. */
  readonly quiet?: boolean;
  /** The branch that is built on has the changes already: they need not be written to it. */
  readonly clean?: boolean;
}

interface Waiting {
  readonly author: Author;
  readonly work: (tx: Transaction) => unknown;
  readonly options: WriteOptions;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Executed {
  readonly waiting: Waiting;
  readonly answer: unknown;
  readonly changes: readonly RecordChange[];
  readonly revs: readonly number[];
  readonly seq: number;
  readonly timeMs: number;
  readonly line: string | undefined;
  /** Nothing but leases were renewed. */
  readonly isVolatile: boolean;
}

const maxBatch = 1_000;

/**
 * Transactions on an index in front of a log. Those that wait together are run in order, written with one append and one
 * fdatasync, and only then become visible, are announced and answered.
 *
 * Guarantees: an answered transaction survives a crash; a failed one leaves nothing; subscribers see each change once, in
 * order, with rising `seq`.
 */
export class GraphStore extends IndexReader {
  readonly namespace: string;
  readonly prefix: string;
  protected readonly options: StoreOptions;
  /** Records and events that the branch does not have yet. */
  protected readonly unflushed = new UnflushedChanges();
  protected readonly wispHistory: WispHistory;
  readonly #stamps = new StampClock();
  readonly #requests: RequestMemory;
  readonly #listeners = new Set<(changes: readonly GraphChange[]) => void>();
  /** Last written state of records whose lease was renewed in memory alone. */
  readonly #leaseWritten: Map<string, BeadRecord>;
  #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #seq: number;
  #leastSeq = 0;
  #closed = false;

  constructor(options: StoreOptions) {
    super(options.index, () => options.clock.now());
    this.options = options;
    this.namespace = options.namespace;
    this.prefix = options.prefix;
    this.#seq = options.lastSeq;
    this.#requests = new RequestMemory(options.requests);
    this.wispHistory = options.wispHistory ?? new WispHistory();
    this.#leaseWritten = new Map(options.leaseWritten);
  }

  /** Seq of the last committed change. */
  get seq(): number {
    return this.#seq;
  }

  /** Changes are numbered beyond this from now on: a commit says of those up to it that it contains them. */
  protected raiseSeq(seq: number): void {
    this.#leastSeq = Math.max(this.#leastSeq, seq);
  }

  get requests(): ReadonlyMap<string, unknown> {
    return this.#requests.answers;
  }

  answerOf(requestId: string): { readonly answer: unknown } | undefined {
    const answers = this.#requests.answers;
    return answers.has(requestId) ? { answer: answers.get(requestId) } : undefined;
  }

  /** All records as of one instant, with the position in the feed from where changes follow. */
  snapshot(): { readonly seq: number; readonly records: readonly BeadRecord[] } {
    return { seq: this.#seq, records: this.list() };
  }

  subscribe(listener: (changes: readonly GraphChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async transact<T>(
    author: Author,
    work: (tx: GraphTransaction) => T,
    options: { readonly requestId?: string } = {},
  ): Promise<T> {
    return (await this.write(author, work, options)) as T;
  }

  /** As `transact`, with the wider transaction that this room uses. */
  protected write(author: Author, work: (tx: Transaction) => unknown, options: WriteOptions = {}): Promise<unknown> {
    const { requestId } = options;
    if (this.#closed) return Promise.reject(closedError(this.namespace));
    if (this.options.journal === undefined) return Promise.reject(readOnlyError(this.namespace));
    if (requestId === undefined) return this.#enqueue(author, work, options);
    return this.#requests.once(requestId, () => this.#enqueue(author, work, options));
  }

  /**
   * Puts records in as they are, with their own times: for imports. `decide` sees what is here and says what to put; it runs
   * in one transaction and answers what the caller wants to know.
   */
  replaceRecords<T>(
    author: Author,
    decide: (here: (id: string) => BeadRecord | undefined, put: (record: BeadRecord) => void) => T,
  ): Promise<T> {
    const work = (tx: Transaction): T =>
      decide(
        (id) => this.index.stored(id),
        (record) => tx.replace(record.id, record),
      );
    return this.write(author, work) as Promise<T>;
  }

  /** Every record, tombstones and wisps included, in id order. */
  storedRecords(): readonly BeadRecord[] {
    const records: BeadRecord[] = [];
    for (const id of this.index.sortedIds()) {
      const record = this.index.stored(id);
      if (record !== undefined) records.push(deepFreeze(record));
    }
    return records;
  }

  #enqueue(author: Author, work: (tx: Transaction) => unknown, options: WriteOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ author, work, options, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  // Never rejects: every waiting transaction gets its own outcome.
  async #drain(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, maxBatch);
      const executed = this.#execute(batch);
      const lines = executed.map(({ line }) => line).filter((line) => line !== undefined);
      const lastSeq = executed.at(-1)?.seq ?? this.#seq;
      try {
        if (lines.length > 0) await this.options.journal?.append(lines, lastSeq);
      } catch (error) {
        for (const { waiting } of executed) waiting.reject(error);
        continue;
      }
      this.#commit(executed);
    }
    this.#draining = undefined;
  }

  /** Runs a batch on the index, each transaction on what the former left, and takes everything out again. */
  #execute(batch: readonly Waiting[]): readonly Executed[] {
    const executed: Executed[] = [];
    const transactions: Transaction[] = [];
    const revs = new Map<string, number>();
    let seq = Math.max(this.#seq, this.#leastSeq);
    for (const waiting of batch) {
      const now = this.options.clock.now();
      const stamp = this.#stamps.next(now);
      const tx = new Transaction({
        index: this.index,
        prefix: this.prefix,
        random: this.options.random,
        author: waiting.author,
        now,
        stamp,
      });
      try {
        const answer = waiting.work(tx);
        if (answer instanceof Promise)
          throw new TownError("AsyncTransaction", "Cannot run a transaction: its function is asynchronous.", {
            hint: "Read and decide synchronously inside; await outside.",
          });
        const changes = tx.finish();
        const changeRevs = changes.map(({ id }) => {
          const rev = (revs.get(id) ?? this.index.revOf(id)) + 1;
          revs.set(id, rev);
          return rev;
        });
        const first = seq + 1;
        seq += Math.max(1, changes.length);
        // A renewal may be made twice; an answer alone may not be forgotten.
        const isVolatile =
          (waiting.options.requestId === undefined || changes.length > 0) &&
          changes.every((change) => this.#isRenewalAlone(change));
        const line =
          isVolatile && (this.options.logRenewals !== true || changes.length === 0)
            ? undefined
            : lineOf(waiting, first, stamp.ms, { changes, revs: changeRevs, answer, isVolatile });
        executed.push({ waiting, answer, changes, revs: changeRevs, seq, timeMs: stamp.ms, line, isVolatile });
        transactions.push(tx);
      } catch (error) {
        tx.undo();
        waiting.reject(error);
      }
    }
    for (const tx of transactions.reverse()) tx.undo();
    return executed;
  }

  #isRenewalAlone({ id, before, after }: RecordChange): boolean {
    if (after === undefined || !isLeaseOnly(before, after)) return false;
    return !leaseWorthWriting(this.#leaseWritten.get(id) ?? before, after);
  }

  /** Makes executed transactions visible, in order. */
  #commit(executed: readonly Executed[]): void {
    const announced: GraphChange[] = [];
    for (const { waiting, changes, revs, seq, timeMs, isVolatile } of executed) {
      const first = seq - Math.max(1, changes.length) + 1;
      changes.forEach(({ id, before, after }, i) => {
        this.index.put(id, after, after === undefined ? undefined : revs[i]);
        announced.push({
          seq: first + i,
          id,
          before: visible(before),
          after: visible(after),
          author: waiting.author,
          timeMs,
        });
        this.#trackLease(id, before, isVolatile);
      });
      if (!isVolatile) this.#trackHistory(changes, waiting, timeMs);
      this.#seq = seq;
    }
    this.#announce(announced);
    for (const { waiting, answer } of executed) {
      if (waiting.options.requestId !== undefined) this.#requests.remember(waiting.options.requestId, answer);
      waiting.resolve(answer);
    }
    if (this.unflushed.pending) this.onDirty();
    this.onCommitted();
  }

  #trackLease(id: string, before: BeadRecord | undefined, isVolatile: boolean): void {
    if (!isVolatile) this.#leaseWritten.delete(id);
    else if (before !== undefined && !this.#leaseWritten.has(id)) this.#leaseWritten.set(id, before);
  }

  #trackHistory(changes: readonly RecordChange[], waiting: Waiting, timeMs: number): void {
    const lasting = changes.filter((change) => !isWispChange(change));
    if (lasting.length < changes.length) this.#trackWisps(changes.filter(isWispChange), waiting, timeMs);
    if (lasting.length === 0) return;
    if (waiting.options.clean !== true) this.unflushed.mark(lasting.map(({ id }) => id));
    if (waiting.options.quiet === true) return;
    // A wisp that became a bead brings its history along.
    for (const { id, before } of lasting)
      if (before?.ephemeral === true) this.unflushed.addEvents(this.wispHistory.take(id));
    this.unflushed.addChanges(lasting, waiting.author, timeMs);
  }

  #trackWisps(changes: readonly RecordChange[], { author }: Waiting, timeMs: number): void {
    this.wispHistory.add(entriesOf(changes, author, timeMs));
    for (const { id, after } of changes) if (after === undefined) this.wispHistory.take(id);
  }

  /** Records whose lease is later than the branch knows, as they are now. */
  protected get renewed(): readonly BeadRecord[] {
    return [...this.#leaseWritten.keys()].map((id) => this.index.stored(id)).filter((record) => record !== undefined);
  }

  #announce(changes: readonly GraphChange[]): void {
    if (changes.length === 0) return;
    for (const listener of this.#listeners) {
      try {
        listener(changes);
      } catch (error) {
        this.options.log.error({ namespace: this.namespace, err: error }, "subscriber of the work graph failed");
      }
    }
  }

  /** Told after each commit. */
  protected onCommitted(): void {}

  /** Told after each commit while something waits to be flushed. */
  protected onDirty(): void {}

  /** Takes note of times made elsewhere; reports those too far ahead to follow. */
  protected observeStamp(record: BeadRecord): void {
    const stamp = parseStamp(record.updated_at);
    if (stamp === undefined || this.#stamps.observe(stamp, this.options.clock.now())) return;
    this.options.log.warn(
      { namespace: this.namespace, bead: record.id, updatedAt: record.updated_at },
      "bead was changed in the future",
    );
  }

  /** Refuses new transactions and waits for those under way. */
  protected async stop(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  protected get stopped(): boolean {
    return this.#closed;
  }
}

function lineOf(
  waiting: Waiting,
  seq: number,
  timeMs: number,
  done: Pick<Executed, "changes" | "revs" | "answer" | "isVolatile">,
): string {
  const { author, options } = waiting;
  const operations = done.changes.map(({ id, before, after, note }, i): WalOperation => {
    const wisp = before?.ephemeral === true || after?.ephemeral === true;
    return {
      i: id,
      w: fingerprint(before),
      d: after ?? null,
      k: done.revs[i] ?? 1,
      ...(wisp ? { e: 1 as const } : {}),
      ...(done.isVolatile ? { l: 1 as const } : {}),
      ...(note === undefined ? {} : { m: note }),
    };
  });
  const record: WalRecord = {
    s: seq,
    t: timeMs,
    a: author.actor,
    ...(author.session === undefined ? {} : { n: author.session }),
    ...(options.requestId === undefined ? {} : { r: options.requestId, v: done.answer }),
    ...(options.quiet === true ? { q: 1 as const } : {}),
    o: operations,
  };
  return JSON.stringify(record);
}

/** Nothing of it reaches the branch. */
export function isWispChange({ before, after }: Pick<RecordChange, "before" | "after">): boolean {
  return (after ?? before)?.ephemeral === true;
}

function visible(record: BeadRecord | undefined): BeadRecord | undefined {
  return record === undefined || record.status === "tombstone" ? undefined : record;
}
