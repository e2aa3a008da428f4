import { nameAndAliases } from "../grammar/choose-command.ts";
import { commandHelp, groupHelp, overview } from "../grammar/help-text.ts";
import { didYouMean } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";
import type { BdCommand } from "../command.ts";

/** `bd help [COMMAND]`. The list is asked for when it runs, since this command is in it. */
export function helpCommand(commands: () => readonly BdCommand[]): BdCommand {
  return {
    name: "help",
    group: "Help",
    summary: "the commands, or the flags of one",
    args: "[command]",
    about: ({ args, own, columns }) => {
      const wanted = args.join(" ");
      if (wanted === "") return { text: overview(commands(), { own, columns }) };
      const found = commands().find((command) => nameAndAliases(command).includes(wanted));
      if (found !== undefined) return { text: commandHelp(found, commands(), { own, columns }) };
      const group = commands().filter(({ name }) => name.startsWith(`${wanted} `));
      if (group.length > 0) return { text: groupHelp(wanted, group, { own, columns }) };
      throw usageError(
        `unknown command "${wanted}" for "bd"`,
        didYouMean(wanted, commands().flatMap(nameAndAliases)) ?? "bd help lists the commands",
      );
    },
  };
}

export const versionCommand: BdCommand = {
  name: "version",
  group: "Help",
  summary: "the version of this program",
  about: ({ version }) => ({
    text: `bd of town ${version}`,
    json: { version, program: "town" },
  }),
};
