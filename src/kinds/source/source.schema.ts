import { z } from "zod";
import { duration, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn } from "../../resource/standard-columns.ts";
import { healthStatus, syncStatus } from "./sync-status.schema.ts";

export const sourceSpec = z.strictObject({
  url: z
    .string()
    .regex(/^(?!-)\S+$/, { error: "must be a URL, or a path on this machine" })
    .describe("Repository with further manifests: URL, or path on this machine (absolute, or relative to the town)."),
  branch: z
    .string()
    .regex(/^(?!-)[A-Za-z0-9._][A-Za-z0-9._/-]*$/, { error: "must be a branch name" })
    .default("main")
    .describe("Branch that is followed."),
  path: z
    .string()
    .regex(/^(?![/])(?!.*(?:^|[/])\.\.(?:[/]|$)).*$/, { error: 'must be a folder in the repository; "" is its root' })
    .default("manifests")
    .describe("Folder of the manifests in it; empty: its root."),
  interval: duration().default("5m").describe("How often it is fetched."),
  suspend: z.boolean().default(false).describe("Nothing of it is applied or removed."),
  trusted: z
    .boolean()
    .default(false)
    .describe("Commands in its manifests may run; otherwise objects that state commands are refused."),
  prune: z
    .boolean()
    .default(true)
    .describe("Objects that disappear from it, or with it, are removed; false: they stay."),
  dependsOn: z.array(z.string()).optional().describe("Sources that must be applied first."),
});

export type SourceSpec = z.infer<typeof sourceSpec>;

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
    readyColumn("Whether it is applied."),
    {
      name: "Revision",
      type: "string",
      jsonPath: ".status.sync.appliedRevision",
      description: "Revision applied last.",
    },
    AGE,
  ],
});
