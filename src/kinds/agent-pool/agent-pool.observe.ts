import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { type Condition, READY } from "../../resource/condition.ts";
import { quantityBytes } from "../../resource/field.ts";
import { dayOf, spentText, usageOfConvoy, usageOfDay } from "../../work/budget.ts";
import { addUsage, NO_USAGE } from "../../work/usage.ts";
import { AGENT, hookOf } from "../../work/agent-record.ts";
import { readyWisps, slingOf } from "../../work/sling.ts";
import type { ConvoySpec } from "../convoy/convoy.schema.ts";
import type { ProviderSpec } from "../provider/provider.schema.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import type { AgentPoolSpec, AgentPoolStatus } from "./agent-pool.schema.ts";

export type AgentPoolObject = TownObject<AgentPoolSpec, AgentPoolStatus>;

export interface PoolAgent {
  readonly name: string;
  readonly identity: string;
  readonly desired: string;
  readonly hook: string | undefined;
  readonly running: boolean;
}

export interface AgentPoolObserved {
  readonly now: number;
  /** Undefined: no such Role. */
  readonly role: (RoleSpec & { readonly name: string }) | undefined;
  readonly providerFound: boolean;
  /** Why its program cannot run here; undefined: it can, or that is not known. */
  readonly providerTrouble: string | undefined;
  readonly formulaFound: boolean;
  /** The namespace's work graph is open. */
  readonly graphReady: boolean;
  /** Why nothing new may start: Town, Rig or pool suspended. */
  readonly suspendedBy: string | undefined;
  readonly agents: readonly PoolAgent[];
  /** Names taken by agents of other pools in the namespace. */
  readonly taken: readonly string[];
  /** Ready work for an Ephemeral pool, most urgent first. */
  readonly readyBeads: readonly string[];
  /** Sessions the town may still start. */
  readonly capacityLeft: number;
  readonly diskLow: boolean;
  /** Which budget of the day is spent; undefined while there is something left. */
  readonly spent: string | undefined;
}

export async function observeAgentPool(object: AgentPoolObject, ports: LoopPorts): Promise<AgentPoolObserved> {
  const namespace = object.metadata.namespace ?? "hq";
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  const provider = ports.objects.get({ kind: "Provider", name: object.spec.provider }) as
    | TownObject<ProviderSpec, { readonly conditions?: readonly Condition[] }>
    | undefined;
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const graph = ports.graphs.graph(namespace);
  const formula = object.spec.formula ?? role?.spec.formula;
  const records = graph?.list({ type: ["agent"] }) ?? [];
  const mine = records.filter((record) => record.metadata?.[AGENT.pool] === object.metadata.name);
  const floor = quantityBytes(town?.spec.capacity.diskFloor ?? "2Gi");
  return {
    now: ports.clock.now(),
    role: role === undefined ? undefined : { ...role.spec, name: role.metadata.name },
    providerFound: provider !== undefined,
    providerTrouble: troubleOf(provider),
    formulaFound: formula === undefined || ports.formulas.get(formula) !== undefined,
    graphReady: graph !== undefined,
    suspendedBy: suspension(object, town, rig),
    agents:
      graph === undefined ? [] : mine.map((record) => poolAgent(record, graph, ports, namespace, object.spec.role)),
    taken: records.filter((record) => !mine.includes(record)).map((record) => String(record.metadata?.[AGENT.name])),
    readyBeads:
      graph === undefined || role?.spec.lifecycle !== "Ephemeral"
        ? []
        : dispatchable(graph, object.metadata.name, ports),
    capacityLeft: (town?.spec.capacity.sessions ?? 30) - ports.view.running(),
    spent: spentToday(town, rig, graph, ports),
    diskLow: (await ports.files.freeBytes(ports.layout.root)) < floor,
  };
}

function troubleOf(
  provider: TownObject<ProviderSpec, { readonly conditions?: readonly Condition[] }> | undefined,
): string | undefined {
  return provider?.status?.conditions?.find(({ type, status }) => type === READY && status === "False")?.message;
}

/** The town's and the rig's budgets of the day. Without one nothing is summed up. */
function spentToday(
  town: TownObject<TownSpec> | undefined,
  rig: TownObject<RigSpec> | undefined,
  graph: WorkGraph | undefined,
  ports: LoopPorts,
): string | undefined {
  const day = dayOf(ports.clock.now());
  const ofTown = town?.spec.budget?.daily;
  const ofRig = rig?.spec.budget?.daily;
  if (ofTown !== undefined) {
    const used = ports.graphs.all().reduce((sum, each) => addUsage(sum, usageOfDay(each, day)), NO_USAGE);
    const text = spentText(used, ofTown);
    if (text !== undefined) return `${text} of the town's budget for ${day} are spent`;
  }
  const text = ofRig === undefined || graph === undefined ? undefined : spentText(usageOfDay(graph, day), ofRig);
  return text === undefined
    ? undefined
    : `${text} of the budget of Rig ${rig?.metadata.name ?? ""} for ${day} are spent`;
}

function suspension(
  pool: AgentPoolObject,
  town: TownObject<TownSpec> | undefined,
  rig: TownObject<RigSpec> | undefined,
): string | undefined {
  if (town?.spec.suspend === true) return "Town hq";
  if (rig?.spec.suspend === true) return `Rig ${rig.metadata.name}`;
  return pool.spec.suspend ? `AgentPool ${pool.metadata.name}` : undefined;
}

function poolAgent(record: BeadRecord, graph: WorkGraph, ports: LoopPorts, namespace: string, role: string): PoolAgent {
  const name = String(record.metadata?.[AGENT.name]);
  return {
    name,
    identity: record.title,
    desired: String(record.metadata?.[AGENT.desired]),
    hook: hookOf(graph, record.title)?.id,
    running: ports.view.sight(sessionName(namespace, role, name)).state === "Running",
  };
}

/** Name of an agent's session on the runtime. */
export function sessionName(namespace: string, role: string, agent: string): string {
  return `${namespace}-${role}-${agent}`;
}

/**
 * Ready beads that a convoy or `town sling` asks for, that no convoy (suspended or out of budget) holds back and no other
 * pool is to take.
 */
function dispatchable(graph: WorkGraph, pool: string, ports: LoopPorts): readonly string[] {
  const held = new Set(
    ports.objects
      .list("Convoy")
      .map((convoy) => ({
        name: `${convoy.metadata.namespace ?? "hq"}/${convoy.metadata.name}`,
        spec: convoy.spec as unknown as ConvoySpec,
      }))
      .filter(
        ({ name, spec }) =>
          spec.suspend ||
          (spec.budget !== undefined &&
            spentText(usageOfConvoy(ports.graphs.all(), name), spec.budget.total) !== undefined),
      )
      .map(({ name }) => name),
  );
  return [...readyWisps(graph), ...graph.ready()]
    .filter((record) => {
      const sling = slingOf(record);
      const asked = typeof record.metadata?.[META.convoy] === "string" || sling !== undefined;
      const mine = sling?.pool === undefined || sling.pool === pool;
      return asked && mine && (record.assignee ?? "") === "" && record.metadata?.[META.step] === undefined;
    })
    .filter((record) => !held.has(String(record.metadata?.[META.convoy])))
    .map((record) => record.id);
}
