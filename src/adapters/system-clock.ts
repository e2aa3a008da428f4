import { performance } from "node:perf_hooks";
import type { Clock } from "../ports/clock.ts";

/** Longer delays make `setTimeout` fire at once (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's clocks. A sleep keeps the process alive and does not count time that the machine was suspended. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => new Promise((resolve) => park(Math.max(0, ms), signal, resolve)),
};

function park(ms: number, signal: AbortSignal | undefined, resolve: () => void): void {
  if (signal?.aborted === true) {
    resolve();
    return;
  }
  const step = Math.min(ms, LONGEST_TIMER_MS);
  const aborted = (): void => {
    clearTimeout(timer);
    resolve();
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", aborted);
    if (ms > step) park(ms - step, signal, resolve);
    else resolve();
  }, step);
  signal?.addEventListener("abort", aborted, { once: true });
}
