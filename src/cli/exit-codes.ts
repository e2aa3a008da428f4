import { ApiStatusError, TownError } from "../errors/town-error.ts";

/** What each exit code of `town` means; printed by `town help exit-codes`. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unchanged: 3,
  notFound: 4,
  conflict: 5,
  unreachable: 6,
  timedOut: 124,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.done, "done"],
  [EXIT.failed, "failed; for `diff`: differences found"],
  [EXIT.usage, "the command line is wrong; for `diff`: the comparison itself failed"],
  [EXIT.unchanged, "nothing changed, where --error-unchanged asked for it"],
  [EXIT.notFound, "an object that was named does not exist"],
  [EXIT.conflict, "conflict: the object changed meanwhile, or the name is taken"],
  [EXIT.unreachable, "no daemon answers for this town"],
  [EXIT.timedOut, "a wait ended before its condition was met"],
  [EXIT.interrupted, "interrupted (Ctrl-C)"],
];

/** A failure that the command line itself found; `exitCode` is one of EXIT. */
export class CliError extends TownError {
  readonly exitCode: number;

  constructor(exitCode: number, reason: string, message: string, hint?: string, cause?: unknown) {
    super(reason, message, { ...(hint === undefined ? {} : { hint }), ...(cause === undefined ? {} : { cause }) });
    this.exitCode = exitCode;
  }
}

export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, "Usage", message, hint);
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof ApiStatusError) {
    if (error.code === 404) return EXIT.notFound;
    if (error.code === 409) return EXIT.conflict;
    return EXIT.failed;
  }
  if (error instanceof Error && error.name === "AbortError") return EXIT.interrupted;
  return EXIT.failed;
}
