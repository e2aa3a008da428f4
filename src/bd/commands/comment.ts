import { findBead, requireBead, requireIn } from "../access/find-bead.ts";
import { readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { also, flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { commentLines } from "../output/bead-page.ts";

const addFlags = [
  also(text("file", "FILE", "the text from a file; - for stdin", "f"), "body-file"),
  flag("stdin", "the text from stdin"),
];

export const commentCommand: BdCommand = {
  name: "comment",
  aliases: ["comment add", "comments add"],
  group: "Labels and comments",
  summary: "comment on a bead",
  args: "<id> <text>",
  flags: addFlags,
  examples: ['bd comment api-x7k2m3 "reproduced on main"', "bd comment api-x7k2m3 --file note.md"],
  writes: true,
  run: add,
};

async function add(call: Call): Promise<Answer> {
  const [id, ...words] = call.args;
  if (id === undefined) throw usageError("the id of a bead and a text are required", 'bd comment ID "text"');
  const file = call.flags.text("file") ?? (call.flags.isSet("stdin") || words[0] === "-" ? "-" : undefined);
  // An id is never guessed here: `bd comment list X` must not comment on whatever begins with "list".
  const { graph } = requireBead(id, call.context);
  const body = file === undefined ? words.join(" ") : await readInput(file, call.context);
  if (body.trim() === "") throw usageError("the text of the comment is required", `bd comment ${id} "text"`);
  const comment = await call.transact(graph, (tx) => {
    requireIn(tx, id);
    return tx.comment(id, body);
  });
  return {
    text: `${call.paint("green", "✓")} Comment added to ${id}`,
    json: { ...comment, issue_id: id },
  };
}

export const commentsCommand: BdCommand = {
  name: "comments",
  aliases: ["comments list", "comment list"],
  group: "Labels and comments",
  summary: "the comments of a bead",
  args: "<id>",
  run: (call) => {
    const id = oneArgument(call.args, "bd comments ID");
    const { record } = findBead(id, call.context);
    const comments = Array.isArray(record.comments) ? record.comments : [];
    return {
      text:
        comments.length === 0
          ? `No comments on ${record.id}`
          : comments.flatMap((comment) => commentLines(comment, call)).join("\n"),
      json: comments.map((comment) => ({ ...comment, issue_id: record.id })),
    };
  },
};
