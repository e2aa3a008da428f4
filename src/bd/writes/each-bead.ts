import type { GraphTransaction, WorkGraph } from "../../ports/work-graph.ts";
import { messageOf, TownError } from "../../errors/town-error.ts";
import type { Call } from "../command.ts";
import { requireBead, storeOf } from "../access/find-bead.ts";
import { usageError } from "../grammar/usage-error.ts";

export interface Outcome<T> {
  readonly id: string;
  readonly graph: WorkGraph;
  readonly value: T;
}

export interface Outcomes<T> {
  readonly done: readonly Outcome<T>[];
  /** One line for each bead that failed, for stderr. */
  readonly notes: readonly string[];
  /** 1 when any failed. */
  readonly exitCode: number;
}

/**
 * The same change of several beads, each a transaction of its own, so that one that fails does not take the others with it.
 * They are written together: the store joins transactions that wait. A single bead's failure is thrown as it is.
 */
export async function eachBead<T>(
  call: Call,
  ids: readonly string[],
  work: (tx: GraphTransaction, id: string, index: number) => T,
): Promise<Outcomes<T>> {
  if (ids.length === 0)
    throw usageError("requires at least 1 arg(s), only received 0", "name the beads by their full ids: bd list");
  const change = async (id: string, index: number): Promise<Outcome<T>> => {
    const about = ids.indexOf(id) === index ? id : `${id}/${index}`;
    const graph = storeOf(id, call.context);
    if (!call.hasChanged(graph, about)) requireBead(id, call.context);
    return { id, graph, value: await call.transact(graph, (tx) => work(tx, id, index), about) };
  };
  if (ids.length === 1) return { done: [await change(ids[0] ?? "", 0)], notes: [], exitCode: 0 };
  const settled = await Promise.allSettled(ids.map(change));
  const notes = settled.flatMap((result, i) =>
    result.status === "rejected" ? [failure(ids[i] ?? "", result.reason, call)] : [],
  );
  return {
    done: settled.filter((result) => result.status === "fulfilled").map(({ value }) => value),
    notes,
    exitCode: notes.length > 0 ? 1 : 0,
  };
}

function failure(id: string, error: unknown, { own }: Call): string {
  const hint = error instanceof TownError && error.hint !== undefined ? `\n  ${own(error.hint)}` : "";
  return `Error: ${id}: ${messageOf(error)}${hint}`;
}
