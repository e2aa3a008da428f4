import { ApiStatusError, messageOf, TownError } from "../errors/town-error.ts";
import type { Environment } from "./context.ts";
import { plainText } from "./output/terminal-text.ts";

/**
 * What a failure looks like on stderr, with a trailing newline: the message as kubectl words it, then the hint. `bd` alone is
 * on the PATH of agents' sessions only, so with the environment of somebody outside of one it is said as `town bd`.
 */
export function errorText(error: unknown, env: Environment = process.env): string {
  const head = error instanceof ApiStatusError ? `Error from server (${error.reason}): ` : "error: ";
  const given = error instanceof TownError ? error.hint : undefined;
  const isSession = (env["TOWN_SOCKET"] ?? "") !== "";
  const hint =
    given === undefined
      ? ""
      : `hint: ${isSession ? given : given.replace(/(?<!town)(^|[\s`(])bd (?=[a-z])/g, "$1town bd ")}\n`;
  return plainText(`${head}${messageOf(error)}\n${hint}`);
}
