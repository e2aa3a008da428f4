import type { Log } from "../ports/log.ts";
import type { WatchEvent } from "../ports/objects.ts";

/**
 * Hands each change to every listener, in one order for all: a change made by a listener is delivered after the present
 * one has reached everybody. A listener that throws is logged and does not keep others from hearing.
 */
export class ChangeFeed {
  readonly #listeners = new Set<(event: WatchEvent) => void>();
  readonly #waiting: WatchEvent[] = [];
  readonly #log: Log;
  #delivering = false;

  constructor(log: Log) {
    this.#log = log;
  }

  subscribe(listener: (event: WatchEvent) => void): () => void {
    const own = (event: WatchEvent): void => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  emit(event: WatchEvent): void {
    this.#waiting.push(event);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) this.#deliver(next);
    } finally {
      this.#delivering = false;
    }
  }

  #deliver(event: WatchEvent): void {
    const listeners = Array.from(this.#listeners);
    for (const listener of listeners) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#log.error(
          { err: error, kind: event.object.kind, name: event.object.metadata.name },
          "watch listener failed",
        );
      }
    }
  }
}
