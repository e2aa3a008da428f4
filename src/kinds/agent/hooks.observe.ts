import { screenState } from "../../domain/agent-program/screen-state.ts";
import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { fenceOf } from "../../domain/work-graph/record/facts.ts";
import { AdapterError } from "../../errors/town-error.ts";
import type { LoopPorts, SessionSight } from "../../ports/loop-ports.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { durationMs } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { agentRecord, generationOf, hookOf } from "../../work/agent-record.ts";
import { acknowledgementOf, isAcknowledged } from "../../work/hook-acknowledgement.ts";
import { MESSAGE, nextLostMs, sequenceOf, unconfirmed, undelivered } from "../../work/mailbox.ts";
import { progressOf } from "../../work/molecule.ts";
import { holdOf } from "../../work/provider-hold.ts";
import { answerOf, questionOf } from "../../work/question.ts";
import type { AgentPoolSpec } from "../agent-pool/agent-pool.schema.ts";
import type { ProviderSpec, ProviderStatus } from "../provider/provider.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { type AgentObject, agentSessionName } from "./agent.observe.ts";
import type { HooksObserved } from "./hooks.observed.ts";
import { saidAt } from "./hooks.limit.ts";
import { needsLook } from "./hooks.plan.ts";

/** So much of a screen is kept as evidence. */
const EVIDENCE_LINES = 100;
const DEFAULT_POLICY = { acknowledge: "45s", idle: "2m", busyLimit: "30m", reminders: 3, restarts: 2 } as const;

/**
 * What the hooks loop needs to know of one agent. Its screen is looked at only when something would be done to it
 * otherwise: an agent that works or rests costs no look.
 */
export async function observeHooks(object: AgentObject, ports: LoopPorts): Promise<HooksObserved> {
  const observed = observeCheaply(object, ports);
  if (observed.session === undefined || !needsLook(object, observed)) return observed;
  const output = await screenOf(observed.session.name, ports);
  if (output === undefined) return observed;
  const signs = providerOf(object, ports)?.spec ?? { ready: {} };
  const sight = ports.view.sight(observed.session.name);
  const title = sight.state === "Absent" ? undefined : sight.session.title;
  const saidMs = saidAt(object.status, observed.session, observed.now);
  const screen = screenState(signs, output, title, observed.now, saidMs);
  return { ...observed, screen, output, toolsWork: screen.state === "Unknown" && (await toolsWork(sight, ports)) };
}

async function toolsWork(sight: SessionSight, ports: LoopPorts): Promise<boolean> {
  const pid = sight.state === "Absent" ? undefined : sight.session.pid;
  return pid !== undefined && (await ports.load.busyBelow([pid])).has(pid);
}

function observeCheaply(object: AgentObject, ports: LoopPorts): HooksObserved {
  const namespace = object.metadata.namespace ?? "hq";
  const graph = ports.graphs.graph(namespace);
  const now = ports.clock.now();
  const { generation, ...recorded } = recordedIn(graph, object, now);
  const provider = providerOf(object, ports);
  const session = sessionOf(object, generation, ports);
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  const ready = provider?.spec.ready;
  return {
    now,
    suspended: town?.spec.suspend === true,
    session:
      session === undefined
        ? undefined
        : {
            name: session.name,
            generation: session.generation,
            startedAtMs: session.startedAtMs,
            lastActivityMs: session.lastActivityMs,
            canType: ports.sessions.runtime !== "process",
          },
    ...recorded,
    policy: policyOf(role),
    title: titleState(ready, session?.title, now),
    screen: undefined,
    toolsWork: false,
    readyShows: ready?.screen !== undefined,
    delayMs: durationMs(ready?.delay ?? "0s"),
    typesFirst: provider?.spec.prompt.mode === "Paste",
    output: undefined,
    provider: provider?.metadata.name ?? "",
    hold: holdSeen(provider, now),
    liftedMs: Date.parse(provider?.status?.liftedTime ?? "") || 0,
  };
}

