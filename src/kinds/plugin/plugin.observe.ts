import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGENT, type AgentDeclaration, hookOf } from "../../work/agent-record.ts";
import { metaText } from "../../work/record-fields.ts";
import type { AgentPoolSpec } from "../agent-pool/agent-pool.schema.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import type { Occurrence, PluginPast } from "./due.ts";
import type { PluginSpec, PluginStatus } from "./plugin.schema.ts";
import { pluginName, type PluginRun, runsOf } from "../../work/plugin-run.ts";
import { targetsOf } from "../../work/plugin-targets.ts";

export type PluginObject = TownObject<PluginSpec, PluginStatus>;

/** Who could do a run. */
export type Doer =
  /** An Ephemeral pool takes it as it takes other work. */
  | { readonly is: "Pool"; readonly pool: string }
  /** An agent of a Persistent pool with nothing on its hook; undefined: all are busy. */
  | { readonly is: "Agent"; readonly pool: string; readonly agent: AgentDeclaration | undefined }
  | { readonly is: "Nobody"; readonly reason: string; readonly message: string };

export interface PluginTarget {
  readonly namespace: string;
  /** Its work graph is open. */
  readonly isReady: boolean;
  /** Why nothing new may start. */
  readonly suspendedBy: string | undefined;
  readonly open: PluginRun | undefined;
  /** The newest run that ended. */
  readonly last: PluginRun | undefined;
  readonly past: PluginPast;
  readonly occurrence: Occurrence | undefined;
  /** Undefined: the controller runs it itself. */
  readonly doer: Doer | undefined;
}

export interface PluginObserved {
  readonly now: number;
  readonly targets: readonly PluginTarget[];
  /** Why there is nothing to be about. */
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

export function observePlugin(object: PluginObject, ports: LoopPorts): Promise<PluginObserved> {
  const now = ports.clock.now();
  const { namespaces, problem } = targetsOf(object, ports);
  const targets = namespaces.map((namespace) => observeTarget(object, namespace, ports));
  return Promise.resolve({ now, targets, problem });
}

function observeTarget(object: PluginObject, namespace: string, ports: LoopPorts): PluginTarget {
  const graph = ports.graphs.graph(namespace);
  const runs = graph === undefined ? [] : runsOf(graph, pluginName(object));
  const last = runs.find((run) => !run.isOpen);
  return {
    namespace,
    isReady: graph !== undefined,
    suspendedBy: suspension(object, namespace, ports),
    open: runs.find((run) => run.isOpen),
    last,
    past: pastOf(object, namespace, last),
    occurrence: object.spec.gate.event === undefined ? undefined : newestEvent(object, namespace, ports),
    doer: object.spec.run.exec !== undefined ? undefined : doerOf(object, namespace, graph, ports),
  };
}

/** From the newest run, and where that is gone (runs are kept for a day) from what the status says of it. */
function pastOf(object: PluginObject, namespace: string, last: PluginRun | undefined): PluginPast {
  const known = object.status?.targets?.find((target) => target.namespace === namespace);
  const declaredMs = Date.parse(object.metadata.creationTimestamp);
  const checkedMs = msOf(known?.lastCheckTime);
  const common = { declaredMs, ...(checkedMs === undefined ? {} : { checkedMs }) };
  if (last !== undefined) {
    const { dueMs, endedMs, result, slot, attempt, event } = last.fact;
    const seen = event ?? known?.lastEvent;
    return {
      ...common,
      dueMs,
      slot,
      attempt,
      ...(endedMs === undefined ? {} : { endedMs }),
      ...(result === undefined ? {} : { result }),
      ...(seen === undefined ? {} : { event: seen }),
    };
  }
  const dueMs = msOf(known?.lastScheduleTime);
  const endedMs = msOf(known?.lastEndTime);
  return {
    ...common,
    ...(dueMs === undefined ? {} : { dueMs }),
    ...(endedMs === undefined ? {} : { endedMs }),
    ...(known?.lastEvent === undefined ? {} : { event: known.lastEvent }),
  };
}

function msOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

function suspension(object: PluginObject, namespace: string, ports: LoopPorts): string | undefined {
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  if (town?.spec.suspend === true) return "Town hq";
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  if (rig?.spec.suspend === true) return `Rig ${namespace}`;
  return object.spec.suspend ? `Plugin ${object.metadata.name}` : undefined;
}

interface EventObject extends TownObject {
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly kind: string; readonly namespace?: string; readonly name: string };
}

/** The newest Event that the gate waits for: of the rig, or for the town of anywhere; never of the plugin itself. */
function newestEvent(object: PluginObject, namespace: string, ports: LoopPorts): Occurrence | undefined {
  const found = (ports.objects.list("Event") as readonly EventObject[])
    .filter(({ reason, involvedObject: about, metadata }) => {
      const isOwn = about?.kind === "Plugin" && about.name === object.metadata.name;
      return reason === object.spec.gate.event && !isOwn && (namespace === "hq" || metadata.namespace === namespace);
    })
    .toSorted((a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion))[0];
  if (found === undefined) return undefined;
  const about = found.involvedObject;
  return {
    version: found.metadata.resourceVersion,
    text: `${found.reason ?? ""} of ${about?.kind.toLowerCase() ?? "an object"}/${about?.name ?? ""}`,
  };
}

function doerOf(object: PluginObject, namespace: string, graph: WorkGraph | undefined, ports: LoopPorts): Doer {
  const name = object.spec.role ?? (namespace === "hq" ? "dog" : "witness");
  const role = ports.objects.get({ kind: "Role", name }) as TownObject<RoleSpec> | undefined;
  if (role === undefined)
    return { is: "Nobody", reason: "RoleNotFound", message: `no Role '${name}'; \`town get roles\` lists them` };
  const { formula } = object.spec.run;
  if (formula !== undefined && ports.formulas.get(formula) === undefined)
    return {
      is: "Nobody",
      reason: "FormulaNotFound",
      message: `no formula '${formula}'; \`town get formulas\` lists them`,
    };
  const pool = ports.objects
    .list("AgentPool", { namespace })
    .find(({ spec }) => (spec as unknown as AgentPoolSpec).role === name)?.metadata.name;
  if (pool === undefined)
    return {
      is: "Nobody",
      reason: "NoPool",
      message: `no AgentPool in ${namespace} has agents of Role '${name}'; commit one, or set spec.role`,
    };
  return role.spec.lifecycle === "Ephemeral"
    ? { is: "Pool", pool }
    : { is: "Agent", pool, agent: graph === undefined ? undefined : freeAgent(graph, pool) };
}

/** An agent that runs and has nothing on its hook. */
function freeAgent(graph: WorkGraph, pool: string): AgentDeclaration | undefined {
  const record = graph
    .list({ type: ["agent"] })
    .find(
      (agent) =>
        agent.metadata?.[AGENT.pool] === pool &&
        agent.metadata[AGENT.desired] === "Running" &&
        hookOf(graph, agent.title) === undefined,
    );
  if (record === undefined) return undefined;
  const [name, role] = [metaText(record, AGENT.name), metaText(record, AGENT.role)];
  return name === undefined || role === undefined
    ? undefined
    : { name, identity: record.title, role, pool, desired: "Running" };
}
