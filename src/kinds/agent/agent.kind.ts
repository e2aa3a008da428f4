import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";
import { townAspect } from "../aspects.ts";
import { agentOfSession } from "./agent-of-session.ts";
import { executeAgent } from "./agent.execute.ts";
import { type AgentObject, type AgentObserved, observeAgent } from "./agent.observe.ts";
import { type AgentAction, planAgent } from "./agent.plan.ts";

/** The agent that holds a bead, and whoever held it when last looked at: the bead may just have left its hook. */
function agentOfBead(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const { namespace } = changed.metadata;
  if (namespace === undefined) return [];
  const assignee = (changed.status as { readonly assignee?: string } | undefined)?.assignee;
  const bead = (changed.spec as { readonly id?: string }).id;
  const names = new Set(assignee === undefined ? [] : [assignee.split("/").at(-1) ?? assignee]);
  for (const agent of ports.objects.list("Agent", { namespace })) {
    if (bead !== undefined && (agent.status as { readonly hook?: string } | undefined)?.hook === bead)
      names.add(agent.metadata.name);
  }
  return [...names].map((name) => ({ kind: "Agent", namespace, name }));
}

/** The agents that work through a molecule: its current step is part of their status. */
function agentsOfMolecule(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const { namespace } = changed.metadata;
  const bead = (changed.spec as { readonly bead?: string }).bead;
  if (namespace === undefined || bead === undefined) return [];
  return ports.objects
    .list("Agent", { namespace })
    .filter((agent) => (agent.status as { readonly hook?: string } | undefined)?.hook === bead)
    .map((agent) => ({ kind: "Agent", namespace, name: agent.metadata.name }));
}

function agentsOfPool(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const { namespace, name } = changed.metadata;
  return ports.objects
    .list("Agent", namespace === undefined ? {} : { namespace })
    .filter((agent) => (agent.spec as { readonly pool?: string }).pool === name)
    .map((agent) => ({ kind: "Agent", namespace: agent.metadata.namespace ?? "hq", name: agent.metadata.name }));
}

/** Keeps one agent's session and sandbox as its hook and pool ask. */
export const agents = runnable<AgentObserved, AgentAction, LoopPorts, AgentObject>({
  name: "agents",
  kind: "Agent",
  watches: [
    { kind: "Session", by: "Map", keys: agentOfSession },
    { kind: "Bead", by: "Map", keys: agentOfBead },
    { kind: "Molecule", by: "Map", keys: agentsOfMolecule },
    { kind: "AgentPool", by: "Map", keys: agentsOfPool },
    { kind: "Town", by: "All", aspect: townAspect },
  ],
  resyncMs: 30_000,
  ownedConditions: ["Ready", "Stalled"],
  observe: observeAgent,
  plan: planAgent,
  execute: executeAgent,
});
