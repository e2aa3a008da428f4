import { z } from "zod";
import {
  budget,
  duration,
  environmentEntry,
  label,
  statusBase,
  usage,
  usageOfModels,
  workTotals,
} from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGE, readyColumn, REASON, TODAY, USAGE } from "../../resource/standard-columns.ts";

export const gateSpec = z
  .strictObject({
    name: label().describe("Name of the gate, unique in the rig."),
    command: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Shell command run in a clean worktree of the exact tree; exit 0 passes. Exactly one of command and approvals.",
      ),
    approvals: z
      .int()
      .min(1)
      .max(10)
      .optional()
      .describe(
        "How many must approve the submitted commit before it is queued: people, or agents whose role may `Merge`, but never its author. `town approve` and `town reject`.",
      ),
    when: z
      .strictObject({
        paths: z
          .array(z.string().min(1))
          .min(1)
          .describe("Patterns from the repository's root: `*` and `?` within a name, `**` across directories."),
      })
      .optional()
      .describe("The command runs only for changes of such files. Default: for every change."),
    timeout: duration().default("20m").describe("The gate fails when its command takes longer."),
    required: z.boolean().default(true).describe("false: reported, but does not hold a merge back."),
  })
  .refine((gate) => (gate.command === undefined) !== (gate.approvals === undefined), {
    error: "exactly one of `command` and `approvals` must be set",
    path: ["command"],
  })
  .refine((gate) => gate.approvals === undefined || gate.when === undefined, {
    error: "must be absent for `approvals`",
    path: ["when"],
  })
  .refine((gate) => gate.approvals === undefined || gate.required, {
    error: "must be true for `approvals`",
    path: ["required"],
  });

/** A file inside a worktree: no way out of it, and nothing of git's own. */
const sandboxPath = () =>
  z.string().regex(/^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))(?!\.git(?:\/|$))[^\n]*[^/\n]$/, {
    error: "must be a relative path of a file, without '..' and not below '.git'",
  });

export const rigSpec = z
  .strictObject({
    path: z
      .string()
      .optional()
      .describe(
        "Absolute path (or relative to the town) of a repository on this machine. Exactly one of path and url.",
      ),
    url: z.string().optional().describe("URL to clone from. Exactly one of path and url."),
    branch: z
      .string()
      .optional()
      .describe("Target branch that work is merged to. Default: the repository's default branch."),
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9]{0,11}$/, {
        error: "must be 1 to 12 lower-case letters and digits, starting with a letter",
      })
      .optional()
      .describe("Prefix of this rig's bead ids. Default: the rig's name without dashes, at most 12 characters."),
    fetchInterval: duration()
      .optional()
      .describe(
        "How often the source is fetched if nothing asks for it. Default: 1m for a url; 10m for a path, which is also fetched when its branch moves.",
      ),
    budget: z
      .strictObject({ daily: budget().describe("For a day, in UTC.") })
      .optional()
      .describe("What this rig's agents may use. Once it is spent no new work is claimed; work under way goes on."),
    suspend: z.boolean().default(false).describe("No new work is started and nothing is merged in this rig."),
    workBranch: z.string().default("town/work").describe("Branch that holds the work graph; never checked out."),
    dependencyMeans: z
      .enum(["Merged", "Closed"])
      .default("Merged")
      .describe("When work that waits for other work may start."),
    push: z
      .strictObject({
        work: z
          .boolean()
          .default(false)
          .describe("Exchange the work graph's branch with the remote (of a path rig: the remote of that repository)."),
        target: z
          .boolean()
          .default(false)
          .describe("Push the target branch to the remote (of a path rig: the remote of that repository) as it moves."),
      })
      .prefault({})
      .describe("What may leave this machine. Nothing does by default."),
    setup: z
      .strictObject({
        command: z
          .string()
          .min(1)
          .optional()
          .describe("Shell command run once in each new sandbox, before its first session, and before the gates."),
        timeout: duration().default("10m").describe("Set-up fails when it takes longer."),
        reserve: z
          .int()
          .min(0)
          .max(20)
          .default(0)
          .describe(
            "Sandboxes kept ready, checked out and set up, for agents to take: none of them waits for the command then. Each costs the disk of a sandbox.",
          ),
        inputs: z
          .array(sandboxPath())
          .default([])
          .meta({ "x-kubernetes-list-type": "set" })
          .describe(
            "Files and directories of the repository that the command's result depends on, such as `package-lock.json`. While they are the same, a sandbox in reserve can be taken. Default: the whole tree.",
          ),
        files: z
          .array(
            z.strictObject({
              path: sandboxPath().describe("Where it goes in the sandbox."),
              from: z
                .string()
                .min(1)
                .optional()
                .describe(
                  "File to copy: absolute, or relative to the town. Default: the file of that path in the checkout of a path rig.",
                ),
            }),
          )
          .default([])
          .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["path"] })
          .describe("Files that git does not have, such as `.env`, put into each sandbox and never committed."),
      })
      .optional()
      .describe("How a fresh worktree is made ready."),
    merge: z
      .strictObject({
        strategy: z.enum(["Merge", "Squash"]).default("Merge").describe("Shape of the commits on the target."),
        gates: z
          .array(gateSpec)
          .default([])
          .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
          .describe("What the exact tree must pass before the target moves to it."),
        maxBatch: z
          .int()
          .min(1)
          .max(50)
          .default(8)
          .describe(
            "Most requests that are tested and landed together. Fewer are taken while gates fail: the size is halved by each request that breaks one, and grows by one with each batch that lands whole. 1: each on its own.",
          ),
        maxAttempts: z
          .int()
          .min(1)
          .max(20)
          .default(5)
          .describe("How often work may be sent back before a person is asked."),
      })
      .prefault({})
      .describe("The merge queue of this rig."),
    env: z
      .array(environmentEntry())
      .optional()
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("Environment of this rig's agents."),
    trust: z
      .enum(["None", "Formulas", "Commands"])
      .default("Formulas")
      .describe("What is taken from the rig's own repository."),
  })
  .refine((spec) => (spec.path === undefined) !== (spec.url === undefined), {
    error: "exactly one of `path` and `url` must be set",
    path: ["path"],
  })
  .refine((spec) => (spec.setup?.reserve ?? 0) === 0 || spec.setup?.command !== undefined, {
    error: "must be 0 without a `command`: there is nothing to prepare",
    path: ["setup", "reserve"],
  })
  .refine((spec) => spec.path !== undefined || (spec.setup?.files ?? []).every((file) => file.from !== undefined), {
    error: "each file of a rig with a `url` must state `from`",
    path: ["setup", "files"],
  });

