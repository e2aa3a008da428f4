import type { BdCommand } from "../command.ts";
import { elsewhere } from "./elsewhere.ts";
import { foreignWithValue } from "./foreign-flags.ts";
import { globalFlags } from "./global-flags.ts";
import { didYouMean } from "./suggestion.ts";
import { usageError } from "./usage-error.ts";

export interface ChosenCommand {
  readonly command: BdCommand;
  /** The words after the command's own, with the global flags that stood before it. */
  readonly rest: readonly string[];
}

export function nameAndAliases({ name, aliases }: BdCommand): readonly string[] {
  return [name, ...(aliases ?? [])];
}

/**
 * The command of a line: global flags may come first. Undefined when no command is named. Throws TownError `Usage` for one
 * nobody knows, with the nearest known.
 */
export function chooseCommand(commands: readonly BdCommand[], argv: readonly string[]): ChosenCommand | undefined {
  const at = firstWord(argv, 0);
  const word = argv[at];
  if (word === undefined) return undefined;
  const before = argv.slice(0, at);
  const after = argv.slice(at + 1);
  const inGroup = commands.filter((command) => nameAndAliases(command).some((name) => name.startsWith(`${word} `)));
  const secondAt = inGroup.length === 0 ? -1 : firstWord(after, 0);
  const second = after[secondAt];
  if (second !== undefined) {
    const found = byName(inGroup, `${word} ${second}`);
    if (found !== undefined)
      return { command: found, rest: [...before, ...after.slice(0, secondAt), ...after.slice(secondAt + 1)] };
  }
  const command = byName(commands, word);
  if (command !== undefined) return { command, rest: [...before, ...after] };
  const help = byName(commands, "help");
  if (inGroup.length > 0 && help !== undefined && asksForHelp(second, argv)) return { command: help, rest: [word] };
  if (inGroup.length > 0) throw incomplete(word, second, inGroup);
  const names = commands.flatMap(nameAndAliases).map((name) => name.split(" ")[0] ?? "");
  throw usageError(
    `unknown command "${word}" for "bd"`,
    meantElsewhere(word) ?? didYouMean(word, new Set(names)) ?? "bd help lists the commands",
  );
}

/** `bd label -h`, `bd label help`: about the whole group. */
function asksForHelp(second: string | undefined, argv: readonly string[]): boolean {
  return second === "help" || (second === undefined && argv.some((word) => word === "-h" || word === "--help"));
}

function meantElsewhere(words: string): string | undefined {
  return Object.hasOwn(elsewhere, words) ? elsewhere[words] : undefined;
}

function byName(commands: readonly BdCommand[], name: string): BdCommand | undefined {
  return commands.find((command) => nameAndAliases(command).includes(name));
}

function incomplete(word: string, second: string | undefined, inGroup: readonly BdCommand[]): Error {
  const words = inGroup.flatMap((command) => {
    const name = nameAndAliases(command).find((known) => known.startsWith(`${word} `));
    return name === undefined ? [] : [name.slice(word.length + 1)];
  });
  if (second === undefined) return usageError(`bd ${word} needs one of: ${words.join(", ")}`, `see: bd help ${word}`);
  return usageError(
    `unknown command "${second}" for "bd ${word}"`,
    meantElsewhere(`${word} ${second}`) ??
      didYouMean(second, words) ??
      meantElsewhere(`${word} *`) ??
      `it has: ${words.join(", ")}`,
  );
}

// Position of the first word that is no global flag nor the value of one. `--help` and `-h` count as flags.
function firstWord(argv: readonly string[], from: number): number {
  let at = from;
  while (at < argv.length) {
    const word = argv[at] ?? "";
    if (!word.startsWith("-") || word === "-") return at;
    const name = word.replace(/^--?/, "");
    const known = globalFlags.find(
      (flag) => flag.name === name || flag.short?.includes(name) === true || flag.also?.includes(name),
    );
    const takesValue = known === undefined ? foreignWithValue.has(name) : known.type !== "switch";
    at += takesValue ? 2 : 1;
  }
  return at;
}
