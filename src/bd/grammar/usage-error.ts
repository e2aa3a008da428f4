import { TownError } from "../../errors/town-error.ts";

/** A command line that cannot be understood. bd exits with 1 for these too. */
export function usageError(message: string, hint?: string): TownError {
  return new TownError("Usage", message, hint === undefined ? {} : { hint });
}
