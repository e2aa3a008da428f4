import { eventTimeMs, inEventOrder, type EventObject } from "../output/describe.ts";
import type { ApiObject } from "../resources/objects.ts";
import {
  fieldsOf,
  isOpenMerge,
  numberOf,
  optional,
  placeOf,
  readyCondition,
  readyOf,
  textOf,
} from "../resources/object-fields.ts";
import { type Problem, problemsOf } from "../resources/problems.ts";
import { SUMMARY_KINDS, type TownFacts, townFacts } from "../resources/town-summary.ts";

/** What `town top -o json` prints; names here are stable. What is not known is left out, never 0. */
export interface TopData {
  readonly town: TopTown;
  readonly agents: readonly TopAgent[];
  readonly convoys: readonly TopConvoy[];
  /** Those that have not ended. */
  readonly mergeRequests: readonly TopMerge[];
  readonly rigs: readonly TopRig[];
  readonly problems: readonly Problem[];
  /** Newest first. */
  readonly events: readonly TopEvent[];
}

/** `name`: of its repository's directory where that is known, else `hq`. */
export interface TopTown extends TownFacts {
  /** Sessions running, and the most that may; absent until the town was read. */
  readonly sessions?: number;
  readonly capacity?: number;
  readonly working: number;
  readonly stalled: number;
  /** Agents whose program waits for a limit, a login or an answer. */
  readonly held: number;
  readonly work?: TopWork;
  readonly today: TopUsage;
  /** `$4.21/$10.00`. */
  readonly spentToday?: string;
}

export interface TopWork {
  readonly ready: number;
  readonly working: number;
  readonly blocked: number;
  readonly deferred: number;
  readonly merging: number;
}

export interface TopUsage {
  readonly tokens: number;
  readonly costUSD: number;
}

export interface TopAgent extends TopUsage {
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly pool: string;
  readonly poolSuspended: boolean;
  readonly state: string;
  /** What its program shows. */
  readonly activity?: string;
  readonly hook?: string;
  readonly title?: string;
  readonly step?: string;
  /** RFC 3339. */
  readonly progressTime?: string;
  readonly generation?: number;
  /** State of its session; absent: it has none. */
  readonly session?: string;
}

export interface TopConvoy extends TopUsage {
  readonly namespace: string;
  readonly name: string;
  readonly closed?: number;
  readonly total?: number;
  readonly working: number;
  readonly merging: number;
  readonly spent?: string;
  readonly status: string;
  readonly suspended: boolean;
  readonly createdTime?: string;
}

export interface TopMerge {
  readonly namespace: string;
  readonly name: string;
  readonly state: string;
  readonly bead: string;
  readonly title: string;
  readonly author?: string;
  readonly reason?: string;
  readonly createdTime?: string;
}

export interface TopRig {
  readonly name: string;
  readonly ready: string;
  readonly branch?: string;
  readonly suspended: boolean;
  readonly work?: TopWork;
  readonly spentToday?: string;
}

export interface TopEvent {
  readonly namespace?: string;
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly timeMs: number;
}

/** Every kind that the view is made of; providers are left to `town status`. */
export const TOP_KINDS = SUMMARY_KINDS.filter((kind) => kind !== "Provider");
export type TopKind = (typeof TOP_KINDS)[number];

/** Objects by kind, as the watches keep them. */
export interface TopObjects {
  of(kind: TopKind): readonly ApiObject[];
  readonly events: readonly EventObject[];
}

const MOST_EVENTS = 200;

/** Pure. `townName`: what the town's directory is called, where that is known. */
export function topData(objects: TopObjects, townName: string | undefined): TopData {
  const [town] = objects.of("Town");
  const sessions = new Map(objects.of("Session").map((session) => [placeOf(session), session]));
  const suspended = new Set(
    objects
      .of("AgentPool")
      .filter((pool) => pool.spec?.["suspend"] === true)
      .map(placeOf),
  );
  const agents = objects.of("Agent").map((agent) => topAgent(agent, sessions.get(placeOf(agent)), suspended));
  return {
    town: topTown(town, townName, agents, [...sessions.values()]),
    agents: agents.toSorted(byPlace),
    convoys: objects.of("Convoy").map(topConvoy).toSorted(byPlace),
    mergeRequests: objects.of("MergeRequest").filter(isOpenMerge).map(topMerge).toSorted(byPlace),
    rigs: objects.of("Rig").map(topRig).toSorted(byPlace),
    problems: TOP_KINDS.flatMap((kind) => objects.of(kind).flatMap(problemsOf)),
    events: inEventOrder(objects.events).slice(-MOST_EVENTS).toReversed().map(topEvent),
  };
}

