import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const messageSpec = z.strictObject({
  id: z.string().optional().describe("Id in the work graph."),
  from: z.string().describe("Who sent it."),
  to: z.string().describe("Who it is for."),
  subject: z.string().describe("What it is about."),
  text: z.string().optional().describe("What it says."),
});

export const message = defineKind({
  group: "work.town.dev",
  kind: "Message",
  plural: "messages",
  shortNames: ["msg"],
  scope: "Namespaced",
  truth: "Work",
  description: "Mail between agents and people.",
  spec: messageSpec,
  status: z.object({ ...statusBase, state: z.string().optional().describe("open until it was read.") }),
  columns: [
    { name: "From", type: "string", jsonPath: ".spec.from", description: "Who sent it." },
    { name: "To", type: "string", jsonPath: ".spec.to", description: "Who it is for." },
    { name: "Subject", type: "string", jsonPath: ".spec.subject", description: "What it is about." },
    { name: "State", type: "string", jsonPath: ".status.state", description: "open until it was read." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was sent." },
  ],
});
