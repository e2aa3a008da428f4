import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE } from "../../resource/standard-columns.ts";

export const moleculeSpec = z.strictObject({
  id: z.string().optional().describe("Id in the work graph."),
  title: z.string().describe("What it is the plan for."),
  formula: z.string().optional().describe("Formula it was poured from."),
  bead: z.string().optional().describe("Bead it is the plan for."),
});

export const moleculeStatus = z.object({
  ...statusBase,
  state: z.string().optional().describe("open or closed."),
  progress: z.string().optional().describe("closed/total steps."),
  current: z.string().optional().describe("Step to do now."),
  steps: z
    .array(
      z.object({
        id: z.string().describe("Bead id of the step."),
        name: z.string().describe("Id of the step in the formula."),
        title: z.string().describe("What to do."),
        state: z.string().describe("open, in_progress or closed."),
      }),
    )
    .optional()
    .describe("Its steps in order."),
});

export const molecule = defineKind({
  group: "work.town.dev",
  kind: "Molecule",
  plural: "molecules",
  shortNames: ["mol"],
  scope: "Namespaced",
  truth: "Work",
  description: "A poured formula: durable steps, so that any session can go on where another one stopped.",
  spec: moleculeSpec,
  status: moleculeStatus,
  columns: [
    { name: "State", type: "string", jsonPath: ".status.state", description: "open or closed." },
    { name: "Progress", type: "string", jsonPath: ".status.progress", description: "Closed steps over all." },
    { name: "Current", type: "string", jsonPath: ".status.current", description: "Step to do now." },
    { name: "Bead", type: "string", jsonPath: ".spec.bead", description: "Bead it is the plan for." },
    AGE,
  ],
});