function topTown(
  town: ApiObject | undefined,
  name: string | undefined,
  agents: readonly TopAgent[],
  sessions: readonly ApiObject[],
): TopTown {
  const status = fieldsOf(town?.status);
  const capacity = fieldsOf(town?.spec?.["capacity"])["sessions"];
  return {
    ...townFacts(town),
    ...optional("name", name),
    ...optional("sessions", town === undefined ? undefined : sessions.filter(isRunning).length),
    ...optional("capacity", typeof capacity === "number" ? capacity : undefined),
    working: agents.filter((agent) => agent.hook !== undefined).length,
    stalled: agents.filter((agent) => agent.state === "Stalled").length,
    held: agents.filter((agent) => HELD.has(agent.activity ?? "")).length,
    ...optional("work", workOf(status["work"])),
    today: usageOf(status["usageToday"]),
    ...optional("spentToday", textOf(status["spentToday"])),
  };
}

function isRunning(session: ApiObject): boolean {
  return fieldsOf(session.status)["state"] === "Running";
}

/** Activities that are no agent's doing: a limit, a login, a question of its program. */
export const HELD: ReadonlySet<string> = new Set(["RateLimited", "AuthRequired", "DialogOpen"]);

function topAgent(agent: ApiObject, session: ApiObject | undefined, suspended: ReadonlySet<string>): TopAgent {
  const status = fieldsOf(agent.status);
  const pool = textOf(agent.spec?.["pool"]) ?? "";
  return {
    namespace: agent.metadata.namespace ?? "hq",
    name: agent.metadata.name,
    role: textOf(agent.spec?.["role"]) ?? "",
    pool,
    poolSuspended: suspended.has(`${agent.metadata.namespace ?? "hq"}/${pool}`),
    state: textOf(status["state"]) ?? "Unknown",
    ...optional("activity", textOf(status["activity"])),
    ...optional("hook", textOf(status["hook"])),
    ...optional("title", textOf(status["title"])),
    ...optional("step", textOf(status["step"])),
    ...optional("progressTime", textOf(status["progressTime"])),
    ...optional("generation", typeof status["generation"] === "number" ? status["generation"] : undefined),
    ...optional("session", textOf(fieldsOf(session?.status)["state"])),
    ...usageOf(status["usage"]),
  };
}

function topConvoy(convoy: ApiObject): TopConvoy {
  const status = fieldsOf(convoy.status);
  const count = (key: string): number | undefined => (typeof status[key] === "number" ? status[key] : undefined);
  return {
    namespace: convoy.metadata.namespace ?? "hq",
    name: convoy.metadata.name,
    ...optional("closed", count("closed")),
    ...optional("total", count("total")),
    working: numberOf(status["working"]),
    merging: numberOf(status["merging"]),
    ...optional("spent", textOf(status["spent"])),
    status: textOf(readyCondition(convoy)?.reason) ?? "Unknown",
    suspended: convoy.spec?.["suspend"] === true,
    ...optional("createdTime", textOf(convoy.metadata.creationTimestamp)),
    ...usageOf(status["usage"]),
  };
}

function topMerge(request: ApiObject): TopMerge {
  const status = fieldsOf(request.status);
  return {
    namespace: request.metadata.namespace ?? "hq",
    name: request.metadata.name,
    state: textOf(status["state"]) ?? "Unknown",
    bead: textOf(request.spec?.["bead"]) ?? "",
    title: textOf(request.spec?.["title"]) ?? "",
    ...optional("author", textOf(request.spec?.["author"])),
    ...optional("reason", textOf(status["reason"])),
    ...optional("createdTime", textOf(request.metadata.creationTimestamp)),
  };
}

function topRig(rig: ApiObject): TopRig {
  const status = fieldsOf(rig.status);
  return {
    name: rig.metadata.name,
    ready: readyOf(rig),
    ...optional("branch", textOf(status["branch"])),
    suspended: rig.spec?.["suspend"] === true,
    ...optional("work", workOf(status["work"])),
    ...optional("spentToday", textOf(status["spentToday"])),
  };
}

function topEvent(event: EventObject): TopEvent {
  const about = event.involvedObject;
  return {
    ...optional("namespace", about?.namespace),
    kind: about?.kind ?? "?",
    name: about?.name ?? "?",
    type: event.type ?? "Normal",
    reason: event.reason ?? "",
    message: event.message ?? "",
    count: event.count ?? 1,
    timeMs: eventTimeMs(event),
  };
}

function workOf(value: unknown): TopWork | undefined {
  if (value === undefined) return undefined;
  const counts = fieldsOf(value);
  return {
    ready: numberOf(counts["ready"]),
    working: numberOf(counts["working"]),
    blocked: numberOf(counts["blocked"]),
    deferred: numberOf(counts["deferred"]),
    merging: numberOf(counts["merging"]),
  };
}

function usageOf(value: unknown): TopUsage {
  const used = fieldsOf(value);
  return { tokens: numberOf(used["total"]), costUSD: numberOf(used["costUSD"]) };
}

function byPlace(
  a: { readonly namespace?: string; readonly name: string },
  b: { readonly namespace?: string; readonly name: string },
): number {
  const [left, right] = [`${a.namespace ?? ""}/${a.name}`, `${b.namespace ?? ""}/${b.name}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
