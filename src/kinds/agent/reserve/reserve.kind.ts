import type { LoopPorts } from "../../../ports/loop-ports.ts";
import { runnable } from "../../../resource/controller.ts";
import type { RigObject } from "../../rig/rig.schema.ts";
import { executeReserve } from "./reserve.execute.ts";
import { observeReserve, type ReserveObserved } from "./reserve.observe.ts";
import { planReserve, type ReserveAction } from "./reserve.plan.ts";

/** Keeps sandboxes of a rig ready for agents to take. */
export const reserves = runnable<ReserveObserved, ReserveAction, LoopPorts, RigObject>({
  name: "reserves",
  kind: "Rig",
  watches: [
    // One was taken, perhaps.
    {
      kind: "Sandbox",
      by: "Map",
      keys: ({ metadata }) => (metadata.namespace === undefined ? [] : [{ kind: "Rig", name: metadata.namespace }]),
    },
  ],
  resyncMs: 60_000,
  ownedConditions: [],
  observe: observeReserve,
  plan: planReserve,
  execute: executeReserve,
});
