import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";

export const sandboxSpec = z.strictObject({
  agent: z.string().describe("Agent whose worktree it is."),
  path: z.string().describe("Where it is."),
});

export const sandboxStatus = z.object({
  ...statusBase,
  branch: z.string().optional().describe("Branch it stands on."),
  bead: z.string().optional().describe("Bead it was made for."),
});

export const sandbox = defineKind({
  group: "work.town.dev",
  kind: "Sandbox",
  plural: "sandboxes",
  shortNames: ["sb"],
  scope: "Namespaced",
  truth: "Observed",
  description: "The git worktree of an agent, as git shows it now.",
  spec: sandboxSpec,
  status: sandboxStatus,
  columns: [
    { name: "Branch", type: "string", jsonPath: ".status.branch", description: "Branch it stands on." },
    { name: "Path", type: "string", jsonPath: ".spec.path", description: "Where it is." },
  ],
});
