import { z } from "zod";
import { defineKind } from "../../src/resource/kind-definition.ts";

const status = z.object({});

const rig = defineKind({
  group: "town.dev",
  kind: "Rig",
  plural: "rigs",
  scope: "Cluster",
  truth: "Desired",
  description: "A project.",
  status,
  columns: [],
  spec: z
    .strictObject({
      path: z.string().optional(),
      url: z.string().optional(),
      suspend: z.boolean().default(false),
      dependencyMeans: z.enum(["Merged", "Closed"]).default("Merged"),
      merge: z
        .strictObject({
          gates: z.array(z.strictObject({ name: z.string(), command: z.string().min(1) })).default([]),
          maxAttempts: z.int().min(1).max(20).default(5),
        })
        .prefault({}),
      env: z.array(z.strictObject({ name: z.string(), value: z.string().optional() })).optional(),
    })
    .refine((spec) => (spec.path === undefined) !== (spec.url === undefined), {
      error: "exactly one of `path` and `url` must be set",
      path: ["path"],
    }),
});

const agentPool = defineKind({
  group: "town.dev",
  kind: "AgentPool",
  plural: "agentpools",
  scope: "Namespaced",
  truth: "Desired",
  description: "A count of agents.",
  status,
  columns: [],
  spec: z.strictObject({
    role: z.string(),
    provider: z.string().default("shell"),
    replicas: z.int().min(0).max(200),
    suspend: z.boolean().default(false),
    names: z.array(z.string().regex(/^[a-z]+$/, { error: "must be lower-case letters" })).optional(),
    env: z.array(z.strictObject({ name: z.string(), value: z.string().optional() })).optional(),
    dependsOn: z.array(z.string()).optional(),
    quota: z.union([z.string(), z.int()]).optional(),
  }),
});

const convoy = defineKind({
  group: "town.dev",
  kind: "Convoy",
  plural: "convoys",
  scope: "Namespaced",
  truth: "Desired",
  description: "Work that belongs together.",
  status,
  columns: [],
  spec: z.strictObject({
    suspend: z.boolean().default(false),
    items: z
      .array(
        z.strictObject({
          name: z.string(),
          title: z.string(),
          priority: z.int().min(0).max(4).optional(),
          labels: z.array(z.string()).optional(),
          description: z.string().optional(),
        }),
      )
      .min(1),
  }),
});

const bead = defineKind({
  group: "work.town.dev",
  kind: "Bead",
  plural: "beads",
  scope: "Namespaced",
  truth: "Work",
  description: "A unit of work.",
  status,
  columns: [],
  spec: z.strictObject({ title: z.string() }),
});

/** Kinds that look like Town's, for tests that must not depend on what Town's kinds happen to be. */
export const SAMPLE_KINDS = [rig, agentPool, convoy, bead];

export function poolText(name: string, replicas = 1, namespace = "api"): string {
  return `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\nspec:\n  role: crew\n  replicas: ${replicas}\n`;
}

export function rigText(name: string): string {
  return `apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata:\n  name: ${name}\nspec:\n  path: /repos/${name}\n`;
}
