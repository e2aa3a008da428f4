import { AdapterError } from "../../errors/town-error.ts";

const TRIES = 5;

/** Runs something repeatable again when the server ended under it: the next look knows that it is gone. */
export async function againIfServerEnded<T>(task: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await task();
    } catch (error) {
      if (tries >= TRIES || !(error instanceof AdapterError) || error.reason !== "TmuxConnectionLost") throw error;
    }
  }
}
