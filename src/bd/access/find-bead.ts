import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { resolveId } from "../../domain/work-graph/ids/parse-id.ts";
import { TownError } from "../../errors/town-error.ts";
import type { GraphReader, WorkGraph } from "../../ports/work-graph.ts";
import type { BdContext } from "../context.ts";

/** A bead with the store it lives in. */
export interface FoundBead {
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
}

function missing(id: string, { graphs }: Stores, near?: string): TownError {
  if (near !== undefined || !graphs.isAway(id)) return notFound(id, near);
  return new TownError("StoreNotOpen", `the store that ${id} belongs to is not open yet`, {
    hint: "try again in a moment",
  });
}

type Stores = Pick<BdContext, "graphs" | "home">;

/** The error tools look for: `no issue found matching "X"`. */
export function notFound(id: string, near?: string): TownError {
  return new TownError("NotFound", `no issue found matching "${id}"`, {
    hint: near === undefined ? "bd list --all shows what exists" : `did you mean ${near}?`,
  });
}

/** For reads: an exact id in any store, else a unique part of one, the home store first. Throws NotFound, AmbiguousId. */
export function findBead(text: string, stores: Stores): FoundBead {
  const found = exact(text, stores) ?? partial(text, stores);
  if (found === undefined) throw missing(text, stores);
  return found;
}

/** For writes: an exact id alone, so that a slip never changes another bead. The error names the one that was near. */
export function requireBead(id: string, stores: Stores): FoundBead {
  const found = exact(id, stores);
  if (found === undefined) throw missing(id, stores, nearId(id, stores));
  return found;
}

/** The store an exact id belongs to, also when nothing has that id. */
export function storeOf(id: string, stores: Stores): WorkGraph {
  return exact(id, stores)?.graph ?? stores.graphs.graphOf(id) ?? stores.home;
}

/**
 * Refuses a dependency on a bead that is not there. What other stores hold may not be known yet, and `external:` names
 * something outside of all of them. Throws NotFound.
 */
export function requireTarget(id: string, from: WorkGraph, stores: Stores): void {
  if (!id.startsWith("external:") && storeOf(id, stores).prefix === from.prefix) requireBead(id, stores);
}

/** Checks inside a transaction that a bead is (still) there. */
export function requireIn(graph: GraphReader, id: string): BeadRecord {
  const record = graph.get(id);
  if (record === undefined) throw notFound(id);
  return record;
}

function exact(id: string, { graphs, home }: Stores): FoundBead | undefined {
  const owner = graphs.graphOf(id);
  for (const graph of owner === undefined || owner === home ? [home] : [owner, home]) {
    const record = graph.get(id);
    if (record !== undefined) return { graph, record };
  }
  return undefined;
}

function partial(text: string, { graphs, home }: Stores): FoundBead | undefined {
  for (const graph of [home, ...graphs.all().filter((other) => other !== home)]) {
    const id = resolveIn(text, graph);
    const record = id === undefined ? undefined : graph.get(id);
    if (record !== undefined) return { graph, record };
  }
  return undefined;
}

function resolveIn(text: string, graph: WorkGraph): string | undefined {
  return resolveId(text, graph.prefix, {
    has: (id) => graph.get(id) !== undefined,
    all: () =>
      graph
        .sketches()
        .map(({ id }) => id)
        .sort(),
  });
}

function nearId(id: string, stores: Stores): string | undefined {
  try {
    return partial(id, stores)?.record.id;
  } catch (error) {
    // Several fit: the caller's error is that none does exactly.
    if (error instanceof TownError) return undefined;
    throw error;
  }
}
