import { Heap } from "../engine/heap.ts";
import { TownError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";

interface Sleeper {
  readonly at: number;
  readonly order: number;
  wake: (() => void) | undefined;
}

export interface VirtualClockOptions {
  /**
   * Lets everything that is ready run: one full turn of the event loop, `() => new Promise((done) => setImmediate(done))`
   * in tests. Injected because this room may not touch timers.
   */
  readonly turn: () => Promise<void>;
  /** Wall clock at the start, ms since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly startMs?: number;
}

/**
 * A clock that a test moves. Sleepers wake in the order of (time, arrival), one at a time, with a turn of the event loop
 * after each, so that what a woken task does, new sleeps included, is seen before time goes on.
 *
 * Assumption: nothing in the run waits on real I/O; such a task is simply later in virtual time.
 */
export class VirtualClock implements Clock {
  readonly #turn: () => Promise<void>;
  readonly #sleepers = new Heap<Sleeper>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  #elapsedMs = 0;
  #wallOffsetMs: number;
  #arrivals = 0;
  #parked = 0;
  #moving = false;

  constructor(options: VirtualClockOptions) {
    this.#turn = options.turn;
    this.#wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 1);
  }

  now(): number {
    return this.#wallOffsetMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    const { promise, resolve } = deferred();
    const sleeper: Sleeper = { at: this.#elapsedMs + Math.max(0, ms), order: this.#arrivals++, wake: undefined };
    const wake = (): void => {
      if (sleeper.wake === undefined) return;
      sleeper.wake = undefined;
      this.#parked -= 1;
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    sleeper.wake = wake;
    this.#parked += 1;
    signal?.addEventListener("abort", wake, { once: true });
    this.#sleepers.push(sleeper);
    return promise;
  }

  /** How many tasks sleep now. */
  get sleeping(): number {
    return this.#parked;
  }

  /** Lets what is ready run, without moving time. */
  async settle(): Promise<void> {
    await this.advance(0);
  }

  /** Moves time by `ms`, waking everyone due on the way. */
  async advance(ms: number): Promise<void> {
    await this.#move(ms, () => false);
  }

  /**
   * Moves from sleeper to sleeper until `predicate` holds; returns the virtual ms it took. Throws TownError
   * `VirtualTimeout` when it still does not hold after `maxMs`.
   */
  async runUntil(predicate: () => boolean, maxMs: number): Promise<number> {
    const start = this.#elapsedMs;
    if (!(await this.#move(maxMs, predicate))) {
      throw new TownError(
        "VirtualTimeout",
        `Ran ${maxMs} ms of virtual time and the awaited state was not reached; ${this.#parked} tasks sleep.`,
      );
    }
    return this.#elapsedMs - start;
  }

  /** The wall clock jumps (a suspended laptop, NTP); durations and sleepers do not notice. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  async #move(ms: number, done: () => boolean): Promise<boolean> {
    if (this.#moving)
      throw new TownError("ClockIsMoving", "The virtual clock is already being moved: await the former call first.");
    this.#moving = true;
    const target = this.#elapsedMs + ms;
    try {
      for (;;) {
        await this.#turn();
        if (done()) return true;
        const next = this.#nextSleeper();
        if (next === undefined || next.at > target) break;
        this.#sleepers.pop();
        this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
        next.wake?.();
      }
      this.#elapsedMs = target;
      return done();
    } finally {
      this.#moving = false;
    }
  }

  #nextSleeper(): Sleeper | undefined {
    for (;;) {
      const next = this.#sleepers.peek();
      if (next === undefined || next.wake !== undefined) return next;
      this.#sleepers.pop();
    }
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
