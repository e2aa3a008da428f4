import { describe, expect, it } from "vitest";
import type { AgentPoolObject, AgentPoolObserved } from "../../../src/kinds/agent-pool/agent-pool.observe.ts";
import { planAgentPool } from "../../../src/kinds/agent-pool/agent-pool.plan.ts";
import { role } from "../../../src/kinds/role/role.schema.ts";

const pool = (namespace: string): AgentPoolObject => ({
  apiVersion: "town.dev/v1alpha1",
  kind: "AgentPool",
  metadata: {
    name: "workers",
    namespace,
    uid: "u1",
    generation: 1,
    resourceVersion: "1",
    creationTimestamp: "2026-11-22T18:00:00Z",
  },
  spec: { role: "worker", provider: "shell", replicas: 2, suspend: false },
});

const observed = (scope: "Town" | "Rig"): AgentPoolObserved => ({
  now: Date.parse("2026-11-22T18:00:00Z"),
  role: { ...role.spec.parse({ lifecycle: "Ephemeral", scope, prompt: "work" }), name: "worker" },
  providerFound: true,
  providerTrouble: undefined,
  formulaFound: true,
  graphReady: true,
  suspendedBy: undefined,
  agents: [],
  taken: [],
  readyBeads: ["api-x1"],
  capacityLeft: 30,
  diskLow: false,
  spent: undefined,
});

describe("planAgentPool", () => {
  it.each([
    { scope: "Rig" as const, namespace: "api", says: "PoolReady", hooks: 1 },
    { scope: "Town" as const, namespace: "hq", says: "PoolReady", hooks: 1 },
    { scope: "Rig" as const, namespace: "hq", says: "RoleOutOfScope", hooks: 0 },
    { scope: "Town" as const, namespace: "api", says: "RoleOutOfScope", hooks: 0 },
  ])("given a role of scope $scope in namespace $namespace, when planned, then it says $says", (row) => {
    const plan = planAgentPool(pool(row.namespace), observed(row.scope));
    expect(plan.conditions).toMatchObject([{ type: "Ready", reason: row.says }]);
    expect(plan.actions).toHaveLength(row.hooks);
  });

  it.each([
    { lifecycle: "Ephemeral" as const, because: "it would take work that cannot be started" },
    { lifecycle: "Persistent" as const, because: "its agents will not start" },
  ])("given a program that is not installed, when a $lifecycle pool is planned, then it says so", ({ lifecycle }) => {
    const seen = observed("Rig");
    const plan = planAgentPool(pool("api"), {
      ...seen,
      role: { ...role.spec.parse({ lifecycle, prompt: "work" }), name: "worker" },
      providerTrouble: "there is no program claude",
    });
    expect(plan.conditions).toMatchObject([
      {
        status: "False",
        reason: "ProviderNotReady",
        message: "Provider 'shell': there is no program claude",
      },
    ]);
  });
});
