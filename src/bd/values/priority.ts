import { usageError } from "../grammar/usage-error.ts";

/** 0 to 4 of `0`..`4` or `P0`..`P4`. Throws TownError `Usage`. */
export function priorityOf(text: string): number {
  const digit = /^[Pp]?([0-4])$/.exec(text.trim())?.[1];
  if (digit === undefined)
    throw usageError(
      `invalid priority "${text}" (expected 0-4 or P0-P4, not words like high/medium/low)`,
      "0 is most urgent, 2 is normal",
    );
  return Number(digit);
}
