import type { Author, HistoryEntry } from "../ports/work-graph.ts";
import { entriesOf } from "./event-log.ts";
import type { RecordChange } from "./transaction.ts";

/** What has not reached the branch yet. */
export interface Unflushed {
  readonly ids: ReadonlySet<string>;
  readonly events: readonly HistoryEntry[];
}

interface Untold {
  readonly changes: readonly RecordChange[];
  readonly author: Author;
  readonly timeMs: number;
}

/** Collects ids of changed records and events until a flush takes them. */
export class UnflushedChanges implements Unflushed {
  #ids = new Set<string>();
  #events: HistoryEntry[] = [];
  /** Changes whose events nobody has asked for yet: they are worked out off the path of a transaction. */
  #untold: Untold[] = [];

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  get events(): readonly HistoryEntry[] {
    // One by one: an import can have more than fit into the arguments of a call.
    for (const { changes, author, timeMs } of this.#untold) {
      for (const entry of entriesOf(changes, author, timeMs)) this.#events.push(entry);
    }
    this.#untold = [];
    return this.#events;
  }

  /** Number of records. */
  get size(): number {
    return this.#ids.size;
  }

  /** Something is to be written. */
  get pending(): boolean {
    return this.#ids.size > 0 || this.#untold.length > 0 || this.#events.length > 0;
  }

  mark(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.add(id);
  }

  addChanges(changes: readonly RecordChange[], author: Author, timeMs: number): void {
    this.#untold.push({ changes, author, timeMs });
  }

  /** Events that happened before those of changes added later. */
  addEvents(events: readonly HistoryEntry[]): void {
    this.#events = [...this.events, ...events];
  }

  take(): Unflushed {
    const taken = { ids: this.#ids, events: this.events };
    this.#ids = new Set();
    this.#events = [];
    return taken;
  }

  /** After a flush that failed. */
  putBack(taken: Unflushed): void {
    this.#ids = new Set([...taken.ids, ...this.#ids]);
    this.#events = [...taken.events, ...this.events];
  }
}
