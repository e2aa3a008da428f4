import { CRASH_LOOP, NO_STARTS, type StartRecord, waitBeforeStart } from "../../domain/scheduling/start-backoff.ts";
import { READY, STALLED, timestamp, type ConditionIntent } from "../../resource/condition.ts";
import type { Plan, PlannedEvent } from "../../resource/controller.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import type { AgentObject, AgentObserved } from "./agent.observe.ts";
import type { AgentStatus } from "./agent.schema.ts";
import { kept } from "./evidence.ts";
import { noteEnd, startRecord } from "./session-end.ts";
import { startHold } from "./start-hold.ts";

export type AgentAction =
  | { readonly do: "EnsureSandbox"; readonly bead: string | undefined }
  | { readonly do: "SetUp"; readonly bead: string | undefined }
  | { readonly do: "Start"; readonly bead: string | undefined }
  | { readonly do: "Stop"; readonly generation: number; readonly reason: string }
  | { readonly do: "RemoveSandbox"; readonly reason: string }
  | {
      readonly do: "ShowSandbox";
      readonly bead: string | undefined;
      readonly branch: string | undefined;
      readonly exists: boolean;
    }
  | { readonly do: "RenewLease"; readonly bead: string }
  /** Its program said that a limit is reached and ended. */
  | { readonly do: "HoldProvider"; readonly untilMs: number; readonly message: string }
  /** Its own work, which was sent back, goes on its hook. */
  | { readonly do: "TakeBack"; readonly bead: string }
  /** A program that joined is gone. */
  | { readonly do: "Unjoin"; readonly generation: number; readonly reason: string };

/** Claims are renewed once less than this is left of them. */
const RENEW_BELOW_MS = 2 * 3_600_000;
/** A program that joined and makes no request for so long is gone: as long as a claim lasts that nobody renews. */
const JOINED_SILENCE_MS = 4 * 3_600_000;

/** The Sandbox object follows what is on disk once nothing else is about to change it. */
function shownSandbox(observed: AgentObserved, actions: readonly AgentAction[]): readonly AgentAction[] {
  if (observed.sandbox.shown || actions.length > 0) return [];
  return [
    { do: "ShowSandbox", bead: observed.hook?.bead, branch: observed.sandbox.branch, exists: observed.sandbox.exists },
  ];
}

/** Before anything else: what is done about an agent with an empty hook is not for one that is about to get work. */
function takesBack({ returned, judgeable, desired, joined, suspended }: AgentObserved): readonly AgentAction[] {
  const isThere = desired !== "Stopped" || joined !== undefined;
  if (returned === undefined || judgeable !== "Yes" || !isThere || suspended) return [];
  return [{ do: "TakeBack", bead: returned }];
}

interface Judgement {
  readonly state: NonNullable<AgentStatus["state"]>;
  readonly actions: readonly AgentAction[];
  readonly condition: ConditionIntent;
  readonly stalled?: ConditionIntent;
  readonly requeueAfterMs?: number;
  /** With nothing to do now: when there will be, ms from now. */
  readonly restsMs?: number;
  readonly starts?: StartRecord;
  readonly endedGeneration?: number;
  readonly events?: readonly PlannedEvent[];
}

/** One agent's session and sandbox follow what is on its hook and what its pool asks for. */
export function planAgent(object: AgentObject, observed: AgentObserved): Plan<AgentAction> {
  const judged = judge(object, observed);
  const starts = judged.starts ?? startRecord(object);
  const running = observed.sight.state === "Running";
  const back = takesBack(observed);
  const actions = back.length > 0 ? back : [...judged.actions, ...shownSandbox(observed, judged.actions)];
  const requeueAfterMs = judged.requeueAfterMs ?? (actions.length === 0 ? judged.restsMs : undefined);
  return {
    actions,
    conditions: judged.stalled === undefined ? [judged.condition] : [judged.condition, judged.stalled],
    status: {
      state: judged.state,
      ...hookStatus(observed.hook),
      generation: observed.generation,
      session: running ? observed.runtimeName : null,
      sandbox: observed.sandbox.exists ? observed.sandbox.path : null,
      failures: starts.failures,
      kills: starts.kills,
      nextStartTime: waitBeforeStart(starts, observed.now) > 0 ? timestamp(starts.nextStartMs) : null,
      ...(observed.output === undefined ? {} : { lastOutput: kept(observed.output) }),
      endedGeneration: judged.endedGeneration ?? object.status?.endedGeneration ?? 0,
    },
    ...(judged.events === undefined ? {} : { events: judged.events }),
    ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }),
  };
}

