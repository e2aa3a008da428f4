import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";
import { rigAspect, townAspect } from "../aspects.ts";
import { executeConvoy } from "./convoy.execute.ts";
import { type ConvoyObject, type ConvoyObserved, observeConvoy } from "./convoy.observe.ts";
import { type ConvoyAction, planConvoy } from "./convoy.plan.ts";

/** The convoy that a bead says it belongs to; tracked beads are found at the resync. */
function convoyOfBead(changed: TownObject): readonly ObjectKey[] {
  const [namespace, name] = ((changed.status as { readonly convoy?: string } | undefined)?.convoy ?? "").split("/");
  return namespace === undefined || name === undefined ? [] : [{ kind: "Convoy", namespace, name }];
}

/** Declares a convoy's beads and follows them until they are closed. */
export const convoys = runnable<ConvoyObserved, ConvoyAction, LoopPorts, ConvoyObject>({
  name: "convoys",
  kind: "Convoy",
  watches: [
    { kind: "Bead", by: "Map", keys: convoyOfBead },
    { kind: "Rig", by: "All", aspect: rigAspect },
    { kind: "Town", by: "All", aspect: townAspect },
  ],
  resyncMs: 60_000,
  finalizer: "town.dev/convoy",
  ownedConditions: ["Ready", "Closed"],
  observe: observeConvoy,
  plan: planConvoy,
  execute: executeConvoy,
});
