/** Time. All of Town reads it here, so that a simulation can own it. */
export interface Clock {
  /** Wall clock, ms since the epoch; may jump. */
  now(): number;
  /** Never goes back; for durations. Milliseconds from an arbitrary origin. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