function hookStatus(hook: AgentObserved["hook"]): Readonly<Record<string, string | null>> {
  const progressMs = hook?.progressMs ?? 0;
  return {
    hook: hook?.bead ?? null,
    title: hook?.title ?? null,
    step: hook?.step ?? null,
    progressTime: progressMs === 0 ? null : timestamp(progressMs),
  };
}

function ready(status: "True" | "False" | "Unknown", reason: string, message: string): ConditionIntent {
  return { type: READY, status, reason, message };
}

function judge(object: AgentObject, observed: AgentObserved): Judgement {
  if (observed.judgeable === "NotObservedYet")
    return {
      state: "Unknown",
      actions: [],
      condition: ready(
        "Unknown",
        "NotObservedYet",
        "its sessions or its work graph were not read since the controller started",
      ),
      requeueAfterMs: 500,
    };
  if (observed.judgeable === "Frozen")
    return {
      state: "Unknown",
      actions: [],
      condition: ready(
        "Unknown",
        "MassActionFrozen",
        "many sessions vanished at once without evidence; nothing is started or stopped until observations agree",
      ),
      requeueAfterMs: 2_000,
    };
  if (observed.sight.state === "Unknown")
    return {
      state: "Unknown",
      actions: [],
      condition: ready(
        "Unknown",
        "SessionUnknown",
        "the runtime does not show the session, and nothing proves that it is gone",
      ),
      requeueAfterMs: 1_000,
    };
  if (observed.joined !== undefined && observed.sight.state !== "Running")
    return judgeJoined(observed, observed.joined.silentMs);
  const wanted = observed.desired === "Running" || observed.hook !== undefined;
  if (observed.sight.state === "Running") return judgeRunning(object, observed, wanted);
  return wanted ? judgeMissing(object, observed) : judgeUnwanted(observed);
}

/**
 * A program that a person started speaks for the agent: its worktree follows its hook; it is neither started nor ended. Its
 * claim is renewed while it is heard, and it has left once it was not for long.
 */
function judgeJoined(observed: AgentObserved, silentMs: number): Judgement {
  const { hook, sandbox } = observed;
  const bead = hook?.bead;
  if (silentMs >= JOINED_SILENCE_MS)
    return {
      state: "Zombie",
      actions: [{ do: "Unjoin", generation: observed.generation, reason: "its program made no request for 4 hours" }],
      condition: ready("False", "Vanished", "the program that was it is heard no more"),
      starts: NO_STARTS,
    };
  const isReady = sandbox.exists && sandbox.shown;
  const isHeard = silentMs < RENEW_BELOW_MS;
  const renewal = isHeard ? untilRenewal(observed) : undefined;
  return {
    state: hook === undefined ? "Idle" : "Working",
    actions: isReady
      ? isHeard
        ? renewals(observed)
        : []
      : [
          { do: "EnsureSandbox", bead },
          ...(sandbox.setUp.state === "Needed" ? [{ do: "SetUp", bead } as const] : []),
          { do: "ShowSandbox", bead, branch: sandbox.branch, exists: true },
        ],
    condition: ready(
      "True",
      "Joined",
      `a program outside of the town is it${bead === undefined ? "" : `, on ${bead}`}`,
    ),
    starts: NO_STARTS,
    restsMs: Math.min(renewal ?? JOINED_SILENCE_MS, JOINED_SILENCE_MS - silentMs),
  };
}

/** A session that handed off lives on this long, so that its program can show the answer. */
const HANDOFF_GRACE_MS = 1_000;

