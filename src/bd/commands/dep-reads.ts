import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { cyclesOf } from "../../domain/work-graph/queries/attention.ts";
import { blockedBeads } from "../../domain/work-graph/queries/blocked-beads.ts";
import type { TreeNode } from "../../domain/work-graph/queries/dependency-tree.ts";
import { dependencyTree } from "../../domain/work-graph/queries/dependency-tree.ts";
import { descendantsOf } from "../../domain/work-graph/queries/graph-view.ts";
import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { flag, list, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { shortBead } from "../output/bead-json.ts";
import { beadLine, briefLine } from "../output/bead-line.ts";
import { limited } from "../output/listing.ts";
import { mermaid } from "../output/mermaid.ts";
import { cleanLine } from "../output/plain-text.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { statusFilter } from "../queries/bead-filter-flags.ts";
import { edgeType } from "../writes/dependency-spec.ts";

const directionFlag = text("direction", "WAY", "down: what it depends on (default); up: what depends on it; both");

type Direction = "down" | "up";

export const depListCommand: BdCommand = {
  name: "dep list",
  group: "Dependencies",
  summary: "what beads depend on",
  args: "<id>...",
  flags: [directionFlag, text("type", "TYPE", "only edges of this type", "t")],
  run: depList,
};

function depList(call: Call): Answer {
  const { args, flags } = call;
  if (args.length === 0) throw usageError("requires at least 1 arg(s), only received 0", "bd dep list ID");
  const directions = directionsOf(call);
  const wanted = flags.text("type");
  const rows = args.flatMap((id) => {
    const { graph, record } = findBead(id, call.context);
    const down = edgesOf(record).map((edge) => ({ edge, other: edge.depends_on_id, sign: "→" }));
    const up = graph.dependentsOf(record.id).map((edge) => ({ edge, other: edge.issue_id, sign: "←" }));
    return [...(directions.includes("down") ? down : []), ...(directions.includes("up") ? up : [])]
      .filter(({ edge }) => wanted === undefined || edge.type === edgeType(wanted))
      .map((row) => ({ ...row, from: record.id, bead: anywhere(row.other, call) }));
  });
  return {
    text:
      rows.length === 0
        ? `${args.join(", ")}: ${directions.includes("down") ? "no dependencies" : "nothing depends on it"}`
        : rows
            .map(({ from, edge, other, sign, bead }) => {
              const lead = `${from} ${sign} ${cleanLine(edge.type)}: `;
              return bead === undefined ? `${lead}${cleanLine(other)}` : beadLine(bead, call, { lead });
            })
            .join("\n"),
    json:
      args.length > 1
        ? rows.map(({ edge }) => edge)
        : rows.map(({ edge, other, bead }) => relatedJson(other, bead, edge.type)),
  };
}

function relatedJson(id: string, bead: BeadRecord | undefined, type: string): unknown {
  return { ...(bead === undefined ? { id, missing: true } : shortBead(bead)), dependency_type: type };
}

/** A bead by its full id, in any store. */
function anywhere(id: string, { context }: Call): BeadRecord | undefined {
  return context.graphs.graphOf(id)?.get(id) ?? context.home.get(id);
}

function directionsOf({ flags }: Call): readonly Direction[] {
  const direction = flags.text("direction") ?? (flags.isSet("reverse") ? "up" : "down");
  if (direction === "both") return ["down", "up"];
  if (direction === "up" || direction === "down") return [direction];
  throw usageError(`invalid direction "${direction}"`, "use up, down or both");
}

export const depTreeCommand: BdCommand = {
  name: "dep tree",
  group: "Dependencies",
  summary: "what a bead depends on, and what that depends on",
  args: "<id>",
  flags: [
    directionFlag,
    number("max-depth", "N", "at most N levels; default 50", "d"),
    text("format", "FORMAT", "mermaid, for a diagram"),
    text("type", "TYPE", "only edges of this type", "t"),
    list("status", "STATUS", "only these statuses, and what leads to them", "s"),
    flag("reverse", "the same as --direction up"),
  ],
  run: depTree,
};

async function depTree(call: Call): Promise<Answer> {
  const { args, flags } = call;
  const id = oneArgument(args, "bd dep tree ID");
  const format = flags.text("format");
  if (format !== undefined && format !== "mermaid") throw usageError(`invalid format "${format}"`, "use mermaid");
  const { graph, record } = findBead(id, call.context);
  const type = flags.text("type");
  const options = {
    maxDepth: flags.number("max-depth") ?? 50,
    ...(type === undefined ? {} : { types: [edgeType(type)] }),
  };
  const wanted = statusFilter(flags, statusesOf(await settingsOf(graph, call.context)));
  const whole = directionsOf(call).flatMap((direction, i) =>
    dependencyTree(graph, record.id, { ...options, direction })
      // The root stands once, however many ways are walked.
      .filter(({ depth }) => depth > 0 || i === 0)
      .map((row) => ({ ...row, direction, record: row.record ?? anywhere(row.id, call) })),
  );
  const rows = wanted === undefined ? whole : leadingTo(whole, ({ record: row }) => wanted.includes(row?.status ?? ""));
  if (format === "mermaid")
    return { text: mermaid(rows.map((row) => ({ ...row, title: row.record?.title }))), isDiagram: true };
  return {
    text: rows.map((row) => treeLine(row, call)).join("\n"),
    json: rows.map(({ id: rowId, record: shown, depth, parentId, edgeType: edge, truncated }) => ({
      ...(shown === undefined ? { id: rowId, missing: true } : shortBead(shown)),
      depth,
      parent_id: parentId ?? "",
      edge_from_parent: edge ?? "",
      truncated,
    })),
    notes: childrenNote(graph, record, rows.length, call),
  };
}

/** A tree of a goal alone looks as if there were nothing below it. */
function childrenNote(graph: GraphReader, { id }: BeadRecord, rows: number, call: Call): readonly string[] {
  const children = rows > 1 || call.flags.has("status") ? 0 : graph.childrenOf(id).length;
  if (children === 0) return [];
  return [call.own(`Note: it depends on nothing itself. Its children (${children}): bd children ${id}`)];
}

/** Of rows in the order of a tree those that fit, with the root and all that is above them. */
function leadingTo<T extends { readonly depth: number }>(rows: readonly T[], fits: (row: T) => boolean): readonly T[] {
  const kept: T[] = [];
  let above = 0;
  for (const row of rows.toReversed()) {
    if (row.depth > 0 && row.depth !== above && !fits(row)) continue;
    kept.push(row);
    above = row.depth - 1;
  }
  return kept.reverse();
}

function treeLine(
  { id, record, depth, edgeType: edge, truncated, direction }: TreeNode & { readonly direction: Direction },
  call: Call,
): string {
  const lead = depth === 0 ? "" : `${"  ".repeat(depth - 1)}${direction === "up" ? "← " : "→ "}`;
  const kind = edge === undefined || edge === "blocks" ? [] : [`(${cleanLine(edge)})`];
  const note = [...kind, ...(truncated ? ["…"] : [])].join(" ");
  if (record === undefined) return `${lead}${cleanLine(id)} (not in this store) ${note}`.trimEnd();
  return beadLine(record, call, { lead, ...(note === "" ? {} : { note }) });
}

export const depCyclesCommand: BdCommand = {
  name: "dep cycles",
  group: "Dependencies",
  summary: "beads that wait for each other in a circle",
  flags: [allStoresFlag],
  run: (call) => {
    const circles = scopeOf(call).flatMap((graph) => cyclesOf(graph).map((ids) => ({ graph, ids })));
    return {
      text:
        circles.length === 0
          ? "No dependency cycles."
          : circles.map(({ ids }, i) => `${i + 1}. ${[...ids, ids[0]].join(" → ")}`).join("\n"),
      json: circles.map(({ graph, ids }) =>
        ids
          .map((id) => graph.get(id))
          .filter((record) => record !== undefined)
          .map(shortBead),
      ),
    };
  },
};

export const blockedCommand: BdCommand = {
  name: "blocked",
  group: "Finding work",
  summary: "beads that wait for others, and for which",
  flags: [
    text("parent", "ID", "only below this bead"),
    number("limit", "N", "at most N; default all", "n"),
    allStoresFlag,
  ],
  run: blocked,
};

async function blocked(call: Call): Promise<Answer> {
  const parent = call.flags.text("parent");
  const root = parent === undefined ? undefined : findBead(parent, call.context);
  const rows: { readonly record: BeadRecord; readonly by: readonly string[] }[] = [];
  for (const graph of root === undefined ? scopeOf(call) : [root.graph]) {
    const statuses = statusesOf(await settingsOf(graph, call.context));
    const below = root === undefined ? {} : { records: descendantsOf(graph, root.record.id) };
    for (const { record, blockedBy, heldBy } of blockedBeads(graph, { nowMs: call.now, statuses, ...below }))
      rows.push({ record, by: blockedBy.length > 0 ? blockedBy : heldBy.slice(0, 1) });
  }
  const { shown, truncated } = limited(rows, call.flags.number("limit"));
  return {
    text: rows.length === 0 ? "Nothing is blocked." : shown.map((row) => blockedLines(row, call)).join("\n"),
    json: shown.map(({ record, by }) => ({ ...shortBead(record), blocked_by_count: by.length, blocked_by: by })),
    ...(truncated === undefined ? {} : { truncated }),
  };
}

function blockedLines(
  { record, by }: { readonly record: BeadRecord; readonly by: readonly string[] },
  call: Call,
): string {
  if (call.isBrief) return `${briefLine(record)} < ${by.join(" ")}`;
  return `${beadLine(record, call)}\n    blocked by ${by.map(cleanLine).join(", ")}`;
}
