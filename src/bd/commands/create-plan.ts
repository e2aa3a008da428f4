import type { GraphTransaction } from "../../ports/work-graph.ts";
import { readInput } from "../access/files.ts";
import { requireMaySetMetadata } from "../access/limits.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, Call } from "../command.ts";
import { didYouMean } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";
import { customTypes, issueTypeOf } from "../values/issue-type.ts";
import { priorityOf } from "../values/priority.ts";
import type { PlannedBead } from "../writes/create-bead.ts";
import { connect, createBead } from "../writes/create-bead.ts";
import { edgeType } from "../writes/dependency-spec.ts";
import { counted } from "../output/counted.ts";

type Json = Readonly<Record<string, unknown>>;

interface PlanNode {
  readonly key: string;
  readonly fields: PlannedBead;
  /** Key of another node, or an id. */
  readonly parent: string | undefined;
  readonly deps: readonly { readonly target: string; readonly type: string }[];
  /** Metadata keys whose values are ids of other nodes. */
  readonly references: Readonly<Record<string, string>>;
}

interface PlanEdge {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly metadata?: string;
}

const planKeys = ["commit_message", "nodes", "edges"];
const textKeys = [
  "description",
  "design",
  "acceptance_criteria",
  "notes",
  "spec_id",
  "external_ref",
  "assignee",
  "owner",
  "due_at",
  "defer_until",
  "wisp_type",
  "mol_type",
] as const;
const nodeKeys = [
  ...textKeys,
  "key",
  "id",
  "title",
  "type",
  "priority",
  "estimate",
  "estimated_minutes",
  "labels",
  "metadata",
  "metadata_refs",
  "parent",
  "parent_key",
  "parent_id",
  "deps",
  "ephemeral",
  "pinned",
  "assign_after_create",
];
const edgeKeys = ["from_key", "from_id", "to_key", "to_id", "type", "gate", "spawner_key", "spawner_id"];

/**
 * `create --graph PLAN.json`: `{nodes: [{key, title, …}], edges: [{from_key, to_key, type}]}`, all in one transaction;
 * "from" depends on "to". Answers the ids by key. Throws TownError `Usage` with the place of what is wrong.
 */
export async function createFromPlan(call: Call, path: string): Promise<Answer> {
  if (call.args.length > 0) throw usageError("cannot use both a title and --graph", "leave the title out");
  const plan = parsePlan(path, await readInput(path, call.context));
  const settings = await settingsOf(call.home, call.context);
  const custom = customTypes(settings["types.custom"]);
  const nodes = items(path, plan, "nodes").map((node, i) => nodeOf(`${path}: nodes[${i}]`, node, custom, call));
  const keys = new Set<string>();
  for (const { key } of nodes) {
    if (keys.has(key)) throw usageError(`${path}: the key "${key}" is used twice`, "give every node a key of its own");
    keys.add(key);
  }
  const edges = items(path, plan, "edges").map((edge, i) => edgeOf(`${path}: edges[${i}]`, edge, keys));
  if (nodes.length === 0) throw usageError(`${path} holds no nodes`, 'write {"nodes":[{"key":"a","title":"…"}]}');
  if (call.flags.isSet("dry-run")) return dryRun(nodes, edges);
  const ids = new Map(await call.transact(call.home, (tx) => [...applyPlan(tx, nodes, edges)]));
  return {
    text: [
      `${call.paint("green", "✓")} Created ${counted(ids.size, "issue")}:`,
      ...[...ids].map(([key, id]) => `  ${key} → ${id}`),
    ].join("\n"),
    json: { ids: Object.fromEntries(ids) },
  };
}

function parsePlan(path: string, text: string): Json {
  try {
    const plan: unknown = JSON.parse(text);
    return checked(path, plan, planKeys);
  } catch (error) {
    if (error instanceof SyntaxError) throw usageError(`cannot read ${path}: ${error.message}`, "it must be JSON");
    throw error;
  }
}

function checked(place: string, value: unknown, keys: readonly string[]): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw usageError(`${place} must be an object`);
  for (const key of Object.keys(value))
    if (!keys.includes(key))
      throw usageError(`${place}: unknown field "${key}"`, didYouMean(key, keys) ?? `fields are ${keys.join(", ")}`);
  return value as Json;
}

/** A text or number as text. */
function scalar(place: string, value: Json, key: string): string | undefined {
  const found = value[key];
  if (found === undefined || found === null) return undefined;
  if (typeof found === "string" || typeof found === "number") return String(found);
  throw usageError(`${place}: ${key} must be a text`);
}

function items(path: string, plan: Json, key: string): readonly unknown[] {
  const value = plan[key] ?? [];
  if (!Array.isArray(value)) throw usageError(`${path}: ${key} must be a list`);
  return value;
}

