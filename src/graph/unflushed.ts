import type { HistoryEntry } from "../ports/work-graph.ts";

/** What has not reached the branch yet. */
export interface Unflushed {
  readonly ids: ReadonlySet<string>;
  readonly events: readonly HistoryEntry[];
}

/** Collects ids of changed records and events until a flush takes them. */
export class UnflushedChanges implements Unflushed {
  #ids = new Set<string>();
  #events: HistoryEntry[] = [];

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  get events(): readonly HistoryEntry[] {
    return this.#events;
  }

  /** Number of records. */
  get size(): number {
    return this.#ids.size;
  }

  mark(ids: Iterable<string>): void {
    for (const id of ids) this.#ids.add(id);
  }

  addEvents(events: readonly HistoryEntry[]): void {
    for (const event of events) this.#events.push(event);
  }

  take(): Unflushed {
    const taken = { ids: this.#ids, events: this.#events };
    this.#ids = new Set();
    this.#events = [];
    return taken;
  }

  /** After a flush that failed. */
  putBack(taken: Unflushed): void {
    this.#ids = new Set([...taken.ids, ...this.#ids]);
    this.#events = [...taken.events, ...this.#events];
  }
}
