import { type ConditionIntent, READY, restated, timestamp } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import { rigPrefix } from "../../work/rig-target.ts";
import { unfinishedText } from "../../work/unfinished-work.ts";
import { PUSHED } from "./rig-push.ts";
import { FETCH_RETRY_MS, fetchIntervalMs } from "./rig-fetch.ts";
import type { Removal, RigObserved } from "./rig.observe.ts";
import type { RigObject } from "./rig.schema.ts";

export type RigAction =
  | { readonly do: "Clone"; readonly source: string }
  /** The manifest names another place: followed if the same history is there. */
  | { readonly do: "FollowSource"; readonly source: string; readonly head: string | undefined }
  | { readonly do: "OpenGraph"; readonly prefix: string; readonly branch: string }
  | { readonly do: "Bind"; readonly source: string }
  | { readonly do: "PushTarget"; readonly branch: string }
  | { readonly do: "SyncWork"; readonly remote: string }
  | { readonly do: "ReleaseWork" }
  | { readonly do: "Unbind"; readonly source: string }
  | { readonly do: "CloseGraph" }
  | { readonly do: "PutAway" };

const RETRY_MS = 10_000;
const PUSH_LOOK_MS = 1_000;
const REMOVAL_RETRY_MS = 2_000;

/** Clone first, then the work graph and the checkout's binding; afterwards what the remote says, and what may be pushed. */
export function planRig(object: RigObject, observed: RigObserved): Plan<RigAction> {
  if (observed.removal !== undefined) return planRemoval(object, observed, observed.removal);
  if (!observed.cloned) return planClone(observed);
  if (observed.origin !== observed.source && observed.problem === undefined)
    return {
      actions: [{ do: "FollowSource", source: observed.source, head: observed.head }],
      conditions: [progressing("SourceChanging", `looking for the same history at ${observed.source}`)],
    };
  if (!observed.graphOpen) {
    const prefix = rigPrefix(object.metadata.name, object.spec);
    return {
      actions: [{ do: "OpenGraph", prefix, branch: object.spec.workBranch }],
      conditions: [progressing("OpeningWorkGraph", "reading the work graph")],
    };
  }
  return planOpen(object, observed);
}

function planClone(observed: RigObserved): Plan<RigAction> {
  const { problem, source } = observed;
  if (problem !== undefined) return waiting(problem.reason, problem.message);
  if (observed.diskLow)
    return waiting("DiskLow", `less disk is free than spec.capacity.diskFloor of the Town; ${source} is not cloned`);
  return {
    actions: [{ do: "Clone", source }],
    conditions: [progressing("Cloning", `cloning ${source}`)],
  };
}

/** Everything is there: state what was found, bind the checkout, exchange what may be exchanged. */
function planOpen(object: RigObject, observed: RigObserved): Plan<RigAction> {
  const { fetch, now, branch, head } = observed;
  const actions: RigAction[] = [];
  if (object.spec.path !== undefined && !observed.bound && observed.problem === undefined)
    actions.push({ do: "Bind", source: observed.source });
  if (observed.push?.target === "Ahead" && branch !== undefined) actions.push({ do: "PushTarget", branch });
  if (observed.push?.workRemote !== undefined && fetch.state === "Done")
    actions.push({ do: "SyncWork", remote: observed.push.workRemote });
  const status = {
    ...(branch === undefined ? {} : { branch }),
    ...(head === undefined ? {} : { head }),
    prefix: rigPrefix(object.metadata.name, object.spec),
    beads: observed.beads,
    queue: observed.queue,
    ...(fetch.state === "Done" ? { fetchTime: timestamp(now), fetchAttemptTime: null } : {}),
    ...(fetch.state === "Failed" ? { fetchAttemptTime: timestamp(now) } : {}),
  };
  const stated = pushCondition(observed);
  // Without a closer look nothing new is known of the remote.
  const pushed = stated === undefined && object.spec.push.target ? restated(object, [PUSHED]) : [stated];
  return {
    actions,
    status,
    conditions: [readiness(object, observed), ...pushed.filter((condition) => condition !== undefined)],
    requeueAfterMs: observed.push?.target === "Ahead" ? PUSH_LOOK_MS : nextLookMs(object, observed),
  };
}

function nextLookMs(object: RigObject, { fetch, now, head, problem }: RigObserved): number {
  if (fetch.state === "Failed") return FETCH_RETRY_MS;
  if (problem !== undefined || head === undefined) return RETRY_MS;
  return fetch.state === "Done" ? fetchIntervalMs(object.spec) : Math.max(1_000, fetch.dueMs - now);
}

