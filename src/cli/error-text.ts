import { ApiStatusError, messageOf, TownError } from "../errors/town-error.ts";
import { plainText } from "./output/terminal-text.ts";

/** What a failure looks like on stderr, with a trailing newline: the message as kubectl words it, then the hint. */
export function errorText(error: unknown): string {
  const head = error instanceof ApiStatusError ? `Error from server (${error.reason}): ` : "error: ";
  const hint = error instanceof TownError && error.hint !== undefined ? `hint: ${error.hint}\n` : "";
  return plainText(`${head}${messageOf(error)}\n${hint}`);
}
