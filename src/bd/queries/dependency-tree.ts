import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

type Direction = "up" | "down";

export interface TreeNode {
  readonly record: BeadRecord;
  readonly depth: number;
  readonly parentId: string | undefined;
  /** The edge that led here. */
  readonly edge: { readonly type: string; readonly direction: Direction } | undefined;
  /** Its own dependencies are not followed: too deep, or shown above. */
  readonly truncated: boolean;
}

export interface TreeOptions {
  readonly directions: readonly Direction[];
  readonly maxDepth: number;
  readonly type?: string;
  readonly lookup: (id: string) => BeadRecord | undefined;
}

/** What a bead depends on (down) and what depends on it (up), depth first; a bead that is met again is not followed twice. */
export function dependencyTree(graph: GraphReader, root: BeadRecord, options: TreeOptions): readonly TreeNode[] {
  const nodes: TreeNode[] = [{ record: root, depth: 0, parentId: undefined, edge: undefined, truncated: false }];
  for (const direction of options.directions) {
    const seen = new Set([root.id]);
    const open = nextOf(graph, root, direction, 1, options).toReversed();
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const isKnown = seen.has(node.record.id);
      seen.add(node.record.id);
      const next = isKnown ? [] : nextOf(graph, node.record, direction, node.depth + 1, options);
      const isTooDeep = node.depth >= options.maxDepth;
      const hasMore = isKnown || (isTooDeep && next.length > 0);
      nodes.push({ ...node, truncated: hasMore });
      if (!isTooDeep) open.push(...next.toReversed());
    }
  }
  return nodes;
}

function nextOf(
  graph: GraphReader,
  record: BeadRecord,
  direction: Direction,
  depth: number,
  { type, lookup }: TreeOptions,
): readonly TreeNode[] {
  const edges =
    direction === "down"
      ? edgesOf(record).map((edge) => ({ edge, id: edge.depends_on_id }))
      : graph.dependentsOf(record.id).map((edge) => ({ edge, id: edge.issue_id }));
  return edges.flatMap(({ edge, id }) => {
    const other = type === undefined || edge.type === type ? lookup(id) : undefined;
    if (other === undefined) return [];
    return [{ record: other, depth, parentId: record.id, edge: { type: edge.type, direction }, truncated: false }];
  });
}

/** The tree as a Mermaid flow chart (https://mermaid.js.org/syntax/flowchart.html). */
export function mermaid(nodes: readonly TreeNode[]): string {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const known = names.get(id) ?? `n${names.size}`;
    names.set(id, known);
    return known;
  };
  const boxes = new Map(
    nodes.map(({ record }) => [record.id, `  ${nameOf(record.id)}["${record.id}: ${quoted(record.title)}"]`]),
  );
  const arrows = nodes.flatMap(({ record, parentId, edge }) => {
    if (parentId === undefined || edge === undefined) return [];
    const [from, to] = edge.direction === "down" ? [parentId, record.id] : [record.id, parentId];
    return [`  ${nameOf(from)} -->${edge.type === "blocks" ? "" : `|${edge.type}|`} ${nameOf(to)}`];
  });
  return ["flowchart TD", ...boxes.values(), ...new Set(arrows)].join("\n");
}

function quoted(text: string): string {
  return text.replace(/["\n]/g, " ");
}
