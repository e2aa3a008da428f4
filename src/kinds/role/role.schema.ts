import { z } from "zod";
import { duration, label, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE } from "../../resource/standard-columns.ts";

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
  scope: z
    .enum(["Town", "Rig"])
    .default("Rig")
    .describe(
      "Town: agents of this role belong to the town, so their pools are in namespace `hq` only. Rig: to a rig.",
    ),
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
  propulsion: z
    .strictObject({
      acknowledge: duration()
        .default("45s")
        .describe("A session that has not read its hook after this long is reminded; 30s to 60s suits most programs."),
      idle: duration()
        .default("2m")
        .describe("With work on its hook, an agent may sit at its prompt for this long before it is reminded."),
      busyLimit: duration()
        .default("30m")
        .describe("Signs of being busy count for this long; after that they are taken for a program that hangs."),
      reminders: z
        .int()
        .min(1)
        .max(20)
        .default(3)
        .describe("Reminders without an answer before the session is restarted."),
      restarts: z
        .int()
        .min(0)
        .max(20)
        .default(2)
        .describe("Restarts without progress on one hook before a person is asked."),
    })
    .prefault({})
    .describe("What is done when an agent does not act on its hook. Each further reminder waits twice as long."),
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
  // Those that ship are in every town: `get all` is about what somebody made.
  categories: ["town"],
  scope: "Cluster",
  truth: "Desired",
  description: "What an agent is told, how long it lives and what it may do.",
  spec: roleSpec,
  status: roleStatus,
  columns: [
    { name: "Scope", type: "string", jsonPath: ".spec.scope", description: "Town or Rig." },
    { name: "Lifecycle", type: "string", jsonPath: ".spec.lifecycle", description: "Persistent or Ephemeral." },
    { name: "Formula", type: "string", jsonPath: ".spec.formula", description: "Formula poured for its work." },
    AGE,
  ],
});

export type RoleSpec = z.infer<typeof roleSpec>;
