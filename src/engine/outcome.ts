import { ApiStatusError, messageOf, TerminalError, TownError, WaitingError } from "../errors/town-error.ts";

/** What went wrong in a run, in terms of what should happen next. */
export interface Failure {
  /**
   * `Terminal`: a person must act. `Waiting`: something else must happen first. `Conflict`: somebody else wrote at the
   * same time. `Failed`: anything else.
   */
  readonly kind: "Terminal" | "Waiting" | "Conflict" | "Failed";
  readonly reason: string;
  readonly message: string;
  /** For `Waiting`, ms. */
  readonly retryAfterMs?: number;
  readonly error: unknown;
}

/** How a run ended. */
export interface Outcome {
  readonly failure?: Failure;
  /** Actions that were executed. */
  readonly acted: number;
  /** As the plan stated it, ms. */
  readonly requeueAfterMs?: number;
  /** The object is gone, not ours to handle, or the run was called off: nothing follows from it. */
  readonly void?: boolean;
}

/** What the queue does with the key now. */
export type NextStep =
  | { readonly do: "Forget" }
  /** Failures are forgotten; looked at again after this many ms. */
  | { readonly do: "Later"; readonly ms: number }
  /** Failures are kept as they are; looked at again after this many ms. */
  | { readonly do: "Wait"; readonly ms: number }
  /** Again at once, to see what the actions did. */
  | { readonly do: "Again" }
  | { readonly do: "BackOff" };

/** Waits below this would make a busy loop. */
const SHORTEST_WAIT_MS = 10;
const MAX_MESSAGE = 4_000;

/** The one place where the end of a run becomes what happens to its key. */
export function nextStep(outcome: Outcome): NextStep {
  const { failure, requeueAfterMs } = outcome;
  if (outcome.void === true) return { do: "Forget" };
  if (failure?.kind === "Terminal") return { do: "Forget" };
  if (failure?.kind === "Waiting") return { do: "Wait", ms: atLeast(failure.retryAfterMs ?? 0) };
  if (failure !== undefined) return { do: "BackOff" };
  if (requeueAfterMs !== undefined) return { do: "Later", ms: atLeast(requeueAfterMs) };
  return { do: outcome.acted > 0 ? "Again" : "Forget" };
}

export function failureOf(error: unknown): Failure {
  const reason = error instanceof TownError ? error.reason : "ReconcileFailed";
  const hint = error instanceof TownError && error.hint !== undefined ? ` ${error.hint}` : "";
  const text = `${messageOf(error)}${hint}`;
  const message = text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
  const facts = { reason, message, error };
  if (error instanceof TerminalError) return { kind: "Terminal", ...facts };
  if (error instanceof WaitingError) return { kind: "Waiting", retryAfterMs: error.retryAfterMs, ...facts };
  if (error instanceof ApiStatusError && error.code === 409) return { kind: "Conflict", ...facts };
  return { kind: "Failed", ...facts };
}

function atLeast(ms: number): number {
  return Number.isFinite(ms) ? Math.max(SHORTEST_WAIT_MS, ms) : SHORTEST_WAIT_MS;
}
