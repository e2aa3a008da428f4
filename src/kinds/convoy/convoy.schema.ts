import { z } from "zod";
import { budget, label, statusBase, usage } from "../../resource/field.ts";
import { defineKind } from "../../resource/kind-definition.ts";
import { AGE } from "../../resource/standard-columns.ts";

export const convoyItem = z.strictObject({
  name: label().describe("Key of the item in this convoy; renaming it makes another item."),
  rig: z.string().optional().describe("Rig whose work it is. Default: the convoy's namespace."),
  bead: z.string().optional().describe("Id of an existing bead to track instead of an inline one."),
  title: z.string().min(1).max(500).optional().describe("Title of the inline bead."),
  description: z.string().optional().describe("What to do; fenced sh blocks are run by the shell provider."),
  acceptance: z.string().optional().describe("How one sees that it is done."),
  type: z.enum(["bug", "feature", "task", "chore", "docs"]).optional().describe("Sort of work. Default: task."),
  priority: z.int().min(0).max(4).optional().describe("0 is most urgent. Default: 2."),
  labels: z.array(z.string()).optional().describe("Labels of the bead."),
  dependsOn: z.array(z.string()).optional().describe("Names of items that must be merged first."),
});

export const convoySpec = z
  .strictObject({
    owner: z
      .string()
      .optional()
      .describe(
        "E-mail of the human behind this work. Default: author of the commit that declares it, else the town's owner.",
      ),
    suspend: z.boolean().default(false).describe("Starts no further items; work under way goes on."),
    budget: z
      .strictObject({ total: budget().describe("For all its items together.") })
      .optional()
      .describe("What it may use. Once it is spent no further items start; work under way goes on."),
    items: z
      .array(convoyItem)
      .min(1)
      .max(500)
      .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })
      .describe("The work."),
    deletionPolicy: z
      .enum(["Withdraw", "Orphan"])
      .default("Withdraw")
      .describe("What happens to open beads when the convoy goes: deferred, or left as they are."),
  })
  .superRefine((spec, context) => {
    const names = new Set<string>();
    for (const [index, item] of spec.items.entries()) {
      if (names.has(item.name))
        context.addIssue({
          code: "custom",
          path: ["items", index, "name"],
          message: `must be unique in the convoy, '${item.name}' is used twice`,
        });
      names.add(item.name);
      if ((item.bead === undefined) === (item.title === undefined))
        context.addIssue({
          code: "custom",
          path: ["items", index, "title"],
          message: "exactly one of `title` and `bead` must be set",
        });
    }
    for (const [index, item] of spec.items.entries()) {
      for (const [at, need] of (item.dependsOn ?? []).entries()) {
        if (!names.has(need) || need === item.name)
          context.addIssue({
            code: "custom",
            path: ["items", index, "dependsOn", at],
            message: `must name another item of the convoy, '${need}' does not`,
          });
      }
    }
  });

export const convoyStatus = z.object({
  ...statusBase,
  total: z.int().optional().describe("Items."),
  closed: z.int().optional().describe("Items whose bead is closed."),
  working: z.int().optional().describe("Items on a hook."),
  merging: z.int().optional().describe("Items in the merge queue."),
  progress: z.string().optional().describe("closed/total."),
  items: z
    .array(
      z.object({
        name: z.string().describe("Item."),
        bead: z.string().optional().describe("Its bead."),
        state: z.string().optional().describe("Waiting, Ready, Working, Merging, Closed, Deferred."),
        note: z.string().optional().describe("Why it differs from what is declared."),
      }),
    )
    .optional()
    .describe("State of each item."),
  usage: usage().optional().describe("What all work at its items used."),
  spent: z.string().optional().describe("What was used, over the budget where there is one."),
  closedTime: z.string().optional().describe("When the last item closed."),
});

export const convoy = defineKind({
  group: "town.dev",
  kind: "Convoy",
  plural: "convoys",
  shortNames: ["cv"],
  scope: "Namespaced",
  truth: "Desired",
  description: "Work that belongs together, over any number of rigs, followed until it is merged.",
  spec: convoySpec,
  status: convoyStatus,
  columns: [
    { name: "Progress", type: "string", jsonPath: ".status.progress", description: "Closed items over all." },
    { name: "Working", type: "integer", jsonPath: ".status.working", description: "Items on a hook." },
    { name: "Merging", type: "integer", jsonPath: ".status.merging", description: "Items in the merge queue." },
    {
      name: "Status",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: "Where it stands.",
    },
    {
      name: "Spent",
      type: "string",
      jsonPath: ".status.spent",
      description: "Used so far, over the budget.",
      priority: 1,
    },
    {
      name: "Tokens",
      type: "integer",
      jsonPath: ".status.usage.total",
      description: "Tokens used so far.",
      priority: 1,
    },
    AGE,
  ],
});

export type ConvoySpec = z.infer<typeof convoySpec>;
export type ConvoyItem = z.infer<typeof convoyItem>;
export type ConvoyStatus = z.infer<typeof convoyStatus>;
