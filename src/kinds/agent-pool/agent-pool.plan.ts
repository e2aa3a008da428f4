import type { ConditionIntent } from "../../resource/condition.ts";
import { READY, restated } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import { untilNextDay } from "../../work/budget.ts";
import { identityText } from "../../work/agent-record.ts";
import { agentNameAt } from "./agent-names.ts";
import type { AgentPoolObject, AgentPoolObserved, PoolAgent } from "./agent-pool.observe.ts";
import { counted } from "../../domain/text/counted.ts";

export type AgentPoolAction =
  | {
      readonly do: "DeclareAgent";
      readonly name: string;
      readonly identity: string;
      readonly desired: "Running" | "OnWork" | "Stopped";
    }
  | { readonly do: "Hook"; readonly name: string; readonly identity: string; readonly bead: string };

const DISK_RETRY_MS = 30_000;
/** A machine that slept wakes up on another day. */
const BUDGET_RETRY_MS = 60_000;

/** Identities for a Persistent pool, work onto hooks for an Ephemeral one; surplus agents are told to stop. */
export function planAgentPool(object: AgentPoolObject, observed: AgentPoolObserved): Plan<AgentPoolAction> {
  if (object.metadata.deletionTimestamp !== undefined) return planDrain(observed);
  const missing = missingReference(object, observed);
  if (missing !== undefined) return { actions: [], conditions: [missing] };
  const { role } = observed;
  if (role === undefined || !observed.graphReady) {
    const former = restated(object, [READY]);
    if (former.length > 0) return { actions: [], conditions: former, requeueAfterMs: 1_000 };
    return {
      actions: [],
      conditions: [
        {
          type: READY,
          status: "Unknown",
          reason: "RigNotReady",
          message: `the work graph of ${object.metadata.namespace ?? "hq"} is not open yet`,
        },
      ],
      requeueAfterMs: 1_000,
    };
  }
  const actions =
    role.lifecycle === "Persistent" ? persistentActions(object, observed) : ephemeralActions(object, observed);
  const running = observed.agents.filter((agent) => agent.running).length;
  const working = observed.agents.filter((agent) => agent.hook !== undefined).length;
  return {
    actions,
    status: {
      replicas: running,
      working,
      ready: observed.readyBeads.length,
      selector: `town.dev/pool=${object.metadata.name}`,
    },
    conditions: [readiness(object, observed, running)],
    ...(observed.diskLow
      ? { requeueAfterMs: DISK_RETRY_MS }
      : observed.spent !== undefined
        ? { requeueAfterMs: Math.min(untilNextDay(observed.now), BUDGET_RETRY_MS) }
        : {}),
  };
}

function missingReference(object: AgentPoolObject, observed: AgentPoolObserved): ConditionIntent | undefined {
  const problem = (reason: string, message: string): ConditionIntent => ({
    type: READY,
    status: "False",
    reason,
    message,
  });
  if (observed.role === undefined)
    return problem("RoleNotFound", `no Role '${object.spec.role}'; \`town get roles\` lists them`);
  if (observed.role.scope === "Town" && (object.metadata.namespace ?? "hq") !== "hq")
    return problem(
      "RoleOutOfScope",
      `agents of Role '${object.spec.role}' belong to the town: put the pool into namespace hq`,
    );
  if (observed.role.scope === "Rig" && (object.metadata.namespace ?? "hq") === "hq")
    return problem(
      "RoleOutOfScope",
      `agents of Role '${object.spec.role}' belong to a rig: put the pool into the namespace of one`,
    );
  if (!observed.providerFound)
    return problem("ProviderNotFound", `no Provider '${object.spec.provider}'; \`town get providers\` lists them`);
  if (!observed.formulaFound)
    return problem(
      "FormulaNotFound",
      `no formula '${object.spec.formula ?? observed.role.formula ?? ""}'; \`town get formulas\` lists them`,
    );
  return undefined;
}

/** Draining: agents end their work, then their sessions; identities stay. */
function planDrain(observed: AgentPoolObserved): Plan<AgentPoolAction> {
  const busy = observed.agents.filter((agent) => agent.running || agent.hook !== undefined);
  const actions = observed.agents
    .filter((agent) => agent.desired !== "Stopped")
    .map((agent) => declare(agent, "Stopped"));
  if (actions.length === 0 && busy.length === 0) return { actions: [], finalized: true };
  return {
    actions,
    conditions: [
      {
        type: READY,
        status: "False",
        reason: "Draining",
        message: `${counted(busy.length, "agent")} left with work or a session`,
      },
    ],
    requeueAfterMs: 2_000,
  };
}

