import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import { requireBead } from "../access/find-bead.ts";
import { requireMayChange } from "../access/limits.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { twoArguments } from "../grammar/arguments.ts";
import { usageError } from "../grammar/usage-error.ts";
import { connect } from "../writes/create-bead.ts";

const TYPE = "relates-to";

export const relateCommand: BdCommand = {
  name: "dep relate",
  aliases: ["relate"],
  group: "Dependencies",
  summary: "say that two beads have to do with each other; neither waits",
  args: "<id> <id>",
  writes: true,
  run: (call) => each(call, "relate"),
};

export const unrelateCommand: BdCommand = {
  name: "dep unrelate",
  aliases: ["unrelate"],
  group: "Dependencies",
  summary: "take that back",
  args: "<id> <id>",
  writes: true,
  run: (call) => each(call, "unrelate"),
};

/** Beads keeps this edge on both beads; two beads of one store change together. */
async function each(call: Call, what: "relate" | "unrelate"): Promise<Answer> {
  const [a, b] = twoArguments(call.args, `bd dep ${what} ID ID`);
  if (a === b) throw usageError(`${a} cannot be related to itself`);
  const ends = [
    { ...requireBead(a, call.context), other: b },
    { ...requireBead(b, call.context), other: a },
  ];
  for (const { record } of ends) requireMayChange(call, record, what);
  const isRelated = ends.some(({ record, other }) =>
    edgesOf(record).some((edge) => edge.type === TYPE && edge.depends_on_id === other),
  );
  const isAgain = ends.some(({ graph }) => call.hasChanged(graph));
  if (what === "unrelate" && !isRelated && !isAgain)
    throw usageError(`${a} and ${b} are not related`, `bd dep list ${a}`);
  for (const graph of new Set(ends.map((end) => end.graph)))
    await call.transact(graph, (tx) => {
      for (const { record, other } of ends.filter((end) => end.graph === graph)) {
        const known = edgesOf(tx.get(record.id) ?? record).find((edge) => edge.depends_on_id === other);
        if (what === "unrelate" && known?.type === TYPE) tx.removeDependency(record.id, other);
        if (what === "relate" && known === undefined)
          connect(tx, record.id, { other, type: TYPE, direction: "Outgoing" });
      }
    });
  const done = what === "relate" ? `Linked ${a} and ${b}` : `Unlinked ${a} and ${b}`;
  return {
    text: `${call.paint("green", "✓")} ${done}`,
    json: { id1: a, id2: b, related: what === "relate", type: TYPE },
  };
}
