import type { Plan } from "../../resource/controller.ts";
import type { GateSpec } from "../rig/rig.schema.ts";
import type { GateResult, HeadRequest, MergesObserved, RigObject } from "./merges.observe.ts";

export type MergesAction =
  | {
      readonly do: "RecordMerged";
      readonly request: string;
      readonly bead: string;
      readonly commit: string;
    }
  | { readonly do: "Supersede"; readonly request: string; readonly bead: string }
  | {
      readonly do: "SendBack";
      readonly request: string;
      readonly bead: string;
      readonly reason: string;
      readonly feedback: string;
      readonly log: string | undefined;
    }
  | { readonly do: "Build"; readonly request: HeadRequest; readonly target: string; readonly branch: string }
  | { readonly do: "EndGate"; readonly request: string; readonly running: NonNullable<HeadRequest["running"]> }
  | {
      readonly do: "RunGate";
      readonly request: string;
      readonly gate: GateSpec;
      readonly commit: string;
      readonly tree: string;
    }
  | {
      readonly do: "Land";
      readonly request: string;
      readonly commit: string;
      readonly tree: string;
      readonly target: string;
      readonly branch: string;
    };

/** After each step the queue is looked at anew: everything that was learnt is recorded, so nothing is kept in memory. */
const NEXT_STEP_MS = 1;
const HELD_UP_RETRY_MS = 2_000;

/**
 * One step for the request at the head of a rig's queue. The target only ever moves to a commit whose exact tree passed
 * every required gate, and only from the commit it was built on.
 */
export function planMerges(object: RigObject, observed: MergesObserved): Plan<MergesAction> {
  const { head, target, branch } = observed;
  if (
    object.metadata.deletionTimestamp !== undefined ||
    observed.suspended ||
    head === undefined ||
    target === undefined ||
    branch === undefined
  )
    return { actions: [] };
  const action = nextAction(object.spec.merge.gates, head, target, branch);
  return {
    actions: [action],
    requeueAfterMs: action.do === "Land" && head.waiting !== undefined ? HELD_UP_RETRY_MS : NEXT_STEP_MS,
  };
}

function nextAction(gates: readonly GateSpec[], head: HeadRequest, target: string, branch: string): MergesAction {
  if (head.running !== undefined) return { do: "EndGate", request: head.id, running: head.running };
  if (head.landed !== undefined) return { do: "RecordMerged", request: head.id, bead: head.bead, commit: head.landed };
  if (head.beadClosed) return { do: "Supersede", request: head.id, bead: head.bead };
  if (head.conflicts.length > 0) {
    const files = head.conflicts.slice(0, 20).join(", ");
    return {
      do: "SendBack",
      request: head.id,
      bead: head.bead,
      reason: `conflicts with ${branch} in ${files}`,
      feedback: `Your commits conflict with ${branch} (now ${target.slice(0, 12)}) in: ${files}.\nYour new worktree starts at the current ${branch}; apply your change there again. Your former commits are kept: git show ${head.head}`,
      log: undefined,
    };
  }
  if (head.commit === undefined) return { do: "Build", request: head, target, branch };
  for (const gate of gates) {
    const result = head.gates[gate.name];
    if (result === undefined || result.tree !== head.tree)
      return { do: "RunGate", request: head.id, gate, commit: head.commit, tree: head.tree };
    if (!result.passed && gate.required) return sendBackForGate(head, gate, result, branch);
  }
  return { do: "Land", request: head.id, commit: head.commit, tree: head.tree, target, branch };
}

function sendBackForGate(head: HeadRequest, gate: GateSpec, result: GateResult, branch: string): MergesAction {
  return {
    do: "SendBack",
    request: head.id,
    bead: head.bead,
    reason: `gate ${gate.name} failed: ${result.summary}`,
    feedback: `Gate \`${gate.name}\` (${gate.command}) failed on your change merged with ${branch}: ${result.summary}.\nYour new worktree starts at the current ${branch}. Your former commits are kept: git show ${head.head}`,
    log: result.log,
  };
}
