import { z } from "zod";
import { duration, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const pluginSpec = z
  .strictObject({
    scope: z.enum(["Town", "Rig"]).default("Rig").describe("Whether it is about the town or a rig."),
    gate: z
      .strictObject({
        cooldown: duration().optional().describe("Runs again this long after it last ran."),
        cron: z.string().optional().describe("Runs at these times, as crontab writes them."),
        event: z.string().optional().describe("Runs when an event of this type occurs."),
        condition: z.string().optional().describe("Runs when this command exits with 0."),
        manual: z.boolean().optional().describe("Runs only when a person asks."),
      })
      .refine((gate) => Object.keys(gate).length === 1, {
        error: "exactly one of `cooldown`, `cron`, `event`, `condition` and `manual` must be set",
      })
      .describe("When it runs; exactly one of the fields."),
    run: z
      .strictObject({
        prompt: z.string().optional().describe("Text for the agent."),
        formula: z.string().optional().describe("Formula that is poured."),
        exec: z.array(z.string()).min(1).optional().describe("Program and arguments run by the controller."),
      })
      .refine((run) => Object.keys(run).length === 1, {
        error: "exactly one of `prompt`, `formula` and `exec` must be set",
      })
      .describe("What it does; exactly one of the fields."),
    role: z.string().optional().describe("Role that does it. Default: the witness of the rig, a dog of the town."),
    timeout: duration().default("15m").describe("The run is ended after this time."),
    permissions: z.array(z.string()).default([]).describe("What the run may do beyond its role."),
    suspend: z.boolean().default(false).describe("It does not run."),
  })
  .describe("Scheduled attention.");

export const pluginStatus = z.object({
  ...statusBase,
  lastRunTime: z.string().optional().describe("When it ran last."),
  runs: z.int().optional().describe("How often it ran."),
});

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
    { name: "Scope", type: "string", jsonPath: ".spec.scope", description: "Town or Rig." },
    {
      name: "Ready",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: "Whether it runs.",
    },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: "Why." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});
