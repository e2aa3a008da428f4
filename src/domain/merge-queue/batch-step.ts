import {
  type Batch,
  failuresNeeded,
  type Gate,
  type GateOutcome,
  outcomeOf,
  type QueueRecord,
} from "./queue-record.ts";

/**
 * What a batch needs next. `place` counts members from 1; 0 is the base.
 * - `Run`: a gate on the stack up to that place;
 * - `Land`: the members up to it;
 * - `Reject`: the first member fails on a base that does not;
 * - `BaseFails`: the first member fails, and so does the bare base.
 */
export type BatchStep =
  | { readonly do: "Run"; readonly place: number; readonly gate: Gate }
  | { readonly do: "Land"; readonly count: number }
  | { readonly do: "Reject"; readonly gate: Gate; readonly outcome: GateOutcome }
  | { readonly do: "BaseFails"; readonly gate: Gate; readonly outcome: GateOutcome };

/**
 * A base that passed so recently is not run again to see whether it is the surroundings that broke; after one request was
 * sent back it is, until something lands again.
 */
const BASE_FRESH_MS = 30 * 60_000;

interface Look {
  readonly queue: QueueRecord;
  readonly batch: Batch;
  readonly gates: readonly Gate[];
  readonly now: number;
}

/**
 * The whole stack first. Where it is red, the first place from which on the gate fails is searched by halves; what is in
 * front of it lands, once it passed every gate. Then the member there fails with and passes without itself: it goes, and
 * the others are stacked anew. A pure function of what is recorded, so a search that is killed goes on.
 *
 * One culprit among n costs 1 + ⌈log2 n⌉ runs of a gate, and one more for the others. Where the culprit comes first, and
 * the base was not tested lately or another request was sent back just before, one more on the base.
 */
export function batchStep(queue: QueueRecord, batch: Batch, gates: readonly Gate[], now: number): BatchStep {
  return settle({ queue, batch, gates, now }, batch.members.length);
}

/** How the stack up to `top` can land, or why it cannot. */
function settle(look: Look, top: number): BatchStep {
  for (const gate of look.gates.filter(({ required }) => required)) {
    const verdict = verdictAt(look, top, gate);
    if (verdict === "Unknown") return { do: "Run", place: top, gate };
    if (verdict === "Failed") return search(look, top, gate);
  }
  const advisory = look.gates.find(
    (gate) =>
      !gate.required &&
      isConcerned(look.batch, top, gate) &&
      outcomeOf(look.queue, treeAt(look.batch, top), gate) === undefined,
  );
  return advisory === undefined ? { do: "Land", count: top } : { do: "Run", place: top, gate: advisory };
}

/** The gate fails at `top`: finds a place where it fails and before which it does not. */
function search(look: Look, top: number, gate: Gate): BatchStep {
  // What is known narrows it: after a front part has landed the rest of the search is all there.
  let bad = 1;
  while (bad < top && verdictAt(look, bad, gate) !== "Failed") bad += 1;
  let good = bad - 1;
  while (good > 0 && verdictAt(look, good, gate) !== "Passed") good -= 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    const verdict = verdictAt(look, middle, gate);
    if (verdict === "Unknown") return { do: "Run", place: middle, gate };
    if (verdict === "Failed") bad = middle;
    else good = middle;
  }
  if (good > 0) return settle(look, good);
  const outcome = outcomeOf(look.queue, treeAt(look.batch, bad), gate);
  const base = baseVerdict(look, gate);
  if (base === "Unknown") return { do: "Run", place: 0, gate };
  if (outcome === undefined) return { do: "Run", place: bad, gate };
  return { do: base === "Failed" ? "BaseFails" : "Reject", gate, outcome };
}

type Verdict = "Passed" | "Failed" | "Unknown";

/** A failure of a former round may have had reasons that are gone. */
function verdictAt({ queue, batch, now }: Look, place: number, gate: Gate): Verdict {
  if (!isConcerned(batch, place, gate)) return "Passed";
  const outcome = outcomeOf(queue, treeAt(batch, place), gate);
  if (outcome?.passed === true) return "Passed";
  if (outcome === undefined || outcome.round !== queue.round) return "Unknown";
  return outcome.failures >= failuresNeeded(queue, gate, now) ? "Failed" : "Unknown";
}

/** Whether the stack up to a place changes what the gate looks at; where it does not, it is as good as its base. */
function isConcerned(batch: Batch, place: number, gate: Gate): boolean {
  return batch.members.slice(0, place).some(({ untouched }) => untouched?.includes(gate.name) !== true);
}

function baseVerdict({ queue, batch, now }: Look, gate: Gate): Verdict {
  const outcome = outcomeOf(queue, batch.baseTree, gate);
  if (outcome === undefined) return "Unknown";
  if (!outcome.passed) return outcome.failures >= failuresNeeded(queue, gate, now) ? "Failed" : "Unknown";
  const ageMs = now - outcome.atMs;
  const fresh = !queue.doubt && ageMs >= 0 && ageMs < BASE_FRESH_MS;
  return outcome.round === queue.round || fresh ? "Passed" : "Unknown";
}

function treeAt(batch: Batch, place: number): string {
  return place === 0 ? batch.baseTree : (batch.members[place - 1]?.tree ?? batch.baseTree);
}

/** The required gates that a tree failed as their latest runs found, in whatever round. */
export function failedGates(
  queue: QueueRecord,
  tree: string,
  gates: readonly Gate[],
  now: number,
): readonly { readonly gate: Gate; readonly outcome: GateOutcome }[] {
  return gates.flatMap((gate) => {
    const outcome = gate.required ? outcomeOf(queue, tree, gate) : undefined;
    const failed = outcome !== undefined && !outcome.passed && outcome.failures >= failuresNeeded(queue, gate, now);
    return failed ? [{ gate, outcome }] : [];
  });
}
