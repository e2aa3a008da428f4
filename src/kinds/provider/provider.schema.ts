import { z } from "zod";
import { duration, environmentEntry, statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const providerSpec = z.strictObject({
  command: z.array(z.string().min(1)).min(1).describe("Program and fixed arguments."),
  autonomyArgs: z
    .array(z.string())
    .default([])
    .describe("Arguments that let it work without asking; empty unless you turn them on."),
  prompt: z
    .strictObject({
      mode: z
        .enum(["None", "Argument", "Stdin", "Paste", "File"])
        .default("None")
        .describe("How the first prompt is given."),
      argument: z.string().optional().describe("Flag in front of the prompt; absent: the prompt is the last argument."),
    })
    .prefault({})
    .describe("How the program is told what to do first."),
  ready: z
    .strictObject({
      screen: z.string().optional().describe("Regular expression that the screen shows when the program takes input."),
      idleTitle: z.string().optional().describe("Regular expression of the terminal title while idle."),
      busyTitle: z.string().optional().describe("Regular expression of the terminal title while busy."),
      delay: duration().default("0s").describe("Least time after the start."),
    })
    .prefault({})
    .describe("How readiness and busyness show."),
  resume: z
    .strictObject({
      args: z
        .array(z.string())
        .optional()
        .describe("Arguments to go on with a former session; `{session}` stands for its id."),
      forkArgs: z.array(z.string()).optional().describe("Arguments to ask a copy of a former session."),
      sessionIdArgs: z.array(z.string()).optional().describe("Arguments to choose the id of a new session."),
    })
    .optional()
    .describe("How a former conversation is found again."),
  headless: z
    .strictObject({
      args: z.array(z.string()).describe("Arguments for one turn without a terminal; `{prompt}` stands for the text."),
    })
    .optional()
    .describe("Form without a terminal, for the process runtime."),
  hooks: z
    .enum(["None", "Claude", "Codex", "Gemini", "Opencode"])
    .default("None")
    .describe("Kind of hook files that are put into the sandbox."),
  submitDelay: duration().default("200ms").describe("Time between a paste and Enter."),
  model: z.string().optional().describe("Model; passed as the program wants it."),
  patterns: z
    .strictObject({
      rateLimited: z.string().optional().describe("Regular expression of a screen that says a limit is reached."),
      authRequired: z.string().optional().describe("Regular expression of a screen that asks to log in."),
      dialogOpen: z
        .string()
        .optional()
        .describe("Regular expression of a screen with a question of the program itself."),
    })
    .optional()
    .describe("Screens that are neither work nor a stall."),
  processNames: z.array(z.string()).default([]).describe("Names its process may have."),
  env: z
    .array(environmentEntry())
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
    .describe("Environment of the program."),
});

export const providerStatus = z.object({ ...statusBase });

export const provider = defineKind({
  group: "town.dev",
  kind: "Provider",
  plural: "providers",
  scope: "Cluster",
  truth: "Desired",
  description: "A program that can be an agent: how it starts, takes prompts, resumes and shows its state.",
  spec: providerSpec,
  status: providerStatus,
  columns: [
    { name: "Command", type: "string", jsonPath: ".spec.command[0]", description: "Program." },
    { name: "Prompt", type: "string", jsonPath: ".spec.prompt.mode", description: "How it is prompted." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was made." },
  ],
});

export type ProviderSpec = z.infer<typeof providerSpec>;
