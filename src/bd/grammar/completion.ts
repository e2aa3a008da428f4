import { knownEdgeTypes } from "../../domain/work-graph/record/edges.ts";
import type { BdCommand } from "../command.ts";
import { workTypes } from "../values/issue-type.ts";
import { nameAndAliases } from "./choose-command.ts";
import type { Flag } from "./flag.ts";
import { longNames } from "./flags.ts";
import { globalFlags } from "./global-flags.ts";

/** The hidden word with which a shell asks for the last of the words behind it. */
export const completeWord = "__complete";

/** What may stand where the last word is: words that are known, and what a store must be asked for. */
export interface Wanted {
  readonly words: readonly string[];
  readonly ids?: "Open" | "Closed";
  readonly labels?: boolean;
  readonly statuses?: boolean;
}

const nothing: Wanted = { words: [] };

/** What the last of the words of a line may be. Nothing: the shell offers files. */
export function wantedWord(commands: readonly BdCommand[], words: readonly string[]): Wanted {
  const last = words.at(-1) ?? "";
  const { command, rest, inGroup } = commandOf(commands, words.slice(0, -1));
  const flags = [...(command?.flags ?? []), ...globalFlags];
  if (last.startsWith("-")) return { words: flags.map(({ name }) => `--${name}`) };
  const flag = valueFlag(rest.at(-1), flags);
  if (flag !== undefined) return valueOf(flag, command);
  const second = rest.length === 0 ? inGroup : [];
  if (command === undefined) return { words: second };
  const more = argumentOf(command, commands, positionsIn(rest, flags));
  return { ...more, words: [...second, ...more.words] };
}

interface Place {
  readonly command: BdCommand | undefined;
  /** The words behind the command's own. */
  readonly rest: readonly string[];
  /** Words that may follow to name a command. */
  readonly inGroup: readonly string[];
}

function commandOf(commands: readonly BdCommand[], before: readonly string[]): Place {
  const [first, second] = before;
  const names = commands.flatMap((command) =>
    nameAndAliases(command).map((name) => ({ command, parts: name.split(" ") })),
  );
  const all = [...new Set(names.map(({ parts: [word = ""] }) => word))];
  if (first === undefined) return { command: undefined, rest: [], inGroup: all };
  const group = names.filter(({ parts }) => parts.length > 1 && parts[0] === first);
  const below = group.find(({ parts }) => parts[1] === second);
  if (second !== undefined && below !== undefined)
    return { command: below.command, rest: before.slice(2), inGroup: [] };
  const command = names.find(({ parts }) => parts.length === 1 && parts[0] === first)?.command;
  return { command, rest: before.slice(1), inGroup: group.map(({ parts: [, word = ""] }) => word) };
}

/** The flag whose value comes next. */
function valueFlag(word: string | undefined, flags: readonly Flag[]): Flag | undefined {
  if (word === undefined || !word.startsWith("-") || word.includes("=")) return undefined;
  const found = word.startsWith("--")
    ? flags.find((flag) => longNames([flag]).includes(word.slice(2)))
    : flags.find(({ short }) => short?.includes(word.slice(-1)) === true);
  return found?.type === "switch" ? undefined : found;
}

function valueOf({ value, name }: Flag, command: BdCommand | undefined): Wanted {
  switch (value) {
    case "ID":
    case "DEP":
      return { words: [], ids: "Open" };
    case "LABEL":
      return { words: [], labels: true };
    case "STATUS":
      return { words: [], statuses: true };
    case "0-4":
      return { words: ["0", "1", "2", "3", "4"] };
    case "TYPE":
      return { words: command?.group === "Dependencies" ? knownEdgeTypes : Object.keys(workTypes) };
    default:
      return name === "assignee" ? { words: ["me"] } : nothing;
  }
}

/** How many arguments are given. */
function positionsIn(rest: readonly string[], flags: readonly Flag[]): number {
  return rest.filter((word, i) => !word.startsWith("-") && valueFlag(rest[i - 1], flags) === undefined).length;
}

function argumentOf(command: BdCommand, commands: readonly BdCommand[], position: number): Wanted {
  const places = (command.args ?? "").split(" ").filter((place) => place !== "");
  const place = places[Math.min(position, places.length - 1)] ?? "";
  if (position >= places.length && !places.some((one) => one.includes("..."))) return nothing;
  if (place === "[command]") return { words: [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""))] };
  const labels = place.includes("<label>");
  const isId = /[<[-]id\b/.test(place) || (labels && places[0]?.includes("...") === true);
  return {
    words: [],
    ...(isId ? { ids: command.name === "reopen" ? ("Closed" as const) : ("Open" as const) } : {}),
    ...(labels ? { labels } : {}),
  };
}
