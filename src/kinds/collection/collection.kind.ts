import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import { executeCollection } from "./collection.execute.ts";
import { type CollectionObserved, observeCollection, type TownHq } from "./collection.observe.ts";
import { type CollectionAction, planCollection } from "./collection.plan.ts";

/** Removes what nothing refers to any more, never unmerged work; one look in ten minutes. */
export const collection = runnable<CollectionObserved, CollectionAction, LoopPorts, TownHq>({
  name: "collection",
  kind: "Town",
  watches: [],
  resyncMs: 600_000,
  ownedConditions: [],
  observe: observeCollection,
  plan: planCollection,
  execute: executeCollection,
});
