import type { LoopPorts } from "../../ports/loop-ports.ts";
import { WaitingError } from "../../errors/town-error.ts";
import { openClone, type RigObject } from "./rig.observe.ts";
import type { RigAction } from "./rig.plan.ts";

const CLONE_TIMEOUT_MS = 30 * 60_000;

export async function executeRig(action: RigAction, object: RigObject, ports: LoopPorts): Promise<void> {
  const name = object.metadata.name;
  switch (action.do) {
    case "Clone":
      await ports.git.cloneBare(action.source, ports.layout.clone(name), { timeoutMs: CLONE_TIMEOUT_MS });
      ports.events.record(
        { kind: "Rig", name },
        { type: "Normal", reason: "Cloned", message: `cloned ${action.source}` },
      );
      return;
    case "Fetch": {
      const clone = await openClone(name, ports);
      await clone?.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"], { prune: true });
      return;
    }
    case "OpenGraph": {
      const clone = await openClone(name, ports);
      if (clone === undefined) throw new WaitingError("CloneMissing", `rig ${name} has no clone yet`, 1_000);
      await ports.graphHost.open(name, clone, { prefix: action.prefix, branch: action.branch });
      return;
    }
    case "CloseGraph":
      await ports.graphHost.close(name);
      return;
    default:
      return action satisfies never;
  }
}