/** The session handed off: it is ended once its program had time to show the answer. */
function handingOff(
  observed: AgentObserved,
  generation: number,
  stop: (reason: string) => AgentAction,
): Judgement | undefined {
  if (observed.handoff?.generation !== generation) return undefined;
  const leftMs = observed.handoff.sinceMs + HANDOFF_GRACE_MS - observed.now;
  return {
    state: "Starting",
    actions: leftMs > 0 ? [] : [stop("it handed off")],
    condition: ready("False", "HandingOff", "the session handed off; a fresh one follows"),
    ...(leftMs > 0 ? { requeueAfterMs: Math.min(leftMs, HANDOFF_GRACE_MS) } : {}),
  };
}

function judgeRunning(object: AgentObject, observed: AgentObserved, wanted: boolean): Judgement {
  const session = observed.sight.state === "Absent" ? undefined : observed.sight.session;
  const generation = session?.generation ?? 0;
  const stop = (reason: string): AgentAction => ({ do: "Stop", generation, reason });
  if (generation !== observed.generation)
    return {
      state: "Starting",
      actions: [stop(`generation ${generation} is fenced off by ${observed.generation}`)],
      condition: ready("False", "StaleSession", "an older session is being ended"),
    };
  const ending = endingOf(object, observed, { session, wanted });
  if (ending !== undefined) return { state: ending.state, actions: [stop(ending.why)], condition: ending.condition };
  const handing = handingOff(observed, generation, stop);
  if (handing !== undefined) return handing;
  const stalled = givenUp(object, observed);
  if (stalled !== undefined) return stalled;
  if (observed.hook === undefined)
    return { state: "Idle", actions: [], condition: ready("True", "Idle", "running with an empty hook") };
  const renewal = untilRenewal(observed);
  return {
    state: "Working",
    actions: renewals(observed),
    condition: ready("True", "Working", `working on ${observed.hook.bead}`),
    ...(renewal === undefined ? {} : { restsMs: renewal }),
  };
}

/** The claim of whoever is at work is kept alive. */
function renewals(observed: AgentObserved): readonly AgentAction[] {
  const { hook } = observed;
  return hook !== undefined && untilRenewal(observed) === 0 ? [{ do: "RenewLease", bead: hook.bead }] : [];
}

/** How long until the claim is to be renewed, ms; undefined: there is none that ends. */
function untilRenewal({ hook, now }: AgentObserved): number | undefined {
  const expiresMs = hook?.leaseExpiresMs;
  return expiresMs === undefined ? undefined : Math.max(0, expiresMs - RENEW_BELOW_MS - now + 1);
}

/** Why a session of the current generation is to end; undefined when it is to go on. */
function endingOf(
  object: AgentObject,
  observed: AgentObserved,
  { session, wanted }: { readonly session: ObservedSession | undefined; readonly wanted: boolean },
): (Pick<Judgement, "state" | "condition"> & { readonly why: string }) | undefined {
  const work = session?.bead;
  if (!wanted)
    return {
      state: "Zombie",
      why: `its work${work === undefined ? "" : ` on ${work}`} is closed or handed on`,
      condition: ready("True", "NoWork", "nothing is on the hook; what still runs is ended"),
    };
  if (work !== undefined && work !== observed.hook?.bead && observed.desired === "OnWork")
    return {
      state: "Zombie",
      why: `it was started for ${work}, which is closed or handed on`,
      condition: ready("False", "StaleSession", "the session of its former work is being ended"),
    };
  if (object.status?.propulsion?.restarting === session?.generation)
    return {
      state: "Starting",
      why: "it did not act on its hook",
      condition: ready("False", "Unresponsive", "its session did not act on its hook and is restarted"),
    };
  return undefined;
}

