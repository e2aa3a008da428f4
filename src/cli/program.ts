import { Command, CommanderError, Option } from "commander";
import { bdArguments, COMPLETE } from "./commands/pass-through.ts";
import { runBd } from "./commands/bd.ts";
import { candidates } from "./commands/completion.ts";
import { COMMANDS } from "./command-rows.ts";
import type { CommandContext, CommandSpec, FlagSpec, FlagValue } from "./context.ts";
import { errorText } from "./error-text.ts";
import { EXIT, exitCodeOf, usageError } from "./exit-codes.ts";
import { camelCase } from "./flag-names.ts";
import { helpTopic, helpTopics, overviewText } from "./help.ts";
import { nearest } from "./resources/nearest.ts";
import { servedVerbs } from "./verbs/call-verb.ts";
import { normalisedArguments } from "./normalised-arguments.ts";

/** Longest line of help. */
const HELP_COLUMNS = 80;

const TMUX = "tmux";

/** What runProgram adds to the context once it knows which town is meant. */
export type BareContext = Omit<CommandContext, "townOption" | "api">;
type MakeApi = (townOption: string | undefined) => CommandContext["api"];

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws. */
export async function runProgram(argv: readonly string[], bare: BareContext, makeApi: MakeApi): Promise<number> {
  const at = (town: string | undefined): CommandContext => ({ ...bare, townOption: town, api: makeApi(town) });
  try {
    const { town, rest } = leadingTown(argv);
    const context = at(town);
    const bd = bdWords(rest);
    if (bd !== undefined) return await runBd(bd, context);
    // tmux has a grammar of its own, too.
    if (rest[0] === TMUX && !isHelp(rest[1]))
      return await (await import("./commands/terminal.ts")).runTmux({ args: rest.slice(1), flags: {} }, context);
    if (rest[0] === COMPLETE) {
      const words = bdArguments(rest.slice(1));
      // bd has a grammar of its own: it is asked what may come.
      if (words !== undefined && rest.length > 2) return await runBd([COMPLETE, ...words], context);
      const found = await candidates(
        programOf(() => Promise.resolve(), bare.streams),
        rest.slice(1),
        context,
      );
      bare.streams.out(found.map((candidate) => `${candidate}\n`).join(""));
      return EXIT.done;
    }
    if (isOverview(rest)) {
      bare.streams.out(overviewText(await offered(context)));
      return EXIT.done;
    }
    return await parsed(isVersion(rest) ? ["version", "--client"] : rest, town, at);
  } catch (error) {
    return failed(error, bare);
  }
}

async function parsed(
  argv: readonly string[],
  leading: string | undefined,
  at: (town: string | undefined) => CommandContext,
): Promise<number> {
  let code: number = EXIT.done;
  const { town, rest } = townAnywhere(argv);
  const context = at(town ?? leading);
  const program = programOf(async (run) => {
    code = await run(context);
  }, context.streams);
  await program.parseAsync(normalisedArguments(rest, COMMANDS), { from: "user" });
  return code;
}

/** `-C DIR` may also stand behind the command, where commander would take it for a flag of the command. */
function townAnywhere(argv: readonly string[]): {
  readonly town: string | undefined;
  readonly rest: readonly string[];
} {
  const stop = argv.indexOf("--");
  const at = argv.findIndex((word, index) => (stop === -1 || index < stop) && /^(?:-C|--town(?:=.*)?)$/s.test(word));
  if (at === -1) return { town: undefined, rest: argv };
  const { town, rest } = leadingTown(argv.slice(at));
  return { town, rest: [...argv.slice(0, at), ...rest] };
}

/** `-C DIR` in front of the command, where commands that take their arguments as they are need it read first. */
function leadingTown(argv: readonly string[]): { readonly town: string | undefined; readonly rest: readonly string[] } {
  const [first = "", second] = argv;
  if ((first === "-C" || first === "--town") && second !== undefined) return { town: second, rest: argv.slice(2) };
  const joined = /^(?:--town=|-C=?)(.+)$/s.exec(first)?.[1];
  return joined === undefined ? { town: undefined, rest: argv } : { town: joined, rest: argv.slice(1) };
}

function isOverview([first, second]: readonly string[]): boolean {
  return first === undefined || (second === undefined && ["help", "--help", "-h"].includes(first));
}

function isVersion([first, second]: readonly string[]): boolean {
  return second === undefined && ["--version", "-V", "-v"].includes(first ?? "");
}

function isHelp(word: string | undefined): boolean {
  return word === "--help" || word === "-h";
}

/** bd's arguments, also those of `help bd COMMAND`; undefined for any other command. */
function bdWords([first = "", ...rest]: readonly string[]): readonly string[] | undefined {
  const explained = first === "help" ? bdArguments(rest) : undefined;
  return explained === undefined ? bdArguments([first, ...rest]) : ["help", ...explained];
}

const OFFER_WITHIN_MS = 1000;

/** All commands, without those whose verb the running daemon does not serve. */
async function offered(context: CommandContext): Promise<readonly CommandSpec[]> {
  try {
    const api = context.api();
    const served = await servedVerbs({
      ...api,
      send: (request) => api.send({ ...request, timeoutMs: OFFER_WITHIN_MS }),
    });
    return served.length === 0
      ? COMMANDS
      : COMMANDS.filter(({ servedBy }) => servedBy === undefined || served.includes(servedBy));
  } catch {
    return COMMANDS;
  }
}

