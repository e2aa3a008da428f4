interface Visit<Node> {
  readonly node: Node;
  readonly targets: readonly Node[];
  next: number;
}

/**
 * The strongly connected components of what can be reached from `roots`, each once, a component before those that lead to
 * it. Tarjan's algorithm with a stack of its own: chains of 100,000 nodes must not end in a stack overflow. Linear in
 * nodes and edges.
 */
export function* components<Node>(
  roots: Iterable<Node>,
  targetsOf: (node: Node) => readonly Node[],
): Generator<readonly Node[]> {
  const index = new Map<Node, number>();
  const low = new Map<Node, number>();
  const open: Node[] = [];
  const isOpen = new Set<Node>();
  const enter = (node: Node): Visit<Node> => {
    low.set(node, index.size);
    index.set(node, index.size);
    open.push(node);
    isOpen.add(node);
    return { node, targets: targetsOf(node), next: 0 };
  };
  const lower = (node: Node, to: number): void => {
    low.set(node, Math.min(low.get(node) ?? to, to));
  };
  /** The component that ends with this node; undefined while an earlier node may still belong to it. */
  const closed = (node: Node): readonly Node[] | undefined => {
    if (low.get(node) !== index.get(node)) return undefined;
    const component = open.splice(open.lastIndexOf(node));
    for (const member of component) isOpen.delete(member);
    return component;
  };
  for (const root of roots) {
    const path = index.has(root) ? [] : [enter(root)];
    for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
      const target = visit.targets[visit.next];
      visit.next += 1;
      if (target === undefined) {
        path.pop();
        const component = closed(visit.node);
        if (component !== undefined) yield component;
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(visit.node) ?? 0);
      } else if (!index.has(target)) path.push(enter(target));
      else if (isOpen.has(target)) lower(visit.node, index.get(target) ?? 0);
    }
  }
}
