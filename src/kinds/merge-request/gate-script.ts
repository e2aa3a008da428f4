import type { Gate } from "../../domain/merge-queue/queue-record.ts";
import { hashText } from "../../domain/work-graph/record/canonical.ts";
import type { GateSpec, RigSpec } from "../rig/rig.schema.ts";

/** What a gate runs: the rig's set-up first, since its worktree is a clean one. */
export function gateScript(spec: RigSpec, gate: GateSpec): string {
  const setup = spec.setup?.command;
  return setup === undefined ? gate.command : `{ ${setup}\n} && { ${gate.command}\n}`;
}

/** The gate as the queue sees it: results of another script do not count. */
export function gateOf(spec: RigSpec, gate: GateSpec): Gate {
  return { name: gate.name, command: hashText(gateScript(spec, gate)), required: gate.required };
}
