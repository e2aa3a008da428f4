/** What is known of one gate on one tree: its latest run. */
export interface GateOutcome {
  readonly tree: string;
  readonly gate: string;
  /** Fingerprint of what was run; another command has to run anew. */
  readonly command: string;
  readonly passed: boolean;
  /** Round of the latest run. */
  readonly round: number;
  /** Failed runs since it passed last, or since the round began. */
  readonly failures: number;
  /** When the latest run ended. */
  readonly atMs: number;
  /** In words, e.g. `exit code 1`. */
  readonly summary: string;
}

export interface BatchMember {
  readonly request: string;
  /** Submitted commit. */
  readonly head: string;
  /** Built on the member before it, the first one on the base. */
  readonly commit: string;
  readonly tree: string;
  /** Gates that what it changes does not concern. */
  readonly untouched?: readonly string[];
}

/** Requests stacked on the target, in queue order. */
export interface Batch {
  readonly base: string;
  readonly baseTree: string;
  readonly members: readonly BatchMember[];
  /** A front part of it has landed already. */
  readonly split: boolean;
  /** Why landing is held up, although the gates passed. */
  readonly held?: string;
}

export interface WaitingRequest {
  readonly request: string;
  /** Absent: it waits for its turn. */
  readonly reason?: string;
}

/**
 * Everything a merge queue knows beyond its requests. It is kept with the work graph, so that a queue that is killed
 * goes on where it was.
 */
export interface QueueRecord {
  /** Batches formed so far. A failure counts in its own round only. */
  readonly round: number;
  /** Most requests of the next batch. */
  readonly window: number;
  readonly batch: Batch | undefined;
  /** A request was sent back and nothing has landed since: it may be the surroundings that broke. */
  readonly doubt: boolean;
  /** What is not in the batch, in queue order. */
  readonly waiting: readonly WaitingRequest[];
  /** The latest ones, oldest first. */
  readonly outcomes: readonly GateOutcome[];
  /** When a gate was last seen to answer differently for the same tree, ms. */
  readonly flaky: Readonly<Record<string, number>>;
}

export interface Gate {
  readonly name: string;
  /** Fingerprint of what it runs. */
  readonly command: string;
  readonly required: boolean;
}

export const EMPTY_QUEUE: QueueRecord = {
  round: 0,
  window: Number.MAX_SAFE_INTEGER,
  batch: undefined,
  doubt: false,
  waiting: [],
  outcomes: [],
  flaky: {},
};

/** Outcomes kept: more than the longest search for one culprit needs. */
const KEPT_OUTCOMES = 40;
const FLAKY_FOR_MS = 7 * 24 * 3_600_000;

export function outcomeOf(queue: QueueRecord, tree: string, gate: Gate): GateOutcome | undefined {
  return queue.outcomes.find((each) => each.tree === tree && each.gate === gate.name && each.command === gate.command);
}

/** Runs that must fail before a gate counts as failed: one more for a gate that is known to be flaky. */
export function failuresNeeded(queue: QueueRecord, gate: Gate, now: number): number {
  const seenMs = queue.flaky[gate.name];
  return seenMs !== undefined && now - seenMs < FLAKY_FOR_MS ? 2 : 1;
}

export interface GateRun {
  readonly tree: string;
  readonly gate: string;
  readonly command: string;
  readonly passed: boolean;
  readonly round: number;
  readonly atMs: number;
  readonly summary: string;
}

/** Notes how a gate ended; a different answer than before for the same tree makes it known to be flaky. */
export function withOutcome(queue: QueueRecord, run: GateRun): QueueRecord {
  const { tree, gate, command, passed, round } = run;
  const former = outcomeOf(queue, tree, { name: gate, command, required: true });
  const again = former !== undefined && !former.passed && former.round === round ? former.failures : 0;
  const outcome: GateOutcome = { ...run, failures: passed ? 0 : again + 1 };
  const others = queue.outcomes.filter((each) => each.tree !== tree || each.gate !== gate);
  return {
    ...queue,
    outcomes: [...others, outcome].slice(-KEPT_OUTCOMES),
    flaky: former === undefined || former.passed === passed ? queue.flaky : { ...queue.flaky, [gate]: run.atMs },
  };
}

/** Begins a round with these members; who waits behind them is noted as well. */
export function withBatch(
  queue: QueueRecord,
  batch: Omit<Batch, "split">,
  waiting: readonly WaitingRequest[],
): QueueRecord {
  return { ...queue, round: queue.round + 1, batch: { ...batch, split: false }, waiting };
}

/**
 * The target moved to the commit of the member at `count` (from 1): those up to it are done. The others stay stacked on
 * what landed. A batch that landed whole lets the next one be larger.
 */
export function withLanded(queue: QueueRecord, count: number, maxBatch: number): QueueRecord {
  const { batch } = queue;
  const last = batch?.members[count - 1];
  if (batch === undefined || last === undefined) return queue;
  const rest = batch.members.slice(count);
  const grows = rest.length === 0 && !batch.split;
  return {
    ...queue,
    doubt: false,
    window: grows ? Math.min(maxBatch, windowOf(queue, maxBatch) + 1) : queue.window,
    batch: rest.length === 0 ? undefined : { base: last.commit, baseTree: last.tree, members: rest, split: true },
  };
}

/** A culprit was found: the next batch is half as large, and the others are stacked anew without it. */
export function withCulprit(queue: QueueRecord, maxBatch: number): QueueRecord {
  return { ...queue, batch: undefined, doubt: true, window: Math.max(1, Math.floor(windowOf(queue, maxBatch) / 2)) };
}

/** Most requests of the next batch, within what is allowed now. */
export function windowOf(queue: QueueRecord, maxBatch: number): number {
  return Math.max(1, Math.min(maxBatch, queue.window));
}
