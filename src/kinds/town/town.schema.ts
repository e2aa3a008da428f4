import { z } from "zod";
import { byteQuantity, duration, environmentEntry, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

/** Loops in the order of the design; each can be switched off. */
export const LOOPS = [
  "source",
  "rigs",
  "workers",
  "hooks",
  "molecules",
  "convoys",
  "merges",
  "patrols",
  "messages",
  "collection",
] as const;

export const townSpec = z.strictObject({
  owner: z
    .string()
    .optional()
    .describe("E-mail of the human who answers for this town. Default: git user.email of the town repository."),
  suspend: z.boolean().default(false).describe("Stops all loops from acting; nothing is started, stopped or merged."),
  runtime: z
    .enum(["Auto", "Tmux", "Process"])
    .default("Auto")
    .describe("Where agents run. Auto: tmux where it is installed, else plain processes."),
  loops: z
    .array(z.enum(LOOPS))
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Loops that run. Default: all."),
  sync: z
    .strictObject({
      mode: z
        .enum(["commit", "worktree"])
        .default("commit")
        .describe("commit: manifests as committed on the branch. worktree: as saved on disk, for trying things."),
      branch: z
        .string()
        .regex(/^(?!-)[A-Za-z0-9._][A-Za-z0-9._/-]*$/, { error: "must be a branch name" })
        .optional()
        .describe("Branch that is followed. Default: the branch checked out when the town was made."),
      path: z.string().default("manifests").describe("Folder of the manifests in the repository."),
      interval: duration().default("1m").describe("How often the branch is looked at even if no change was noticed."),
    })
    .prefault({})
    .describe("Where the desired state is read from."),
  capacity: z
    .strictObject({
      sessions: z.int().min(1).max(500).default(30).describe("Most agent sessions at once in the whole town."),
      diskFloor: byteQuantity().default("2Gi").describe("No work is claimed while less than this is free on disk."),
    })
    .prefault({})
    .describe("Limits that are checked when work is claimed."),
  tmux: z
    .strictObject({
      extraConfig: z.string().optional().describe("tmux configuration sourced last on the town's own server."),
    })
    .optional()
    .describe("Taste of the terminal."),
  env: z
    .array(environmentEntry())
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Environment of every agent."),
});

export const townStatus = z.object({
  ...statusBase,
  sync: z
    .object({
      status: z
        .enum(["Synced", "OutOfSync", "Unknown"])
        .optional()
        .describe("Whether the objects follow the attempted revision."),
      appliedRevision: z
        .string()
        .optional()
        .describe("Last revision applied without problems, `<branch>@sha1:<commit>`."),
      attemptedRevision: z.string().optional().describe("Newest revision looked at."),
      attemptedTime: z.string().optional().describe("When it was looked at (RFC 3339)."),
      objects: z.int().optional().describe("Objects declared."),
      problems: z
        .array(
          z.object({
            path: z.string().describe("File."),
            line: z.int().describe("Line, from 1."),
            column: z.int().describe("Column, from 1."),
            message: z.string().describe("What is wrong and how to mend it."),
          }),
        )
        .optional()
        .describe("What could not be applied, with its place."),
      history: z
        .array(
          z.object({
            revision: z.string().describe("Revision."),
            time: z.string().describe("When it was applied."),
            changes: z.int().describe("Objects changed."),
          }),
        )
        .optional()
        .describe("Last five applied revisions."),
    })
    .optional()
    .describe("The sync axis."),
  health: z
    .enum(["Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"])
    .optional()
    .describe("The health axis."),
  sessions: z.int().optional().describe("Agent sessions running."),
  runtime: z
    .enum(["Answering", "NotAnswering", "Frozen"])
    .optional()
    .describe("Whether the runtime answers; Frozen: many sessions vanished without evidence."),
});

export const town = defineKind({
  group: "town.dev",
  kind: "Town",
  plural: "towns",
  scope: "Cluster",
  truth: "Desired",
  description: "The town itself: one object named hq with everything that is not about one rig.",
  spec: townSpec,
  status: townStatus,
  columns: [
    { name: "Sync", type: "string", jsonPath: ".status.sync.status", description: "Whether the objects follow git." },
    {
      name: "Ready",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: "Whether everything applied.",
    },
    {
      name: "Revision",
      type: "string",
      jsonPath: ".status.sync.appliedRevision",
      description: "Revision applied last.",
    },
    { name: "Sessions", type: "integer", jsonPath: ".status.sessions", description: "Agent sessions running." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});

export type TownSpec = z.infer<typeof townSpec>;
