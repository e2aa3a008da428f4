import { timestamp } from "../../resource/condition.ts";
import type { AgentObject } from "./agent.observe.ts";
import type { AgentStatus } from "./agent.schema.ts";
import { isLimited, isToldSince, type Limited, limitedAfter, saidAt } from "./hooks.limit.ts";
import type { HooksObserved } from "./hooks.observed.ts";

export type Propulsion = NonNullable<AgentStatus["propulsion"]>;
export type Obstacle = NonNullable<Propulsion["obstacle"]>;
export type Doorbell = NonNullable<AgentStatus["doorbell"]>;

/** Output this recent shows that the program is at work, where its title shows nothing. */
const OUTPUT_MS = 10_000;
/** The echo of a doorbell is no work. */
const ECHO_MS = 3_000;
export const LOOK_AGAIN_MS = 60_000;
/** Messages wait so long after what the program has started was seen at work. */
export const TOOLS_LOOK_MS = 30_000;
const LONGEST_LIMIT_LOOK_MS = 5 * 60_000;
const OBSTACLES: ReadonlySet<string> = new Set(["RateLimited", "AuthRequired", "DialogOpen"]);

/** What is known and derived of one agent at one instant; everything the decision rests on. */
export interface Situation {
  readonly observed: HooksObserved;
  readonly session: NonNullable<HooksObserved["session"]>;
  readonly activity: NonNullable<AgentStatus["activity"]>;
  readonly propulsion: Propulsion;
  /** Until when it counts as busy for its output alone, ms: no event tells that a program fell silent. */
  readonly outputUntilMs: number | undefined;
  /** The last ring for this session. */
  readonly doorbell: Doorbell | undefined;
  /** The limit that its program told of last. */
  readonly limited: Limited | undefined;
  /** Rings in a row, for this hook or (with an empty one) for messages, that had no answer. */
  readonly reminders: number;
}

export function situationOf(
  object: AgentObject,
  given: HooksObserved,
  running: NonNullable<HooksObserved["session"]>,
): Situation {
  const { now } = given;
  const session = { ...running, startedAtMs: past(running.startedAtMs, now) };
  const observed = { ...given, session, hook: hookBefore(given.hook, now) };
  const { hook } = observed;
  const doorbell = doorbellOf(object, session.generation, now);
  const outputUntilMs = outputUntil(observed, session, doorbell);
  const shown = activityOf(observed, outputUntilMs);
  const key = hook?.key ?? "";
  const former = hook === undefined && given.mail === undefined ? undefined : object.status?.propulsion;
  const carried = notAhead(carriedOver(former, key, session.generation, hook), now);
  // Nothing was seen of this session before: then it may have been so since its start.
  const since = object.status?.propulsion === undefined ? session.startedAtMs : now;
  const clocks = { ...clocksOf(carried, shown === "Busy", { now, since }), ...toolsOf(carried, observed) };
  const activity = shown === "Quiet" && timeOf(clocks.toolsSeen) + observed.policy.idleMs > now ? "Busy" : shown;
  // What had no effect because of a limit was no reminder.
  const { limited, isTold } = limitSeen(object, observed, doorbell);
  const answered = isTold ? "Limit" : isAnswered(doorbell, observed, clocks.busySince);
  const moved = hook?.acknowledgedMs !== undefined && hook.progressMs > hook.acknowledgedMs;
  const {
    busySince: _busy,
    idleSince: _idle,
    toolsSince: _since,
    toolsSeen: _seen,
    limited: _limit,
    ...rest
  } = carried;
  const futile = (moved ? 0 : (carried.futile ?? 0)) + (answered === "Busy" ? 1 : 0);
  return {
    observed,
    session,
    activity,
    outputUntilMs,
    propulsion: {
      ...rest,
      ...clocks,
      hook: key,
      generation: session.generation,
      futile,
      ...(limited === undefined ? {} : { limited }),
    },
    doorbell,
    limited,
    reminders: answered === "No" && doorbell?.hook === key ? doorbell.reminders : 0,
  };
}

