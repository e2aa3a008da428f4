import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { endReturn } from "./returned.ts";

const SLING_KEY = "town.sling";
const SLUNG_WISP = "slung-wisp";

/** Says that a bead is to be worked as soon as it is ready. */
export interface Sling {
  /** Only agents of this pool; else of any Ephemeral pool of the namespace. */
  readonly pool?: string;
  /** Poured instead of the pool's or role's formula. */
  readonly formula?: string;
  /** Values of the formula's variables. */
  readonly values?: Readonly<Record<string, string>>;
}

export function slingOf(bead: BeadRecord | undefined): Sling | undefined {
  const value = bead?.metadata?.[SLING_KEY];
  return typeof value === "object" && value !== null ? (value as Sling) : undefined;
}

/** Marks a bead for dispatch; it is taken once it is ready, whenever that is. Its author does not get it back then. */
export function markSlung(tx: GraphTransaction, id: string, sling: Sling): void {
  endReturn(tx, id);
  tx.setMetadata(id, { [SLING_KEY]: sling });
  if (tx.get(id)?.ephemeral === true) tx.addLabel(id, SLUNG_WISP);
}

/** Wisps that are slung and ready: lists of ready work leave wisps out. */
export function readyWisps(graph: GraphReader): readonly BeadRecord[] {
  return graph.list({ label: SLUNG_WISP, status: ["open"] }).filter(({ id }) => !graph.isBlocked(id));
}

/** What slinging this bead means: itself, or for an epic its open descendants that are no epics. */
export function workOf(graph: GraphReader, id: string): readonly BeadRecord[] {
  const bead = graph.get(id);
  if (bead === undefined) return [];
  if (bead.issue_type !== "epic") return [bead];
  return graph
    .childrenOf(id)
    .filter((child) => child.status !== "closed")
    .flatMap((child) => workOf(graph, child.id));
}