function declare(
  agent: Pick<PoolAgent, "name" | "identity">,
  desired: "Running" | "OnWork" | "Stopped",
): AgentPoolAction {
  return { do: "DeclareAgent", name: agent.name, identity: agent.identity, desired };
}

function identityOf(object: AgentPoolObject, observed: AgentPoolObserved, name: string): string {
  const role = observed.role;
  return identityText({
    namespace: object.metadata.namespace ?? "hq",
    rolePlural: role?.plural ?? `${object.spec.role}s`,
    name,
    singleton: role?.singleton ?? false,
  });
}

function persistentActions(object: AgentPoolObject, observed: AgentPoolObserved): AgentPoolAction[] {
  const wanted = new Set<string>();
  for (let index = 0; wanted.size < object.spec.replicas; index += 1) {
    const name = observed.role?.singleton === true ? object.spec.role : agentNameAt(object.spec.names, index);
    if (!observed.taken.includes(name)) wanted.add(name);
    if (observed.role?.singleton === true || index > object.spec.replicas + observed.taken.length) break;
  }
  const known = new Map(observed.agents.map((agent) => [agent.name, agent]));
  const actions: AgentPoolAction[] = [];
  if (observed.suspendedBy === undefined) {
    for (const name of wanted) {
      if (known.get(name)?.desired !== "Running")
        actions.push(declare({ name, identity: identityOf(object, observed, name) }, "Running"));
    }
  }
  for (const agent of observed.agents)
    if (!wanted.has(agent.name) && agent.desired !== "Stopped") actions.push(declare(agent, "Stopped"));
  return actions;
}

function ephemeralActions(object: AgentPoolObject, observed: AgentPoolObserved): AgentPoolAction[] {
  const working = observed.agents.filter((agent) => agent.hook !== undefined);
  // An agent whose last session is still ending is not free yet.
  const busy = new Set(
    observed.agents.filter((agent) => agent.hook !== undefined || agent.running).map((agent) => agent.name),
  );
  let slots = Math.min(object.spec.replicas - working.length, observed.capacityLeft);
  if (observed.suspendedBy !== undefined || observed.diskLow || observed.spent !== undefined) slots = 0;
  const actions: AgentPoolAction[] = [];
  const taken = new Set([...observed.taken, ...busy]);
  let index = 0;
  for (const bead of observed.readyBeads) {
    if (actions.length >= slots) break;
    while (taken.has(agentNameAt(object.spec.names, index))) index += 1;
    const name = agentNameAt(object.spec.names, index);
    taken.add(name);
    actions.push({ do: "Hook", name, identity: identityOf(object, observed, name), bead });
  }
  return actions;
}

function readiness(object: AgentPoolObject, observed: AgentPoolObserved, running: number): ConditionIntent {
  if (observed.suspendedBy !== undefined)
    return { type: READY, status: "True", reason: "Suspended", message: `suspended by ${observed.suspendedBy}` };
  if (observed.role?.lifecycle === "Ephemeral") {
    if (observed.diskLow)
      return {
        type: READY,
        status: "False",
        reason: "DiskLow",
        message: "less disk is free than spec.capacity.diskFloor of the Town; no new work is claimed",
      };
    if (observed.spent !== undefined)
      return {
        type: READY,
        status: "False",
        reason: "BudgetSpent",
        message: `${observed.spent}; no new work is claimed until the next day begins (UTC)`,
      };
    if (observed.readyBeads.length > 0 && observed.capacityLeft <= 0)
      return {
        type: READY,
        status: "True",
        reason: "CapacityReached",
        message: "the town runs as many sessions as spec.capacity.sessions allows",
      };
    if (observed.providerTrouble !== undefined) return providerNotReady(object, observed.providerTrouble);
    return {
      type: READY,
      status: "True",
      reason: "PoolReady",
      message: `up to ${counted(object.spec.replicas, "agent")} at work at once`,
    };
  }
  if (running < object.spec.replicas && observed.providerTrouble !== undefined)
    return providerNotReady(object, observed.providerTrouble);
  return running >= object.spec.replicas
    ? {
        type: READY,
        status: "True",
        reason: "PoolReady",
        message: `${running} of ${counted(object.spec.replicas, "agent")} running`,
      }
    : {
        type: READY,
        status: "False",
        reason: "AgentsStarting",
        message: `${running} of ${counted(object.spec.replicas, "agent")} running`,
      };
}

function providerNotReady(object: AgentPoolObject, trouble: string): ConditionIntent {
  return {
    type: READY,
    status: "False",
    reason: "ProviderNotReady",
    message: `Provider '${object.spec.provider}': ${trouble}`,
  };
}
