import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";

/** Why a bead cannot be found: its store is not open yet, or there is none of that id. */
export function missingBead(id: string, { graphs }: Pick<LoopPorts, "graphs">): ApiStatusError {
  return graphs.isAway(id)
    ? new ApiStatusError(503, "NotReady", `the work graph that ${id} belongs to is not open yet; try again`, {
        hint: "town get rigs",
      })
    : new ApiStatusError(404, "NotFound", `no issue found matching ${id}`, { hint: "bd list" });
}
