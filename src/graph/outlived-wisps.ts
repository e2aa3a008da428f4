import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { expiredWisps } from "../domain/work-graph/rules/wisp-expiry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Author, GraphTransaction } from "../ports/work-graph.ts";

interface WispCollectorOptions {
  readonly namespace: string;
  readonly index: GraphIndex;
  readonly clock: Clock;
  readonly log: Log;
  readonly transact: (author: Author, work: (tx: GraphTransaction) => number) => Promise<number>;
}

/** How often wisps that have outlived their class are looked for, while the store is written to. */
const checkMs = 10 * 60_000;

/** Removes wisps at their time. They come with activity, so activity looks after them: no timer keeps a store awake. */
export class WispCollector {
  readonly #options: WispCollectorOptions;
  #lookedAtMs = 0;

  constructor(options: WispCollectorOptions) {
    this.#options = options;
  }

  /** Told after each change. */
  changed(): void {
    const now = this.#options.clock.now();
    if (now - this.#lookedAtMs < checkMs && now >= this.#lookedAtMs) return;
    this.#lookedAtMs = now;
    // What is not removed now is found the next time.
    void this.collect().catch((error: unknown) => {
      const { log, namespace } = this.#options;
      log.warn({ namespace, err: error }, "cannot remove outlived wisps");
    });
  }

  /** Ids of the wisps that have outlived their class. */
  outlived(): readonly string[] {
    return expiredWisps(this.#options.index, this.#options.clock.now());
  }

  /** Removes them; returns how many. */
  async collect(): Promise<number> {
    const { index, log, namespace, transact } = this.#options;
    if (this.outlived().length === 0) return 0;
    const removed = await transact({ actor: "loop/collection" }, (tx) => {
      const expired = expiredWisps(index, tx.now);
      for (const id of expired) tx.delete(id);
      return expired.length;
    });
    log.info({ namespace, removed }, "outlived wisps removed");
    return removed;
  }
}
