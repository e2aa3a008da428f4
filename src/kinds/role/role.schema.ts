import { z } from "zod";
import { label, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const PERMISSIONS = [
  "WorkHook",
  "CreateBeads",
  "CloseBeads",
  "SendMail",
  "Sling",
  "ProposeManifests",
  "ApplyManifests",
  "Nudge",
  "Merge",
] as const;

export const roleSpec = z.strictObject({
  plural: label()
    .optional()
    .describe("Plural used in identities: `<namespace>/<plural>/<name>`. Default: the name with an s."),
  scope: z.enum(["Town", "Rig"]).default("Rig").describe("Whether agents of this role belong to the town or to a rig."),
  lifecycle: z
    .enum(["Persistent", "Ephemeral"])
    .describe("Persistent: kept running. Ephemeral: a session exists only while work is on the hook."),
  singleton: z.boolean().default(false).describe("At most one agent; its identity has no name of its own."),
  prompt: z.string().describe("What the agent is told about its role; at most 800 tokens."),
  formula: z.string().optional().describe("Formula poured for each bead that is hooked. Default: none."),
  permissions: z
    .array(z.enum(PERMISSIONS))
    .default(["WorkHook", "CreateBeads", "CloseBeads", "SendMail"])
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("What its sessions may do through the API."),
  onContextFull: z
    .enum(["HandOff", "Reprime"])
    .default("HandOff")
    .describe("What happens when the program's context is full."),
  isolation: z
    .enum(["None", "Container", "User"])
    .default("None")
    .describe("How far the program is shut in. None: permissions stop mistakes, not malice."),
});

export const roleStatus = z.object({ ...statusBase });

export const role = defineKind({
  group: "town.dev",
  kind: "Role",
  plural: "roles",
  scope: "Cluster",
  truth: "Desired",
  description: "What an agent is told, how long it lives and what it may do.",
  spec: roleSpec,
  status: roleStatus,
  columns: [
    { name: "Scope", type: "string", jsonPath: ".spec.scope", description: "Town or Rig." },
    { name: "Lifecycle", type: "string", jsonPath: ".spec.lifecycle", description: "Persistent or Ephemeral." },
    { name: "Formula", type: "string", jsonPath: ".spec.formula", description: "Formula poured for its work." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});

export type RoleSpec = z.infer<typeof roleSpec>;
