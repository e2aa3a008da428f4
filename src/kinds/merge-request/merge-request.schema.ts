import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE } from "../../resource/standard-columns.ts";

export const mergeRequestSpec = z.strictObject({
  id: z.string().optional().describe("Id in the work graph."),
  title: z.string().describe("Title of the work."),
  bead: z.string().describe("Bead whose work it carries."),
  head: z.string().describe("Commit that is submitted; pinned."),
  target: z.string().describe("Branch it goes to."),
  author: z.string().optional().describe("Agent that submitted it."),
  priority: z.int().optional().describe("0 is most urgent."),
});

export const mergeRequestStatus = z.object({
  ...statusBase,
  state: z.string().optional().describe("Queued, Testing, Waiting, Merged, Rejected, Superseded."),
  reason: z.string().optional().describe("Why it is in that state."),
  position: z.int().optional().describe("Place in the queue, from 1, as it was looked at last."),
  batch: z
    .string()
    .optional()
    .describe("Place and size of the batch it is stacked in, as `2/8`: each is tested on top of those before it."),
  gate: z.string().optional().describe("Gate that the batch is in."),
  approvedBy: z.array(z.string()).optional().describe("Who approved its commit."),
  commit: z.string().optional().describe("Commit that was built last; it lands if its tree passes."),
  tree: z.string().optional().describe("Tree of that commit."),
  log: z.string().optional().describe("Log of the gate."),
  mergedTime: z.string().optional().describe("When it landed."),
});

export const mergeRequest = defineKind({
  group: "work.town.dev",
  kind: "MergeRequest",
  plural: "mergerequests",
  shortNames: ["mr"],
  scope: "Namespaced",
  truth: "Work",
  description: "Submitted work on its way to the target branch; it ends exactly once.",
  spec: mergeRequestSpec,
  status: mergeRequestStatus,
  columns: [
    { name: "State", type: "string", jsonPath: ".status.state", description: "Where it stands." },
    { name: "Pos", type: "integer", jsonPath: ".status.position", description: "Place in the queue." },
    { name: "Batch", type: "string", jsonPath: ".status.batch", description: "Place and size of its batch." },
    { name: "Gate", type: "string", jsonPath: ".status.gate", description: "Gate that its batch is in.", priority: 1 },
    { name: "Bead", type: "string", jsonPath: ".spec.bead", description: "Bead whose work it carries." },
    { name: "Author", type: "string", jsonPath: ".spec.author", description: "Agent that submitted it." },
    { name: "Target", type: "string", jsonPath: ".spec.target", description: "Branch it goes to." },
    { name: "Reason", type: "string", jsonPath: ".status.reason", description: "Why.", priority: 1 },
    AGE,
  ],
});
