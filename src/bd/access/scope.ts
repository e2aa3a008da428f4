import type { WorkGraph } from "../../ports/work-graph.ts";
import type { Call } from "../command.ts";
import { flag } from "../grammar/flag.ts";

/** Flag of commands that can look into every store. */
export const allStoresFlag = flag("all-rigs", "in the stores of all rigs, not only this one's", "A");

/** The stores a listing looks at. */
export function scopeOf({ flags, home, context }: Call): readonly WorkGraph[] {
  return flags.isSet("all-rigs") ? context.graphs.all() : [home];
}
