import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { timestamp } from "../resource/condition.ts";
import { AGENT } from "./agent-record.ts";

/** What a session left for the next one; kept on the agent's record until the next handoff. */
export interface Handoff {
  /** Generation that handed off: it is ended, and the next starts at once. */
  readonly generation: number;
  /** Bead that was on the hook. */
  readonly bead?: string;
  /** Step it was at. */
  readonly step?: string;
  readonly note: string;
  /** RFC 3339. */
  readonly time: string;
}

export function handoffOf(record: BeadRecord | undefined): Handoff | undefined {
  const value = record?.metadata?.[AGENT.handoff];
  return typeof value === "object" && value !== null ? (value as Handoff) : undefined;
}

/** The note for a session of `generation` with `bead` on its hook; undefined when none is meant for it. */
export function noteFor(record: BeadRecord, generation: number, bead: string | undefined): Handoff | undefined {
  const handoff = handoffOf(record);
  return handoff !== undefined && handoff.generation < generation && handoff.bead === bead ? handoff : undefined;
}

/** Records that a session hands off: the claim and the step stay as they are, and the note is on the bead, too. */
export function recordHandoff(
  tx: GraphTransaction,
  agent: BeadRecord,
  what: Omit<Handoff, "time">,
  identity: string,
): void {
  const handoff: Handoff = { ...what, time: timestamp(tx.now) };
  tx.setMetadata(agent.id, { [AGENT.handoff]: handoff });
  if (what.bead !== undefined && what.note !== "")
    tx.comment(what.bead, `Handoff of ${identity}@${what.generation}: ${what.note}`);
}
