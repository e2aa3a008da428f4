import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { blockingTypes, edgesOf, knownEdgeTypes } from "../../domain/work-graph/record/edges.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { findBead, requireBead, storeOf } from "../access/find-bead.ts";
import { readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { Flag } from "../grammar/flag.ts";
import { also, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { shortBead } from "../output/bead-json.ts";
import { beadLine } from "../output/bead-line.ts";
import { findCircles } from "../queries/circles.ts";
import { dependencyTree, mermaid } from "../queries/dependency-tree.ts";
import { scopeOf, allStoresFlag } from "../access/scope.ts";
import { connect } from "../writes/create-bead.ts";
import { edgeType } from "../writes/dependency-spec.ts";

const typeFlag = text("type", "TYPE", "blocks (default), parent-child, related, discovered-from, waits-for, …", "t");
const addFlags: readonly Flag[] = [
  typeFlag,
  also(text("blocked-by", "ID", "the bead it waits for, instead of the second argument"), "depends-on"),
  text("blocks", "ID", "the bead that waits for this one"),
  text("file", "FILE", "edges as JSON lines: {issue_id, depends_on_id, type}; - for stdin"),
  text("gate", "GATE", "of waits-for: all-children (default) or any-children"),
];

export const depCommand: BdCommand = {
  name: "dep",
  group: "Dependencies",
  summary: "dependencies: `bd dep A --blocks B` makes B wait for A",
  args: "<id>",
  flags: addFlags,
  examples: ["bd dep add api-b api-a   # api-b depends on api-a", "bd dep api-a --blocks api-b", "bd dep tree api-b"],
  writes: true,
  run: (call) => {
    const [id] = call.args;
    if (id === undefined || call.args.length > 1 || !call.flags.has("blocks"))
      throw usageError(
        "bd dep needs a command, or `bd dep ID --blocks ID`",
        "commands: add, remove, list, tree, cycles",
      );
    return addOne(call, id, undefined);
  },
};

export const depAddCommand: BdCommand = {
  name: "dep add",
  aliases: ["link"],
  group: "Dependencies",
  summary: "the first bead depends on the second",
  args: "<id> <depends-on-id>",
  flags: addFlags,
  writes: true,
  run: (call) => {
    const { args, flags } = call;
    const file = flags.text("file");
    if (file !== undefined) return addMany(call, file);
    const [id, target] = args;
    if (id === undefined || args.length > 2)
      throw usageError(`accepts 2 arg(s), received ${args.length}`, "bd dep add ID DEPENDS-ON-ID");
    return addOne(call, id, target);
  },
};

export const depRemoveCommand: BdCommand = {
  name: "dep remove",
  aliases: ["dep rm"],
  group: "Dependencies",
  summary: "take a dependency away",
  args: "<id> <depends-on-id>",
  writes: true,
  run: async (call) => {
    const [id, target] = call.args;
    if (id === undefined || target === undefined || call.args.length > 2)
      throw usageError(`accepts 2 arg(s), received ${call.args.length}`, "bd dep remove ID DEPENDS-ON-ID");
    const { graph, record } = requireBead(id, call.context);
    if (!edgesOf(record).some((edge) => edge.depends_on_id === target))
      throw usageError(`${id} does not depend on ${target}`, `bd dep list ${id}`);
    await call.transact(graph, (tx) => tx.removeDependency(id, target));
    return {
      text: `${call.paint("green", "✓")} Removed dependency: ${id} no longer depends on ${target}`,
      json: { status: "removed", issue_id: id, depends_on_id: target },
    };
  },
};

interface Edge {
  readonly issue_id: string;
  readonly depends_on_id: string;
  readonly type: string;
  readonly metadata?: string;
}

async function addOne(call: Call, id: string, second: string | undefined): Promise<Answer> {
  const { flags } = call;
  const blocked = flags.text("blocks");
  const target = second ?? flags.text("blocked-by") ?? blocked;
  if (target === undefined) throw usageError("the bead it depends on is missing", "bd dep add ID DEPENDS-ON-ID");
  if (blocked !== undefined && (second !== undefined || flags.has("blocked-by")))
    throw usageError("--blocks already names the other bead", "bd dep A --blocks B");
  const type = edgeType(flags.text("type") ?? "blocks");
  const gate = flags.text("gate");
  const edge: Edge = {
    issue_id: blocked === undefined ? id : target,
    depends_on_id: blocked === undefined ? target : id,
    type,
    ...(gate === undefined ? {} : { metadata: JSON.stringify({ gate }) }),
  };
  await addEdges(call, [edge]);
  const added =
    blocked === undefined
      ? { issue_id: edge.issue_id, depends_on_id: edge.depends_on_id }
      : { blocker_id: id, blocked_id: target };
  return {
    text: `${call.paint("green", "✓")} Added dependency: ${edge.issue_id} depends on ${edge.depends_on_id} (${type})`,
    json: { status: "added", ...added, type },
    notes: knownEdgeTypes.includes(type)
      ? []
      : [`Note: edges of type ${type} are kept and have no effect on what is ready.`],
  };
}

async function addMany(call: Call, path: string): Promise<Answer> {
  const source = await readInput(path, call.context);
  const edges = source
    .split("\n")
    .flatMap((line, i): readonly Edge[] => (line.trim() === "" ? [] : [edgeOf(line, `${path}:${i + 1}`)]));
  await addEdges(call, edges);
  return {
    text: `${call.paint("green", "✓")} Added ${edges.length} dependencies`,
    json: { status: "added", count: edges.length, dependencies: edges },
  };
}

function edgeOf(line: string, place: string): Edge {
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = JSON.parse(line) as typeof value;
  } catch {
    throw usageError(`${place}: no JSON`, 'write {"issue_id":"A","depends_on_id":"B","type":"blocks"}');
  }
  const { issue_id: id, depends_on_id: target, type } = value ?? {};
  if (typeof id !== "string" || typeof target !== "string")
    throw usageError(`${place}: issue_id and depends_on_id are required`);
  return { issue_id: id, depends_on_id: target, type: edgeType(typeof type === "string" ? type : "blocks") };
}

/** All edges of one store in one transaction: a circle among them refuses them all. */
async function addEdges(call: Call, edges: readonly Edge[]): Promise<void> {
  const byStore = new Map<WorkGraph, Edge[]>();
  for (const edge of edges) {
    const { graph } = requireBead(edge.issue_id, call.context);
    if (
      !edge.depends_on_id.startsWith("external:") &&
      storeOf(edge.depends_on_id, call.context).prefix === graph.prefix
    )
      requireBead(edge.depends_on_id, call.context);
    const known = byStore.get(graph);
    if (known === undefined) byStore.set(graph, [edge]);
    else known.push(edge);
  }
  for (const [graph, own] of byStore)
    await call.transact(graph, (tx) => {
      for (const { issue_id: id, depends_on_id: other, type, metadata } of own)
        connect(tx, id, { other, type, direction: "Outgoing", ...(metadata === undefined ? {} : { metadata }) });
    });
}

const directionFlag = text("direction", "WAY", "down: what it depends on (default); up: what depends on it; both");

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
  const direction = directionOf(call);
  const wanted = flags.text("type");
  const rows = args.flatMap((id) => {
    const { graph, record } = findBead(id, call.context);
    const down = direction === "up" ? [] : edgesOf(record).map((edge) => ({ edge, other: edge.depends_on_id }));
    const up =
      direction === "down" ? [] : graph.dependentsOf(record.id).map((edge) => ({ edge, other: edge.issue_id }));
    return [...down, ...up]
      .filter(({ edge }) => wanted === undefined || edge.type === edgeType(wanted))
      .map(({ edge, other }) => ({ from: record.id, edge, other, bead: lookup(other, call) }));
  });
  return {
    text:
      rows.length === 0
        ? `${args.join(", ")}: no dependencies`
        : rows
            .map(({ from, edge, other, bead }) => {
              const sign = edge.depends_on_id === other ? "→" : "←";
              return `${from} ${sign} ${edge.type}: ${bead === undefined ? other : beadLine(bead, call)}`;
            })
            .join("\n"),
    json:
      args.length > 1
        ? rows.map(({ edge }) => edge)
        : rows.map(({ edge, other, bead }) => ({
            ...(bead === undefined ? { id: other, missing: true } : shortBead(bead)),
            dependency_type: edge.type,
          })),
  };
}

