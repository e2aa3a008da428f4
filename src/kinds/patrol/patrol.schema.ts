import { z } from "zod";
import { duration, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, readyColumn } from "../../resource/standard-columns.ts";

export const patrolSpec = z.strictObject({
  role: z.string().describe("Role whose agent makes the rounds."),
  formula: z.string().describe("Formula of one round."),
  interval: duration().default("5m").describe("Time between two rounds while there is something to do."),
  backoff: z
    .strictObject({
      min: duration().default("30s").describe("Shortest sleep."),
      max: duration().default("15m").describe("Longest sleep."),
      factorPercent: z
        .int()
        .min(100)
        .max(1000)
        .default(200)
        .describe("By how much the sleep grows after a round without findings, in percent."),
    })
    .prefault({})
    .describe("How rounds without findings become rarer."),
  suspend: z.boolean().default(false).describe("No rounds are made."),
});

export const patrolStatus = z.object({
  ...statusBase,
  lastRoundTime: z.string().optional().describe("When the last round began."),
  nextRoundTime: z.string().optional().describe("When the next round is due."),
});

export const patrol = defineKind({
  group: "town.dev",
  kind: "Patrol",
  plural: "patrols",
  scope: "Namespaced",
  truth: "Desired",
  description: "Rounds that an agent makes: a formula, again and again, rarer while nothing is found.",
  spec: patrolSpec,
  status: patrolStatus,
  columns: [
    { name: "Role", type: "string", jsonPath: ".spec.role", description: "Role whose agent makes the rounds." },
    { name: "Interval", type: "string", jsonPath: ".spec.interval", description: "Time between rounds." },
    readyColumn("Whether rounds are made."),
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason', description: "Why." },
    AGE,
  ],
});
