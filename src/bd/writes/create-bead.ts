import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { GraphTransaction, NewBead } from "../../ports/work-graph.ts";
import { TownError } from "../../errors/town-error.ts";
import { notFound } from "../access/find-bead.ts";
import { usageError } from "../grammar/usage-error.ts";
import type { DependencySpec } from "./dependency-spec.ts";

/** Fields of a bead to be made; type and priority are always stated. */
export type PlannedBead = NewBead & { readonly issue_type: string; readonly priority: number };

/** A bead to be made, with its place among the others. */
export interface BeadSpec {
  readonly fields: PlannedBead;
  readonly dependencies: readonly DependencySpec[];
}

/** Makes the bead and its dependencies, in both directions. Throws what the rules of the work graph throw. */
export function createBead(tx: GraphTransaction, { fields, dependencies }: BeadSpec): BeadRecord {
  requireTitle(fields.title);
  const origin = dependencies.find(({ type, direction }) => type === "discovered-from" && direction === "Outgoing");
  const owner =
    fields.owner ?? (fields.parent === undefined && origin !== undefined ? tx.get(origin.other)?.owner : undefined);
  const made = inBdWords(fields.parent, () => tx.create({ ...fields, ...(owner === undefined ? {} : { owner }) }));
  for (const dependency of dependencies) connect(tx, made.id, dependency);
  return tx.get(made.id) ?? made;
}

export function requireTitle(title: string | undefined): void {
  if (title === undefined || title.trim() === "")
    throw usageError("title is required", 'write: bd create "Title" -t task -p 2');
}

/** Adds a dependency in its direction. Throws TownError; a missing bead in bd's words. */
export function connect(tx: GraphTransaction, id: string, { other, type, direction, metadata }: DependencySpec): void {
  const [from, to] = direction === "Outgoing" ? [id, other] : [other, id];
  inBdWords(other, () => tx.addDependency(from, to, type, metadata));
}

function inBdWords<T>(id: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (id !== undefined && error instanceof TownError && error.reason === "NotFound") throw notFound(id);
    throw error;
  }
}
