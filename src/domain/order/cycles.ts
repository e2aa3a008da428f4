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

interface Visit {
  readonly node: string;
  readonly targets: readonly string[];
  next: number;
}

/** Tarjan's algorithm with its own stack. */
function components(
  nodes: readonly string[],
  targets: (node: string) => readonly string[],
): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: string[][] = [];
  const enter = (node: string): Visit => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    open.push(node);
    isOpen.add(node);
    return { node, targets: targets(node), next: 0 };
  };
  const lower = (node: string, to: number): void => {
    low.set(node, Math.min(low.get(node) ?? to, to));
  };
  const close = (node: string): void => {
    if (low.get(node) !== index.get(node)) return;
    const component = open.splice(open.lastIndexOf(node));
    for (const member of component) isOpen.delete(member);
    found.push(component);
  };
  for (const root of nodes) {
    const path: Visit[] = index.has(root) ? [] : [enter(root)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const target = visit.targets[visit.next];
      visit.next += 1;
      if (target === undefined) {
        path.pop();
        close(visit.node);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(visit.node) ?? 0);
      } else if (!index.has(target)) path.push(enter(target));
      else if (isOpen.has(target)) lower(visit.node, index.get(target) ?? 0);
    }
  }
  return found;
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
