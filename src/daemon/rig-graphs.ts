import { openClone } from "../kinds/rig/rig.observe.ts";
import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { rigPrefix } from "../work/rig-target.ts";

/**
 * Opens the work graphs of all rigs that have a clone, for a controller that leaves rigs to another time: the loops it
 * does run need them. A rig that cannot be opened is told and passed over.
 */
export async function openRigGraphs(
  ports: Pick<LoopPorts, "objects" | "graphHost" | "graphs" | "files" | "git" | "layout" | "log">,
): Promise<void> {
  for (const rig of ports.objects.list("Rig") as readonly TownObject<RigSpec>[]) {
    const { name, deletionTimestamp } = rig.metadata;
    if (deletionTimestamp !== undefined || ports.graphs.graph(name) !== undefined) continue;
    try {
      const clone = await openClone(name, ports);
      if (clone === undefined) continue;
      await ports.graphHost.open(name, clone, { prefix: rigPrefix(name, rig.spec), branch: rig.spec.workBranch });
    } catch (err) {
      ports.log.warn({ err, rig: name }, "cannot open the work graph of a rig");
    }
  }
}
