import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { RigObject } from "./merges.observe.ts";

/** Where a step of the merge queue happens. */
export interface MergePlace {
  readonly rig: string;
  readonly graph: WorkGraph;
  readonly clone: Repository;
  readonly ports: LoopPorts;
  readonly object: RigObject;
}