function readiness(object: RigObject, observed: RigObserved): ConditionIntent {
  const { branch, head, source, fetch, problem } = observed;
  // What cannot be reached is not gone: the clone stays, and work goes on with what was fetched.
  const goesOn = `work goes on with what was fetched ${object.status?.fetchTime === undefined ? "before" : `at ${object.status.fetchTime}`}`;
  if (problem !== undefined) {
    const gone = problem.reason === "RepositoryNotFound";
    return { type: READY, status: gone ? "Unknown" : "False", ...problem, message: `${problem.message}; ${goesOn}` };
  }
  if (fetch.state === "Failed")
    return { type: READY, status: "Unknown", reason: fetch.reason, message: `${fetch.message} ${goesOn}` };
  if (fetch.state === "Held") {
    const [former] = restated(object, [READY]);
    if (former !== undefined) return former;
  }
  if (branch === undefined || head === undefined) {
    const wanted = object.spec.branch ?? branch;
    return {
      type: READY,
      status: "False",
      reason: "NoTargetBranch",
      message: `${source} has no ${wanted === undefined ? "default branch" : `branch '${wanted}'`} with a commit; make a first commit there, or set spec.branch`,
    };
  }
  if (object.spec.suspend)
    return { type: READY, status: "True", reason: "Suspended", message: "suspended by spec.suspend" };
  return {
    type: READY,
    status: "True",
    reason: "RigReady",
    message: `clone and work graph are ready; target ${branch} at ${head.slice(0, 12)}`,
  };
}

/** How far what may leave this machine has; absent while nothing may. */
function pushCondition({ push, branch }: RigObserved): ConditionIntent | undefined {
  if (push === undefined || push.target === "Off") return undefined;
  const stated = (status: "True" | "False" | "Unknown", reason: string, message: string): ConditionIntent => ({
    type: PUSHED,
    status,
    reason,
    message,
  });
  switch (push.target) {
    case "UpToDate":
      return stated("True", "TargetPushed", `${push.remote} has ${branch ?? "the target"}`);
    case "Ahead":
      return stated("Unknown", "Pushing", `${branch ?? "the target"} is pushed to ${push.remote}`);
    case "Diverged":
      return stated(
        "False",
        "RemoteDiverged",
        `${push.remote} has commits that ${branch ?? "the target"} lacks; nothing is overwritten: merge them into ${branch ?? "it"}`,
      );
    case "NoRemote":
      return stated("False", "NoRemote", "spec.push.target is set, but the repository has no remote to push to");
    default:
      return push.target satisfies never;
  }
}

/** Pools and sessions first, then no work may be left; at last the checkout is as before, and the clone put away. */
function planRemoval(object: RigObject, observed: RigObserved, removal: Removal): Plan<RigAction> {
  if (!observed.cloned || removal.declaredAgain) return { actions: [], finalized: true };
  const removing = (reason: string, message: string, actions: readonly RigAction[] = []): Plan<RigAction> => ({
    actions,
    conditions: [{ type: READY, status: "False", reason, message }],
    requeueAfterMs: actions.length > 0 ? 100 : REMOVAL_RETRY_MS,
  });
  if (!observed.graphOpen)
    return removing("Removing", "reading the work graph once more", [
      { do: "OpenGraph", prefix: rigPrefix(object.metadata.name, object.spec), branch: object.spec.workBranch },
    ]);
  if (removal.abandoned && removal.unfinished.hooked.length > 0)
    return removing("AbandoningWork", "work on hooks is given back", [{ do: "ReleaseWork" }]);
  if (removal.waitsFor.length > 0)
    return removing("RigInUse", `waits for ${removal.waitsFor.join(", ")}; remove their manifests, too`);
  const unfinished = unfinishedText(removal.unfinished);
  if (unfinished !== undefined && !removal.abandoned)
    return removing(
      "UnfinishedWork",
      `${unfinished}; let it end, or leave it behind in the clone that is kept: town rig remove ${object.metadata.name} --force`,
    );
  // Of those whose session ended with work on the hook nobody takes the sandbox: that is unfinished work.
  if (removal.sandboxes.length > 0)
    return removing("RigInUse", `waits until the sandboxes ${removal.sandboxes.join(", ")} are removed`);
  return {
    actions: [
      ...(observed.bound ? [{ do: "Unbind", source: observed.source } as const] : []),
      { do: "CloseGraph" },
      { do: "PutAway" },
    ],
    finalized: true,
  };
}

function waiting(reason: string, message: string): Plan<RigAction> {
  return { actions: [], conditions: [{ type: READY, status: "False", reason, message }], requeueAfterMs: RETRY_MS };
}

function progressing(reason: string, message: string): ConditionIntent {
  return { type: READY, status: "Unknown", reason, message };
}
