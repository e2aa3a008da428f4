import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { screenState } from "../../domain/agent-program/screen-state.ts";
import { nextStartSlot } from "../../domain/scheduling/start-rate.ts";
import { AdapterError } from "../../errors/town-error.ts";
import type { LoopPorts, SessionSight } from "../../ports/loop-ports.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import { quantityBytes } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGENT, agentRecord, generationOf, hookOf, taskBranch } from "../../work/agent-record.ts";
import { handoffOf } from "../../work/handoff.ts";
import { joinedOf } from "../../work/joined.ts";
import { holdOf } from "../../work/provider-hold.ts";
import { returnedTo } from "../../work/returned.ts";
import { sandboxFact } from "../../work/sandbox-fact.ts";
import { currentStep, progressOf } from "../../work/molecule.ts";
import type { AgentPoolSpec } from "../agent-pool/agent-pool.schema.ts";
import type { ProviderSpec } from "../provider/provider.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import { type TownSpec, townSpec } from "../town/town.schema.ts";
import type { AgentObject, AgentSpec } from "./agent.schema.ts";
import { readSetUp, type SetUpState } from "./sandbox-setup.ts";

export type { AgentObject };

export interface AgentObserved {
  readonly now: number;
  /** Uniform in [0,1), for spreading restarts. */
  readonly jitter: number;
  readonly generation: number;
  readonly desired: "Running" | "OnWork" | "Stopped";
  /** A program outside of the runtime speaks for it, and was heard so long ago. */
  readonly joined: { readonly silentMs: number } | undefined;
  /** The newest handoff: the session of that generation is to end without counting as a failure. */
  readonly handoff: { readonly generation: number; readonly sinceMs: number } | undefined;
  readonly hook:
    | {
        readonly bead: string;
        readonly title: string;
        readonly step: string | undefined;
        /** Newest change of the bead or a step of it. */
        readonly progressMs: number;
        readonly leaseExpiresMs: number | undefined;
      }
    | undefined;
  /** Bead of its own that was sent back to it and goes on its hook; absent while that is taken. */
  readonly returned: string | undefined;
  readonly runtimeName: string;
  readonly sight: SessionSight;
  /** Sessions may be judged: a complete observation was made and no mass action is frozen. */
  readonly judgeable: "Yes" | "NotObservedYet" | "Frozen";
  readonly suspended: boolean;
  readonly capacityLeft: number;
  /** Why the provider's sessions are not started for now. */
  readonly hold: { readonly reason: string; readonly untilMs: number; readonly message: string } | undefined;
  /** The last words of a session that ended say that a limit is reached: until then. */
  readonly limitUntilMs: number | undefined;
  /** Last lines of a session that ended and was not taken note of yet. */
  readonly output: string | undefined;
  /** When the town may start its next session (spec.capacity.startsPerMinute), ms; 0: at once. */
  readonly nextStartSlotMs: number;
  readonly diskLow: boolean;
  readonly configured: "Yes" | "RoleNotFound" | "ProviderNotFound" | "PoolNotFound";
  readonly sandbox: {
    readonly path: string;
    readonly exists: boolean;
    /** Branch it stands on. */
    readonly branch: string;
    /** A Sandbox object says just that. */
    readonly shown: boolean;
    readonly setUp: SetUpState;
  };
}

const EVIDENCE_LINES = 100;
/** A limit that does not say when it ends is tried again after so long. */
const UNTIMED_LIMIT_MS = 10 * 60_000;
const LIMIT_MARGIN_MS = 15_000;

export function agentSessionName(namespace: string, spec: Pick<AgentSpec, "role">, name: string): string {
  return `${namespace}-${spec.role}-${name}`;
}

/** Folder name of the agent's role in identities and sandbox paths. */
export function rolePlural(role: TownObject<RoleSpec> | undefined, name: string): string {
  return role?.spec.plural ?? `${name}s`;
}

