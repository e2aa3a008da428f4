import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { fenceOf } from "../domain/work-graph/record/facts.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { AGENT, agentRecord, hookOf } from "./agent-record.ts";

/** Which hooking of which bead a session was shown. The fence tells two hookings of one bead apart. */
export interface Acknowledgement {
  readonly bead: string;
  readonly fence: number;
  readonly generation: number;
  /** ISO 8601. */
  readonly at: string;
}

interface ReadingSession {
  readonly name: string;
  readonly identity: string;
  readonly generation: number;
}

/** The bead on the hook, claimed for this session. Undefined when nothing is on the hook. */
export function readHook(tx: GraphTransaction, session: ReadingSession): BeadRecord | undefined {
  const held = hookOf(tx, session.identity);
  if (held?.status !== "hooked") return held;
  return tx.claim(held.id, session.identity, { status: "in_progress", generation: session.generation });
}

/** Takes note that the session knows this hooking of the bead; nothing when it is on its hook no more. */
export function acknowledgeHook(
  tx: GraphTransaction,
  session: ReadingSession,
  hook: Pick<Acknowledgement, "bead" | "fence">,
): void {
  const held = hookOf(tx, session.identity);
  const record = agentRecord(tx, session.name);
  if (held?.id !== hook.bead || fenceOf(held) !== hook.fence || record === undefined) return;
  if (isAcknowledged(record, held, session.generation)) return;
  const at = new Date(tx.now).toISOString();
  const acknowledged: Acknowledgement = { ...hook, generation: session.generation, at };
  tx.setMetadata(record.id, { [AGENT.acknowledged]: acknowledged });
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
