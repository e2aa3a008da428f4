import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const sessionSpec = z.strictObject({
  agent: z.string().describe("Agent it runs."),
  role: z.string().describe("Role of the agent."),
  generation: z.int().describe("Which start of the agent this is; older ones are fenced off."),
  bead: z.string().optional().describe("Bead that was on the hook at its start."),
  runtime: z.string().describe("tmux or process."),
  runtimeName: z.string().describe("Its name on the runtime."),
});

export const sessionStatus = z.object({
  ...statusBase,
  state: z
    .enum(["Running", "Exited", "Unknown"])
    .optional()
    .describe("Unknown: the runtime did not show it, and nothing proves that it is gone."),
  pid: z.int().optional().describe("Process id of its program."),
  exitCode: z.int().optional().describe("How its program ended."),
  exitSignal: z.string().optional().describe("Signal that ended its program."),
  startTime: z.string().optional().describe("When it was started."),
  title: z.string().optional().describe("Title of its terminal."),
});

export const session = defineKind({
  group: "work.town.dev",
  kind: "Session",
  plural: "sessions",
  shortNames: ["ses"],
  scope: "Namespaced",
  truth: "Observed",
  description: "One run of an agent's program, as the runtime shows it now.",
  spec: sessionSpec,
  status: sessionStatus,
  columns: [
    { name: "State", type: "string", jsonPath: ".status.state", description: "Running, Exited or Unknown." },
    { name: "Agent", type: "string", jsonPath: ".spec.agent", description: "Agent it runs.", priority: 1 },
    { name: "Gen", type: "integer", jsonPath: ".spec.generation", description: "Which start of the agent this is." },
    { name: "Bead", type: "string", jsonPath: ".spec.bead", description: "Bead on the hook at its start." },
    { name: "Runtime", type: "string", jsonPath: ".spec.runtimeName", description: "Its name on the runtime." },
    { name: "Age", type: "date", jsonPath: ".status.startTime", description: "Time since its start." },
  ],
});
