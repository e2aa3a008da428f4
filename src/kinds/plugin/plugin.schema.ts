import { z } from "zod";
import { crontabProblem } from "../../domain/scheduling/crontab.ts";
import { duration, environmentEntry, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn } from "../../resource/standard-columns.ts";
import { PERMISSIONS } from "../role/role.schema.ts";

const gate = z
  .strictObject({
    cooldown: duration().optional().describe("Runs again this long after it last ended; the first time at once."),
    cron: z.string().optional().describe("Runs at these times, as crontab writes them: five fields, or `@daily`."),
    event: z.string().optional().describe("Runs when an Event with this reason occurs, as `Merged`."),
    condition: z.string().optional().describe("Runs when this shell command, tried once a minute, exits with 0."),
    manual: z.literal(true).optional().describe("Runs only when somebody asks: `town plugin run NAME`."),
  })
  .refine((value) => Object.keys(value).length === 1, {
    error: "exactly one of `cooldown`, `cron`, `event`, `condition` and `manual` must be set",
  });

const run = z
  .strictObject({
    prompt: z.string().min(1).optional().describe("Text for an agent of the role, which gets it as a bead."),
    formula: z.string().min(1).optional().describe("Formula that is poured for an agent of the role."),
    exec: z.array(z.string()).min(1).optional().describe("Program and arguments that the controller runs."),
  })
  .refine((value) => value.exec !== undefined || value.prompt !== undefined || value.formula !== undefined, {
    error: "one of `prompt`, `formula` and `exec` must be set",
  })
  .refine((value) => value.exec === undefined || Object.keys(value).length === 1, {
    error: "`exec` is run by the controller, `prompt` and `formula` by an agent: set one or the other",
  });

export const pluginSpec = z
  .strictObject({
    scope: z
      .enum(["Town", "Rig"])
      .optional()
      .describe(
        "Town: it is about the town. Rig: about a rig; in namespace `hq` about each one. Default: Town in `hq`, else Rig.",
      ),
    gate: gate.describe("When it runs; exactly one of the fields."),
    timeZone: z.string().optional().describe("Zone of `gate.cron`, as `Europe/Berlin`. Default: that of the machine."),
    run: run.describe("What it does: a program, or work for an agent."),
    role: z
      .string()
      .optional()
      .describe("Role of the agent that does it. Default: the witness for a rig, a dog for the town."),
    timeout: duration().default("15m").describe("The run is ended after this time."),
    env: z
      .array(environmentEntry())
      .default([])
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("Variables for `run.exec`, which inherits none."),
    permissions: z
      .array(z.enum(PERMISSIONS))
      .default([])
      .meta({ "x-kubernetes-list-type": "set" })
      .describe(
        "What `run.exec` may do through the API; with any, it is given a token. An agent has those of its role.",
      ),
    suspend: z.boolean().default(false).describe("Nothing new is started."),
  })
  .superRefine((spec, context) => {
    const problem = spec.gate.cron === undefined ? undefined : crontabProblem(spec.gate.cron, spec.timeZone);
    if (problem !== undefined)
      context.addIssue({ code: "custom", path: ["gate", "cron"], message: `is no crontab line: ${problem}` });
    if (spec.run.exec !== undefined && spec.role !== undefined)
      context.addIssue({ code: "custom", path: ["role"], message: "has no part in `run.exec`: remove it" });
    if (spec.run.exec === undefined && (spec.env.length > 0 || spec.permissions.length > 0))
      context.addIssue({
        code: "custom",
        path: [spec.env.length > 0 ? "env" : "permissions"],
        message: "is for `run.exec` only: an agent has the environment and permissions of its pool and role",
      });
  })
  .describe("Scheduled attention.");

export type PluginSpec = z.infer<typeof pluginSpec>;

const targetStatus = z.object({
  namespace: z.string().describe("Rig, or hq, that it was about."),
  run: z.string().optional().describe("Bead of the run in progress."),
  lastRun: z.string().optional().describe("Bead of the newest run that ended."),
  runs: z.int().describe("Runs that ended."),
  lastScheduleTime: z.string().optional().describe("What the newest run was due at."),
  lastEndTime: z.string().optional().describe("When it ended."),
  lastCheckTime: z.string().optional().describe("When the gate's condition was tried last."),
  lastEvent: z.string().optional().describe("Resource version of the newest Event that started a run."),
  result: z.enum(["Succeeded", "Failed", "TimedOut", "Interrupted"]).optional().describe("How the last run ended."),
  message: z.string().optional().describe("More about it, on one line."),
  nextRunTime: z.string().optional().describe("When it is due next."),
});

export const pluginStatus = z.object({
  ...statusBase,
  lastRunTime: z.string().optional().describe("When a run ended last."),
  nextRunTime: z.string().optional().describe("When a run is due next."),
  runs: z.int().optional().describe("How often it ran."),
  result: z.string().optional().describe("How the last run ended."),
  targets: z.array(targetStatus).optional().describe("What it is about, one by one."),
});

export type PluginStatus = z.infer<typeof pluginStatus>;
export type TargetStatus = z.infer<typeof targetStatus>;

export const plugin = defineKind({
  group: "town.dev",
  kind: "Plugin",
  plural: "plugins",
  scope: "Namespaced",
  truth: "Desired",
  description: "Scheduled attention: when to run, what to do, and who does it.",
  spec: pluginSpec,
  status: pluginStatus,
  columns: [
    readyColumn("Whether it runs as it should."),
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: "Why." },
    { name: "Runs", type: "integer", jsonPath: ".status.runs", description: "How often it ran." },
    { name: "Last", type: "date", jsonPath: ".status.lastRunTime", description: "Time since a run ended." },
    { name: "Result", type: "string", jsonPath: ".status.result", description: "How the last run ended." },
    { name: "Next", type: "string", jsonPath: ".status.nextRunTime", description: "When it is due next." },
    AGE,
  ],
});