function recordedIn(
  graph: WorkGraph | undefined,
  object: AgentObject,
  now: number,
): Pick<HooksObserved, "hook" | "mail" | "nextMailMs" | "unconfirmed"> & { readonly generation: number } {
  if (graph === undefined)
    return { generation: 0, hook: undefined, mail: undefined, nextMailMs: undefined, unconfirmed: 0 };
  const { identity } = object.spec;
  const record = agentRecord(graph, object.metadata.name);
  const generation = record === undefined ? 0 : generationOf(record);
  const hook = hookOf(graph, identity);
  return {
    generation,
    hook: hook === undefined ? undefined : observeHook(graph, hook, record, generation),
    mail: observeMail(graph, identity, generation, now),
    nextMailMs: nextLostMs(graph, identity, generation, now),
    unconfirmed: unconfirmed(graph, identity, generation).length,
  };
}

function holdSeen(provider: TownObject<ProviderSpec> | undefined, now: number): HooksObserved["hold"] {
  const hold = holdOf(provider, now);
  return hold && { reason: hold.reason, sinceMs: Date.parse(hold.since) };
}

function sessionOf(object: AgentObject, generation: number, ports: LoopPorts): ObservedSession | undefined {
  if (!ports.view.ready || ports.view.frozen) return undefined;
  const name = agentSessionName(object.metadata.namespace ?? "hq", object.spec, object.metadata.name);
  const sight = ports.view.sight(name);
  return sight.state === "Running" && sight.session.generation === generation ? sight.session : undefined;
}

function observeHook(
  graph: WorkGraph,
  bead: BeadRecord,
  agent: BeadRecord | undefined,
  generation: number,
): HooksObserved["hook"] {
  const acknowledged = isAcknowledged(agent, bead, generation) ? acknowledgementOf(agent)?.at : undefined;
  const question = questionOf(bead);
  const since = Date.parse(bead.heartbeat_at ?? bead.updated_at);
  return {
    bead: bead.id,
    key: `${bead.id}@${fenceOf(bead)}`,
    sinceMs: Number.isNaN(since) ? 0 : since,
    acknowledgedMs: acknowledged === undefined ? undefined : Date.parse(acknowledged),
    progressMs: progressOf(graph, bead),
    question:
      question === undefined
        ? undefined
        : { text: question.text, answer: answerOf(graph, bead, question, bead.assignee ?? "") },
  };
}

function observeMail(graph: WorkGraph, identity: string, generation: number, now: number): HooksObserved["mail"] {
  const waiting = undelivered(graph, identity, generation, now);
  const [first] = waiting;
  if (first === undefined) return undefined;
  const urgent = waiting.filter(({ record }) => record.metadata?.[MESSAGE.urgent] === true);
  const sequences = waiting.map(({ record }) => sequenceOf(record));
  return {
    newest: Math.max(...sequences),
    oldest: Math.min(...sequences),
    arrivedMs: (urgent[0] ?? first).sinceMs,
    urgent: urgent.length > 0,
    count: waiting.length,
  };
}

function policyOf(role: TownObject<RoleSpec> | undefined): HooksObserved["policy"] {
  const policy = role?.spec.propulsion ?? DEFAULT_POLICY;
  return {
    acknowledgeMs: durationMs(policy.acknowledge),
    idleMs: durationMs(policy.idle),
    busyLimitMs: durationMs(policy.busyLimit),
    reminders: policy.reminders,
    restarts: policy.restarts,
  };
}

function titleState(
  ready: ProviderSpec["ready"] | undefined,
  title: string | undefined,
  now: number,
): HooksObserved["title"] {
  if (ready === undefined) return "Unknown";
  const { idleTitle, busyTitle } = ready;
  const { state } = screenState({ ready: { idleTitle, busyTitle } }, "", title, now);
  return state === "Idle" || state === "Busy" ? state : "Unknown";
}

export function providerOf(
  object: AgentObject,
  ports: LoopPorts,
): TownObject<ProviderSpec, ProviderStatus> | undefined {
  const { namespace } = object.metadata;
  const key = { kind: "AgentPool", name: object.spec.pool, ...(namespace === undefined ? {} : { namespace }) };
  const pool = ports.objects.get(key) as TownObject<AgentPoolSpec> | undefined;
  if (pool === undefined) return undefined;
  return ports.objects.get({ kind: "Provider", name: pool.spec.provider }) as
    | TownObject<ProviderSpec, ProviderStatus>
    | undefined;
}

async function screenOf(name: string, ports: LoopPorts): Promise<string | undefined> {
  try {
    return await ports.sessions.capture(name, EVIDENCE_LINES);
  } catch (error) {
    // A runtime that does not answer shows nothing, and nothing follows from that.
    if (error instanceof AdapterError) return undefined;
    throw error;
  }
}
