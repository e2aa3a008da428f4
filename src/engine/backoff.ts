/** How waiting times grow while something keeps failing. */
export interface BackoffPolicy {
  /** Wait after the first failure, ms. */
  readonly baseMs: number;
  /** Longest wait, jitter included, ms. */
  readonly maxMs: number;
  /** The wait is multiplied by this after each further failure. */
  readonly factor: number;
  /** Up to this share of the wait is added by chance, so that what failed together does not return together. */
  readonly jitter: number;
}

/** Retries of one key: 1 s doubling to 5 min, plus up to 20 %. */
export const RETRY_BACKOFF: BackoffPolicy = { baseMs: 1_000, maxMs: 300_000, factor: 2, jitter: 0.2 };

/** Runs that act again and again without settling: the first few at once, then 1 s doubling to 5 min. */
export const FREE_ROUNDS = 5;

/** Wait before the next try after `failures` ≥ 1 failures in a row; `chance` is uniform in [0, 1). In [baseMs, maxMs]. */
export function backoffMs(policy: BackoffPolicy, failures: number, chance: number): number {
  const longest = Math.max(policy.baseMs, policy.maxMs / (1 + policy.jitter));
  // Beyond 64 doublings every policy is at its limit, and the power stays finite.
  const grown = policy.baseMs * policy.factor ** Math.min(64, Math.max(0, failures - 1));
  return Math.min(policy.maxMs, Math.min(grown, longest) * (1 + policy.jitter * chance));
}
