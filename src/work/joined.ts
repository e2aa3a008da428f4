import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { timestamp } from "../resource/condition.ts";
import { AGENT, agentRecord, generationOf, hookOf, nextGeneration } from "./agent-record.ts";

/** A program that a person started speaks for the agent; the runtime knows nothing of it. */
export interface Joined {
  readonly generation: number;
  /** RFC 3339. */
  readonly time: string;
}

/** Undefined once the program left or another generation took over. */
export function joinedOf(record: BeadRecord | undefined): Joined | undefined {
  const value = record?.metadata?.[AGENT.joined];
  if (record === undefined || typeof value !== "object" || value === null) return undefined;
  const joined = value as Joined;
  return joined.generation === generationOf(record) ? joined : undefined;
}

/** Begins a generation that no runtime starts; every older one is fenced off. */
export function recordJoined(tx: GraphTransaction, name: string, bead: string | undefined): number {
  const generation = nextGeneration(tx, name, bead);
  const record = agentRecord(tx, name);
  const joined: Joined = { generation, time: timestamp(tx.now) };
  if (record !== undefined) tx.setMetadata(record.id, { [AGENT.joined]: joined });
  return generation;
}

/** The program has left; its generation is over. */
export function recordLeft(tx: GraphTransaction, name: string): void {
  const record = agentRecord(tx, name);
  if (record === undefined || joinedOf(record) === undefined) return;
  tx.setMetadata(record.id, { [AGENT.joined]: null });
  nextGeneration(tx, name, undefined);
}

/** The program is heard no more: its generation is over, and its work is free for others. Answers with that work. */
export function recordVanished(
  tx: GraphTransaction,
  name: string,
  of: { readonly generation: number; readonly reason: string },
): BeadRecord | undefined {
  const record = agentRecord(tx, name);
  if (record === undefined || joinedOf(record)?.generation !== of.generation) return undefined;
  recordLeft(tx, name);
  const bead = hookOf(tx, record.title);
  if (bead === undefined) return undefined;
  tx.comment(bead.id, `Taken from ${record.title}: ${of.reason}`);
  tx.release(bead.id, { reason: of.reason });
  return bead;
}
