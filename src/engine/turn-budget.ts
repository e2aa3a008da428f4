import type { Clock } from "../ports/clock.ts";

/** How long loops may run one key after the other before the rest of the process gets a turn. */
const SLICE_MS = 8;

/**
 * Reconciles that wait for nothing follow each other without a turn of the event loop between them, so that a resync of
 * many objects would keep the API from answering. All loops share one budget and give way together.
 */
export class TurnBudget {
  readonly #clock: Clock;
  #sliceStartMs = 0;
  #lastMs = 0;
  #turn: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asked before each run. */
  spent(): boolean {
    const now = this.#clock.monotonicMs();
    if (now - this.#lastMs > SLICE_MS) this.#sliceStartMs = now;
    this.#lastMs = now;
    return this.#turn !== undefined || now - this.#sliceStartMs > SLICE_MS;
  }

  /** Resolves after everybody else had a turn; the budget is full again. */
  nextTurn(): Promise<void> {
    this.#turn ??= this.#clock.sleep(0).then(() => {
      this.#turn = undefined;
      this.#sliceStartMs = this.#clock.monotonicMs();
      this.#lastMs = this.#sliceStartMs;
    });
    return this.#turn;
  }
}
