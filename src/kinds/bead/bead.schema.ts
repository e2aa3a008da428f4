import { z } from "zod";
import { statusBase, usage } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE, USAGE } from "../../resource/standard-columns.ts";

export const beadSpec = z.strictObject({
  id: z
    .string()
    .optional()
    .describe("Id in the work graph; metadata.name is derived from it where it is no valid name."),
  title: z.string().min(1).max(500).describe("What it is about, in a line."),
  description: z.string().optional().describe("What to do."),
  design: z.string().optional().describe("How it is meant to be built."),
  acceptance: z.string().optional().describe("How one sees that it is done."),
  notes: z.string().optional().describe("Notes made on the way."),
  type: z.string().default("task").describe("bug, feature, task, epic, chore, docs …"),
  priority: z.int().min(0).max(4).default(2).describe("0 is most urgent."),
  owner: z.string().optional().describe("E-mail of the human whose request it is."),
  labels: z.array(z.string()).optional().describe("Labels of the record."),
  parent: z.string().optional().describe("Id of the parent bead."),
  dependsOn: z
    .array(
      z.strictObject({
        id: z.string().describe("Id it depends on."),
        type: z.string().default("blocks").describe("Kind of the dependency."),
      }),
    )
    .optional()
    .describe("What it depends on."),
});

export const beadStatus = z.object({
  ...statusBase,
  state: z.string().optional().describe("Status of the record: open, hooked, in_progress, blocked, deferred, closed …"),
  assignee: z.string().optional().describe("Who holds it."),
  ready: z.boolean().optional().describe("Whether it can be started now."),
  blockedBy: z.array(z.string()).optional().describe("Open beads it waits for."),
  attempts: z.int().optional().describe("How often its work was sent back."),
  molecule: z.string().optional().describe("Molecule it is worked through."),
  mergeRequest: z.string().optional().describe("Its open merge request."),
  convoy: z.string().optional().describe("Convoy it belongs to, `<namespace>/<name>`."),
  createdBy: z.string().optional().describe("Who made it."),
  startTime: z.string().optional().describe("When work began."),
  closedTime: z.string().optional().describe("When it was closed."),
  worked: z.int().optional().describe("How many times an agent set to work at it."),
  usage: usage().optional().describe("What all work at it used."),
  closeReason: z.string().optional().describe("Why it was closed."),
});

export const bead = defineKind({
  group: "work.town.dev",
  kind: "Bead",
  plural: "beads",
  shortNames: ["bd"],
  scope: "Namespaced",
  truth: "Work",
  description: "A unit of work in the work graph of a rig or of the town.",
  spec: beadSpec,
  status: beadStatus,
  selectableFields: [".spec.id", ".status.state", ".status.assignee"],
  columns: [
    { name: "State", type: "string", jsonPath: ".status.state", description: "Status of the record." },
    { name: "Pri", type: "integer", jsonPath: ".spec.priority", description: "0 is most urgent." },
    { name: "Type", type: "string", jsonPath: ".spec.type", description: "Sort of work.", priority: 1 },
    { name: "Assignee", type: "string", jsonPath: ".status.assignee", description: "Who holds it." },
    { name: "Ready", type: "boolean", jsonPath: ".status.ready", description: "Can be started now.", priority: 1 },
    {
      name: "Blockers",
      type: "string",
      jsonPath: ".status.blockedBy[*]",
      description: "Open beads it waits for.",
      priority: 1,
    },
    ...USAGE,
    { name: "Title", type: "string", jsonPath: ".spec.title", description: "What it is about." },
    AGE,
  ],
});
