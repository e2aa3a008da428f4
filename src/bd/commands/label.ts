import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { findBead, requireBead } from "../access/find-bead.ts";
import { scopeOf, allStoresFlag } from "../access/scope.ts";
import { requireMayChange } from "../access/limits.ts";
import { requireIn } from "../access/find-bead.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument, twoArguments } from "../grammar/arguments.ts";
import { itemsOf } from "../grammar/flags.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";
import { table } from "../output/table.ts";
import { eachBead } from "../writes/each-bead.ts";

export const labelAddCommand: BdCommand = {
  name: "label add",
  group: "Labels and comments",
  summary: "put a label on beads",
  args: "<id>... <label>[,<label>]",
  writes: true,
  run: (call) => change(call, "added"),
};

export const labelRemoveCommand: BdCommand = {
  name: "label remove",
  aliases: ["label rm"],
  group: "Labels and comments",
  summary: "take a label off beads",
  args: "<id>... <label>[,<label>]",
  writes: true,
  run: (call) => change(call, "removed"),
};

async function change(call: Call, what: "added" | "removed"): Promise<Answer> {
  const ids = call.args.slice(0, -1);
  const labels = itemsOf(call.args.slice(-1));
  if (labels.length === 0 || ids.length === 0)
    throw usageError(
      `requires at least 2 arg(s), only received ${call.args.length}`,
      `bd label ${what === "added" ? "add" : "remove"} ID LABEL[,LABEL]`,
    );
  const { done, notes, exitCode } = await eachBead(call, ids, (tx, id) => {
    requireMayChange(call, requireIn(tx, id), "label");
    for (const label of labels)
      if (what === "added") tx.addLabel(id, label);
      else tx.removeLabel(id, label);
  });
  const [verb, side] = what === "added" ? ["Added", "to"] : ["Removed", "from"];
  return {
    text: done
      .flatMap(({ id }) =>
        labels.map((label) => `${call.paint("green", "✓")} ${verb} label '${cleanLine(label)}' ${side} ${id}`),
      )
      .join("\n"),
    json: done.flatMap(({ id }) => labels.map((label) => ({ status: what, issue_id: id, label }))),
    notes,
    exitCode,
  };
}

/** What holds for a parent is put on all of its children, which do not have it by being below it. */
export const labelPropagateCommand: BdCommand = {
  name: "label propagate",
  group: "Labels and comments",
  summary: "put labels on all children of a bead",
  args: "<parent-id> <label>[,<label>]",
  writes: true,
  run: (call) => {
    const [id, label] = twoArguments(call.args, "bd label propagate PARENT LABEL");
    const { graph } = requireBead(id, call.context);
    const children = graph.childrenOf(id).map((child) => child.id);
    if (children.length === 0) return { text: `${id} has no children`, json: [] };
    return change({ ...call, args: [...children, label] }, "added");
  },
};

export const labelListCommand: BdCommand = {
  name: "label list",
  group: "Labels and comments",
  summary: "the labels of a bead",
  args: "<id>",
  run: (call) => {
    const id = oneArgument(call.args, "bd label list ID");
    const { record } = findBead(id, call.context);
    const labels = labelsOf(record);
    return {
      text: labels.length === 0 ? `${record.id} has no labels` : labels.map(cleanLine).join("\n"),
      json: labels,
    };
  },
};

export const labelListAllCommand: BdCommand = {
  name: "label list-all",
  group: "Labels and comments",
  summary: "all labels and how often they are used",
  flags: [allStoresFlag],
  run: (call) => {
    const counts = new Map<string, number>();
    for (const graph of scopeOf(call))
      for (const record of graph.list())
        for (const label of labelsOf(record)) counts.set(label, (counts.get(label) ?? 0) + 1);
    const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      text: rows.length === 0 ? "No labels." : table(rows.map(([label, count]) => [cleanLine(label), String(count)])),
      json: rows.map(([label, count]) => ({ label, count })),
    };
  },
};

function labelsOf(record: BeadRecord): readonly string[] {
  return Array.isArray(record.labels) ? (record.labels as readonly string[]) : [];
}
