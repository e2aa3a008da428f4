import type { LoopPorts } from "../../ports/loop-ports.ts";
import { type ObjectKey, type TownObject } from "../../resource/object-meta.ts";
import { runnable } from "../../resource/controller.ts";
import { townAspect } from "../aspects.ts";
import { executeAgentPool } from "./agent-pool.execute.ts";
import { type AgentPoolObject, type AgentPoolObserved, observeAgentPool } from "./agent-pool.observe.ts";
import { type AgentPoolAction, planAgentPool } from "./agent-pool.plan.ts";

/** Pools of the namespace a work object is in: their ready work or their agents may have changed. */
function poolsOfNamespace(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const namespace = changed.kind === "Rig" ? changed.metadata.name : changed.metadata.namespace;
  return namespace === undefined
    ? []
    : ports.objects
        .list("AgentPool", { namespace })
        .map((pool) => ({ kind: "AgentPool", namespace, name: pool.metadata.name }));
}

/** Turns pools into agents, and ready work into hooks. */
export const agentPools = runnable<AgentPoolObserved, AgentPoolAction, LoopPorts, AgentPoolObject>({
  name: "workers",
  kind: "AgentPool",
  watches: [
    { kind: "Bead", by: "Map", keys: poolsOfNamespace },
    { kind: "Agent", by: "Map", keys: poolsOfNamespace },
    { kind: "Session", by: "Map", keys: poolsOfNamespace },
    { kind: "Rig", by: "Map", keys: poolsOfNamespace },
    { kind: "Town", by: "All", aspect: townAspect },
    { kind: "Role", by: "All" },
    { kind: "Provider", by: "All" },
    { kind: "Convoy", by: "All" },
  ],
  resyncMs: 30_000,
  finalizer: "town.dev/agents",
  ownedConditions: ["Ready"],
  observe: observeAgentPool,
  plan: planAgentPool,
  execute: executeAgentPool,
});
