import type { CommandGroup, CommandSpec } from "./context.ts";
import { EXIT_MEANINGS } from "./exit-codes.ts";

const GROUP_TITLES: Readonly<Record<CommandGroup, string>> = {
  resources: "Resources (kubectl's grammar, any type)",
  gitops: "GitOps",
  town: "Town",
  rigs: "Rigs",
  work: "Work",
  dispatch: "Dispatch",
  merging: "Merging",
  workflows: "Workflows",
  agents: "Agents",
  talk: "Talk",
};

/** What `town` and `town --help` print: every command in its group. */
export function overviewText(commands: readonly CommandSpec[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const groups = (Object.keys(GROUP_TITLES) as CommandGroup[]).map((group) => {
    const lines = commands
      .filter((command) => command.group === group)
      .map((command) => `  ${command.name.padEnd(width)}  ${command.summary}\n`);
    return lines.length === 0 ? "" : `${GROUP_TITLES[group]}\n${lines.join("")}\n`;
  });
  const topics = helpTopics.join(", ");
  return `A fleet of coding agents, kept as its YAML says.\n\nUsage: town [-C DIR] COMMAND [flags]\n\n${groups.join("")}\`town COMMAND --help\` explains a command.\n\`town help TOPIC\` explains a topic: ${topics}.\n`;
}

const TOPICS: Readonly<Record<string, () => string>> = { "exit-codes": exitCodesText, environment: environmentText };

export const helpTopics: readonly string[] = Object.keys(TOPICS);

/** Text of a help topic; undefined when there is none of that name. */
export function helpTopic(name: string): string | undefined {
  return Object.hasOwn(TOPICS, name) ? TOPICS[name]?.() : undefined;
}

function exitCodesText(): string {
  return `Exit codes of town:\n\n${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}\n`).join("")}`;
}

const VARIABLES: readonly (readonly [string, string])[] = [
  ["TOWN_DIR", "directory of the town to act on, unless -C says another"],
  ["TOWN_SOCKET", "socket of the daemon; set inside agents' sessions, goes before TOWN_DIR"],
  ["TOWN_TOKEN_FILE", "file with the token to send; set inside agents' sessions"],
  ["EDITOR, VISUAL", "what `town edit` opens; VISUAL goes first"],
  ["NO_COLOR", "not empty: no colours"],
];

function environmentText(): string {
  const width = Math.max(...VARIABLES.map(([name]) => name.length));
  return `Environment variables that town reads:\n\n${VARIABLES.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}\n`).join("")}`;
}
