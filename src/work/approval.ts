import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";

/** Metadata key of a merge request: who approved its commit, with the time in ms. */
const APPROVALS = "town.approvals";

/** Who approved a merge request, the first one first. New commits make a new request, which nobody approved yet. */
export function approvedBy(request: BeadRecord): readonly string[] {
  const approvals = (request.metadata?.[APPROVALS] ?? {}) as Readonly<Record<string, number>>;
  return Object.entries(approvals)
    .toSorted(([, a], [, b]) => a - b)
    .map(([name]) => name);
}

/** Repeating it changes nothing. */
export function approve(tx: GraphTransaction, request: BeadRecord, by: string): void {
  if (approvedBy(request).includes(by)) return;
  const approvals = (request.metadata?.[APPROVALS] ?? {}) as Readonly<Record<string, number>>;
  tx.setMetadata(request.id, { [APPROVALS]: { ...approvals, [by]: tx.now } });
}
