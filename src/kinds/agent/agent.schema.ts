import { z } from "zod";
import { statusBase, usage } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const agentSpec = z.strictObject({
  identity: z.string().describe("`<namespace>/<role-plural>/<name>`: permanent, author of its commits."),
  role: z.string().describe("Its role."),
  pool: z.string().describe("AgentPool that made it."),
  desired: z
    .enum(["Running", "OnWork", "Stopped"])
    .describe(
      "Running: keep a session. OnWork: a session only while work is on the hook. Stopped: end it when it has no work.",
    ),
});

export const agentStatus = z.object({
  ...statusBase,
  state: z.string().optional().describe("Working, Idle, Starting, Stalled, Stopped."),
  hook: z.string().optional().describe("Bead on its hook."),
  step: z.string().optional().describe("Step it is at."),
  generation: z.int().optional().describe("Generation of its newest session."),
  session: z.string().optional().describe("Session that runs it."),
  sandbox: z.string().optional().describe("Path of its worktree."),
  failures: z.int().optional().describe("Sessions in a row that ended by themselves with work on the hook."),
  kills: z.int().optional().describe("Sessions ended from outside since the last healthy stretch."),
  endedGeneration: z.int().optional().describe("Newest session whose end was taken note of."),
  nextStartTime: z.string().optional().describe("No start before this time (RFC 3339)."),
  ledger: z
    .object({
      done: z.int().optional().describe("Attempts that it handed in or that needed no change."),
      merged: z.int().optional().describe("Attempts that were merged."),
      reworked: z.int().optional().describe("Attempts that were sent back."),
      failed: z.int().optional().describe("Attempts that it gave up as failed."),
      abandoned: z.int().optional().describe("Attempts that were taken off its hook."),
      seconds: z.int().optional().describe("Time with work on its hook."),
    })
    .optional()
    .describe("Counts over all its work; `town agent cv` has the entries."),
  usage: usage().optional().describe("What its sessions used in all."),
  lastOutput: z.string().optional().describe("Last lines of a session that crashed."),
});

export const agent = defineKind({
  group: "work.town.dev",
  kind: "Agent",
  plural: "agents",
  shortNames: ["ag"],
  scope: "Namespaced",
  truth: "Work",
  description: "The permanent identity of a worker; sessions come and go.",
  spec: agentSpec,
  status: agentStatus,
  columns: [
    { name: "Role", type: "string", jsonPath: ".spec.role", description: "Its role." },
    { name: "State", type: "string", jsonPath: ".status.state", description: "What it is doing." },
    { name: "Hook", type: "string", jsonPath: ".status.hook", description: "Bead on its hook." },
    { name: "Step", type: "string", jsonPath: ".status.step", description: "Step it is at." },
    {
      name: "Gen",
      type: "integer",
      jsonPath: ".status.generation",
      description: "Sessions started so far.",
      priority: 1,
    },
    { name: "Merged", type: "integer", jsonPath: ".status.ledger.merged", description: "Merged so far.", priority: 1 },
    { name: "Cost", type: "number", jsonPath: ".status.usage.costUSD", description: "Dollars so far.", priority: 1 },
    { name: "Sandbox", type: "string", jsonPath: ".status.sandbox", description: "Its worktree.", priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});

export type AgentSpec = z.infer<typeof agentSpec>;
export type AgentStatus = z.infer<typeof agentStatus>;
