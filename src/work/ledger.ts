import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { agentKey } from "./agent-record.ts";
import { addUsage, addUsageByName, isNoUsage, NO_USAGE, type Usage, usageFrom } from "./usage.ts";

/** Metadata keys of the ledger. */
export const LEDGER = {
  /** On a bead: the attempts at it, oldest first. */
  attempts: "town.work",
  /** On an agent: its counts over all attempts. */
  counts: "town.ledger",
  /** On an agent: what its sessions used in all. */
  usage: "town.usage",
  /** On an agent: what they used by model. */
  usageOfModels: "town.usageOfModels",
  /** On an agent: what they used on one day, `{ day, … }`. */
  usageOfDay: "town.usageOfDay",
  /**
   * On an agent: what the attempt under way used so far, `{ bead, … }`. It goes to the bead when the attempt ends: a bead
   * that changes tells of progress, and tokens alone are none.
   */
  usageOfAttempt: "town.usageOfAttempt",
} as const;

/** How an agent's work at a bead ended. Abandoned: it was taken off the hook without a word of the agent. */
export type Outcome = "Submitted" | "NoChange" | "Blocked" | "Failed" | "Abandoned";

/** One agent's work at one bead, from hooking to its end. */
export interface Attempt {
  /** Identity of the agent. */
  readonly agent: string;
  /** RFC 3339. */
  readonly from: string;
  readonly to?: string;
  readonly outcome?: Outcome;
  /** What became of submitted work. */
  readonly result?: "Merged" | "Reworked";
  readonly formula?: string;
  /** Molecule whose steps it worked through. */
  readonly molecule?: string;
  /** Sessions it took. */
  readonly sessions: number;
  readonly provider?: string;
  readonly model?: string;
  readonly effort?: string;
  readonly usage?: Usage;
}

/** An attempt with what it was about. */
export interface LedgerEntry extends Attempt {
  readonly bead: string;
  readonly title: string;
  readonly type: string;
  readonly labels: readonly string[];
}

export interface LedgerCounts {
  readonly done: number;
  readonly merged: number;
  readonly reworked: number;
  readonly failed: number;
  readonly abandoned: number;
  /** Time with work on the hook, seconds. */
  readonly seconds: number;
}

export const NO_COUNTS: LedgerCounts = { done: 0, merged: 0, reworked: 0, failed: 0, abandoned: 0, seconds: 0 };

export function attemptsAt(bead: BeadRecord | undefined): readonly Attempt[] {
  const value = bead?.metadata?.[LEDGER.attempts];
  return Array.isArray(value) ? (value as readonly Attempt[]) : [];
}

export function countsOf(agent: BeadRecord | undefined): LedgerCounts {
  const value = agent?.metadata?.[LEDGER.counts];
  return typeof value === "object" && value !== null ? { ...NO_COUNTS, ...value } : NO_COUNTS;
}

/** What the agent's sessions used in all. */
export function usageOf(agent: BeadRecord | undefined): Usage {
  return usageFrom(agent?.metadata?.[LEDGER.usage]);
}

/** What the agent's sessions used by model, as programs name them. */
export function modelUsageOf(agent: BeadRecord): Readonly<Record<string, Usage>> {
  const value = agent.metadata?.[LEDGER.usageOfModels];
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([model, used]) => [model, usageFrom(used)]));
}

/** What the agent's sessions used on a day (`2026-01-31`, UTC). */
export function usageOnDay(agent: BeadRecord, day: string): Usage {
  const value = agent.metadata?.[LEDGER.usageOfDay] as { readonly day?: string } | undefined;
  return value?.day === day ? usageFrom(value) : NO_USAGE;
}

/** Begins an attempt when work is hooked. One that somebody left open ends as Abandoned; the agent's own goes on. */
export function beginAttempt(
  tx: GraphTransaction,
  bead: string,
  what: { readonly agent: string; readonly formula?: string; readonly molecule?: string },
): void {
  const open = attemptsAt(tx.get(bead)).at(-1);
  if (open !== undefined && open.outcome === undefined) {
    if (open.agent === what.agent) return;
    endAttempt(tx, bead, "Abandoned");
  }
  const attempt: Attempt = { ...what, from: timeOf(tx), sessions: 0 };
  tx.setMetadata(bead, { [LEDGER.attempts]: [...attemptsAt(tx.get(bead)), attempt] });
}

/** A session was started for the attempt under way. */
export function noteSession(
  tx: GraphTransaction,
  bead: string,
  program: { readonly provider: string; readonly model?: string | undefined; readonly effort?: string | undefined },
): void {
  changeLast(tx, bead, (attempt) =>
    attempt.outcome === undefined
      ? {
          ...attempt,
          sessions: attempt.sessions + 1,
          provider: program.provider,
          ...(program.model === undefined ? {} : { model: program.model }),
          ...(program.effort === undefined ? {} : { effort: program.effort }),
        }
      : attempt,
  );
}