export const rigStatus = z.object({
  ...statusBase,
  branch: z.string().optional().describe("Target branch in use."),
  head: z.string().optional().describe("Commit of the target branch."),
  prefix: z.string().optional().describe("Prefix of the rig's bead ids in use."),
  beads: z.int().optional().describe("Records in the work graph."),
  queue: z.int().optional().describe("Merge requests waiting."),
  work: workTotals().optional().describe("Its beads, by what keeps them from being done."),
  usage: usage().optional().describe("What its agents used in all."),
  reserve: z.int().optional().describe("Sandboxes that are ready to be taken; absent where none are asked for."),
  usageToday: usage().optional().describe("What its agents used today, in UTC."),
  spentToday: z.string().optional().describe("What was used today, over the daily budget where there is one."),
  models: usageOfModels().optional().describe("What its agents used in all, by model."),
  fetchTime: z.string().optional().describe("When the source repository was fetched last (RFC 3339)."),
  fetchAttemptTime: z.string().optional().describe("When fetching failed last; absent while it works (RFC 3339)."),
});

export const rig = defineKind({
  group: "town.dev",
  kind: "Rig",
  plural: "rigs",
  scope: "Cluster",
  truth: "Desired",
  description:
    "A project: one repository, its work graph, its agents and its merge queue, in the namespace of the same name.",
  spec: rigSpec,
  status: rigStatus,
  columns: [
    readyColumn("Whether clone and work graph are there."),
    { name: "Branch", type: "string", jsonPath: ".status.branch", description: "Target branch." },
    {
      name: "Head",
      type: "string",
      jsonPath: ".status.head",
      description: "Commit of the target branch.",
      priority: 1,
    },
    { name: "Todo", type: "integer", jsonPath: ".status.work.ready", description: "Beads that can be started now." },
    { name: "Working", type: "integer", jsonPath: ".status.work.working", description: "Beads on a hook." },
    { name: "Blocked", type: "integer", jsonPath: ".status.work.blocked", description: "Beads that wait for others." },
    { name: "Queue", type: "integer", jsonPath: ".status.queue", description: "Merge requests waiting." },
    TODAY,
    ...USAGE,
    REASON,
    AGE,
  ],
});

export type RigSpec = z.infer<typeof rigSpec>;
export type RigStatus = z.infer<typeof rigStatus>;
export type RigObject = TownObject<RigSpec, RigStatus>;
export type GateSpec = z.infer<typeof gateSpec>;
