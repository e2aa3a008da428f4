import { z } from "zod";
import { duration, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { healthStatus, syncStatus } from "./sync-status.schema.ts";

export const sourceSpec = z.strictObject({
  url: z.string().min(1).describe("Repository with further manifests: URL, or path on this machine."),
  branch: z.string().default("main").describe("Branch that is followed."),
  path: z.string().default("manifests").describe("Folder of the manifests in it."),
  interval: duration().default("5m").describe("How often it is fetched."),
  suspend: z.boolean().default(false).describe("Nothing of it is applied or removed."),
  trusted: z
    .boolean()
    .default(false)
    .describe("Commands in its manifests may run; otherwise kinds that hold commands are refused."),
  prune: z.boolean().default(true).describe("Objects that disappear from it are removed."),
  dependsOn: z.array(z.string()).optional().describe("Sources that must be applied first."),
});

export const sourceStatus = z.object({
  ...statusBase,
  sync: syncStatus.optional().describe("The sync axis."),
  health: healthStatus.optional().describe("The health axis."),
  fetchTime: z.string().optional().describe("When it was fetched last (RFC 3339)."),
});

export const source = defineKind({
  group: "town.dev",
  kind: "Source",
  plural: "sources",
  scope: "Cluster",
  truth: "Desired",
  description: "A further repository, branch and folder of manifests that the town follows.",
  spec: sourceSpec,
  status: sourceStatus,
  columns: [
    { name: "Url", type: "string", jsonPath: ".spec.url", description: "Repository." },
    { name: "Sync", type: "string", jsonPath: ".status.sync.status", description: "Whether its objects follow it." },
    {
      name: "Ready",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: "Whether it is applied.",
    },
    {
      name: "Revision",
      type: "string",
      jsonPath: ".status.sync.appliedRevision",
      description: "Revision applied last.",
    },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});
