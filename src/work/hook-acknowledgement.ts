import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { fenceOf } from "../domain/work-graph/record/facts.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { AGENT, agentRecord, hookOf } from "./agent-record.ts";

/** Which hooking of which bead a session has read. The fence tells two hookings of one bead apart. */
export interface Acknowledgement {
  readonly bead: string;
  readonly fence: number;
  readonly generation: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Reads the hook for a session and takes note that it did, in one transaction. Undefined when nothing is on the hook. */
export function acknowledgeHook(
  tx: GraphTransaction,
  session: { readonly name: string; readonly identity: string; readonly generation: number },
): BeadRecord | undefined {
  const held = hookOf(tx, session.identity);
  if (held === undefined) return undefined;
  const { generation } = session;
  const bead =
    held.status === "hooked" ? tx.claim(held.id, session.identity, { status: "in_progress", generation }) : held;
  const record = agentRecord(tx, session.name);
  if (record !== undefined && !isAcknowledged(record, bead, generation)) {
    const at = new Date(tx.now).toISOString();
    const acknowledged: Acknowledgement = { bead: bead.id, fence: fenceOf(bead), generation, at };
    tx.setMetadata(record.id, { [AGENT.acknowledged]: acknowledged });
  }
  return bead;
}

export function acknowledgementOf(agent: BeadRecord | undefined): Acknowledgement | undefined {
  const value = agent?.metadata?.[AGENT.acknowledged];
  return typeof value === "object" && value !== null ? (value as Acknowledgement) : undefined;
}

/** Whether the session of that generation has read this hooking of the bead. */
export function isAcknowledged(agent: BeadRecord | undefined, bead: BeadRecord, generation: number): boolean {
  const last = acknowledgementOf(agent);
  return last?.bead === bead.id && last.fence === fenceOf(bead) && last.generation === generation;
}
