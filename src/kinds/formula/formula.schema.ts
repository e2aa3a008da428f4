import { z } from "zod";
import { statusBase } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { readyColumn } from "../../resource/standard-columns.ts";

export const formulaSpec = z.strictObject({
  description: z.string().optional().describe("What it is for."),
  version: z.int().describe("Revision of the document."),
  source: z.string().describe("File it was loaded from."),
  steps: z
    .array(
      z.strictObject({
        id: z.string().describe("Id of the step."),
        title: z.string().describe("What to do."),
        needs: z.array(z.string()).optional().describe("Steps that come first."),
      }),
    )
    .describe("Its steps."),
});

export const formula = defineKind({
  group: "work.town.dev",
  kind: "Formula",
  plural: "formulas",
  // Those that ship are in every town: `get all` is about what somebody made.
  categories: ["town"],
  scope: "Cluster",
  truth: "Observed",
  description: "A workflow that can be poured, as the nearest file states it.",
  spec: formulaSpec,
  status: z.object({ ...statusBase }),
  columns: [
    { name: "Version", type: "integer", jsonPath: ".spec.version", description: "Revision of the document." },
    readyColumn("Whether it can be poured."),
    { name: "Source", type: "string", jsonPath: ".spec.source", description: "File it was loaded from." },
  ],
});
