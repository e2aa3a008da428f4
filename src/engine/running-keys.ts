import { TownError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import { keyText, type ObjectKey } from "../resource/object-meta.ts";

export interface RunningKey {
  readonly key: ObjectKey;
  readonly startedMs: number;
  readonly abort: AbortController;
  /** Called off for taking too long; it does not count as a busy worker any more. */
  overdue: boolean;
}

export interface RunningKeysOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborts: nothing is watched any more. */
  readonly stopped: AbortSignal;
  /** Told when a run takes too long, with the error to call it off with. */
  readonly overdue: (running: RunningKey, error: TownError) => void;
  readonly loop: string;
}

/** The keys that a loop is running, with one timer that finds those that take too long. */
export class RunningKeys {
  readonly #options: RunningKeysOptions;
  readonly #keys = new Map<string, RunningKey>();
  #overdue = 0;
  #watching = false;

  constructor(options: RunningKeysOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** Workers in use. */
  get busy(): number {
    return this.#keys.size - this.#overdue;
  }

  begin(key: ObjectKey): RunningKey {
    const running: RunningKey = {
      key,
      startedMs: this.#options.clock.monotonicMs(),
      abort: new AbortController(),
      overdue: false,
    };
    this.#keys.set(keyText(key), running);
    this.#watch(this.#options.timeoutMs);
    return running;
  }

  end(running: RunningKey): void {
    this.#keys.delete(keyText(running.key));
    if (running.overdue) this.#overdue -= 1;
  }

  /** Aborts everything that runs; returns its keys. */
  callOff(): readonly ObjectKey[] {
    const all = [...this.#keys.values()];
    for (const { abort } of all) abort.abort(new TownError("EngineStopping", "The controller stops."));
    return all.map(({ key }) => key);
  }

  #watch(ms: number): void {
    const { clock, stopped } = this.#options;
    if (this.#watching || stopped.aborted) return;
    this.#watching = true;
    void clock.sleep(ms, stopped).then(() => {
      this.#watching = false;
      this.#callOffOverdue();
      const oldest = [...this.#keys.values()].find((running) => !running.overdue);
      if (oldest !== undefined) this.#watch(oldest.startedMs + this.#options.timeoutMs - clock.monotonicMs());
    });
  }

  #callOffOverdue(): void {
    const { clock, timeoutMs, loop, overdue } = this.#options;
    if (this.#options.stopped.aborted) return;
    const deadlineMs = clock.monotonicMs() - timeoutMs;
    for (const running of this.#keys.values()) {
      if (running.overdue || running.startedMs > deadlineMs) continue;
      running.overdue = true;
      this.#overdue += 1;
      const seconds = Math.round(timeoutMs / 1000);
      const error = new TownError(
        "ReconcileTimedOut",
        `Loop ${loop} took more than ${seconds} s on ${keyText(running.key)}.`,
      );
      running.abort.abort(error);
      overdue(running, error);
    }
  }
}
