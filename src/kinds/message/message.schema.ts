import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const messageSpec = z.strictObject({
  id: z.string().optional().describe("Id in the work graph."),
  from: z.string().describe("Who sent it."),
  to: z.string().describe("Who it is for."),
  subject: z.string().describe("What it is about."),
  text: z.string().optional().describe("What it says."),
  urgent: z.boolean().optional().describe("The reader's doorbell is rung for it at once."),
  durable: z.boolean().optional().describe("It is kept in git; others end a day after their last change."),
});

export const messageStatus = z.object({
  ...statusBase,
  state: z
    .enum(["Waiting", "Delivered", "Unconfirmed", "Read", "Acknowledged", "Archived"])
    .optional()
    .describe(
      "Waiting: nobody has seen it. Delivered: a session was handed it and has not shown that it took note. Unconfirmed: a session was handed it several times and never said that it was shown.",
    ),
  sequence: z.int().optional().describe("Rises with each message of the recipient."),
  thread: z.string().optional().describe("Message that the conversation began with."),
  generation: z.int().optional().describe("Generation of the session that was handed it last."),
  deliveries: z.int().optional().describe("How many sessions were handed it."),
  deliveredTime: z.string().optional().describe("When it was handed over last (RFC 3339)."),
  readTime: z.string().optional().describe("When it was taken note of (RFC 3339)."),
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
  status: messageStatus,
  columns: [
    { name: "From", type: "string", jsonPath: ".spec.from", description: "Who sent it." },
    { name: "To", type: "string", jsonPath: ".spec.to", description: "Who it is for." },
    { name: "Subject", type: "string", jsonPath: ".spec.subject", description: "What it is about." },
    { name: "State", type: "string", jsonPath: ".status.state", description: "How far it got." },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was sent." },
  ],
});
