import type { AgentObject } from "../../../src/kinds/agent/agent.observe.ts";

/** Agent api/toast, a polecat that works when there is work; `status`: what was last seen of it. */
export function anAgent(status: AgentObject["status"] = {}): AgentObject {
  return {
    apiVersion: "work.town.dev/v1alpha1",
    kind: "Agent",
    metadata: {
      name: "toast",
      namespace: "api",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { identity: "api/polecats/toast", role: "polecat", pool: "polecats", desired: "OnWork" },
    ...(status === undefined ? {} : { status }),
  };
}
