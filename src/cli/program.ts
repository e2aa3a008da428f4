import { Command, CommanderError, Option } from "commander";
import { COMMANDS } from "./command-rows.ts";
import type { CommandContext, CommandSpec, FlagSpec, FlagValue } from "./context.ts";
import { errorText } from "./error-text.ts";
import { EXIT, exitCodeOf, usageError } from "./exit-codes.ts";
import { camelCase } from "./flag-names.ts";
import { helpTopic, overviewText } from "./help.ts";
import { normalisedArguments } from "./normalised-arguments.ts";

/** Longest line of help. */
const HELP_COLUMNS = 100;

/** Runs one command line (without `node` and the script) and returns its exit code. Never throws. */
export async function runProgram(
  argv: readonly string[],
  context: Omit<CommandContext, "townOption" | "api">,
  makeApi: (townOption: string | undefined) => CommandContext["api"],
): Promise<number> {
  const outcome: { code: number } = { code: EXIT.done };
  const program = programOf(async (spec, args, flags) => {
    const town = program.opts<{ town?: string }>().town;
    outcome.code = await spec.run({ args, flags }, { ...context, townOption: town, api: makeApi(town) });
  }, context);
  try {
    const args = normalisedArguments(argv, COMMANDS);
    if (args.length === 0) throw new CommanderError(EXIT.usage, "town.overview", overviewText(COMMANDS));
    await program.parseAsync(args, { from: "user" });
    return outcome.code;
  } catch (error) {
    return failed(error, context);
  }
}

function failed(error: unknown, context: Pick<CommandContext, "streams" | "signal">): number {
  if (error instanceof CommanderError) {
    if (error.code === "town.overview") context.streams.out(error.message);
    return error.exitCode === 0 || error.code === "town.overview" ? EXIT.done : EXIT.usage;
  }
  if (context.signal.aborted && error instanceof Error && error.name === "AbortError") return EXIT.interrupted;
  context.streams.err(errorText(error));
  return exitCodeOf(error);
}

type Runner = (spec: CommandSpec, args: readonly string[], flags: Readonly<Record<string, FlagValue>>) => Promise<void>;

/** The commander program; exported for completion and help. */
export function programOf(runner: Runner, context: Pick<CommandContext, "streams">): Command {
  const { streams } = context;
  const program = configured(new Command("town"), streams)
    .usage("COMMAND [flags]")
    .option("-C, --town <DIR>", "the town to act on; default: $TOWN_DIR, else the one the working directory is in")
    .helpCommand(false);
  program.helpInformation = () => overviewText(COMMANDS);
  program
    .command("help [COMMAND...]", { hidden: true })
    .action((words: readonly string[]) => streams.out(helpFor(program, words)));
  for (const spec of COMMANDS) addCommand(program, spec, runner, streams);
  return program;
}

function configured(command: Command, streams: CommandContext["streams"]): Command {
  return command
    .exitOverride()
    .configureHelp({ helpWidth: HELP_COLUMNS })
    .configureOutput({
      writeOut: (text) => streams.out(text),
      writeErr: (text) => streams.err(text),
      outputError: (text, write) => write(text.replace(/^error: /, "error: ")),
    });
}

function addCommand(program: Command, spec: CommandSpec, runner: Runner, streams: CommandContext["streams"]): void {
  const words = spec.name.split(" ");
  const parent = words
    .slice(0, -1)
    .reduce(
      (at, word) => at.commands.find((command) => command.name() === word) ?? parentCommand(at, word, streams),
      program,
    );
  const command = configured(new Command(words.at(-1)), streams)
    .summary(spec.summary)
    .description(`${spec.summary[0]?.toUpperCase()}${spec.summary.slice(1)}.`);
  if (spec.positionals !== undefined) command.usage(`${spec.positionals} [flags]`).argument("[args...]");
  else command.usage("[flags]").allowExcessArguments(false);
  for (const alias of spec.aliases ?? []) command.alias(alias);
  for (const flag of spec.flags) addFlag(command, flag);
  if (spec.examples !== undefined)
    command.addHelpText("after", `\nExamples:\n${spec.examples.map((line) => `  ${line}\n`).join("")}`);
  command.action(async (...parameters: unknown[]) => {
    const args = spec.positionals === undefined ? [] : ((parameters[0] as readonly string[] | undefined) ?? []);
    await runner(spec, args, flagsOf(command, spec));
  });
  parent.addCommand(command);
}

/** `mail` of `mail send`: on its own it prints its help and fails as a usage error. */
function parentCommand(at: Command, word: string, streams: CommandContext["streams"]): Command {
  const command = configured(new Command(word), streams).usage("COMMAND [flags]").helpCommand(false);
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

function helpFor(program: Command, words: readonly string[]): string {
  if (words.length === 0) return overviewText(COMMANDS);
  const topic = words.length === 1 ? helpTopic(words[0] ?? "") : undefined;
  if (topic !== undefined) return topic;
  let command = program;
  for (const word of words) {
    const next = command.commands.find((inner) => inner.name() === word || inner.aliases().includes(word));
    if (next === undefined)
      throw usageError(`there is no command or help topic "${words.join(" ")}"`, "`town help` lists them");
    command = next;
  }
  return command.helpInformation();
}