function failed(error: unknown, context: Pick<CommandContext, "streams" | "signal" | "env">): number {
  // commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (context.signal.aborted && error instanceof Error && error.name === "AbortError") return EXIT.interrupted;
  context.streams.err(errorText(error, context.env));
  return exitCodeOf(error);
}

/** Starts the command chosen, once its arguments are read. */
type Runner = (run: (context: CommandContext) => Promise<number>) => Promise<void>;

function programOf(runner: Runner, streams: CommandContext["streams"]): Command {
  const program = configured(new Command("town"), streams)
    .usage("COMMAND [flags]")
    .option("-C, --town <DIR>", "the town to act on; default: $TOWN_DIR, else the one the working directory is in")
    .helpCommand(false)
    // Otherwise `nudge` would take the flags of `nudge drain`.
    .enablePositionalOptions();
  for (const spec of COMMANDS) addCommand(program, spec, runner, streams);
  program
    .command("help [WORDS...]", { hidden: true })
    .action((words: readonly string[]) => printHelp(program, words, streams));
  return program;
}

function configured(command: Command, streams: CommandContext["streams"]): Command {
  return command
    .exitOverride()
    .configureHelp({
      helpWidth: HELP_COLUMNS,
      subcommandTerm: (inner) => inner.name(),
      styleTitle: (title) => (title === "Options:" ? "Flags:" : title),
    })
    .helpOption("-h, --help", "explain this command")
    .configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => streams.err(text),
      outputError: (text, write) => write(`${text}hint: \`${fullName(command)} --help\` shows what there is\n`),
    });
}

/** `town mail send`. */
function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function addCommand(program: Command, spec: CommandSpec, runner: Runner, streams: CommandContext["streams"]): void {
  const words = spec.name.split(" ");
  const parent = words.slice(0, -1).reduce((at, word) => childOf(at, word, streams), program);
  const command = childOf(parent, words.at(-1) ?? "", streams).description(
    `${spec.summary[0]?.toUpperCase()}${spec.summary.slice(1)}.`,
  );
  if (spec.positionals !== undefined) command.usage(`${spec.positionals} [flags]`).argument("[args...]");
  else command.usage("[flags]");
  for (const flag of spec.flags) addFlag(command, flag);
  if (spec.examples !== undefined && spec.examples.length > 0)
    command.addHelpText("after", `\nExamples:\n${spec.examples.map((line) => `  ${line}\n`).join("")}`);
  command.action(async (...parameters: unknown[]) => {
    const args = spec.positionals === undefined ? [] : ((parameters[0] as readonly string[] | undefined) ?? []);
    await runner((context) => spec.run({ args, flags: flagsOf(command, spec) }, context));
  });
}

/** The command of that name, made if need be: `mail` of `mail send` alone prints its help and is a usage error. */
function childOf(at: Command, word: string, streams: CommandContext["streams"]): Command {
  const known = at.commands.find((command) => command.name() === word);
  if (known !== undefined) return known;
  const command = configured(new Command(word), streams)
    .usage("COMMAND [flags]")
    .enablePositionalOptions()
    .helpCommand(false)
    .allowExcessArguments(false);
  at.addCommand(command);
  return command;
}

function addFlag(command: Command, flag: FlagSpec): void {
  const value =
    flag.type === "boolean"
      ? ""
      : flag.type === "optional"
        ? ` [${flag.value ?? "HOW"}]`
        : ` <${flag.value ?? "VALUE"}>`;
  const option = new Option(
    `${flag.short === undefined ? "" : `-${flag.short}, `}--${flag.name}${value}`,
    flag.summary,
  );
  if (flag.choices !== undefined) option.choices(flag.choices);
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.type === "number") option.argParser((text) => numberOf(text, flag.name));
  if (flag.type === "list")
    option.argParser((text, before: readonly string[] | undefined) => [...(before ?? []), text]);
  command.addOption(option);
  if (flag.type === "boolean" && flag.default === true) command.addOption(new Option(`--no-${flag.name}`).hideHelp());
  if (flag.alias !== undefined) command.addOption(new Option(`--${flag.alias}${value}`).hideHelp());
}

function numberOf(text: string, name: string): number {
  const number = Number(text);
  if (text.trim() === "" || Number.isNaN(number)) throw usageError(`--${name}: "${text}" is no number`);
  return number;
}

function flagsOf(command: Command, spec: CommandSpec): Readonly<Record<string, FlagValue>> {
  const given = command.opts<Record<string, FlagValue | undefined>>();
  const flags: Record<string, FlagValue> = {};
  for (const flag of spec.flags) {
    const inverse = /^no-(.+)$/.exec(flag.name)?.[1];
    const value =
      inverse === undefined
        ? (given[camelCase(flag.name)] ?? (flag.alias === undefined ? undefined : given[camelCase(flag.alias)]))
        : given[camelCase(inverse)] === false;
    if (value !== undefined) flags[camelCase(flag.name)] = value;
  }
  return flags;
}

function printHelp(program: Command, words: readonly string[], streams: CommandContext["streams"]): void {
  const topic = words.length === 1 ? helpTopic(words[0] ?? "") : undefined;
  if (topic !== undefined) {
    streams.out(topic);
    return;
  }
  let command = program;
  for (const word of words) {
    const next = command.commands.find((inner) => inner.name() === word || inner.aliases().includes(word));
    if (next === undefined) {
      const meant = nearest(word, [...command.commands.map((inner) => inner.name()), ...helpTopics]);
      throw usageError(
        `there is no command or help topic "${words.join(" ")}"`,
        meant === undefined ? "`town help` lists them" : `did you mean ${meant}?`,
      );
    }
    command = next;
  }
  command.outputHelp();
}
