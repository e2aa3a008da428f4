import type { Clock } from "../../ports/clock.ts";

export interface LevelWatchOptions {
  readonly clock: Clock;
  /** Whether there is anything to watch; the watch rests while there is not. */
  readonly needed: () => boolean;
  /** Cheap: whether something died since the last call. */
  readonly newlyDead: () => Promise<boolean>;
  /** Full: a text that differs when a listener should look again. */
  readonly shape: () => Promise<string>;
  readonly changed: () => void;
}

const DEAD_LIST_MS = 1_000;
const FULL_LIST_MS = 30_000;

/**
 * The level behind the edges: asks for the dead once a second and for everything every 30 s, while there are sessions.
 * Callers look at everything more often than that by themselves. Questions that fail are asked again the next time.
 */
export class LevelWatch {
  readonly #options: LevelWatchOptions;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: LevelWatchOptions) {
    this.#options = options;
  }

  /** Starts watching if it rests and is needed. */
  wake(): void {
    if (this.#running !== undefined || this.#closing.signal.aborted || !this.#options.needed()) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, needed, newlyDead, shape, changed } = this.#options;
    let fullAtMs = clock.monotonicMs() + FULL_LIST_MS;
    let before: string | undefined;
    while (needed()) {
      await clock.sleep(DEAD_LIST_MS, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      if (await newlyDead().catch(() => false)) changed();
      if (clock.monotonicMs() < fullAtMs) continue;
      fullAtMs = clock.monotonicMs() + FULL_LIST_MS;
      const now = await shape().catch(() => before);
      if (now !== before && before !== undefined) changed();
      before = now;
    }
  }
}
