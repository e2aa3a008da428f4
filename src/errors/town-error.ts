/** Facts that help an API client place an error: one entry per offending field. */
export interface ErrorCause {
  readonly reason: string;
  readonly message: string;
  /** Path of the field, as `spec.replicas`. */
  readonly field?: string;
}

export interface TownErrorOptions {
  /** What to do next; printed after the message. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly causes?: readonly ErrorCause[];
}

/**
 * The one error type of Town. `reason` is a PascalCase word-group unique to the situation
 * (also used as condition and event reason); `message` says what was tried on what and what happened.
 */
export class TownError extends Error {
  readonly reason: string;
  readonly hint: string | undefined;
  readonly causes: readonly ErrorCause[];

  constructor(reason: string, message: string, options: TownErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = reason;
    this.hint = options.hint;
    this.causes = options.causes ?? [];
  }
}

/** A person must act: the engine marks the object Stalled and does not retry until it changes. */
export class TerminalError extends TownError {}

/** Something else must happen first: retried after `retryAfterMs` without counting a failure. */
export class WaitingError extends TownError {
  readonly retryAfterMs: number;

  constructor(reason: string, message: string, retryAfterMs: number, options: TownErrorOptions = {}) {
    super(reason, message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** The outside world (git, tmux, disk, a process) refused or failed. Thrown by adapters only. */
export class AdapterError extends TownError {
  /** Exit code of the program, where one ran. */
  readonly exitCode: number | undefined;
  /** Node's error code (`ENOSPC`), where there was one. */
  readonly code: string | undefined;

  constructor(
    reason: string,
    message: string,
    options: TownErrorOptions & { exitCode?: number | undefined; code?: string | undefined } = {},
  ) {
    super(reason, message, options);
    this.exitCode = options.exitCode;
    this.code = options.code;
  }
}

/** An error with its place in the Kubernetes `Status` vocabulary. `code` is the HTTP status. */
export class ApiStatusError extends TownError {
  readonly code: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    options: TownErrorOptions & { details?: Readonly<Record<string, unknown>> | undefined } = {},
  ) {
    super(reason, message, options);
    this.code = code;
    this.details = options.details;
  }
}

/** What the system said is told already: its code is in the text, as in `no such file or directory (ENOENT)`. */
function isNamed({ message, cause }: Error): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && message.includes(`(${code})`);
}

/** The text of any thrown value, with the chain of causes, in one line. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = isNamed(error) ? "" : error.cause === undefined ? "" : messageOf(error.cause);
  return inner === "" || error.message.includes(inner) ? error.message : `${error.message}: ${inner}`;
}
