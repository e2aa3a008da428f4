import type { BeadRecord } from "../bead.ts";
import { edgesOf } from "../record/edges.ts";
import type { GraphView } from "./graph-view.ts";

export interface TreeNode {
  readonly id: string;
  /** Undefined: the id refers to nothing here. */
  readonly record: BeadRecord | undefined;
  readonly depth: number;
  readonly parentId: string | undefined;
  /** Type of the edge from the node above. */
  readonly edgeType: string | undefined;
  /** It was shown before, or the depth ends here: what is below it is left out. */
  readonly truncated: boolean;
}

export interface TreeOptions {
  /** Down: what it depends on. Up: what depends on it. */
  readonly direction: "down" | "up";
  /** Default 50. */
  readonly maxDepth?: number;
  /** Only these types of dependency. Default all. */
  readonly types?: readonly string[];
}

/** The dependencies of a bead as rows in the order of a printed tree; each bead is followed once. */
export function dependencyTree(view: GraphView, root: string, options: TreeOptions): readonly TreeNode[] {
  const rows: TreeNode[] = [];
  const seen = new Set<string>();
  const maxDepth = options.maxDepth ?? 50;
  const open: Omit<TreeNode, "record" | "truncated">[] = [
    { id: root, depth: 0, parentId: undefined, edgeType: undefined },
  ];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { id, depth } = node;
    const next = neighbours(view, id, options);
    const truncated = next.length > 0 && (seen.has(id) || depth >= maxDepth);
    rows.push({ ...node, record: view.get(id), truncated });
    if (truncated || seen.has(id)) continue;
    seen.add(id);
    for (const { id: below, type } of [...next].reverse())
      open.push({ id: below, depth: depth + 1, parentId: id, edgeType: type });
  }
  return rows;
}

function neighbours(
  view: GraphView,
  id: string,
  { direction, types }: TreeOptions,
): readonly { readonly id: string; readonly type: string }[] {
  const edges = direction === "down" ? edgesOf(view.get(id)) : view.dependentsOf(id);
  return edges
    .filter(({ type }) => types === undefined || types.includes(type))
    .map((edge) => ({ id: direction === "down" ? edge.depends_on_id : edge.issue_id, type: edge.type }));
}
