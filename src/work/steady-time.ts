import type { Clock } from "../ports/clock.ts";

/** Wall and monotonic clock may drift apart by so much between two looks before it counts as a jump, ms. */
const driftMs = 5_000;

/**
 * How long the wall clock has been going evenly: since this was made, or since a look noticed that it had jumped (a suspended
 * laptop, a clock that was set). What a claim's expiry says can be trusted only after that: until then nobody had the chance to
 * renew it. A jump counts from when it is noticed, so this errs on the safe side.
 */
export class SteadyTime {
  readonly #clock: Clock;
  #sinceMs: number;
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
    this.#offsetMs = clock.now() - this.#sinceMs;
  }

  /** ms. Looks at the clocks, so it is worth asking now and then. */
  ms(): number {
    const monotonic = this.#clock.monotonicMs();
    const offset = this.#clock.now() - monotonic;
    if (Math.abs(offset - this.#offsetMs) > driftMs) {
      this.#sinceMs = monotonic;
      this.#offsetMs = offset;
    }
    return monotonic - this.#sinceMs;
  }
}
