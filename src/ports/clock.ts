/** Time. All of Town reads it here, so that a simulation can own it. */
export interface Clock {
  /** Wall clock, ms since the epoch; may jump. */
  now(): number;
  /** Never goes back; for durations. Milliseconds from an arbitrary origin. */
  monotonicMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Sleeps until `wake` or `stopping` is aborted, at most `ms`. For loops that live long: `AbortSignal.any` leaves an entry at
 * `stopping` for every sleep, for good (https://github.com/nodejs/node/issues/55351). Aborts `wake` when `stopping` is.
 */
export async function sleepUnlessWoken(
  clock: Clock,
  ms: number,
  { wake, stopping }: { readonly wake: AbortController; readonly stopping: AbortSignal },
): Promise<void> {
  const stop = (): void => wake.abort();
  if (stopping.aborted) stop();
  stopping.addEventListener("abort", stop, { once: true });
  try {
    await clock.sleep(ms, wake.signal);
  } finally {
    stopping.removeEventListener("abort", stop);
  }
}
