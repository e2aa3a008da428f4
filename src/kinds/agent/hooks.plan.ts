import { counted } from "../../domain/text/counted.ts";
import type { ConditionIntent } from "../../resource/condition.ts";
import { timestamp } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import { MOST_UNCONFIRMED } from "../../work/mailbox.ts";
import type { AgentObject } from "./agent.observe.ts";
import type { AgentStatus } from "./agent.schema.ts";
import { type Decision, decide, LONGEST_WAIT_MS, MOST_REPEATS, REFUSED_MS, UNVERIFIED_MS } from "./hooks.decision.ts";
import type { HooksObserved } from "./hooks.observed.ts";
import {
  type Doorbell,
  LOOK_AGAIN_MS,
  type Obstacle,
  obstacleOf,
  type Propulsion,
  type Situation,
  situationOf,
  timeOf,
} from "./hooks.situation.ts";

export type HooksAction =
  | {
      readonly do: "Ring";
      readonly generation: number;
      /** Newest message it is rung for; 0 for none. */
      readonly sequence: number;
      /** Hooking it is rung for; empty for none. */
      readonly hook: string;
      /** It reminds of the hook, rather than of messages alone. */
      readonly reminder: boolean;
      readonly repeats: number;
      readonly reminders: number;
    }
  | { readonly do: "Restart"; readonly generation: number; readonly reason: string; readonly output: string }
  | {
      readonly do: "Escalate";
      /** Hooking it is about; empty: messages. */
      readonly hook: string;
      readonly bead: string | undefined;
      readonly reason: string;
      readonly output: string;
    }
  | {
      readonly do: "Hold";
      readonly provider: string;
      readonly reason: Obstacle["reason"];
      readonly untilMs: number;
      readonly message: string;
    }
  | { readonly do: "LiftHold"; readonly provider: string }
  | { readonly do: "EndQuestion"; readonly bead: string };

/** A dialog this soon after a start is about the program, not about its work: others of it would stand there too. */
const START_DIALOG_MS = 120_000;

/** What was asked before the limit was reached may still be answered so long. */
const LIFTED_AFTER_MS = 60_000;

/** Whether something would be done to the agent, or is in its way: then its screen is worth a look. Pure. */
export function needsLook(object: AgentObject, observed: HooksObserved): boolean {
  if (observed.session === undefined || observed.suspended) return false;
  const situation = situationOf(object, observed, observed.session);
  const { obstacle } = situation.propulsion;
  if (obstacle !== undefined && situation.activity !== "Busy")
    return Date.parse(obstacle.lookTime) <= observed.now || observed.liftedMs > timeOf(situation.limited?.since);
  return decide(situation).now !== "Nothing";
}

/**
 * One agent is kept at its work. Reminders are typed with growing pauses while nothing shows that it is busy; when they
 * have no answer the session is restarted; when that does not help a person is asked. What a program itself waits for (a
 * limit, a login, a question) costs none of these.
 */
export function planHooks(object: AgentObject, observed: HooksObserved): Plan<HooksAction> {
  const { session, hook } = observed;
  const ended = hook?.question?.answer === undefined ? [] : [{ do: "EndQuestion", bead: hook.bead } as const];
  if (session === undefined || observed.suspended)
    return {
      actions: ended,
      conditions: questionCondition(observed),
      status: {
        activity: asks(hook) ? "Asking" : null,
        ...(hook === undefined ? { propulsion: null, doorbell: null } : {}),
      },
    };
  const situation = situationOf(object, observed, session);
  const found = obstacleOf(situation);
  const decision = found === undefined ? decide(situation) : ({ now: "Nothing", nextMs: undefined } as const);
  const seen = observed.screen !== undefined;
  const actions: HooksAction[] = [...ended, ...lifts(observed)];
  if (found !== undefined) actions.push(...holds(situation, found));
  if (seen) actions.push(...act(situation, decision));
  const next = nextLook(situation, decision, found);
  const propulsion = { ...propulsionAfter(situation, seen ? decision : undefined), obstacle: found };
  const rings = actions.some((action) => action.do === "Ring");
  return {
    actions,
    conditions: [
      ...questionCondition(observed),
      ...unconfirmedCondition(object, observed),
      ...conditions(situation, found, observed.now),
    ],
    status: {
      activity: shownActivity(situation, found),
      propulsion: isWorthKeeping(propulsion, hook) ? withoutUndefined(propulsion) : null,
      ...(rings ? {} : { doorbell: doorbellAfter(situation) }),
    },
    ...(next === undefined ? {} : { requeueAfterMs: Math.min(Math.max(next, 100), LONGEST_WAIT_MS) }),
  };
}

