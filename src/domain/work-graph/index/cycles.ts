import { components } from "../../order/components.ts";
import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { blockingTypes, edgesOf, parentChild, waitsForOf } from "../record/edges.ts";
import type { RecordSource } from "./record-source.ts";

/*
 * What waits for what, exactly. A record has a start and an end, and an end needs its start. `A blocks on B`: the start of
 * A needs the end of B. A child's start needs its parent's start (blockedness passes down) and a parent's end needs its
 * children's ends (an epic closes last). waits-for X: the start needs the ends of X's children. A cycle among these nodes
 * is a deadlock, whatever mixture of types made it; anything else is fine, such as siblings that block each other in order.
 */
type Node = `${"s" | "e" | "k"}${string}`;

/** Ids on a deadlock that the edge `from → to` would close, in order; undefined when it closes none. */
export function cycleThrough(source: RecordSource, edge: DependencyEdge): readonly string[] | undefined {
  if (!blockingTypes.has(edge.type) && edge.type !== parentChild) return undefined;
  const child = edge.issue_id;
  const target = edge.depends_on_id;
  const graph = new WaitGraph(source, edge);
  const starts: readonly (readonly [Node, Node])[] =
    edge.type === parentChild
      ? [
          [`s${target}`, `s${child}`],
          [`e${child}`, `e${target}`],
          [`e${child}`, `k${target}`],
        ]
      : edge.type === "waits-for"
        ? [[`k${waitsForOf(edge).spawnerId}`, `s${child}`]]
        : [[`e${target}`, `s${child}`]];
  for (const [from, to] of starts) {
    const path = graph.path(from, to);
    if (path !== undefined) return distinctIds(path);
  }
  return undefined;
}

/** Groups of records that wait for each other in a circle; each group sorted, groups by their first id. */
export function findCycles(source: RecordSource, records: Iterable<BeadRecord>): readonly (readonly string[])[] {
  const graph = new WaitGraph(source);
  const roots: Node[] = [];
  for (const record of records) if (edgesOf(record).length > 0) roots.push(`s${record.id}`);
  const groups: (readonly string[])[] = [];
  for (const nodes of components(roots, (node) => graph.needs(node)))
    if (nodes.length > 1 || nodes.some((node) => graph.needs(node).includes(node)))
      groups.push([...distinctIds(nodes)].sort());
  return groups.sort((a, b) => ((a[0] ?? "") < (b[0] ?? "") ? -1 : 1));
}

class WaitGraph {
  readonly #source: RecordSource;
  readonly #extra: DependencyEdge | undefined;

  constructor(source: RecordSource, extra?: DependencyEdge) {
    this.#source = source;
    this.#extra = extra;
  }

  needs(node: Node): readonly Node[] {
    const id = node.slice(1);
    if (node.startsWith("s")) return this.#startNeeds(id);
    const children = this.#childIds(id).map((child): Node => `e${child}`);
    return node.startsWith("e") ? [`s${id}`, ...children] : children;
  }

  #startNeeds(id: string): readonly Node[] {
    const needs: Node[] = [];
    for (const edge of this.#edgesFrom(id)) {
      if (edge.type === parentChild) needs.push(`s${edge.depends_on_id}`);
      else if (edge.type === "waits-for") needs.push(`k${waitsForOf(edge).spawnerId}`);
      else if (blockingTypes.has(edge.type)) needs.push(`e${edge.depends_on_id}`);
    }
    return needs;
  }

  #edgesFrom(id: string): readonly DependencyEdge[] {
    const foreign = this.#source.facts(id) ?? this.#source.foreign.lookup(id);
    const edges = typeof foreign === "object" ? edgesOf(foreign) : [];
    return this.#extra?.issue_id === id ? [...edges, this.#extra] : edges;
  }

  #childIds(id: string): readonly string[] {
    const ids: string[] = [];
    for (const edge of this.#source.edgesTo(id)) if (edge.type === parentChild) ids.push(edge.issue_id);
    if (this.#extra?.type === parentChild && this.#extra.depends_on_id === id) ids.push(this.#extra.issue_id);
    return ids;
  }

  /** Nodes from `from` to `to`, each visited once: linear in records and edges. */
  path(from: Node, to: Node): readonly Node[] | undefined {
    const cameFrom = new Map<Node, Node | undefined>([[from, undefined]]);
    const open: Node[] = [from];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node === to) return walkBack(cameFrom, to);
      for (const next of this.needs(node)) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        open.push(next);
      }
    }
    return undefined;
  }
}

function walkBack(cameFrom: ReadonlyMap<Node, Node | undefined>, end: Node): readonly Node[] {
  const path: Node[] = [];
  for (let node: Node | undefined = end; node !== undefined; node = cameFrom.get(node)) path.unshift(node);
  return path;
}

function distinctIds(path: readonly Node[]): readonly string[] {
  return [...new Set(path.map((node) => node.slice(1)))];
}
