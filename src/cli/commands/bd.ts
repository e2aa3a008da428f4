import type { CommandContext } from "../context.ts";
import { runOffline } from "../offline.ts";
import { mayGoOffline, readsStdin, sendBd } from "./pass-through.ts";

/** bd's grammar over the daemon, or over the store on disk when no daemon runs. */
export async function runBd(argv: readonly string[], context: CommandContext): Promise<number> {
  // Read once: the offline attempt needs the same text.
  const text = readsStdin(argv) ? await context.streams.readStdin() : undefined;
  const streams = text === undefined ? context.streams : { ...context.streams, readStdin: () => Promise.resolve(text) };
  try {
    return await sendBd(argv, { ...context, streams });
  } catch (error) {
    if (!mayGoOffline(error, context)) throw error;
    return await runOffline("bd", { argv, ...(text === undefined ? {} : { stdin: text }) }, context);
  }
}
