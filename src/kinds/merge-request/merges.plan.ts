import { batchStep, failedGates } from "../../domain/merge-queue/batch-step.ts";
import {
  type Batch,
  type BatchMember,
  type Gate,
  type GateOutcome,
  type WaitingRequest,
  windowOf,
} from "../../domain/merge-queue/queue-record.ts";
import type { ConditionIntent } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import type { RunningGate } from "../../work/merge-queue.ts";
import { approvalsNeeded, commandGates, gateOf } from "./gate-script.ts";
import type { MergesObserved, QueuedRequest, RigObject, Target } from "./merges.observe.ts";

export type MergesAction =
  | { readonly do: "EndGate"; readonly running: RunningGate }
  /** A front part of the batch is in the target. */
  | { readonly do: "RecordLanded"; readonly members: readonly BatchMember[]; readonly target: string }
  /** It is in the target by another way. */
  | { readonly do: "RecordMerged"; readonly request: QueuedRequest; readonly commit: string }
  | { readonly do: "Supersede"; readonly request: QueuedRequest }
  /** What the batch was built on, or a member of it, is no longer what it was. */
  | { readonly do: "Dissolve"; readonly reason: string }
  | {
      readonly do: "SendBack";
      readonly request: QueuedRequest;
      readonly reason: string;
      readonly feedback: string;
      /** It was found out in the batch, with this gate. */
      readonly culpritOf: string | undefined;
    }
  | {
      readonly do: "Stack";
      readonly target: Target;
      readonly requests: readonly QueuedRequest[];
      readonly waiting: readonly WaitingRequest[];
    }
  | { readonly do: "NoteWaiting"; readonly waiting: readonly WaitingRequest[] }
  | {
      readonly do: "RunGate";
      readonly gate: string;
      /** Request at the top of what is tested; undefined: the bare target. */
      readonly request: string | undefined;
      readonly commit: string;
      readonly tree: string;
      readonly round: number;
    }
  | {
      readonly do: "Land";
      readonly base: string;
      readonly members: readonly BatchMember[];
      readonly branch: string;
    };

/** The bare target fails a required gate; present only while it does. */
export const TARGET_BROKEN = "TargetBroken";

/** After each step the queue is looked at anew: everything that was learnt is recorded, so nothing is kept in memory. */
const NEXT_STEP_MS = 1;
const HELD_UP_RETRY_MS = 2_000;
/** How often a target that fails a gate is run again: its surroundings may have been mended. */
const BROKEN_RETRY_MS = 10 * 60_000;
/** While the target is broken these, from the front, are tried alone: one of them may be its repair. */
const TRIED_ALONE = 12;

/**
 * The next step of a rig's queue. The target only ever moves to a commit whose exact tree passed every required gate,
 * and only from the commit it was built on.
 */
export function planMerges(object: RigObject, observed: MergesObserved): Plan<MergesAction> {
  const { target } = observed;
  if (object.metadata.deletionTimestamp !== undefined || observed.suspended || target === undefined)
    return { actions: [] };
  const gates = commandGates(object.spec).map((gate) => gateOf(object.spec, gate));
  const conditions = brokenConditions(gates, observed, target);
  const actions = nextActions(object, gates, { ...observed, target });
  if (actions.length > 0) {
    const heldUp = actions[0]?.do === "Land" && observed.queue.batch?.held !== undefined;
    return { actions, conditions, requeueAfterMs: heldUp ? HELD_UP_RETRY_MS : NEXT_STEP_MS };
  }
  return conditions.length === 0 ? { actions } : { actions, conditions, requeueAfterMs: BROKEN_RETRY_MS };
}

type Looked = MergesObserved & { readonly target: Target };

function nextActions(object: RigObject, gates: readonly Gate[], observed: Looked): readonly MergesAction[] {
  const { running, queue, target, requests, landed } = observed;
  const { batch } = queue;
  if (running !== undefined) return [{ do: "EndGate", running }];
  if (batch !== undefined && landed > 0)
    return [{ do: "RecordLanded", members: batch.members.slice(0, landed), target: target.commit }];
  const ended = requests.flatMap((request): MergesAction[] => {
    const commit = request.alone?.landed;
    if (commit !== undefined) return [{ do: "RecordMerged", request, commit }];
    return request.beadClosed ? [{ do: "Supersede", request }] : [];
  });
  if (ended.length > 0) return ended;
  if (batch === undefined) return formBatch(object, gates, observed);
  const reason = staleness(batch, observed);
  if (reason !== undefined) return [{ do: "Dissolve", reason }];
  return [stepOf(object, gates, observed, batch)];
}

/** Why the batch must be stacked anew. */
function staleness(batch: Batch, { target, requests }: Looked): string | undefined {
  if (batch.base !== target.commit) return `${target.branch} moved to ${target.commit.slice(0, 12)}`;
  const open = new Map(requests.map((request) => [request.id, request.head]));
  const gone = batch.members.find((member) => open.get(member.request) !== member.head);
  return gone === undefined ? undefined : `${gone.request} is no longer in the queue`;
}

