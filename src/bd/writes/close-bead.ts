import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../../ports/work-graph.ts";
import { mayForce, requireMayChange, requireNotOnHook } from "../access/limits.ts";
import { requireIn } from "../access/find-bead.ts";
import type { Call } from "../command.ts";

export interface Closing {
  readonly reason?: string | undefined;
  readonly force?: boolean;
}

export interface ClosedBead {
  readonly closed: BeadRecord;
  /** For a step of a molecule: the one to do now, or that there is none. */
  readonly step?: { readonly next: BeadRecord | undefined };
  /** Parents that were closed because this was the last of their steps. */
  readonly parents: readonly BeadRecord[];
  readonly wasClosed: boolean;
}

/** Closes a bead by the rules of the work graph, a step by those of its molecule. */
export function closeBead(
  tx: GraphTransaction,
  id: string,
  closing: Closing,
  by: Pick<Call, "context" | "author">,
): ClosedBead {
  const before = requireIn(tx, id);
  const wasClosed = before.status === "closed";
  const step = by.context.closeStep?.(tx, id, closing.reason);
  if (step !== undefined) return { closed: step.closed, step: { next: step.next }, parents: [], wasClosed };
  if (!wasClosed) {
    requireMayChange(by, before, "close");
    requireNotOnHook(by, id);
  }
  const closed = tx.close(id, {
    ...(closing.reason === undefined ? {} : { reason: closing.reason }),
    force: closing.force === true && mayForce(by, before),
  });
  by.context.changedStatus?.(tx, id);
  return { closed, parents: wasClosed ? [] : closeFinishedParents(tx, closed), wasClosed };
}

/** Workflows and wisps end with their last step; epics stay open until somebody says that they are done. */
function closeFinishedParents(tx: GraphTransaction, child: BeadRecord): readonly BeadRecord[] {
  const parent = tx.parentOf(child.id);
  if (parent === undefined || parent.status === "closed" || tx.get(parent.id) === undefined) return [];
  if (parent.issue_type !== "molecule" && parent.ephemeral !== true) return [];
  if (tx.childrenOf(parent.id).some(({ status }) => status !== "closed")) return [];
  const closed = tx.close(parent.id, { reason: "All steps complete" });
  return [closed, ...closeFinishedParents(tx, closed)];
}

/** Open beads that waited for this one alone and are ready now that it is closed. */
export function unblockedBy(graph: GraphReader, id: string): readonly BeadRecord[] {
  const waiting = graph
    .dependentsOf(id)
    .filter(({ type }) => type !== "parent-child")
    .map(({ issue_id }) => graph.get(issue_id))
    .filter((record) => record !== undefined);
  const seen = new Set<string>();
  return waiting.filter((record) => {
    if (seen.has(record.id) || record.status === "closed" || graph.isBlocked(record.id)) return false;
    seen.add(record.id);
    return true;
  });
}
