import type { CommandContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/** Commands whose arguments the daemon reads: `bead` and `bd` in front of bd's own grammar, `ready` as short for `bd ready`. */
const BD_WORDS: Readonly<Record<string, readonly string[]>> = { bead: [], bd: [], ready: ["ready"] };

/** bd's arguments when the command line is one of those; undefined for any other. */
export function bdArguments(argv: readonly string[]): readonly string[] | undefined {
  const [word = "", ...rest] = argv;
  const before = Object.hasOwn(BD_WORDS, word) ? BD_WORDS[word] : undefined;
  return before === undefined ? undefined : [...before, ...rest];
}

/** bd takes text from stdin for `-`, `--stdin`, and for `import` without a file. */
export function readsStdin(argv: readonly string[]): boolean {
  if (argv.some((word) => word === "-" || word === "--stdin" || /^--[a-z-]+=-$/.test(word))) return true;
  return argv[0] === "import" && !argv.slice(1).some((word) => !word.startsWith("-"));
}

/** Failures after which nothing can have reached a daemon. */
const NO_DAEMON = new Set(["NoTown", "NoDaemon", "ServerGone"]);

/** True when no daemon took the request and a store on disk can be used instead: never for an agent, whose identity the daemon holds. */
export function mayGoOffline(error: unknown, context: Pick<CommandContext, "env" | "townOption">): boolean {
  const isSession = context.townOption === undefined && (context.env["TOWN_SOCKET"] ?? "") !== "";
  return !isSession && error instanceof CliError && NO_DAEMON.has(error.reason);
}

/** Sends bd's arguments to the daemon as they are. Throws CliError (exit 6) when none answers. */
export async function sendBd(argv: readonly string[], context: CommandContext): Promise<number> {
  const stdin = readsStdin(argv) ? { stdin: await context.streams.readStdin() } : {};
  const result = await callVerb(context.api(), "bd", { argv, cwd: context.cwd, ...stdin }, { signal: context.signal });
  return printResult(result, context.streams);
}
