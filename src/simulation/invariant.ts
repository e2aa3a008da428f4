import { TownError } from "../errors/town-error.ts";

/** The error for something that may never be, whatever failed before. */
export function broken(what: string): TownError {
  return new TownError("Invariant", what);
}
