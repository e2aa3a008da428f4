import type { BdCommand, Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import { updateBeads } from "./update.ts";

/** One word for one change: `bd WORD ID VALUE` is `bd update ID --FLAG VALUE`. */
function updateWord(
  word: string,
  {
    summary,
    value,
    flag,
    isText,
  }: { readonly summary: string; readonly value: string; readonly flag: string; readonly isText?: boolean },
): BdCommand {
  return {
    name: word,
    group: "Issues",
    summary,
    args: `<id> <${value}>`,
    writes: true,
    run: (call: Call) => {
      const [id, ...rest] = call.args;
      if (id === undefined || rest.length === 0 || (isText !== true && rest.length > 1))
        throw usageError(`bd ${word} needs an id and a ${value}`, `bd ${word} ID ${value.toUpperCase()}`);
      return updateBeads({ ...call, args: [id], flags: call.flags.with(flag, rest.join(" ")) });
    },
  };
}

export const assignCommand = updateWord("assign", {
  summary: 'give a bead to somebody; "" to nobody',
  value: "name",
  flag: "assignee",
});
export const priorityCommand = updateWord("priority", {
  summary: "how urgent a bead is, 0 most",
  value: "priority",
  flag: "priority",
});
export const noteCommand = updateWord("note", {
  summary: "put a text behind the notes of a bead",
  value: "text",
  flag: "append-notes",
  isText: true,
});
export const tagCommand = updateWord("tag", { summary: "put a label on a bead", value: "label", flag: "add-label" });
