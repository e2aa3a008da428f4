import type { Plan } from "../../resource/controller.ts";
import { READY, timestamp } from "../../resource/condition.ts";
import type { RigObject, RigObserved } from "./rig.observe.ts";
import { rigPrefix } from "../../work/rig-target.ts";

export type RigAction =
  | { readonly do: "Clone"; readonly source: string }
  | { readonly do: "Fetch" }
  | { readonly do: "OpenGraph"; readonly prefix: string; readonly branch: string }
  | { readonly do: "CloseGraph" };

/** How often the source repository is fetched even if nothing asks for it. */
const FETCH_PERIOD_MS = 60_000;

/** Clone first, then the work graph; afterwards a fetch now and then. */
export function planRig(object: RigObject, observed: RigObserved): Plan<RigAction> {
  const prefix = rigPrefix(object.metadata.name, object.spec);
  if (object.metadata.deletionTimestamp !== undefined) {
    return observed.graphOpen ? { actions: [{ do: "CloseGraph" }] } : { actions: [], finalized: true };
  }
  if (!observed.sourceFound) {
    return {
      actions: [],
      conditions: [
        {
          type: READY,
          status: "False",
          reason: "RepositoryNotFound",
          message: `no git repository at ${observed.source}; correct spec.path or create it`,
        },
      ],
      requeueAfterMs: 10_000,
    };
  }
  if (!observed.cloned)
    return {
      actions: [{ do: "Clone", source: observed.source }],
      conditions: [progressing("Cloning", `cloning ${observed.source}`)],
    };
  if (observed.origin !== observed.source) {
    return {
      actions: [],
      conditions: [
        {
          type: READY,
          status: "False",
          reason: "SourceChanged",
          message: `the clone follows ${observed.origin ?? "no repository"}, the manifest names ${observed.source}; give the new repository a rig of its own, or change it back`,
        },
      ],
    };
  }
  if (observed.branch === undefined || observed.head === undefined) {
    return {
      actions: [{ do: "Fetch" }],
      conditions: [
        {
          type: READY,
          status: "False",
          reason: "NoTargetBranch",
          message: `${observed.source} has no branch ${object.spec.branch ?? "with a commit"}; make a first commit or set spec.branch`,
        },
      ],
      requeueAfterMs: 10_000,
    };
  }
  const facts = { branch: observed.branch, head: observed.head, prefix, beads: observed.beads, queue: observed.queue };
  if (!observed.graphOpen)
    return {
      actions: [{ do: "OpenGraph", prefix, branch: object.spec.workBranch }],
      status: facts,
      conditions: [progressing("OpeningWorkGraph", "reading the work graph")],
    };
  const fetchDueMs =
    (object.status?.fetchTime === undefined ? 0 : Date.parse(object.status.fetchTime)) + FETCH_PERIOD_MS;
  const fetchDue = observed.now >= fetchDueMs;
  return {
    actions: fetchDue ? [{ do: "Fetch" }] : [],
    status: fetchDue ? { ...facts, fetchTime: timestamp(observed.now) } : facts,
    conditions: [
      object.spec.suspend
        ? { type: READY, status: "True", reason: "Suspended", message: "suspended by spec.suspend" }
        : {
            type: READY,
            status: "True",
            reason: "RigReady",
            message: `clone and work graph are ready; target ${observed.branch} at ${observed.head.slice(0, 12)}`,
          },
    ],
    requeueAfterMs: fetchDue ? FETCH_PERIOD_MS : Math.max(1_000, fetchDueMs - observed.now),
  };
}

function progressing(reason: string, message: string) {
  return { type: READY, status: "Unknown" as const, reason, message };
}