/** Ends the attempt under way and counts it for its agent. Without one under way nothing changes. */
export function endAttempt(tx: GraphTransaction, bead: string, outcome: Outcome): void {
  changeLast(tx, bead, (attempt) => {
    if (attempt.outcome !== undefined) return attempt;
    const seconds = Math.max(0, Math.round((tx.now - Date.parse(attempt.from)) / 1_000));
    count(tx, attempt.agent, {
      seconds,
      ...(outcome === "Submitted" || outcome === "NoChange" ? { done: 1 } : {}),
      ...(outcome === "Failed" ? { failed: 1 } : {}),
      ...(outcome === "Abandoned" ? { abandoned: 1 } : {}),
    });
    const agent = agentOf(tx, attempt.agent);
    const used = addUsage(usageFrom(attempt.usage), underWay(agent, bead));
    if (agent?.metadata?.[LEDGER.usageOfAttempt] !== undefined)
      tx.setMetadata(agent.id, { [LEDGER.usageOfAttempt]: null });
    return { ...attempt, to: timeOf(tx), outcome, ...(isNoUsage(used) ? {} : { usage: used }) };
  });
}

/** What became of the work submitted last. */
export function noteResult(tx: GraphTransaction, bead: string, result: "Merged" | "Reworked"): void {
  changeLast(tx, bead, (attempt) => {
    if (attempt.outcome !== "Submitted" || attempt.result !== undefined) return attempt;
    count(tx, attempt.agent, result === "Merged" ? { merged: 1 } : { reworked: 1 });
    return { ...attempt, result };
  });
}

/**
 * Adds what a session used, by model, to its agent, to the day, and to the last attempt of that agent at the bead.
 */
export function noteUsage(
  tx: GraphTransaction,
  what: {
    readonly agent: BeadRecord;
    readonly bead: string | undefined;
    readonly models: Readonly<Record<string, Usage>>;
  },
): void {
  const day = timeOf(tx).slice(0, 10);
  const agent = tx.get(what.agent.id) ?? what.agent;
  const used = Object.values(what.models).reduce(addUsage, NO_USAGE);
  tx.setMetadata(agent.id, {
    [LEDGER.usage]: addUsage(usageOf(agent), used),
    [LEDGER.usageOfModels]: addUsageByName(modelUsageOf(agent), what.models),
    [LEDGER.usageOfDay]: { day, ...addUsage(usageOnDay(agent, day), used) },
  });
  const { bead } = what;
  if (bead === undefined) return;
  const attempts = attemptsAt(tx.get(bead));
  const at = attempts.findLastIndex((attempt) => attempt.agent === agent.title);
  const attempt = attempts[at];
  if (attempt === undefined) return;
  if (attempt.outcome === undefined && at === attempts.length - 1) {
    const usage = addUsage(underWay(agent, bead), used);
    tx.setMetadata(agent.id, { [LEDGER.usageOfAttempt]: { bead, ...usage } });
    return;
  }
  const usage = addUsage(usageFrom(attempt.usage), used);
  tx.setMetadata(bead, { [LEDGER.attempts]: attempts.with(at, { ...attempt, usage }) });
}

/** The bead whose attempt an agent's newest usage is counted for. */
export function beadUnderWay(agent: BeadRecord): string | undefined {
  return (agent.metadata?.[LEDGER.usageOfAttempt] as { readonly bead?: string } | undefined)?.bead;
}

function underWay(agent: BeadRecord | undefined, bead: string): Usage {
  const value = agent?.metadata?.[LEDGER.usageOfAttempt] as { readonly bead?: string } | undefined;
  return value?.bead === bead ? usageFrom(value) : NO_USAGE;
}

/** Every attempt of an agent in its own store, newest first. */
export function ledgerOf(graph: GraphReader, identity: string): readonly LedgerEntry[] {
  return graph
    .list()
    .flatMap((record) =>
      attemptsAt(record)
        .filter((attempt) => attempt.agent === identity)
        .map((attempt) => ({
          ...attempt,
          // Nobody said how it ended, and it is no longer on the hook.
          ...(attempt.outcome === undefined && record.assignee !== identity
            ? { outcome: record.status === "closed" ? ("NoChange" as const) : ("Abandoned" as const) }
            : {}),
          bead: record.id,
          title: record.title,
          type: record.issue_type,
          labels: record.labels ?? [],
        })),
    )
    .toSorted((a, b) => b.from.localeCompare(a.from));
}

/** What all attempts at a bead used, the one under way included. */
export function usageAt(graph: GraphReader, bead: BeadRecord | undefined): Usage {
  const attempts = attemptsAt(bead);
  const last = attempts.at(-1);
  const now =
    bead === undefined || last === undefined || last.outcome !== undefined
      ? NO_USAGE
      : underWay(agentOf(graph, last.agent), bead.id);
  return attempts.reduce((sum, attempt) => addUsage(sum, usageFrom(attempt.usage)), now);
}

function agentOf(graph: GraphReader, identity: string): BeadRecord | undefined {
  return graph.byKey(agentKey(identity.slice(identity.lastIndexOf("/") + 1)));
}

function changeLast(tx: GraphTransaction, bead: string, change: (attempt: Attempt) => Attempt): void {
  const attempts = attemptsAt(tx.get(bead));
  const last = attempts.at(-1);
  if (last === undefined) return;
  const changed = change(last);
  if (changed !== last) tx.setMetadata(bead, { [LEDGER.attempts]: attempts.with(-1, changed) });
}

function count(tx: GraphTransaction, identity: string, add: Partial<LedgerCounts>): void {
  const record = agentOf(tx, identity);
  if (record === undefined) return;
  const counts = countsOf(record);
  tx.setMetadata(record.id, {
    [LEDGER.counts]: Object.fromEntries(
      Object.entries(counts).map(([key, value]) => [key, value + (add[key as keyof LedgerCounts] ?? 0)]),
    ),
  });
}

function timeOf(tx: GraphTransaction): string {
  return new Date(tx.now).toISOString();
}
