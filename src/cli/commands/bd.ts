import type { CommandContext } from "../context.ts";
import { runOffline } from "../offline.ts";
import { mayGoOffline, sendBd, stdinOf } from "./pass-through.ts";

/** bd's grammar over the daemon, or over the store on disk when no daemon runs. */
export async function runBd(argv: readonly string[], context: CommandContext): Promise<number> {
  // Read once: the offline attempt needs the same text.
  const text = await stdinOf(argv, context.streams);
  try {
    return await sendBd(argv, context, text);
  } catch (error) {
    if (!mayGoOffline(error, context)) throw error;
    return await runOffline("bd", { argv, ...(text === undefined ? {} : { stdin: text }) }, context);
  }
}
