import type { VerbResult } from "../../resource/verb.ts";
import type { CommandContext } from "../context.ts";
import { ApiStatusError } from "../../errors/town-error.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callVerb } from "./call-verb.ts";

/** A controller that was killed is back within seconds, on a loaded machine within many; agent programs give their hooks about 30 s. */
const WITHIN_MS = 20_000;
const PAUSE_MS = 250;

/**
 * Calls a verb that knows its requests by `request`. When the connection is lost before the answer came, nobody knows
 * whether it took effect: the same request is made again until there is an answer, for up to 20 s. A daemon that was not
 * there to begin with is an error at once.
 */
export async function callAgain(
  context: CommandContext,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<VerbResult> {
  const request = context.requestId?.();
  const once = request === undefined ? args : { ...args, request };
  let lost: CliError | undefined;
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      const result = await callVerb(context.api(), name, once, { signal: context.signal });
      if (lost === undefined || result.exitCode !== EXIT.unreachable || waited >= WITHIN_MS) return result;
    } catch (error) {
      if (request === undefined || !mayCome(error, lost !== undefined)) throw error;
      if (lost === undefined && error instanceof CliError) lost = error;
      if (waited >= WITHIN_MS) throw lost;
    }
    await context.sleep(PAUSE_MS);
  }
}

/** A daemon that is back has not opened all of its stores yet. */
function mayCome(error: unknown, wasThere: boolean): boolean {
  if (error instanceof ApiStatusError) return wasThere && error.code === 503;
  if (!(error instanceof CliError)) return false;
  return error.reason === "ServerUnreachable" || (wasThere && ["ServerGone", "ServerSilent"].includes(error.reason));
}
