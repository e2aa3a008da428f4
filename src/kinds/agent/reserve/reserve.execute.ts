import type { LoopPorts } from "../../../ports/loop-ports.ts";
import type { RigObject } from "../../rig/rig.schema.ts";
import { sandboxRepository } from "../agent-sandbox.ts";
import { copySandboxFiles } from "../sandbox-files.ts";
import { endSetUp, startSetUp } from "../sandbox-setup.ts";
import type { ReserveAction } from "./reserve.plan.ts";
import { reservePlace } from "./reserve-place.ts";

export async function executeReserve(action: ReserveAction, object: RigObject, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.name;
  const place = reservePlace(namespace, action.number, ports);
  const repository = await sandboxRepository(namespace, ports);
  switch (action.do) {
    case "Remove":
      await endSetUp(namespace, place.agent, ports);
      await repository.removeWorktree(place.path);
      ports.events.record(place.about, {
        type: "Normal",
        reason: "ReserveRemoved",
        message: `${place.path}, which no agent had: ${action.reason}`,
      });
      return;
    case "Prepare":
      // First of all: what is recorded of a sandbox that was taken must not count for the next one.
      if (!action.again) await endSetUp(namespace, place.agent, ports);
      await repository.addWorktree({ path: place.path, commit: action.commit });
      await copySandboxFiles(namespace, place.path, repository, ports);
      return startSetUp(place, place.path, action.inputs, ports);
    default:
      return action satisfies never;
  }
}