function limitSeen(
  object: AgentObject,
  observed: HooksObserved & Pick<Situation, "session">,
  doorbell: Doorbell | undefined,
): { readonly limited: Limited | undefined; readonly isTold: boolean } {
  const { now, screen, session, hook, liftedMs } = observed;
  const rungMs = Math.max(timeOf(doorbell?.time), session.startedAtMs);
  const limited = limitedAfter(object.status?.propulsion?.limited, {
    identity: object.spec.identity,
    now,
    screen,
    saidMs: saidAt(object.status, session, now),
    rungMs,
    progressMs: hook?.progressMs ?? 0,
    liftedMs,
  });
  return { limited, isTold: isToldSince(limited, screen, rungMs) };
}

/** The last ring, if it was for this session. */
function doorbellOf(object: AgentObject, generation: number, now: number): Doorbell | undefined {
  const last = object.status?.doorbell;
  if (last?.generation !== generation) return undefined;
  return { ...last, time: new Date(past(Date.parse(last.time), now)).toISOString() };
}

/** A time ahead of the clock was written before the clock was set back: it is long ago, for all that is known. */
function past(ms: number, now: number): number {
  return ms > now ? 0 : ms;
}

function hookBefore(hook: HooksObserved["hook"], now: number): HooksObserved["hook"] {
  if (hook === undefined) return undefined;
  const { sinceMs, progressMs, acknowledgedMs } = hook;
  return {
    ...hook,
    sinceMs: past(sinceMs, now),
    progressMs: past(progressMs, now),
    acknowledgedMs: acknowledgedMs === undefined ? undefined : past(acknowledgedMs, now),
  };
}

/** Spans that began ahead of the clock begin now. */
function notAhead(carried: Partial<Propulsion>, now: number): Partial<Propulsion> {
  const { idleSince, busySince, toolsSince, toolsSeen, obstacle, ...rest } = carried;
  const farMs = now + LONGEST_LIMIT_LOOK_MS;
  return {
    ...rest,
    ...(timeOf(idleSince) > now || idleSince === undefined ? {} : { idleSince }),
    ...(timeOf(busySince) > now || busySince === undefined ? {} : { busySince }),
    ...(timeOf(toolsSeen) > now || toolsSeen === undefined || toolsSince === undefined
      ? {}
      : { toolsSince, toolsSeen }),
    ...(obstacle === undefined
      ? {}
      : {
          obstacle:
            timeOf(obstacle.lookTime) > farMs ? { ...obstacle, lookTime: new Date(now).toISOString() } : obstacle,
        }),
  };
}

/** Since when it is busy, or not: one of the two. */
function clocksOf(
  carried: Partial<Propulsion>,
  busy: boolean,
  at: { readonly now: number; readonly since: number },
): Pick<Propulsion, "busySince" | "idleSince"> {
  if (busy) return { busySince: carried.busySince ?? new Date(at.now).toISOString() };
  return { idleSince: carried.idleSince ?? new Date(at.since).toISOString() };
}

/** Since when what its program has started works, as far as it was looked at; a look that sees nothing ends it. */
function toolsOf(carried: Partial<Propulsion>, observed: HooksObserved): Pick<Propulsion, "toolsSince" | "toolsSeen"> {
  const { toolsSince, toolsSeen } = carried;
  if (observed.screen === undefined)
    return toolsSince === undefined || toolsSeen === undefined ? {} : { toolsSince, toolsSeen };
  const at = new Date(observed.now).toISOString();
  return observed.toolsWork ? { toolsSince: toolsSince ?? at, toolsSeen: at } : {};
}

/**
 * What a former look said that still holds: everything for the same session on the same hooking; the count of restarts
 * for the session after it, unless there was progress or a person was asked meanwhile.
 */
