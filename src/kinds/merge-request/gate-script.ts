import type { Gate } from "../../domain/merge-queue/queue-record.ts";
import { hashText } from "../../domain/work-graph/record/canonical.ts";
import type { GateSpec, RigSpec } from "../rig/rig.schema.ts";

/** A gate that runs something. */
export type CommandGate = GateSpec & { readonly command: string };

export function commandGates(spec: RigSpec): readonly CommandGate[] {
  return spec.merge.gates.filter((gate): gate is CommandGate => gate.command !== undefined);
}

/** How many must approve a request; 0: nobody has to. */
export function approvalsNeeded(spec: RigSpec): number {
  return Math.max(0, ...spec.merge.gates.map(({ approvals }) => approvals ?? 0));
}

/** What a gate runs: the rig's set-up first, since its worktree is a clean one. */
export function gateScript(spec: RigSpec, gate: CommandGate): string {
  const setup = spec.setup?.command;
  return setup === undefined ? gate.command : `{ ${setup}\n} && { ${gate.command}\n}`;
}

/** The gate as the queue sees it: results of another script do not count. */
export function gateOf(spec: RigSpec, gate: CommandGate): Gate {
  return { name: gate.name, command: hashText(gateScript(spec, gate)), required: gate.required };
}