/** The hooks loop has tried everything on this hook and asked a person. */
function givenUp(object: AgentObject, observed: AgentObserved): Judgement | undefined {
  const given = object.status?.propulsion;
  const bead = observed.hook?.bead;
  if (given?.gaveUpTime === undefined || bead === undefined || !given.hook.startsWith(`${bead}@`)) return undefined;
  const message = `nothing moved ${bead}; see \`town get escalations -A\` and \`town peek ${object.metadata.name}\``;
  return {
    state: "Stalled",
    actions: [],
    condition: ready("False", "Unresponsive", message),
    stalled: { type: STALLED, status: "True", reason: "Unresponsive", message },
  };
}

/** Wanted, and there is no session (any more). */
function judgeMissing(object: AgentObject, observed: AgentObserved): Judgement {
  const end = noteEnd(object, observed);
  const base =
    end === undefined ? {} : { starts: end.starts, endedGeneration: observed.generation, events: [end.event] };
  if (end !== undefined && observed.limitUntilMs !== undefined) return limitReached(object, observed, end.event);
  const starts = end?.starts ?? startRecord(object);
  if (observed.configured !== "Yes")
    return {
      ...base,
      state: "Stalled",
      actions: [],
      condition: ready("False", observed.configured, "its pool, role or provider is missing"),
    };
  if (observed.suspended)
    return {
      ...base,
      state: "Stopped",
      actions: [],
      condition: ready("False", "Suspended", "suspended; no session is started"),
    };
  if (starts.failures >= CRASH_LOOP && observed.hook?.bead === object.status?.hook) {
    const message = `${starts.failures} sessions in a row ended with the work unfinished; see \`town logs agent/${object.metadata.name} -n ${object.metadata.namespace ?? "hq"} --previous\``;
    return {
      ...base,
      state: "Stalled",
      actions: [],
      condition: ready("False", "CrashLoop", message),
      stalled: { type: STALLED, status: "True", reason: "CrashLoop", message },
    };
  }
  const waitMs = waitBeforeStart(starts, observed.now);
  if (waitMs > 0) {
    return {
      ...base,
      state: "Starting",
      actions: [],
      condition: ready("False", "BackingOff", `next start at ${timestamp(starts.nextStartMs)}`),
      requeueAfterMs: waitMs,
    };
  }
  const hold = startHold(observed);
  if (hold !== undefined)
    return {
      ...base,
      state: "Starting",
      actions: [],
      condition: ready("False", hold.reason, hold.message),
      requeueAfterMs: hold.retryMs,
    };
  const bead = observed.hook?.bead;
  const isSetUp = observed.sandbox.setUp.state === "Done";
  return {
    ...base,
    state: "Starting",
    actions: [{ do: "EnsureSandbox", bead }, isSetUp ? { do: "Start", bead } : { do: "SetUp", bead }],
    condition: ready(
      "False",
      "SessionStarting",
      isSetUp ? "a session is being started" : "its sandbox is being set up",
    ),
  };
}

/** No failure of the program, nor of its work: every session of the provider would end the same way now. */
function limitReached(object: AgentObject, observed: AgentObserved, event: PlannedEvent): Judgement {
  const untilMs = observed.limitUntilMs ?? observed.now;
  const message = `its program reached a limit and ended; it is started again at ${timestamp(untilMs)}, by itself`;
  return {
    state: "Starting",
    actions: [{ do: "HoldProvider", untilMs, message }],
    condition: ready("False", "RateLimited", message),
    starts: { ...startRecord(object), nextStartMs: 0 },
    endedGeneration: observed.generation,
    events: [{ ...event, message: `${event.message}; its last words say that a limit is reached` }],
    requeueAfterMs: 1_000,
  };
}

function judgeUnwanted(observed: AgentObserved): Judgement {
  const actions: AgentAction[] = [];
  if (observed.sight.state === "Exited")
    actions.push({
      do: "Stop",
      generation: observed.sight.session.generation,
      reason: "its program ended and nothing is on the hook",
    });
  if (observed.sandbox.exists) actions.push({ do: "RemoveSandbox", reason: "nothing is on the hook" });
  return {
    state: "Stopped",
    actions,
    condition: ready("True", "NoWork", "nothing is on the hook"),
    endedGeneration: observed.generation,
    starts: NO_STARTS,
  };
}
