import { conditionOf, READY } from "../resource/condition.ts";
import type { TownObject } from "../resource/object-meta.ts";

/** What of the Town decides about what others do; the count of its sessions and its sums do not. */
export function townAspect(town: TownObject): string {
  const { runtime } = (town.status ?? {}) as { readonly runtime?: string };
  return `${town.metadata.generation} ${runtime ?? ""}`;
}

/** What of a Rig decides about work in it; its sums and its head do not. */
export function rigAspect(rig: TownObject): string {
  const ready = conditionOf(rig, READY);
  return `${rig.metadata.generation} ${ready?.status ?? ""} ${rig.metadata.deletionTimestamp ?? ""}`;
}
