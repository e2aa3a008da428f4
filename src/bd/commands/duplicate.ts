import { duplicateGroups } from "../../domain/work-graph/queries/attention.ts";
import { requireBead, requireIn } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { shortBead } from "../output/bead-json.ts";
import { beadLine } from "../output/bead-line.ts";
import { closeBead } from "../writes/close-bead.ts";
import { connect } from "../writes/create-bead.ts";

export const duplicateCommand: BdCommand = {
  name: "duplicate",
  group: "Issues",
  summary: "close a bead as a duplicate of another",
  args: "<id>",
  flags: [text("of", "ID", "the bead that stays")],
  writes: true,
  run: (call) =>
    replace(call, { name: "duplicate", flag: "of", type: "duplicates", reason: "Duplicate of", key: "duplicate_of" }),
};

export const supersedeCommand: BdCommand = {
  name: "supersede",
  group: "Issues",
  summary: "close a bead because another one replaces it",
  args: "<id>",
  flags: [text("with", "ID", "the bead that replaces it")],
  writes: true,
  run: (call) =>
    replace(call, {
      name: "supersede",
      flag: "with",
      type: "supersedes",
      reason: "Superseded by",
      key: "superseded_by",
    }),
};

interface Replacement {
  readonly name: string;
  readonly flag: string;
  readonly type: string;
  readonly reason: string;
  readonly key: string;
}

/** The edge and the close in one transaction: the closed bead says what it was replaced by, or nothing happens. */
async function replace(call: Call, { name, flag, type, reason, key }: Replacement): Promise<Answer> {
  const [id] = call.args;
  const other = call.flags.text(flag);
  if (id === undefined || other === undefined || call.args.length > 1)
    throw usageError(`an id and --${flag} are required`, `bd ${name} ID --${flag} ID`);
  if (id === other) throw usageError(`${id} cannot replace itself`);
  const { graph } = requireBead(id, call.context);
  requireBead(other, call.context);
  await call.transact(graph, (tx) => {
    const before = requireIn(tx, id);
    if (before.dependencies?.some((edge) => edge.depends_on_id === other && edge.type !== type) === true)
      tx.removeDependency(id, other);
    connect(tx, id, { other, type, direction: "Outgoing" });
    closeBead(tx, id, { reason: `${reason} ${other}`, force: true }, call);
  });
  return {
    text: `${call.paint("green", "✓")} Closed ${id}: ${reason.toLowerCase()} ${other}`,
    json: { [key]: other, id, status: "closed" },
  };
}

export const duplicatesCommand: BdCommand = {
  name: "duplicates",
  aliases: ["find-duplicates"],
  group: "Finding work",
  summary: "open beads with the same title and description",
  flags: [allStoresFlag],
  run: (call) => {
    const groups = scopeOf(call).flatMap((graph) => duplicateGroups(graph));
    return {
      text:
        groups.length === 0
          ? "No duplicates."
          : groups.map((group) => group.map((record) => beadLine(record, call)).join("\n")).join("\n\n"),
      json: groups.map((group) => group.map(shortBead)),
    };
  },
};
