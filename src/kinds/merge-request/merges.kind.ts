import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import { executeMerges } from "./merges.execute.ts";
import { type MergesObserved, observeMerges, type RigObject } from "./merges.observe.ts";
import { type MergesAction, planMerges, TARGET_BROKEN } from "./merges.plan.ts";

/** The merge queue of each rig. Its state is in the merge requests' records; the Rig only names the queue. */
export const merges = runnable<MergesObserved, MergesAction, LoopPorts, RigObject>({
  name: "merges",
  kind: "Rig",
  watches: [
    {
      kind: "MergeRequest",
      by: "Map",
      keys: (changed) =>
        changed.metadata.namespace === undefined ? [] : [{ kind: "Rig", name: changed.metadata.namespace }],
    },
  ],
  resyncMs: 30_000,
  // Gates have limits of their own; this only bounds what no gate bounds.
  timeoutMs: 4 * 3_600_000,
  ownedConditions: [TARGET_BROKEN],
  observe: observeMerges,
  plan: planMerges,
  execute: executeMerges,
});
