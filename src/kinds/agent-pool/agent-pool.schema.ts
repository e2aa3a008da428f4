import { z } from "zod";
import { environmentEntry, label, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn, REASON } from "../../resource/standard-columns.ts";

export const agentPoolSpec = z.strictObject({
  role: z.string().describe("Role of its agents."),
  provider: z.string().describe("Provider that runs them."),
  replicas: z
    .int()
    .min(0)
    .max(200)
    .describe("Persistent role: agents kept running. Ephemeral role: most that work at once."),
  suspend: z.boolean().default(false).describe("Starts nothing new; running sessions go on."),
  names: z
    .array(label())
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Names of its agents in order. Default: the shipped list."),
  formula: z.string().optional().describe("Formula poured for each hooked bead. Default: the role's."),
  model: z.string().optional().describe("Model for these agents. Default: the provider's."),
  effort: z.string().optional().describe("Effort setting, as the program wants it."),
  env: z
    .array(environmentEntry())
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Environment of these agents."),
});

export const agentPoolStatus = z.object({
  ...statusBase,
  replicas: z.int().optional().describe("Agents running."),
  working: z.int().optional().describe("Agents with work on the hook."),
  ready: z.int().optional().describe("Beads ready for an Ephemeral pool."),
  selector: z.string().optional().describe("Label selector of its agents."),
});

export const agentPool = defineKind({
  group: "town.dev",
  kind: "AgentPool",
  plural: "agentpools",
  shortNames: ["pool", "ap"],
  scope: "Namespaced",
  truth: "Desired",
  description: "A role times a count: the agents of one kind in a rig or in the town.",
  spec: agentPoolSpec,
  status: agentPoolStatus,
  scale: {
    specReplicasPath: ".spec.replicas",
    statusReplicasPath: ".status.replicas",
    labelSelectorPath: ".status.selector",
  },
  columns: [
    { name: "Role", type: "string", jsonPath: ".spec.role", description: "Role of its agents." },
    {
      name: "Provider",
      type: "string",
      jsonPath: ".spec.provider",
      description: "Program that runs them.",
      priority: 1,
    },
    { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", description: "Asked for." },
    { name: "Running", type: "integer", jsonPath: ".status.replicas", description: "Sessions running." },
    { name: "Working", type: "integer", jsonPath: ".status.working", description: "Agents with work on the hook." },
    readyColumn("Whether it is as asked."),
    REASON,
    AGE,
  ],
});

export type AgentPoolSpec = z.infer<typeof agentPoolSpec>;
export type AgentPoolStatus = z.infer<typeof agentPoolStatus>;
