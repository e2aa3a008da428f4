import { AdapterError } from "../../../errors/town-error.ts";
import type { Repository } from "../../../ports/git.ts";
import type { LoopPorts } from "../../../ports/loop-ports.ts";
import type { TownObject } from "../../../resource/object-meta.ts";
import type { RigSpec } from "../../rig/rig.schema.ts";
import { endSetUp, noteSetUp, readSetUp } from "../sandbox-setup.ts";
import { reservePlace } from "./reserve-place.ts";
import { setUpInputs } from "./set-up-inputs.ts";

/**
 * Makes an agent's worktree out of a sandbox in reserve whose set-up holds for the commit, if there is one.
 *
 * Guarantees: of several agents one gets it; killed between any two steps, the agent has no worktree, or one whose set-up
 * is not recorded and so done once more, and the reserve is made up again. False: none was taken, and nothing is at `path`.
 */
export async function takeReserve(
  repository: Repository,
  want: {
    readonly namespace: string;
    readonly agent: string;
    readonly path: string;
    /** Full ref; made at `commit` where it does not exist. */
    readonly branch: string;
    readonly commit: string;
  },
  ports: LoopPorts,
): Promise<boolean> {
  const { namespace, agent, path, branch, commit } = want;
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const setup = rig?.spec.setup;
  if (setup === undefined || setup.reserve === 0) return false;
  const start = (await repository.resolve(branch)) ?? commit;
  const inputs = await setUpInputs(repository, start, setup.inputs);
  if (inputs === undefined) return false;
  for (let number = 1; number <= setup.reserve; number += 1) {
    const place = reservePlace(namespace, number, ports);
    const setUp = await readSetUp({ namespace, agent: place.agent, branch: inputs }, ports);
    if (setUp.state !== "Done" || !(await moved(repository, place.path, want))) continue;
    await endSetUp(namespace, place.agent, ports);
    await noteSetUp({ namespace, agent, branch }, ports);
    ports.events.record(
      { kind: "Agent", namespace, name: agent },
      { type: "Normal", reason: "ReserveTaken", message: `${path} was prepared beforehand` },
    );
    return true;
  }
  return false;
}

async function moved(
  repository: Repository,
  from: string,
  to: { readonly path: string; readonly branch: string; readonly commit: string },
): Promise<boolean> {
  try {
    return (await repository.moveWorktree({ from, to: to.path, branch: to.branch, commit: to.commit })) === "Moved";
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    // What its set-up changed is in the branch's way. No agent had it: an ordinary one is made instead.
    await repository.removeWorktree(to.path);
    return false;
  }
}
