import { currentDirectory } from "../current-directory.ts";
import { getCommand } from "../commands/get-row.ts";
import { bdArguments, mayGoOffline, readsStdin, sendBd } from "../commands/pass-through.ts";
import type { Api } from "../connection/api.ts";
import { requestId } from "../request-id.ts";
import { openApi } from "../connection/open-api.ts";
import type { CommandContext, CommandInput, CommandSpec, Streams } from "../context.ts";
import { errorText } from "../error-text.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { runOffline } from "../offline.ts";
import { processStreams } from "../process-streams.ts";
import { hotRows } from "../verbs/hot-rows.ts";
import { verbCommand } from "../verbs/verb-row.ts";
import { VERSION_TEXT } from "../version.ts";
import { quickParse } from "./quick-parse.ts";

/** Commands that the first bundle answers alone, besides bd's. */
export const hotCommands: readonly CommandSpec[] = [getCommand, ...hotRows.map(verbCommand)];

type Hot = (context: CommandContext) => Promise<number>;

/**
 * Runs the command if it is a hot one in a plain form and ends the process; false leaves it to the full program.
 * `distDirectory` is where the built modules are.
 */
export async function hotCommand(argv: readonly string[], distDirectory: string): Promise<boolean> {
  const chosen = chooseHot(argv);
  if (chosen === undefined) return false;
  const streams = processStreams();
  const context = hotContext(streams, distDirectory);
  try {
    process.exitCode = await chosen(context);
  } catch (error) {
    process.exitCode = await withoutDaemon(argv, error, context);
  }
  // Letting the event loop run dry would cost 2 ms.
  if (streams.isWritten()) process.exit();
  return true;
}

/** bd works on the store on disk when no daemon runs. */
async function withoutDaemon(argv: readonly string[], error: unknown, context: CommandContext): Promise<number> {
  const bd = bdArguments(argv);
  try {
    if (bd !== undefined && mayGoOffline(error, context)) return await runOffline("bd", { argv: bd }, context);
  } catch (offline) {
    context.streams.err(errorText(offline));
    return exitCodeOf(offline);
  }
  context.streams.err(errorText(error));
  return exitCodeOf(error);
}

/** What to run; undefined when the command is not hot, or its line is not plain. */
function chooseHot(argv: readonly string[]): Hot | undefined {
  const bd = bdArguments(argv);
  // Text on stdin must still be there for the store on disk.
  if (bd !== undefined) return readsStdin(bd) ? undefined : (context) => sendBd(bd, context);
  const read = readHot(argv);
  return read === undefined ? undefined : (context) => read.spec.run(read.input, context);
}

/** The hot command of a line with its arguments; undefined when the full parser must decide. */
export function readHot(
  argv: readonly string[],
): { readonly spec: CommandSpec; readonly input: CommandInput } | undefined {
  for (const spec of hotCommands) {
    const words = spec.name.split(" ");
    if (!words.every((word, index) => argv[index] === word)) continue;
    const input = quickParse(spec, argv.slice(words.length));
    // A watch needs the interruption that only the full program sets up.
    const isWatch = input?.flags["watch"] === true || input?.flags["watchOnly"] === true;
    return input === undefined || isWatch ? undefined : { spec, input };
  }
  return undefined;
}

function hotContext(streams: Streams, distDirectory: string): CommandContext {
  const surroundings = { cwd: currentDirectory(), env: process.env, townOption: undefined };
  let api: Api | undefined;
  const unused = (what: string) => (): never => {
    throw new Error(`a hot command used ${what}`);
  };
  return {
    ...surroundings,
    streams,
    programs: { run: unused("programs"), output: unused("programs"), startDetached: unused("programs") },
    distDirectory,
    signal: new AbortController().signal,
    now: () => Date.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    requestId,
    api: () => (api ??= openApi(surroundings, `town/${VERSION_TEXT}`)),
  };
}
