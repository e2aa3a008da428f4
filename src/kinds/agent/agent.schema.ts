import { z } from "zod";
import { statusBase, usage, usageOfModels } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGE } from "../../resource/standard-columns.ts";

export const agentSpec = z.strictObject({
  identity: z.string().describe("`<namespace>/<role-plural>/<name>`: permanent, author of its commits."),
  role: z.string().describe("Its role."),
  pool: z.string().describe("AgentPool that made it."),
  desired: z
    .enum(["Running", "OnWork", "Stopped"])
    .describe(
      "Running: keep a session. OnWork: a session only while work is on the hook. Stopped: end it when it has no work.",
    ),
  handedOff: z
    .int()
    .optional()
    .describe("Generation of the session that handed off last; it is ended and the next goes on from its note."),
  joined: z
    .int()
    .optional()
    .describe("Generation in which a program that a person started is this agent; the town starts and ends none."),
});

/** What the hooks loop knows of one hooking under one session. */
const propulsion = z
  .object({
    hook: z.string().describe("Bead and hooking it is about, `<bead>@<fence>`."),
    generation: z.int().describe("Generation of the session it is about."),
    idleSince: z.string().optional().describe("Since when nothing shows that it is busy (RFC 3339)."),
    busySince: z.string().optional().describe("Since when it shows that it is busy (RFC 3339)."),
    toolsSince: z.string().optional().describe("Since when what it has started works, at each look (RFC 3339)."),
    toolsSeen: z.string().optional().describe("When that was seen last (RFC 3339)."),
    futile: z.int().optional().describe("Reminders it answered without any progress since."),
    restarts: z.int().optional().describe("Sessions restarted on this hook without progress."),
    restarting: z
      .int()
      .optional()
      .describe("Generation that is ended, for want of an answer, so that another one starts."),
    limited: z
      .object({
        since: z.string().describe("When its program told of it (RFC 3339)."),
        until: z.string().describe("When it is asked to go on (RFC 3339)."),
        times: z.int().describe("How often in a row, without any progress."),
      })
      .optional()
      .describe("The last limit of its program."),
    gaveUpTime: z.string().optional().describe("When a person was asked (RFC 3339)."),
    obstacle: z
      .object({
        reason: z.enum(["RateLimited", "AuthRequired", "DialogOpen"]).describe("What is in the way."),
        message: z.string().describe("Details for a person."),
        lookTime: z.string().describe("When the screen is looked at again (RFC 3339)."),
      })
      .optional()
      .describe("What stands between the program and its work; no reminder is spent on it."),
  })
  .optional()
  .describe("How the agent is kept going.");

const doorbell = z
  .object({
    generation: z.int().describe("Session it was rung for."),
    sequence: z.int().describe("Newest message it was rung for; 0 for none."),
    hook: z.string().describe("Hooking it was rung for, `<bead>@<fence>`; empty for none."),
    time: z.string().describe("When (ISO 8601)."),
    result: z
      .enum(["Ringing", "Typed", "Refused"])
      .describe("Ringing: it may have been typed. Refused: nothing was typed, a person is in the way."),
    repeats: z.int().describe("How often it was rung again for the same messages."),
    reminders: z.int().describe("Reminders of the same hook in a row without an answer."),
  })
  .optional()
  .describe("The last line that was typed into its terminal.");

export const agentStatus = z.object({
  ...statusBase,
  state: z
    .enum(["Working", "Idle", "Starting", "Stalled", "Zombie", "Stopped", "Unknown"])
    .optional()
    .describe(
      "Stalled: it has work and does not act on it. Zombie: its session runs although its work is closed or handed on. Unknown: nothing may be concluded.",
    ),
  hook: z.string().optional().describe("Bead on its hook."),
  title: z.string().optional().describe("Title of the bead on its hook."),
  step: z.string().optional().describe("Step it is at."),
  progressTime: z.string().optional().describe("When the bead on its hook, or a step of it, changed last (RFC 3339)."),
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
  models: usageOfModels().optional().describe("What its sessions used, by model."),
  lastOutput: z.string().optional().describe("Last lines of the session that crashed or was restarted last."),
  activity: z
    .enum(["Idle", "Busy", "Quiet", "Asking", "RateLimited", "AuthRequired", "DialogOpen"])
    .optional()
    .describe(
      "What its program shows. Quiet: no sign of being busy, nor of waiting at its prompt. Asking: it waits for an answer to its question.",
    ),
  propulsion,
  doorbell,
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
    {
      name: "Activity",
      type: "string",
      jsonPath: ".status.activity",
      description: "What its program shows.",
      priority: 1,
    },
    { name: "Step", type: "string", jsonPath: ".status.step", description: "Step it is at." },
    {
      name: "Gen",
      type: "integer",
      jsonPath: ".status.generation",
      description: "Sessions started so far.",
      priority: 1,
    },
    { name: "Merged", type: "integer", jsonPath: ".status.ledger.merged", description: "Merged so far.", priority: 1 },
    {
      name: "Tokens",
      type: "integer",
      jsonPath: ".status.usage.total",
      description: "Tokens used so far.",
      priority: 1,
    },
    { name: "Cost", type: "number", jsonPath: ".status.usage.costUSD", description: "Dollars so far.", priority: 1 },
    { name: "Sandbox", type: "string", jsonPath: ".status.sandbox", description: "Its worktree.", priority: 1 },
    {
      name: "Title",
      type: "string",
      jsonPath: ".status.title",
      description: "Title of the bead on its hook.",
      priority: 1,
    },
    AGE,
  ],
});

export type AgentSpec = z.infer<typeof agentSpec>;
export type AgentStatus = z.infer<typeof agentStatus>;
export type AgentObject = TownObject<AgentSpec, AgentStatus>;
