import type { Clock } from "../ports/clock.ts";

/** Versions reserved ahead in the journal. More than could be issued while one record is written. */
const RESERVED = 10_000;
/** 2025-01-01: keeps versions short. */
const EPOCH_MS = 1_735_689_600_000;

/**
 * The one counter of resourceVersion: strictly rising, also across restarts.
 *
 * Guarantees: a new life starts above the ceiling that the last one reserved; should the journal be lost, above the
 * clock in ms since 2025, which no store outruns that issues fewer than 1,000 versions per second on average.
 */
export class VersionCounter {
  #current: number;
  #ceiling: number;
  readonly #reserve: (ceiling: number) => void;

  /** `reserve` is told each new ceiling and makes it last. */
  constructor(clock: Clock, formerCeiling: number, reserve: (ceiling: number) => void) {
    this.#current = Math.max(formerCeiling, clock.now() - EPOCH_MS, 1);
    this.#ceiling = this.#current + RESERVED;
    this.#reserve = reserve;
  }

  get current(): number {
    return this.#current;
  }

  get ceiling(): number {
    return this.#ceiling;
  }

  next(): number {
    this.#current += 1;
    if (this.#ceiling - this.#current < RESERVED / 2) {
      this.#ceiling = this.#current + RESERVED;
      this.#reserve(this.#ceiling);
    }
    return this.#current;
  }
}