function lookup(id: string, { context }: Call): BeadRecord | undefined {
  return (context.graphs.graphOf(id) ?? context.home).get(id) ?? context.home.get(id);
}

function directionOf({ flags }: Call): "up" | "down" | "both" {
  const direction = flags.text("direction") ?? "down";
  if (direction === "up" || direction === "down" || direction === "both") return direction;
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
  ],
  run: depTree,
};

function depTree(call: Call): Answer {
  const { args, flags } = call;
  const [id] = args;
  if (id === undefined || args.length > 1)
    throw usageError(`accepts 1 arg(s), received ${args.length}`, "bd dep tree ID");
  const { graph, record } = findBead(id, call.context);
  const direction = directionOf(call);
  const type = flags.text("type");
  const nodes = dependencyTree(graph, record, {
    directions: direction === "both" ? ["down", "up"] : [direction],
    maxDepth: flags.number("max-depth") ?? 50,
    lookup: (other) => lookup(other, call),
    ...(type === undefined ? {} : { type: edgeType(type) }),
  });
  const format = flags.text("format");
  if (format !== undefined && format !== "mermaid") throw usageError(`invalid format "${format}"`, "use mermaid");
  if (format === "mermaid") return { text: mermaid(nodes) };
  return {
    text: nodes
      .map(({ record: shown, depth, edge, truncated }) => {
        const lead = depth === 0 ? "" : `${"  ".repeat(depth - 1)}${edge?.direction === "up" ? "← " : "→ "}`;
        const kind = edge === undefined || edge.type === "blocks" ? "" : ` (${edge.type})`;
        return `${lead}${beadLine(shown, { ...call, columns: undefined })}${kind}${truncated ? " …" : ""}`;
      })
      .join("\n"),
    json: nodes.map(({ record: shown, depth, parentId, edge, truncated }) => ({
      ...shortBead(shown),
      depth,
      parent_id: parentId ?? "",
      edge_from_parent: edge?.type ?? "",
      truncated,
    })),
  };
}