function stepOf(object: RigObject, gates: readonly Gate[], observed: Looked, batch: Batch): MergesAction {
  const { queue, target, now } = observed;
  const step = batchStep(queue, batch, gates, now);
  switch (step.do) {
    case "Run": {
      const at = batch.members[step.place - 1] ?? { request: undefined, commit: batch.base, tree: batch.baseTree };
      const { request, commit, tree } = at;
      return { do: "RunGate", gate: step.gate.name, request, commit, tree, round: queue.round };
    }
    case "Land":
      return { do: "Land", base: batch.base, members: batch.members.slice(0, step.count), branch: target.branch };
    case "BaseFails":
      return { do: "Dissolve", reason: `${target.branch} itself fails gate ${step.gate.name}` };
    case "Reject": {
      const culprit = observed.requests.find(({ id }) => id === batch.members[0]?.request);
      if (culprit === undefined) return { do: "Dissolve", reason: "a member is no longer in the queue" };
      return sendBackForGate(object, culprit, step.outcome, target);
    }
    default:
      return step satisfies never;
  }
}

function sendBackForGate(
  object: RigObject,
  culprit: QueuedRequest,
  outcome: GateOutcome,
  { branch }: Target,
): MergesAction {
  const command = object.spec.merge.gates.find(({ name }) => name === outcome.gate)?.command ?? "";
  return {
    do: "SendBack",
    request: culprit,
    reason: `gate ${outcome.gate} failed: ${outcome.summary}`,
    feedback: `Gate \`${outcome.gate}\` (${command}) failed on your change merged with ${branch}: ${outcome.summary}. It passes without your change.\n${startsAnew(culprit, branch)}`,
    culpritOf: outcome.gate,
  };
}

function startsAnew({ head }: QueuedRequest, branch: string): string {
  return `Your new worktree starts at the current ${branch}; apply your change there again. Your former commits are kept: git show ${head}`;
}

/** Sends back what conflicts with the target, and stacks from the front of what is left. */
function formBatch(object: RigObject, gates: readonly Gate[], observed: Looked): readonly MergesAction[] {
  const { requests, target, queue, now } = observed;
  const conflicting = requests.filter(({ alone }) => (alone?.conflicts.length ?? 0) > 0);
  if (conflicting.length > 0) return conflicting.map((request) => sendBackForConflict(request, target));
  const broken = failedGates(queue, target.tree, gates, now);
  const approvals = approvalsNeeded(object.spec);
  const waiting = requests.map((request) => waitingRequest(request, { broken, gates, observed, approvals }));
  const able = requests.filter((_, index) => waiting[index]?.reason === undefined);
  const most = broken.length === 0 ? windowOf(queue, object.spec.merge.maxBatch) : 1;
  const chosen = (broken.length === 0 ? able : able.filter((each) => requests.indexOf(each) < TRIED_ALONE)).slice(
    0,
    most,
  );
  if (chosen.length > 0) return [{ do: "Stack", target, requests: chosen, waiting }];
  const recheck = broken.find(({ outcome }) => now < outcome.atMs || now - outcome.atMs >= BROKEN_RETRY_MS);
  if (recheck !== undefined && requests.length > 0) {
    const { gate, outcome } = recheck;
    const { commit, tree } = target;
    return [{ do: "RunGate", gate: gate.name, request: undefined, commit, tree, round: outcome.round }];
  }
  return JSON.stringify(waiting) === JSON.stringify(queue.waiting) ? [] : [{ do: "NoteWaiting", waiting }];
}

function waitingRequest(
  request: QueuedRequest,
  by: {
    readonly broken: ReturnType<typeof failedGates>;
    readonly gates: readonly Gate[];
    readonly observed: Looked;
    /** How many each request needs. */
    readonly approvals: number;
  },
): WaitingRequest {
  const { queue, target, now } = by.observed;
  const { id, alone } = request;
  if (alone?.problem !== undefined) return { request: id, reason: alone.problem };
  const missing = by.approvals - request.approvals;
  if (missing > 0)
    return { request: id, reason: `waits for ${missing} approval${missing === 1 ? "" : "s"}: town approve ${id}` };
  const fails = new Set(failedGates(queue, alone?.tree ?? "", by.gates, now).map(({ gate }) => gate.name));
  const both = by.broken.find(({ gate }) => fails.has(gate.name));
  if (both === undefined) return { request: id };
  return { request: id, reason: `${target.branch} itself fails gate ${both.gate.name}, and this does not mend it` };
}

function sendBackForConflict(request: QueuedRequest, { branch, commit }: Target): MergesAction {
  const files = request.alone?.conflicts.slice(0, 20).join(", ") ?? "";
  return {
    do: "SendBack",
    request,
    reason: `conflicts with ${branch} in ${files}`,
    feedback: `Your commits conflict with ${branch} (now ${commit.slice(0, 12)}) in: ${files}.\n${startsAnew(request, branch)}`,
    culpritOf: undefined,
  };
}

function brokenConditions(gates: readonly Gate[], { queue, now }: MergesObserved, target: Target): ConditionIntent[] {
  return failedGates(queue, target.tree, gates, now)
    .slice(0, 1)
    .map(({ gate, outcome }) => ({
      type: TARGET_BROKEN,
      status: "True",
      reason: "TargetFailsGate",
      message: `${target.branch} at ${target.commit.slice(0, 12)} fails gate ${gate.name} without any change: ${outcome.summary}. Merges wait until it is mended: by a commit on ${target.branch}, or by work whose merge passes.`,
    }));
}
