import type { CommandContext } from "../context.ts";
import { CliError } from "../exit-codes.ts";
import { callAgain } from "../verbs/call-again.ts";
import { printResult } from "../verbs/call-verb.ts";

/** What the shells' completion scripts call; its words may be anything. bd knows it, too. */
export const COMPLETE = "__complete";

/** Commands whose arguments the daemon reads: `bead` and `bd` in front of bd's own grammar, `ready` as short for `bd ready`. */
const BD_WORDS: Readonly<Record<string, readonly string[]>> = { bead: [], bd: [], ready: ["ready"] };

/** bd's arguments when the command line is one of those; undefined for any other. */
export function bdArguments(argv: readonly string[]): readonly string[] | undefined {
  const [word = "", ...rest] = argv;
  const before = Object.hasOwn(BD_WORDS, word) ? BD_WORDS[word] : undefined;
  return before === undefined ? undefined : [...before, ...rest];
}

const STDIN_WORD = /^(?:--[a-z-]+=|-[a-zA-Z])?@?-$|^--stdin$/;

/**
 * The text that bd's arguments take from stdin; undefined when they take none. At a terminal somebody must know that it is
 * waited for; `import` without a file does not ask there.
 */
export async function stdinOf(
  argv: readonly string[],
  streams: CommandContext["streams"],
): Promise<string | undefined> {
  if (!readsStdin(argv)) return undefined;
  if (streams.inIsTerminal) {
    if (argv[0] === "import" && !argv.some((word) => STDIN_WORD.test(word))) return undefined;
    streams.err("Reading from the terminal; end with Ctrl-D on a line of its own.\n");
  }
  return await streams.readStdin();
}

/** bd takes text from stdin for `-` (also as `--file=-`, `-f-` or `@-`) and `--stdin`, and for `batch` and `import` without a file. */
export function readsStdin([command, ...rest]: readonly string[]): boolean {
  // A line that is being typed reads nothing yet.
  if (command === COMPLETE) return false;
  if (rest.some((word) => STDIN_WORD.test(word))) return true;
  if (rest.some((word) => word === "--help" || word === "-h")) return false;
  if (command === "batch") return !rest.some((word) => /^(?:-f|--file)/.test(word));
  return command === "import" && !rest.some((word) => !word.startsWith("-") || /^(?:-i|--input)/.test(word));
}

/** Failures after which nothing can have reached a daemon. */
const NO_DAEMON = new Set(["NoTown", "NoDaemon", "ServerGone"]);

/** True when no daemon took the request and a store on disk can be used instead: never for an agent, whose identity the daemon holds. */
export function mayGoOffline(error: unknown, context: Pick<CommandContext, "env" | "townOption">): boolean {
  const isSession = context.townOption === undefined && (context.env["TOWN_SOCKET"] ?? "") !== "";
  return !isSession && error instanceof CliError && NO_DAEMON.has(error.reason);
}

/** Sends bd's arguments to the daemon as they are, with the text that they take from stdin. Throws CliError (exit 6) when none answers. */
export async function sendBd(argv: readonly string[], context: CommandContext, stdin?: string): Promise<number> {
  const { streams, cwd } = context;
  const args = {
    argv,
    cwd,
    env: bdEnvironment(context.env),
    ...(stdin === undefined ? {} : { stdin }),
    ...(streams.outIsTerminal ? { columns: Math.min(Math.max(streams.columns ?? 80, 20), 1000) } : {}),
  };
  const result = await callAgain(context, "bd", args);
  return printResult(result, streams, { keepColours: true });
}

/** What bd reads of the environment. */
function bdEnvironment(env: CommandContext["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && /^(?:BD_|BEADS_|NO_COLOR$|TERM$)/.test(name) ? [[name, value]] : [],
    ),
  );
}
