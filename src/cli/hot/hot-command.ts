import { getCommand } from "../commands/get-row.ts";
import { openApi } from "../connection/open-api.ts";
import type { Api } from "../connection/api.ts";
import type { CommandContext, CommandInput, CommandSpec } from "../context.ts";
import { errorText } from "../error-text.ts";
import { exitCodeOf } from "../exit-codes.ts";
import { processStreams } from "../process-streams.ts";
import { verbCommand } from "../verbs/verb-row.ts";
import { hotRows } from "../verbs/hot-rows.ts";
import { VERSION_TEXT } from "../version.ts";
import { quickParse } from "./quick-parse.ts";

/** Commands that the first bundle answers alone. */
export const hotCommands: readonly CommandSpec[] = [getCommand, ...hotRows.map(verbCommand)];

/** Starts the command if it is a hot one in a plain form; false leaves it to the full program. */
export function hotCommand(argv: readonly string[]): boolean {
  const chosen = chooseHot(argv);
  if (chosen === undefined) return false;
  void run(chosen.spec, chosen.input);
  return true;
}

export function chooseHot(
  argv: readonly string[],
): { readonly spec: CommandSpec; readonly input: CommandInput } | undefined {
  for (const spec of hotCommands) {
    const words = spec.name.split(" ");
    if (!words.every((word, index) => argv[index] === word)) continue;
    const input = quickParse(spec, argv.slice(words.length));
    // A watch needs the interruption that only the full program sets up.
    if (input === undefined || input.flags["watch"] === true || input.flags["watchOnly"] === true) return undefined;
    return { spec, input };
  }
  return undefined;
}

async function run(spec: CommandSpec, input: CommandInput): Promise<void> {
  const streams = processStreams();
  try {
    process.exitCode = await spec.run(input, hotContext(streams));
  } catch (error) {
    streams.err(errorText(error));
    process.exitCode = exitCodeOf(error);
  }
}

function hotContext(streams: CommandContext["streams"]): CommandContext {
  const surroundings = { cwd: process.cwd(), env: process.env, townOption: undefined };
  let api: Api | undefined;
  const unused = (what: string) => (): never => {
    throw new Error(`a hot command used ${what}`);
  };
  return {
    ...surroundings,
    streams,
    programs: { run: unused("programs"), startDetached: unused("programs") },
    distDirectory: "",
    signal: new AbortController().signal,
    now: () => Date.now(),
    sleep: unused("sleep"),
    api: () => (api ??= openApi(surroundings, `town/${VERSION_TEXT}`)),
  };
}
