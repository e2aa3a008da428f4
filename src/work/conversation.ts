import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { AGENT, agentRecord, generationOf } from "./agent-record.ts";
import { handoffOf } from "./handoff.ts";

/** A conversation of an agent's program, by the id the program gave it. */
export interface Conversation {
  readonly provider: string;
  readonly session: string;
  /** File in which the program keeps it, if its hook told. */
  readonly transcript?: string;
  /** Worktree it was held in. */
  readonly directory: string;
  /** Newest session of the agent that is known to have held it. */
  readonly generation: number;
  /** Bead on the hook when it was last seen; none: it was held with an empty hook. */
  readonly bead?: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Why it is not gone on with: the state it is about was handed on, or is no more. */
  readonly ended?: "HandedOff" | "SandboxRemoved";
}

/** How the newest session of an agent was started. */
export interface LaunchFact {
  readonly generation: number;
  readonly provider: string;
  readonly directory: string;
  /** On the hook then; absent: nothing was. */
  readonly bead?: string;
  readonly model?: string;
  readonly effort?: string;
}

const KEPT = 20;

/** Newest first, at most 20. */
export function conversationsOf(record: BeadRecord): readonly Conversation[] {
  const value = record.metadata?.[AGENT.conversations];
  return Array.isArray(value) ? (value as readonly Conversation[]) : [];
}

export function launchFact(record: BeadRecord): LaunchFact | undefined {
  const value = record.metadata?.[AGENT.launch];
  return typeof value === "object" && value !== null ? (value as LaunchFact) : undefined;
}

/**
 * The bead that the newest session was started for, where it is for that one alone: its worktree is at that bead's branch.
 * Undefined for sessions that go on with whatever is on the hook next, and for programs that joined.
 */
export function startedFor(record: BeadRecord): string | undefined {
  const launch = launchFact(record);
  if (launch?.generation !== generationOf(record) || record.metadata?.[AGENT.desired] !== "OnWork") return undefined;
  return launch.bead;
}

/**
 * Notes that the running session holds this conversation. Repeatable: an entry of the same id is renewed and comes first.
 * Nothing happens for a session whose start was not recorded, or that has handed off.
 */
export function noteConversation(
  tx: GraphTransaction,
  record: BeadRecord,
  seen: {
    readonly session: string;
    readonly transcript?: string | undefined;
    readonly bead: string | undefined;
  },
): void {
  const launch = launchFact(record);
  if (launch === undefined || launch.generation !== generationOf(record)) return;
  // It goes on for a moment after it has handed off, and its hooks with it; what it left is left.
  if (handoffOf(record)?.generation === launch.generation) return;
  const before = conversationsOf(record);
  const same = before.find(({ session, provider }) => session === seen.session && provider === launch.provider);
  const transcript = seen.transcript ?? same?.transcript;
  const entry: Conversation = {
    provider: launch.provider,
    session: seen.session,
    ...(transcript === undefined ? {} : { transcript }),
    directory: launch.directory,
    generation: launch.generation,
    ...(seen.bead === undefined ? {} : { bead: seen.bead }),
    startedAt: same?.startedAt ?? new Date(tx.now).toISOString(),
  };
  if (same !== undefined && same === before[0] && JSON.stringify(same) === JSON.stringify(entry)) return;
  const others = before.filter((each) => each !== same);
  tx.setMetadata(record.id, { [AGENT.conversations]: [entry, ...others].slice(0, KEPT) });
}

/**
 * Takes note of what a running session says of itself: the conversation that its program's hook tells of, or else that
 * the one it is known to hold is now about this bead.
 */
export function noteProgram(
  tx: GraphTransaction,
  agent: string,
  seen: {
    readonly session: string | undefined;
    readonly transcript: string | undefined;
    readonly bead: string | undefined;
  },
): void {
  const record = agentRecord(tx, agent);
  if (record === undefined) return;
  const [newest] = conversationsOf(record);
  const held = newest?.generation === generationOf(record) && newest.ended === undefined ? newest.session : undefined;
  const session = seen.session ?? held;
  if (session !== undefined) noteConversation(tx, record, { ...seen, session });
}

/** Ends the newest conversation: the next session begins a new one. */
export function endConversation(
  tx: GraphTransaction,
  record: BeadRecord,
  reason: NonNullable<Conversation["ended"]>,
): void {
  const [newest, ...others] = conversationsOf(record);
  if (newest === undefined || newest.ended !== undefined) return;
  tx.setMetadata(record.id, { [AGENT.conversations]: [{ ...newest, ended: reason }, ...others] });
}

/** Sessions that may end by themselves on one conversation; then it may be what breaks the program. */
const MOST_FAILURES = 2;

/**
 * The conversation that the next session goes on with: the one its last session was seen to hold, with the same program,
 * on the same work, in the same worktree. So one that could not be resumed is not tried twice.
 */
export function resumable(
  record: BeadRecord,
  next: {
    readonly provider: string;
    readonly directory: string;
    readonly bead: string | undefined;
    /** Sessions in a row that ended by themselves. */
    readonly failures: number;
  },
): string | undefined {
  const [newest] = conversationsOf(record);
  if (newest === undefined || newest.ended !== undefined || next.failures >= MOST_FAILURES) return undefined;
  const goesOn =
    newest.generation === generationOf(record) &&
    newest.provider === next.provider &&
    newest.directory === next.directory &&
    newest.bead === next.bead;
  return goesOn ? newest.session : undefined;
}
