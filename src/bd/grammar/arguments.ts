import { usageError } from "./usage-error.ts";

/** The one argument of a command. `usage`: how the command is written. Throws TownError `Usage` for none or more. */
export function oneArgument(args: readonly string[], usage: string): string {
  const [only] = args;
  if (only !== undefined && args.length === 1) return only;
  throw usageError(`accepts 1 arg(s), received ${args.length}`, usage);
}

/** As `oneArgument`, for two. */
export function twoArguments(args: readonly string[], usage: string): readonly [string, string] {
  const [first, second] = args;
  if (first !== undefined && second !== undefined && args.length === 2) return [first, second];
  throw usageError(`accepts 2 arg(s), received ${args.length}`, usage);
}
