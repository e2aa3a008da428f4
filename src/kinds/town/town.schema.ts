import { z } from "zod";
import {
  budget,
  byteQuantity,
  duration,
  environmentEntry,
  statusBase,
  usage,
  usageOfModels,
  workTotals,
} from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn, TODAY, USAGE } from "../../resource/standard-columns.ts";
import { healthStatus, syncStatus } from "../source/sync-status.schema.ts";

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
      interval: duration()
        .default("1m")
        .describe("How often everything is compared again, even if no change was noticed; drift is put right then."),
      remote: z
        .strictObject({
          url: z
            .string()
            .regex(/^(?!-)\S+$/, { error: "must be a URL, a path, or the name of a remote such as 'origin'" })
            .describe("Remote of the town repository (`origin`), or a URL or path."),
          interval: duration().default("1m").describe("How often it is fetched; `town reconcile` fetches at once."),
        })
        .optional()
        .describe(
          "The remote's branch is the truth: it is followed, and writes of the API are pushed there before they are acknowledged. Default: the local branch is the truth.",
        ),
      writes: z
        .enum(["Commit", "Branch", "Refuse"])
        .default("Commit")
        .describe(
          "What a write of the API becomes. Commit: a commit on the tracked branch. Branch: a commit on a branch of its own below town/changes/, for a person to merge. Refuse: nothing; manifests change in git only.",
        ),
    })
    .refine((sync) => sync.mode === "commit" || sync.remote === undefined, {
      error: "must not be set with mode 'worktree', which follows the files on disk",
      path: ["remote"],
    })
    .prefault({})
    .describe("Where the desired state is read from."),
  capacity: z
    .strictObject({
      sessions: z.int().min(1).max(500).default(30).describe("Most agent sessions at once in the whole town."),
      startsPerMinute: z
        .int()
        .min(1)
        .max(6_000)
        .default(120)
        .describe("Most sessions started within a minute, so that a machine is not flooded when many are missing."),
      diskFloor: byteQuantity()
        .default("2Gi")
        .describe("No work is claimed, no sandbox made and nothing cloned while less than this is free on disk."),
    })
    .prefault({})
    .describe("Limits that are checked when work is claimed."),
  budget: z
    .strictObject({ daily: budget().describe("For a day, in UTC.") })
    .optional()
    .describe("What all agents together may use. Once it is spent no new work is claimed; work under way goes on."),
  transcripts: z
    .strictObject({
      ttl: duration().default("720h").describe("Older ones are removed."),
      maxSize: byteQuantity()
        .default("1Gi")
        .describe("All of them together take no more than this; the oldest go first."),
    })
    .prefault({})
    .describe("Copies of what agents' programs wrote down of their conversations, kept for `town seance`."),
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
  sync: syncStatus.optional().describe("The sync axis."),
  health: healthStatus.optional().describe("The health axis."),
  collectionTime: z.string().optional().describe("When orphans were looked for last (RFC 3339)."),
  sessions: z.int().optional().describe("Agent sessions running."),
  work: workTotals().optional().describe("Beads of all rigs and of the town, by what keeps them from being done."),
  usage: usage().optional().describe("What all agents used."),
  usageToday: usage().optional().describe("What all agents used today, in UTC."),
  spentToday: z.string().optional().describe("What was used today, over the daily budget where there is one."),
  models: usageOfModels().optional().describe("What all agents used, by model."),
  loops: z
    .array(
      z.object({
        name: z.string().describe("Loop."),
        state: z
          .enum(["Running", "Disabled", "NotServed"])
          .describe("Disabled: not chosen. NotServed: this version does not have it yet."),
      }),
    )
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Loops, and whether they run."),
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
    readyColumn("Whether everything applied."),
    {
      name: "Revision",
      type: "string",
      jsonPath: ".status.sync.appliedRevision",
      description: "Revision applied last.",
    },
    { name: "Sessions", type: "integer", jsonPath: ".status.sessions", description: "Agent sessions running." },
    TODAY,
    ...USAGE,
    AGE,
  ],
});

export type TownSpec = z.infer<typeof townSpec>;
