import { timestamp } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import type { CollectionObserved, Orphan, TownHq } from "./collection.observe.ts";
import type { LooseObjects } from "./loose-objects.ts";

export type CollectionAction =
  | { readonly do: "ScanOwners" }
  | { readonly do: "Remove"; readonly orphan: Orphan }
  | { readonly do: "Pack"; readonly objects: LooseObjects };

/** Most that is removed in one look: whatever went wrong, a person sees it before much is gone. */
const MOST_REMOVALS = 20;

/** Owner references are looked at once more, and orphans go, a few at a time. */
export function planCollection(_town: TownHq, observed: CollectionObserved): Plan<CollectionAction> {
  const { now } = observed;
  if (observed.state === "NotDue") return { actions: [], requeueAfterMs: Math.max(1_000, observed.dueMs - now) };
  const removals = observed.orphans
    .slice(0, MOST_REMOVALS)
    .map((orphan): CollectionAction => ({ do: "Remove", orphan }));
  return {
    actions: [
      { do: "ScanOwners" },
      ...removals,
      ...observed.loose.map((objects) => ({ do: "Pack", objects }) as const),
    ],
    status: { collectionTime: timestamp(now) },
    requeueAfterMs: 1_000,
  };
}