export const depCyclesCommand: BdCommand = {
  name: "dep cycles",
  group: "Dependencies",
  summary: "beads that wait for each other in a circle",
  flags: [allStoresFlag],
  run: (call) => {
    const circles = scopeOf(call).flatMap((graph) => findCircles(graph).map((ids) => ({ graph, ids })));
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
      exitCode: 0,
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
  run: (call) => {
    const parent = call.flags.text("parent");
    const root = parent === undefined ? undefined : findBead(parent, call.context).record.id;
    const rows = scopeOf(call).flatMap((graph) =>
      graph
        .list()
        .filter((record) => record.status !== "closed" && record.status !== "pinned" && graph.isBlocked(record.id))
        .filter((record) => root === undefined || isBelow(graph, record, root))
        .map((record) => ({ record, blockers: blockersOf(graph, record) })),
    );
    const limit = call.flags.number("limit") ?? 0;
    const shown = limit > 0 ? rows.slice(0, limit) : rows;
    return {
      text:
        rows.length === 0
          ? "Nothing is blocked."
          : shown
              .map(({ record, blockers }) => `${beadLine(record, call)}\n    blocked by ${blockers.join(", ")}`)
              .join("\n"),
      json: shown.map(({ record, blockers }) => ({
        ...shortBead(record),
        blocked_by_count: blockers.length,
        blocked_by: blockers,
      })),
      ...(shown.length < rows.length ? { truncated: { shown: shown.length, total: rows.length } } : {}),
    };
  },
};

function isBelow(graph: WorkGraph, record: BeadRecord, root: string): boolean {
  const seen = new Set<string>();
  for (let at = graph.parentOf(record.id); at !== undefined && !seen.has(at.id); at = graph.parentOf(at.id)) {
    if (at.id === root) return true;
    seen.add(at.id);
  }
  return false;
}

/** What holds a bead: its own open blockers, what it waits for elsewhere, else the parent that is held. */
export function blockersOf(graph: WorkGraph, record: BeadRecord): readonly string[] {
  const open = new Set(graph.blockersOf(record.id).map(({ id }) => id));
  const own = edgesOf(record)
    .filter((edge) => blockingTypes.has(edge.type))
    .map((edge) => edge.depends_on_id)
    .filter((id) => open.has(id) || (graph.get(id) === undefined && id.startsWith("external:")));
  const parent = graph.parentOf(record.id)?.id;
  if (own.length > 0 || parent === undefined) return own;
  return [parent];
}
