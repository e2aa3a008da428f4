import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { requireBead, requireTarget } from "../access/find-bead.ts";
import { readInput } from "../access/files.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { twoArguments } from "../grammar/arguments.ts";
import type { Flag } from "../grammar/flag.ts";
import { also, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { connect } from "../writes/create-bead.ts";
import { edgeType, effectNote } from "../writes/dependency-spec.ts";
import { counted } from "../output/counted.ts";

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
    const [id, target] = twoArguments(call.args, "bd dep remove ID DEPENDS-ON-ID");
    const { graph, record } = requireBead(id, call.context);
    if (!call.hasChanged(graph) && !edgesOf(record).some((edge) => edge.depends_on_id === target))
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
    notes: effectNote(type),
  };
}

async function addMany(call: Call, path: string): Promise<Answer> {
  const source = await readInput(path, call.context);
  const edges = source
    .split("\n")
    .flatMap((line, i): readonly Edge[] => (line.trim() === "" ? [] : [edgeOf(line, `${path}:${i + 1}`)]));
  await addEdges(call, edges);
  return {
    text: `${call.paint("green", "✓")} Added ${counted(edges.length, "dependency", "dependencies")}`,
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
    requireTarget(edge.depends_on_id, graph, call.context);
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