function nodeOf(place: string, value: unknown, custom: readonly string[], call: Call): PlanNode {
  const node = checked(place, value, nodeKeys);
  const { key, title } = node;
  if (typeof key !== "string" || key === "") throw usageError(`${place}: key is required`);
  if (typeof title !== "string" || title.trim() === "") throw usageError(`${place} ("${key}"): title is required`);
  const metadata = (node["metadata"] ?? {}) as Json;
  requireMaySetMetadata(call, Object.keys(metadata));
  const estimate = node["estimated_minutes"] ?? node["estimate"];
  const fields: Record<string, unknown> = {
    ...Object.fromEntries(textKeys.map((name) => [name, node[name]])),
    title,
    id: node["id"],
    issue_type: issueTypeOf(scalar(place, node, "type") ?? "task", custom),
    priority: priorityOf(scalar(place, node, "priority") ?? "2"),
    owner: node["owner"] ?? call.context.owner,
    labels: node["labels"],
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    estimated_minutes: estimate,
    ephemeral: node["ephemeral"] === true || call.flags.isSet("ephemeral") ? true : undefined,
    pinned: node["pinned"] === true ? true : undefined,
  };
  const parent = scalar(place, node, "parent_key") ?? scalar(place, node, "parent") ?? scalar(place, node, "parent_id");
  return {
    key,
    fields: Object.fromEntries(
      Object.entries(fields).filter(([, field]) => field !== undefined),
    ) as unknown as PlannedBead,
    parent,
    deps: items(place, node, "deps").map((dep, i) => {
      const at = `${place}.deps[${i}]`;
      const value = checked(at, dep, ["target", "type"]);
      const target = scalar(at, value, "target") ?? "";
      if (target === "") throw usageError(`${at}: target is required`);
      return { target, type: edgeType(scalar(at, value, "type") ?? "blocks") };
    }),
    references: (node["metadata_refs"] ?? {}) as Readonly<Record<string, string>>,
  };
}

function edgeOf(place: string, value: unknown, keys: ReadonlySet<string>): PlanEdge {
  const edge = checked(place, value, edgeKeys);
  const end = (side: "from" | "to"): string => {
    const key = edge[`${side}_key`];
    if (typeof key === "string" && !keys.has(key))
      throw usageError(`${place}: ${side}_key "${key}" names no node`, didYouMean(key, keys));
    const name = key ?? edge[`${side}_id`];
    if (typeof name !== "string" || name === "") throw usageError(`${place}: ${side}_key or ${side}_id is required`);
    return name;
  };
  const spawner = edge["spawner_key"] ?? edge["spawner_id"];
  const gate = edge["gate"];
  const extra = { ...(gate === undefined ? {} : { gate }), ...(spawner === undefined ? {} : { spawner_id: spawner }) };
  return {
    from: end("from"),
    to: end("to"),
    type: edgeType(scalar(place, edge, "type") ?? "blocks"),
    ...(Object.keys(extra).length === 0 ? {} : { metadata: JSON.stringify(extra) }),
  };
}

/** Parents first, so that children get ids below theirs; then edges and references, when every id is known. */
function applyPlan(
  tx: GraphTransaction,
  nodes: readonly PlanNode[],
  edges: readonly PlanEdge[],
): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const idOf = (name: string): string => ids.get(name) ?? name;
  let waiting = nodes;
  while (waiting.length > 0) {
    const later: PlanNode[] = [];
    for (const node of waiting) {
      const parent = node.parent;
      if (parent !== undefined && !ids.has(parent) && nodes.some(({ key }) => key === parent)) later.push(node);
      else {
        const fields = parent === undefined ? node.fields : { ...node.fields, parent: idOf(parent) };
        ids.set(node.key, createBead(tx, { fields, dependencies: [] }).id);
      }
    }
    if (later.length === waiting.length)
      throw usageError(
        `the parents of ${later.map(({ key }) => key).join(", ")} form a circle`,
        "leave one parent out",
      );
    waiting = later;
  }
  for (const { key, deps, references } of nodes) {
    for (const { target, type } of deps) connect(tx, idOf(key), { other: idOf(target), type, direction: "Outgoing" });
    const metadata = Object.fromEntries(Object.entries(references).map(([name, target]) => [name, idOf(target)]));
    if (Object.keys(metadata).length > 0) tx.setMetadata(idOf(key), metadata);
  }
  for (const { from, to, type, metadata } of edges)
    connect(tx, idOf(from), {
      other: idOf(to),
      type,
      direction: "Outgoing",
      ...(metadata === undefined ? {} : { metadata: withIds(metadata, idOf) }),
    });
  return ids;
}

function withIds(metadata: string, idOf: (name: string) => string): string {
  const value = JSON.parse(metadata) as { spawner_id?: string };
  return JSON.stringify(value.spawner_id === undefined ? value : { ...value, spawner_id: idOf(value.spawner_id) });
}

function dryRun(nodes: readonly PlanNode[], edges: readonly PlanEdge[]): Answer {
  return {
    text: [
      `Would create ${counted(nodes.length, "issue")} and ${counted(edges.length, "edge")}:`,
      ...nodes.map(({ key, fields }) => `  ${key}: ${cleanLine(fields.title)}`),
    ].join("\n"),
    json: {
      dry_run: true,
      node_count: nodes.length,
      edge_count: edges.length,
      nodes: nodes.map(({ key, fields, parent }) => ({
        key,
        title: fields.title,
        type: fields.issue_type,
        priority: fields.priority,
        ...(parent === undefined ? {} : { parent }),
      })),
    },
  };
}