export async function observeAgent(object: AgentObject, ports: LoopPorts): Promise<AgentObserved> {
  const namespace = object.metadata.namespace ?? "hq";
  const { name } = object.metadata;
  const graph = ports.graphs.graph(namespace);
  const { record, held, ...recorded } = recordedIn(graph, name, object.spec.identity);
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  const pool = ports.objects.get({ kind: "AgentPool", namespace, name: object.spec.pool }) as
    | TownObject<AgentPoolSpec>
    | undefined;
  const provider =
    pool === undefined
      ? undefined
      : (ports.objects.get({ kind: "Provider", name: pool.spec.provider }) as TownObject<ProviderSpec> | undefined);
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const path = ports.layout.sandbox(namespace, rolePlural(role, object.spec.role), name);
  const runtimeName = agentSessionName(namespace, object.spec, name);
  const sight = ports.view.sight(runtimeName);
  const output = await outputOf(object, runtimeName, recorded.generation, ports);
  return {
    now: ports.clock.now(),
    jitter: ports.random.float(),
    ...recorded,
    desired: desiredOf(record, object),
    joined: joinedSeen(record, { namespace, name }, ports),
    handoff: handoffSeen(record),
    runtimeName,
    sight,
    // Without its work graph an agent seems to have neither work nor a generation, which would end its session.
    judgeable: graph === undefined || !ports.view.ready ? "NotObservedYet" : ports.view.frozen ? "Frozen" : "Yes",
    suspended: town?.spec.suspend === true || pool?.spec.suspend === true || suspendedRig(namespace, ports),
    hold: holdSeen(provider, ports.clock.now()),
    output,
    limitUntilMs: limitIn(output, provider, ports.clock.now()),
    capacityLeft: (town?.spec.capacity.sessions ?? 30) - ports.view.running(),
    ...(sight.state === "Running" ? NO_LIMITS : await observeLimits(town, ports)),
    configured: configuredAs({ role, pool, provider }),
    sandbox: await observeSandbox(path, { namespace, name, hook: held, role: role?.spec }, ports),
  };
}

/** What the work graph says of the agent; nothing while it is not open. */
function recordedIn(
  graph: GraphReader | undefined,
  name: string,
  identity: string,
): Pick<AgentObserved, "generation" | "hook" | "returned"> & {
  readonly record: BeadRecord | undefined;
  readonly held: BeadRecord | undefined;
} {
  if (graph === undefined)
    return { record: undefined, held: undefined, generation: 0, hook: undefined, returned: undefined };
  const record = agentRecord(graph, name);
  const held = hookOf(graph, identity);
  return {
    record,
    held,
    generation: record === undefined ? 0 : generationOf(record),
    hook: held === undefined ? undefined : hookObserved(held, graph),
    returned: returnedTo(graph, identity)?.id,
  };
}

function hookObserved(hook: BeadRecord, graph: GraphReader): AgentObserved["hook"] {
  return {
    bead: hook.id,
    title: hook.title,
    progressMs: progressOf(graph, hook),
    step: stepName(hook, graph),
    leaseExpiresMs: hook.lease_expires_at === undefined ? undefined : Date.parse(hook.lease_expires_at),
  };
}

function holdSeen(provider: TownObject<ProviderSpec> | undefined, now: number): AgentObserved["hold"] {
  const hold = holdOf(provider, now);
  return hold === undefined
    ? undefined
    : { reason: hold.reason, untilMs: Date.parse(hold.until), message: `${hold.agent}: ${hold.message}` };
}

/** Programs without a terminal, and some with one, end where a limit is reached. */
function limitIn(
  output: string | undefined,
  provider: TownObject<ProviderSpec> | undefined,
  now: number,
): number | undefined {
  const patterns = provider?.spec.patterns;
  if (output === undefined || patterns?.rateLimited === undefined) return undefined;
  const screen = screenState({ ready: {}, patterns: { rateLimited: patterns.rateLimited } }, output, undefined, now);
  if (screen.state !== "RateLimited") return undefined;
  return screen.resetAtMs === undefined ? now + UNTIMED_LIMIT_MS : screen.resetAtMs + LIMIT_MARGIN_MS;
}

/** Read once for each end of a session, as evidence. */
async function outputOf(
  object: AgentObject,
  runtimeName: string,
  generation: number,
  ports: LoopPorts,
): Promise<string | undefined> {
  const sight = ports.view.sight(runtimeName);
  if (sight.state !== "Exited" || sight.session.generation !== generation) return undefined;
  if (generation <= (object.status?.endedGeneration ?? 0)) return undefined;
  try {
    return await ports.sessions.capture(runtimeName, EVIDENCE_LINES);
  } catch (error) {
    if (error instanceof AdapterError) return undefined;
    throw error;
  }
}

