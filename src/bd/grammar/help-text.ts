import type { AboutCall, BdCommand, CommandGroup } from "../command.ts";
import { wrap } from "../output/plain-text.ts";
import { table } from "../output/table.ts";
import type { Flag } from "./flag.ts";
import { globalFlags } from "./global-flags.ts";

const groups: readonly CommandGroup[] = [
  "Issues",
  "Finding work",
  "Dependencies",
  "Labels and comments",
  "Store",
  "Help",
];

/** How help is written: commands as the reader can run them, within the columns of a terminal. */
export type HelpStyle = Pick<AboutCall, "own" | "columns">;

const intro = "bd: the issues of this repository and what depends on what.\nThey live in git, on the branch town/work.";

/** What is used every day, in the order of a day. */
const daily = [
  "create",
  "ready",
  "list",
  "show",
  "claim",
  "update",
  "comment",
  "close",
  "dep add",
  "blocked",
  "search",
  "sync",
  "quickstart",
];

/** `bd` alone: few commands, on one screen. */
export function firstHelp(commands: readonly BdCommand[], style: HelpStyle): string {
  const rows = daily.flatMap((name) =>
    commands.filter((command) => command.name === name).map(({ summary }) => [`  ${name}`, style.own(summary)]),
  );
  return [
    intro,
    table(rows, style.columns),
    style.own(`bd help lists all ${commands.length} commands, bd help COMMAND its flags.`),
  ].join("\n\n");
}

/** `bd help`: every command with one line. */
export function overview(commands: readonly BdCommand[], style: HelpStyle): string {
  const sections = groups.map((group) => {
    const rows = commands
      .filter((command) => command.group === group)
      .map((command) => [`  ${namesText(command)}`, style.own(command.summary)]);
    return `${group}:\n${table(rows, style.columns)}`;
  });
  return [
    intro,
    ...sections,
    `Flags of every command:\n${flagTable(globalFlags, style)}`,
    style.own("bd help COMMAND shows the flags of a command.\nbd quickstart is a short tour."),
  ].join("\n\n");
}

function namesText({ name, aliases }: BdCommand): string {
  return aliases === undefined ? name : `${name} (${aliases.join(", ")})`;
}

/** `bd help COMMAND`, with the commands of its group when it has any. */
export function commandHelp(command: BdCommand, commands: readonly BdCommand[], style: HelpStyle): string {
  const { own, columns } = style;
  const flags = command.flags ?? [];
  const below = commands.filter(({ name }) => name.startsWith(`${command.name} `));
  return [
    wrap(own(`${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`), columns).join("\n"),
    own(`Usage:\n  ${usage(command)}`),
    ...(command.aliases === undefined
      ? []
      : [own(`Also: ${command.aliases.map((alias) => `bd ${alias}`).join(", ")}`)]),
    ...(below.length === 0
      ? []
      : [
          `Commands:\n${table(
            below.map(({ name, summary }) => [`  ${name}`, own(summary)]),
            columns,
          )}`,
        ]),
    ...(flags.length === 0 ? [] : [`Flags:\n${flagTable(flags, style)}`]),
    ...(command.examples === undefined
      ? []
      : [own(`Examples:\n${command.examples.map((line) => `  ${line}`).join("\n")}`)]),
    ...(command.section === undefined
      ? []
      : [own(`${command.section.title}:\n${command.section.lines.map((line) => `  ${line}`).join("\n")}`)]),
    `Flags of every command:\n${flagTable(globalFlags, style)}`,
  ].join("\n\n");
}

/** Help of a word that only begins commands, such as `label`. */
export function groupHelp(word: string, commands: readonly BdCommand[], { own, columns }: HelpStyle): string {
  const rows = commands.map((command) => [
    `  ${usage(command).replace(/^bd | \[flags\]$/g, "")}`,
    own(command.summary),
  ]);
  return `Commands:\n${table(rows, columns)}\n\n${own(`bd help ${word} COMMAND shows the flags of one.`)}`;
}

function usage({ name, args, flags }: BdCommand): string {
  return ["bd", name, ...(args === undefined ? [] : [args]), ...(flags === undefined ? [] : ["[flags]"])].join(" ");
}

function flagTable(flags: readonly Flag[], { own, columns }: HelpStyle): string {
  return table(
    flags.map((known) => [
      `  ${known.short === undefined ? "    " : `-${known.short[0]}, `}--${known.name}${valueText(known)}`,
      own(known.help),
    ]),
    columns,
  );
}

function valueText({ type, value }: Flag): string {
  if (type === "switch") return "";
  const shown = value ?? "VALUE";
  return type === "list" ? ` ${shown},…` : ` ${shown}`;
}
