import { prefixOf } from "../domain/work-graph/ids/parse-id.ts";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { providesLabel } from "../domain/work-graph/record/edges.ts";
import { TownError } from "../errors/town-error.ts";
import type { GraphChange, WorkGraph, WorkGraphs } from "../ports/work-graph.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import type { GitGraph } from "./git-graph.ts";

interface Holding {
  readonly graph: GitGraph;
  readonly unsubscribe: () => void;
}

/**
 * The stores of a process, by namespace, with ids routed by prefix and references between stores resolved: a bead that
 * waits for another store's bead is looked at again when that one changes.
 */
export class GraphDirectory implements WorkGraphs {
  readonly #holdings = new Map<string, Holding>();
  /** Prefixes of rigs whose store is not open (yet): what refers to them waits. */
  readonly #expected = new Map<string, string>();
  readonly #changed: (namespace: string, ids: readonly string[]) => void;

  /** `changed` is told of beads that may have become ready, or not ready any more, by a change in another store. */
  constructor(changed: (namespace: string, ids: readonly string[]) => void = () => undefined) {
    this.#changed = changed;
  }

  graph(namespace: string): WorkGraph | undefined {
    return this.#holdings.get(namespace)?.graph;
  }

  /** The store with everything this room offers beyond the port. */
  store(namespace: string): GitGraph | undefined {
    return this.#holdings.get(namespace)?.graph;
  }

  graphOf(id: string): WorkGraph | undefined {
    return this.storeOf(id);
  }

  storeOf(id: string): GitGraph | undefined {
    const prefix = prefixOf(id, this.#prefixes());
    for (const { graph } of this.#holdings.values()) if (graph.prefix === prefix) return graph;
    if (this.#isExpected(id)) return undefined;
    // Beads that came with a repository or a file keep the prefix they had there.
    for (const { graph } of this.#holdings.values()) if (graph.stored(id) !== undefined) return graph;
    return undefined;
  }

  isAway(id: string): boolean {
    return this.storeOf(id) === undefined && this.#isExpected(id);
  }

  all(): readonly WorkGraph[] {
    return this.stores();
  }

  stores(): readonly GitGraph[] {
    return [...this.#holdings.values()].map(({ graph }) => graph);
  }

  /** Takes a store in. Throws TownError `NamespaceTaken` or `PrefixTaken`. */
  add(graph: GitGraph): void {
    if (this.#holdings.has(graph.namespace)) {
      throw new TownError("NamespaceTaken", `Cannot add a work graph for ${graph.namespace}: there is one.`, {
        hint: "Remove the other one first.",
      });
    }
    const other = this.stores().find(({ prefix }) => prefix === graph.prefix);
    if (other !== undefined) {
      throw new TownError(
        "PrefixTaken",
        `Cannot add the work graph of ${graph.namespace}: ${other.namespace} has the prefix '${graph.prefix}' too.`,
        {
          hint: "Give one of the rigs another spec.prefix.",
        },
      );
    }
    graph.connect(this.#foreignFor(graph));
    this.#holdings.set(graph.namespace, {
      graph,
      unsubscribe: graph.subscribe((changes) => this.#spread(graph, changes)),
    });
    this.#expected.delete(graph.namespace);
    this.#refresh(graph);
  }

  /** Lets a store go without closing it. What refers to its beads waits until it is back or forgotten. */
  remove(namespace: string): void {
    const holding = this.#holdings.get(namespace);
    if (holding === undefined) return;
    holding.unsubscribe();
    this.#holdings.delete(namespace);
    this.#expected.set(namespace, holding.graph.prefix);
    this.#refresh();
  }

  /** A rig with this prefix exists though its store is not open: references to it hold work back instead of dangling. */
  expect(namespace: string, prefix: string): void {
    if (this.#holdings.has(namespace) || this.#expected.get(namespace) === prefix) return;
    this.#expected.set(namespace, prefix);
    this.#refresh();
  }

  /** There is no such rig any more: what waited for its beads waits for nothing. */
  forget(namespace: string): void {
    if (this.#expected.delete(namespace)) this.#refresh();
  }

  async close(): Promise<void> {
    const graphs = this.stores();
    for (const { unsubscribe } of this.#holdings.values()) unsubscribe();
    this.#holdings.clear();
    await Promise.all(graphs.map((graph) => graph.close()));
  }

  #isExpected(id: string): boolean {
    const prefix = prefixOf(id, this.#prefixes());
    for (const expected of this.#expected.values()) if (expected === prefix) return true;
    return false;
  }

  #prefixes(): readonly string[] {
    return [...this.stores().map(({ prefix }) => prefix), ...this.#expected.values()];
  }

  #foreignFor(own: GitGraph): ForeignBeads {
    const other = (id: string): GitGraph | undefined => {
      const owner = this.storeOf(id);
      return owner === own ? undefined : owner;
    };
    return {
      lookup: (id) => {
        const owner = other(id);
        if (owner !== undefined) return owner.get(id) ?? "Missing";
        return this.#isExpected(id) ? "Unavailable" : undefined;
      },
      holds: (id) => other(id)?.holdsDescendants(id) ?? false,
      provides: (project, capability) => {
        const provider = this.stores().find(({ namespace, prefix }) => namespace === project || prefix === project);
        return (
          provider !== undefined && provider.list({ label: providesLabel(capability), status: ["closed"] }).length > 0
        );
      },
    };
  }

  /** Tells the other stores which of the ids they refer to changed. */
  #spread(from: GitGraph, changes: readonly GraphChange[]): void {
    const ids = new Set<string>();
    const external = new Set<string>();
    for (const { id, before, after } of changes) {
      ids.add(id);
      for (const capability of capabilitiesOf(before, after)) {
        for (const project of [from.namespace, from.prefix]) external.add(`external:${project}:${capability}`);
      }
      // A foreign child of an epic is held by what happens to the epic's ancestors and blockers too.
      for (const reached of from.reachOf(id)) ids.add(reached);
    }
    for (const graph of this.stores()) this.#tell(graph, graph === from ? external : [...ids, ...external]);
  }

  #refresh(changed?: GitGraph): void {
    for (const graph of this.stores()) if (graph !== changed) this.#tell(graph, graph.foreignTargets());
  }

  #tell(graph: GitGraph, foreign: Iterable<string>): void {
    const waiting = new Set<string>();
    for (const id of foreign) for (const { issue_id: own } of graph.dependentsOf(id)) waiting.add(own);
    graph.foreignChanged(foreign);
    if (waiting.size > 0) this.#changed(graph.namespace, [...waiting]);
  }
}

function capabilitiesOf(...records: readonly (BeadRecord | undefined)[]): readonly string[] {
  const labels = records.flatMap((record) =>
    Array.isArray(record?.labels) ? (record.labels as readonly string[]) : [],
  );
  return labels.filter((label) => label.startsWith("provides:")).map((label) => label.slice("provides:".length));
}
