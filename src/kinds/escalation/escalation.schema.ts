import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const escalationSpec = z.strictObject({
  id: z.string().optional().describe("Id in the work graph."),
  title: z.string().describe("What needs somebody."),
  text: z.string().optional().describe("Details."),
  severity: z.int().min(0).max(4).describe("0 is most severe."),
  bead: z.string().optional().describe("Bead that it is about."),
  agent: z.string().optional().describe("Agent that it is about, or that raised it."),
});

export const escalation = defineKind({
  group: "work.town.dev",
  kind: "Escalation",
  plural: "escalations",
  shortNames: ["esc"],
  scope: "Namespaced",
  truth: "Work",
  description: "Something that an agent or loop cannot settle by itself.",
  spec: escalationSpec,
  status: z.object({
    ...statusBase,
    state: z.string().optional().describe("open until it is settled."),
    assignee: z.string().optional().describe("Who looks at it."),
  }),
  columns: [
    { name: "Sev", type: "integer", jsonPath: ".spec.severity", description: "0 is most severe." },
    { name: "Title", type: "string", jsonPath: ".spec.title", description: "What needs somebody." },
    { name: "State", type: "string", jsonPath: ".status.state", description: "open until it is settled." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was raised." },
  ],
});
