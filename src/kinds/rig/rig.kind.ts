import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import { executeRig } from "./rig.execute.ts";
import { observeRig, type RigObserved } from "./rig.observe.ts";
import type { RigObject } from "./rig.schema.ts";
import { planRig, type RigAction } from "./rig.plan.ts";
import { PUSHED } from "./rig-push.ts";

/** Keeps Town's own clone and work graph of each rig. */
export const rigs = runnable<RigObserved, RigAction, LoopPorts, RigObject>({
  name: "rigs",
  kind: "Rig",
  watches: [
    {
      kind: "MergeRequest",
      by: "Map",
      keys: (changed) =>
        changed.metadata.namespace === undefined ? [] : [{ kind: "Rig", name: changed.metadata.namespace }],
    },
  ],
  resyncMs: 600_000,
  finalizer: "town.dev/rig",
  ownedConditions: ["Ready", PUSHED],
  observe: observeRig,
  plan: planRig,
  execute: executeRig,
});