function carriedOver(
  former: Propulsion | undefined,
  key: string,
  generation: number,
  hook: HooksObserved["hook"],
): Partial<Propulsion> {
  if (former === undefined || former.hook !== key) return {};
  const progressed = hook?.acknowledgedMs !== undefined && hook.progressMs > hook.acknowledgedMs;
  const { restarts = 0, gaveUpTime } = former;
  if (former.generation !== generation) {
    if (gaveUpTime !== undefined || former.restarting !== former.generation) return {};
    return { restarts: restarts + 1 };
  }
  const gaveUpMs = gaveUpTime === undefined ? undefined : Date.parse(gaveUpTime);
  if (progressed && (gaveUpMs === undefined || (hook?.progressMs ?? 0) > gaveUpMs)) {
    const { restarts: _restarts, gaveUpTime: _gaveUp, restarting: _restarting, ...kept } = former;
    return kept;
  }
  return former;
}

function activityOf(
  { screen, title }: HooksObserved,
  outputUntilMs: number | undefined,
): NonNullable<AgentStatus["activity"]> {
  if (screen?.state === "Busy" || screen?.state === "Idle") return screen.state;
  if (title !== "Unknown") return title;
  return outputUntilMs === undefined ? "Quiet" : "Busy";
}

function outputUntil(
  { title, now }: HooksObserved,
  session: NonNullable<HooksObserved["session"]>,
  doorbell: Doorbell | undefined,
): number | undefined {
  if (title !== "Unknown") return undefined;
  const output = session.lastActivityMs ?? 0;
  const echo = doorbell === undefined ? 0 : Date.parse(doorbell.time) + ECHO_MS;
  return now - output < OUTPUT_MS && output > echo ? output + OUTPUT_MS : undefined;
}

/** Whether something came of the last ring: the hook was read or moved on, or at least the program began to work. */
function isAnswered(
  doorbell: Doorbell | undefined,
  { hook, mail }: HooksObserved,
  busySince: string | undefined,
): "No" | "Progress" | "Busy" {
  if (doorbell === undefined || doorbell.reminders === 0) return "No";
  const rungMs = Date.parse(doorbell.time);
  const read = doorbell.hook === "" && (mail === undefined || mail.oldest > doorbell.sequence);
  if (read || movedSince(hook, rungMs)) return "Progress";
  return timeOf(busySince) > rungMs ? "Busy" : "No";
}

function movedSince(hook: HooksObserved["hook"], ms: number): boolean {
  return hook?.acknowledgedMs !== undefined && Math.max(hook.acknowledgedMs, hook.progressMs) >= ms;
}

/** What is in the way: as the screen shows it now, or as it did when it was looked at last and is not looked at yet. */
export function obstacleOf({ observed, propulsion, activity, limited }: Situation): Obstacle | undefined {
  const { screen, now } = observed;
  if (screen === undefined) return activity === "Busy" ? undefined : propulsion.obstacle;
  if (!OBSTACLES.has(screen.state)) return undefined;
  const reason = screen.state as Obstacle["reason"];
  if (reason === "RateLimited" && !isLimited(limited, now)) return undefined;
  const untilMs = reason === "RateLimited" ? timeOf(limited?.until) : undefined;
  const lookMs = untilMs === undefined ? now + LOOK_AGAIN_MS : Math.min(untilMs, now + LONGEST_LIMIT_LOOK_MS);
  return { reason, message: obstacleMessage(reason, untilMs), lookTime: new Date(lookMs).toISOString() };
}

function obstacleMessage(reason: Obstacle["reason"], untilMs: number | undefined): string {
  switch (reason) {
    case "RateLimited":
      return `its program reached a limit; it is told to go on at ${toTheMinute(untilMs ?? 0)}, by itself`;
    case "AuthRequired":
      return "its program asks for a login; attach to it and log in";
    default:
      return "its program asks something itself; attach to it and answer";
  }
}

/** Agents that go on one after the other say the same. */
function toTheMinute(ms: number): string {
  return timestamp(Math.ceil(ms / 60_000) * 60_000);
}

export function timeOf(text: string | undefined): number {
  return text === undefined ? 0 : Date.parse(text);
}
