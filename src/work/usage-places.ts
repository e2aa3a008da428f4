import { type UsagePlace, USAGE_START } from "../domain/agent-program/usage-records.ts";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { AGENT } from "./agent-record.ts";
import { conversationsOf } from "./conversation.ts";

/**
 * Where the reader of a conversation's record is, when it looked last (ms since the epoch), and up to which byte: a line
 * without its end may follow what was counted.
 */
export type ReadPlace = UsagePlace & {
  readonly atMs: number;
  readonly seen: number;
  /** A later conversation has begun and all of this one is counted. */
  readonly final?: boolean;
};

const NEVER: ReadPlace = { ...USAGE_START, atMs: 0, seen: 0 };

export function usagePlace(agent: BeadRecord, session: string): ReadPlace {
  return placesOf(agent)[session] ?? NEVER;
}

/** Keeps a place, and drops those of conversations that are no longer known. */
export function keepUsagePlace(tx: GraphTransaction, agent: BeadRecord, session: string, place: ReadPlace): void {
  const known = new Set(conversationsOf(agent).map((conversation) => conversation.session));
  const others = Object.entries(placesOf(agent)).filter(([id]) => id !== session && known.has(id));
  tx.setMetadata(agent.id, { [AGENT.usagePlaces]: Object.fromEntries([...others, [session, place]]) });
}

function placesOf(agent: BeadRecord): Readonly<Record<string, ReadPlace>> {
  const value = agent.metadata?.[AGENT.usagePlaces];
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, ReadPlace>>) : {};
}