function configuredAs(found: {
  readonly role: unknown;
  readonly pool: unknown;
  readonly provider: unknown;
}): AgentObserved["configured"] {
  if (found.role === undefined) return "RoleNotFound";
  if (found.pool === undefined) return "PoolNotFound";
  return found.provider === undefined ? "ProviderNotFound" : "Yes";
}

/** Branch of an agent's sandbox: one of each task, or, for a role that keeps its sandbox, the agent's own. */
export function sandboxBranch(
  role: RoleSpec | undefined,
  namespace: string,
  name: string,
  bead: string | undefined,
): string {
  return taskBranch(namespace, name, role?.lifecycle === "Persistent" ? undefined : bead);
}

function handoffSeen(record: BeadRecord | undefined): AgentObserved["handoff"] {
  const handoff = handoffOf(record);
  return handoff === undefined ? undefined : { generation: handoff.generation, sinceMs: Date.parse(handoff.time) };
}

function joinedSeen(
  record: BeadRecord | undefined,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  ports: LoopPorts,
): AgentObserved["joined"] {
  if (joinedOf(record) === undefined) return undefined;
  return { silentMs: Math.max(0, ports.clock.monotonicMs() - ports.tokens.heardMs(namespace, name)) };
}

async function observeSandbox(
  path: string,
  of: {
    readonly namespace: string;
    readonly name: string;
    readonly hook: BeadRecord | undefined;
    readonly role: RoleSpec | undefined;
  },
  ports: LoopPorts,
): Promise<AgentObserved["sandbox"]> {
  const exists = (await ports.files.stat(`${path}/.git`)) !== undefined;
  const wanted = sandboxBranch(of.role, of.namespace, of.name, of.hook?.id);
  const branch = sandboxFact(of.hook)?.branch ?? wanted;
  const object = ports.objects.get({ kind: "Sandbox", namespace: of.namespace, name: of.name });
  const bead = (object?.status as { readonly bead?: string } | undefined)?.bead;
  const setUp = await readSetUp({ namespace: of.namespace, agent: of.name, branch: wanted }, ports);
  const shown = exists ? object !== undefined && bead === of.hook?.id : object === undefined;
  return { path, exists, branch, shown, setUp };
}

const DEFAULT_TOWN: TownSpec = townSpec.parse({});

/** Nothing is to be started: what limits starts need not be looked at. */
const NO_LIMITS = { nextStartSlotMs: 0, diskLow: false };

async function observeLimits(
  town: TownObject<TownSpec> | undefined,
  ports: LoopPorts,
): Promise<Pick<AgentObserved, "nextStartSlotMs" | "diskLow">> {
  const { capacity } = town?.spec ?? DEFAULT_TOWN;
  const starts = ports.objects
    .list("Session")
    .map((session) => Date.parse((session.status as { readonly startTime?: string } | undefined)?.startTime ?? ""))
    .filter((startMs) => !Number.isNaN(startMs));
  return {
    nextStartSlotMs: nextStartSlot(starts, capacity.startsPerMinute, ports.clock.now()),
    diskLow: (await ports.files.freeBytes(ports.layout.root)) < quantityBytes(capacity.diskFloor),
  };
}

function suspendedRig(namespace: string, ports: LoopPorts): boolean {
  const rig = ports.objects.get({ kind: "Rig", name: namespace });
  return (rig?.spec as { suspend?: boolean } | undefined)?.suspend === true;
}

function desiredOf(record: BeadRecord | undefined, object: AgentObject): "Running" | "OnWork" | "Stopped" {
  const desired = record?.metadata?.[AGENT.desired] ?? object.spec.desired;
  return desired === "Running" || desired === "OnWork" ? desired : "Stopped";
}

function stepName(hook: BeadRecord, graph: GraphReader): string | undefined {
  const molecule = hook.metadata?.[META.molecule];
  if (typeof molecule !== "string") return undefined;
  const step = currentStep(graph, molecule)?.metadata?.[META.step];
  return typeof step === "string" ? step : undefined;
}
