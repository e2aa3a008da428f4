import type { BdCommand, Call } from "../command.ts";
import { requireBead } from "../access/find-bead.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { text } from "../grammar/flag.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { changeBead } from "../writes/change-bead.ts";
import { usageError } from "../grammar/usage-error.ts";
import { syncFlag, updateBeads } from "./update.ts";

/** One word for one change: `bd WORD ID VALUE` is `bd update ID --FLAG VALUE`. */
function updateWord(
  word: string,
  {
    summary,
    value: kind,
    flag,
    isText,
  }: { readonly summary: string; readonly value: string; readonly flag: string; readonly isText?: boolean },
): BdCommand {
  return {
    name: word,
    group: "Issues",
    summary,
    args: `<id> <${kind}>`,
    writes: true,
    run: (call: Call) => {
      const [id, ...rest] = call.args;
      if (id === undefined || rest.length === 0 || (isText !== true && rest.length > 1))
        throw usageError(`bd ${word} needs an id and a ${kind}`, `bd ${word} ID ${kind.toUpperCase()}`);
      const given = rest.join(" ");
      const value = flag === "assignee" && given === "me" ? call.author.actor : given;
      return updateBeads({ ...call, args: [id], flags: call.flags.with(flag, value) });
    },
  };
}

export const assignCommand = updateWord("assign", {
  summary: 'give a bead to somebody, or to me; "" to nobody',
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

export const claimCommand: BdCommand = {
  name: "claim",
  group: "Issues",
  summary: "take beads: you become the assignee; refused when somebody has one",
  args: "<id>...",
  flags: [syncFlag],
  writes: true,
  run: (call) => updateBeads({ ...call, flags: call.flags.with("claim", "true") }),
};

export const promoteCommand: BdCommand = {
  name: "promote",
  group: "Issues",
  summary: "make a wisp an ordinary bead: in git, and kept",
  args: "<wisp-id>",
  flags: [text("reason", "TEXT", "why; becomes a comment", "r")],
  writes: true,
  run: async (call) => {
    const id = oneArgument(call.args, "bd promote WISP");
    const { graph, record } = requireBead(id, call.context);
    if (record.ephemeral !== true && !call.hasChanged(graph)) throw usageError(`${id} is no wisp`, `bd show ${id}`);
    const reason = call.flags.text("reason");
    const made = await call.transact(graph, (tx) => {
      const changed = changeBead(tx, id, { patch: { ephemeral: null } }, call);
      tx.comment(id, `Promoted from a wisp${reason === undefined ? "" : `: ${reason}`}`);
      return tx.get(id) ?? changed;
    });
    return {
      text: `${call.paint("green", "✓")} Promoted ${id} - ${cleanLine(made.title)}`,
      json: listedBead(graph, graph.get(id) ?? made),
    };
  },
};
