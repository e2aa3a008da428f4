/**
 * Fields through which a manifest makes the controller or a session run something, as data; only the town's own branch
 * and trusted Sources may state them. `value`: only this value does.
 */
export interface CommandField {
  readonly kind: string;
  /** Path in the spec, as references are written: `merge.gates[].command`. */
  readonly path: string;
  readonly value?: string;
}

export const COMMAND_FIELDS: readonly CommandField[] = [
  { kind: "Provider", path: "command" },
  { kind: "Provider", path: "autonomyArgs[]" },
  { kind: "Provider", path: "env[].valueFrom.command" },
  { kind: "Rig", path: "merge.gates[].command" },
  { kind: "Rig", path: "setup.command" },
  { kind: "Rig", path: "env[].valueFrom.command" },
  { kind: "Rig", path: "trust", value: "Commands" },
  { kind: "AgentPool", path: "env[].valueFrom.command" },
  { kind: "Plugin", path: "env[].valueFrom.command" },
  { kind: "Plugin", path: "run.exec" },
  { kind: "Plugin", path: "gate.condition" },
];