/** When to look again, in ms; undefined: something will tell. */
function nextLook(situation: Situation, decision: Decision, found: Obstacle | undefined): number | undefined {
  const { observed } = situation;
  const times = [observed.nextMailMs === undefined ? undefined : observed.nextMailMs - observed.now];
  // What is due and was not done, for no screen was seen or no prompt shows yet, is looked at again soon.
  const isSeen = observed.screen !== undefined;
  if (decision.now !== "Nothing" && (!isSeen || (decision.now === "Ring" && notReady(situation))))
    times.push(REFUSED_MS);
  else if (found === undefined) times.push(nextDue(decision, situation));
  else times.push(Date.parse(found.lookTime) - observed.now);
  const known = times.filter((each) => each !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function nextDue(decision: Decision, { outputUntilMs, observed }: Situation): number | undefined {
  if (decision.now !== "Nothing" || decision.nextMs === undefined) return undefined;
  const silenceMs = outputUntilMs === undefined ? Number.POSITIVE_INFINITY : outputUntilMs - observed.now;
  return Math.min(decision.nextMs, silenceMs);
}

function act(situation: Situation, decision: Decision): HooksAction[] {
  const { observed, session, doorbell, propulsion, reminders } = situation;
  const output = observed.output ?? "";
  switch (decision.now) {
    case "Ring": {
      // A program whose prompt is known and does not show yet would lose the line.
      if (notReady(situation)) return [];
      const sequence = observed.mail?.newest ?? 0;
      const same = doorbell !== undefined && doorbell.sequence >= sequence;
      return [
        {
          do: "Ring",
          generation: session.generation,
          sequence: Math.max(sequence, doorbell?.sequence ?? 0),
          hook: propulsion.hook,
          reminder: decision.reminder,
          repeats: same && !decision.reminder ? doorbell.repeats + 1 : 0,
          reminders: decision.reminder || observed.hook === undefined ? reminders + 1 : reminders,
        },
      ];
    }
    case "Restart":
      return [{ do: "Restart", generation: session.generation, reason: decision.reason, output }];
    case "Escalate":
      return [{ do: "Escalate", hook: propulsion.hook, bead: observed.hook?.bead, reason: decision.reason, output }];
    default:
      return [];
  }
}

/** Young, it has not read its hook, and its prompt, which is known, does not show: what is typed now may be lost. */
function notReady({ observed, session }: Situation): boolean {
  return (
    observed.readyShows &&
    observed.hook?.acknowledgedMs === undefined &&
    observed.screen?.state === "Unknown" &&
    observed.now - session.startedAtMs < observed.policy.acknowledgeMs + UNVERIFIED_MS
  );
}

function propulsionAfter({ propulsion, session, observed }: Situation, decision: Decision | undefined): Propulsion {
  if (decision?.now === "Restart") return { ...propulsion, restarting: session.generation };
  if (decision?.now === "Escalate") return { ...propulsion, gaveUpTime: new Date(observed.now).toISOString() };
  return propulsion;
}

/** The count of reminders starts anew once one was answered. */
function doorbellAfter({ doorbell, reminders }: Situation): Doorbell | null {
  if (doorbell === undefined) return null;
  return { ...doorbell, reminders: Math.min(doorbell.reminders, reminders) };
}

/** Its work moves although its provider is said to be at a limit. */
function lifts({ hold, hook, provider }: HooksObserved): HooksAction[] {
  if (hold?.reason !== "RateLimited" || hook?.acknowledgedMs === undefined) return [];
  return hook.progressMs > hold.sinceMs + LIFTED_AFTER_MS ? [{ do: "LiftHold", provider }] : [];
}

/** What one agent of a provider shows, the next one would show too. */
function holds({ observed, session, limited }: Situation, { reason, message }: Obstacle): HooksAction[] {
  const { now, screen, hook, provider } = observed;
  if (screen === undefined || provider === "") return [];
  const young = hook?.acknowledgedMs === undefined && now - session.startedAtMs < START_DIALOG_MS;
  if (reason === "DialogOpen" && !young) return [];
  // It waits for its own turn after the end of a limit.
  if (reason === "RateLimited" && observed.liftedMs > timeOf(limited?.since)) return [];
  const untilMs = reason === "RateLimited" ? timeOf(limited?.until) : now + 2 * LOOK_AGAIN_MS;
  return [{ do: "Hold", provider, reason, untilMs, message }];
}

function conditions(situation: Situation, obstacle: Obstacle | undefined, now: number): ConditionIntent[] {
  const { propulsion, reminders, doorbell, observed } = situation;
  if (obstacle !== undefined)
    return [{ type: obstacle.reason, status: "True", reason: obstacle.reason, message: obstacle.message }];
  if (propulsion.gaveUpTime !== undefined) {
    const what = propulsion.hook === "" ? "it does not read its messages" : `nothing moved ${propulsion.hook}`;
    const message = `${what}; an escalation asks a person since ${propulsion.gaveUpTime}`;
    return [{ type: "Unresponsive", status: "True", reason: "Escalated", message }];
  }
  const unheard = doorbell !== undefined && doorbell.repeats >= MOST_REPEATS && observed.mail !== undefined;
  if (reminders === 0 && !unheard) return [];
  const since = doorbell === undefined ? now : Date.parse(doorbell.time);
  const message = unheard
    ? `${observed.mail?.count ?? 0} messages wait although its doorbell was rung ${MOST_REPEATS + 1} times`
    : `${reminders} reminders had no answer, the last at ${timestamp(since)}`;
  return [{ type: "Unresponsive", status: "True", reason: unheard ? "MessagesWait" : "Reminded", message }];
}

function shownActivity({ observed, activity }: Situation, found: Obstacle | undefined): AgentStatus["activity"] {
  return found?.reason ?? (asks(observed.hook) ? "Asking" : activity);
}

function asks(hook: HooksObserved["hook"]): boolean {
  return hook?.question !== undefined && hook.question.answer === undefined;
}

function questionCondition({ hook }: HooksObserved): ConditionIntent[] {
  if (hook?.question === undefined || hook.question.answer !== undefined) return [];
  const message = `${hook.question.text.slice(0, 1_000)} (answer it: town bd comment ${hook.bead} "…")`;
  return [{ type: "QuestionOpen", status: "True", reason: "WaitsForAnswer", message }];
}

function unconfirmedCondition(object: AgentObject, { unconfirmed }: HooksObserved): ConditionIntent[] {
  if (unconfirmed === 0) return [];
  const { namespace = "hq", name } = object.metadata;
  const message = `its program was handed ${counted(unconfirmed, "message")} ${MOST_UNCONFIRMED} times and never said that it showed them; its next session is handed them again (town get messages -n ${namespace}; end this one: town handoff --agent ${namespace}/${name})`;
  return [{ type: "MessagesUnconfirmed", status: "True", reason: "NoReceipt", message }];
}

/** With an empty hook only what was done about the agent, or is in its way, is kept. */
function isWorthKeeping(propulsion: Partial<Propulsion>, hook: HooksObserved["hook"]): boolean {
  const { obstacle, restarting, restarts, gaveUpTime, limited } = propulsion;
  return [hook, obstacle, restarting, restarts, gaveUpTime, limited].some((each) => each !== undefined);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
