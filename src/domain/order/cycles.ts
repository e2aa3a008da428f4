import { components } from "./components.ts";

/**
 * The cycles of a directed graph, one per strongly connected component, as a closed walk (`a, b, a`) that begins with
 * the component's first node in the order of `nodes`. Time is linear in nodes and edges plus, per component, its own
 * size; recursion is not used, so long chains are fine. Edges to unknown nodes are ignored.
 */
export function findCycles(
  nodes: readonly string[],
  edgesOf: (node: string) => readonly string[],
): readonly (readonly string[])[] {
  const known = new Set(nodes);
  const targets = (node: string): readonly string[] => edgesOf(node).filter((target) => known.has(target));
  const order = new Map(nodes.map((node, index) => [node, index]));
  const cycles: (readonly string[])[] = [];
  for (const component of components(nodes, targets)) {
    const members = new Set(component);
    const first = component.reduce((a, b) => ((order.get(a) ?? 0) <= (order.get(b) ?? 0) ? a : b));
    const inside = (node: string): readonly string[] => targets(node).filter((target) => members.has(target));
    if (component.length > 1 || inside(first).includes(first)) cycles.push(shortestWalkBack(first, inside));
  }
  return cycles.sort((a, b) => (order.get(a[0] ?? "") ?? 0) - (order.get(b[0] ?? "") ?? 0));
}

function shortestWalkBack(start: string, inside: (node: string) => readonly string[]): readonly string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const node of queue) {
    for (const target of inside(node)) {
      if (target === start) return [...wayTo(node, start, cameFrom), start];
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, node);
      queue.push(target);
    }
  }
  return [start];
}

function wayTo(node: string, start: string, cameFrom: ReadonlyMap<string, string>): readonly string[] {
  const way = [node];
  for (let at = node; at !== start; ) {
    at = cameFrom.get(at) ?? start;
    way.push(at);
  }
  return way.reverse();
}
