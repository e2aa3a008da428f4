import { type Clock, sleepUnlessWoken } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

export interface FlushTimerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** For messages. */
  readonly place: { readonly namespace: string; readonly branch: string };
  /** A change reaches the branch after this time at the latest, ms. */
  readonly intervalMs: number;
  readonly flush: () => Promise<unknown>;
  /** Whether something came in during a flush that waits for the next one. */
  readonly isPending: () => boolean;
  /** Aborted when the store is closed. */
  readonly stopping: AbortSignal;
}

const maxRetryMs = 30_000;

/** Flushes a store some time after it was written to, again until it succeeds: the log has everything meanwhile. */
export class FlushTimer {
  readonly #options: FlushTimerOptions;
  #running: { readonly wake: AbortController; readonly done: Promise<void> } | undefined;

  constructor(options: FlushTimerOptions) {
    this.#options = options;
  }

  /** Something waits to be flushed. */
  start(): void {
    if (this.#running !== undefined) return;
    const wake = new AbortController();
    this.#running = { wake, done: this.#flushLater(wake) };
  }

  /** What waits is flushed now. */
  hurry(): void {
    this.#running?.wake.abort();
  }

  /** Resolves when nothing goes on any more; the store is stopping. */
  async finish(): Promise<void> {
    await this.#running?.done;
  }

  // Never rejects.
  async #flushLater(wake: AbortController): Promise<void> {
    const { clock, log, place, intervalMs, flush, isPending, stopping } = this.#options;
    await sleepUnlessWoken(clock, intervalMs, { wake, stopping });
    for (let retryMs = 1_000; !stopping.aborted; retryMs = Math.min(maxRetryMs, retryMs * 2)) {
      try {
        await flush();
        break;
      } catch (error) {
        log.warn({ ...place, err: error, retryMs }, "cannot flush the work graph");
        await clock.sleep(retryMs, stopping);
      }
    }
    this.#running = undefined;
    if (!stopping.aborted && isPending()) this.start();
  }
}
