import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { RigSpec, RigStatus } from "./rig.schema.ts";
import { rigSource } from "../../work/rig-target.ts";

export type RigObject = TownObject<RigSpec, RigStatus>;

export interface RigObserved {
  readonly now: number;
  readonly name: string;
  /** Where it is cloned from: absolute path or URL. */
  readonly source: string;
  /** For path rigs: whether there is a repository at the path. */
  readonly sourceFound: boolean;
  readonly cloned: boolean;
  /** Origin of the clone, to notice that the manifest names another one now. */
  readonly origin: string | undefined;
  readonly graphOpen: boolean;
  readonly branch: string | undefined;
  readonly head: string | undefined;
  readonly beads: number;
  readonly queue: number;
}

/** Looks at the clone, the target branch and the work graph of a rig. */
export async function observeRig(object: RigObject, ports: LoopPorts): Promise<RigObserved> {
  const name = object.metadata.name;
  const source = rigSource(object.spec, ports.layout.root);
  const sourceFound = object.spec.path === undefined || (await ports.git.open(source)) !== undefined;
  const clone = await openClone(name, ports);
  const graph = ports.graphs.graph(name);
  const branch = clone === undefined ? undefined : (object.spec.branch ?? (await clone.defaultBranch()));
  return {
    now: ports.clock.now(),
    name,
    source,
    sourceFound,
    cloned: clone !== undefined,
    origin: await clone?.config("remote.origin.url"),
    graphOpen: graph !== undefined,
    branch,
    head:
      clone === undefined || branch === undefined ? undefined : await clone.resolve(`refs/remotes/origin/${branch}`),
    beads: graph?.list().length ?? 0,
    queue: graph?.list({ type: ["merge-request"], status: ["open", "in_progress"] }).length ?? 0,
  };
}

/** Town's clone of a rig, or undefined while it is not there. */
export async function openClone(
  rig: string,
  ports: Pick<LoopPorts, "files" | "git" | "layout">,
): Promise<Repository | undefined> {
  const path = ports.layout.clone(rig);
  return (await ports.files.stat(path)) === undefined ? undefined : await ports.git.open(path);
}
