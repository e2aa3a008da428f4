import { TownError } from "../errors/town-error.ts";

/** The store was let go. */
export function closedError(namespace: string): TownError {
  return new TownError("StoreClosed", `Cannot write the work graph of ${namespace}: it is closed.`, {
    hint: "Open it again.",
  });
}

/** The store was opened for reading. */
export function readOnlyError(namespace: string): TownError {
  return new TownError("StoreReadOnly", `Cannot write the work graph of ${namespace}: it was opened for reading.`, {
    hint: "Open it for writing.",
  });
}
