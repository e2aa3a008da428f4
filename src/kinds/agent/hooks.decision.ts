import type { HooksObserved } from "./hooks.observed.ts";
import { type Doorbell, type Situation, TOOLS_LOOK_MS, timeOf } from "./hooks.situation.ts";

/** A line that was typed and had no effect yet may still have one for so long. */
export const UNVERIFIED_MS = 60_000;
/** Messages that come close together are one ring. */
const GAP_MS = 2_000;
/** A person scrolls or types; the doorbell waits. */
export const REFUSED_MS = 5_000;
/** A program that just came up is not typed at for messages: it reads them by itself when it starts. */
const SETTLING_MS = 10_000;
/** Rings for the same messages; the next session gets them anyway. */
export const MOST_REPEATS = 5;
/** Reminders that were answered and came to nothing, one after the other. */
const MOST_FUTILE = 10;
export const LONGEST_WAIT_MS = 30 * 60_000;

export type Decision =
  | { readonly now: "Nothing"; readonly nextMs: number | undefined }
  | { readonly now: "Ring"; readonly reminder: boolean }
  | { readonly now: "Restart"; readonly reason: string }
  | { readonly now: "Escalate"; readonly reason: string };

/** What is to be done to the agent now, or when to look again. Pure. */
export function decide(situation: Situation): Decision {
  const { observed, session } = situation;
  const { now, hook } = observed;
  if (situation.propulsion.restarting === session.generation) return { now: "Nothing", nextMs: undefined };
  // Its limit is over: else an obstacle would stand in front of this.
  if (observed.screen?.state === "RateLimited" && observed.screen.menu === true)
    return { now: "Restart", reason: "its limit is over, and its program still asks what to do about it" };
  const mailMs = mailDue(situation);
  const hookMs = hook === undefined || hook.question !== undefined ? undefined : hookDue(situation, hook);
  if (hookMs !== undefined && hookMs <= now) return remind(situation);
  if (mailMs !== undefined && mailMs <= now)
    return hook === undefined ? remind(situation) : { now: "Ring", reminder: false };
  const next = Math.min(hookMs ?? Number.POSITIVE_INFINITY, mailMs ?? Number.POSITIVE_INFINITY);
  return { now: "Nothing", nextMs: Number.isFinite(next) ? next - now : undefined };
}

/** When the agent is to be reminded of its hook, or more is to be done, ms. */
function hookDue(situation: Situation, hook: NonNullable<HooksObserved["hook"]>): number {
  const { observed, session, propulsion, doorbell, reminders } = situation;
  const { policy } = observed;
  const acknowledged = hook.acknowledgedMs !== undefined;
  const isFirst = observed.typesFirst && !acknowledged && doorbell === undefined;
  const patience = acknowledged ? policy.idleMs : isFirst ? 0 : policy.acknowledgeMs;
  const restSince = Math.max(
    session.startedAtMs,
    hook.sinceMs > session.startedAtMs ? hook.sinceMs : 0,
    acknowledged ? Math.max(hook.progressMs, hook.acknowledgedMs ?? 0, timeOf(propulsion.idleSince)) : 0,
  );
  const steps = reminders + (propulsion.futile ?? 0) + (propulsion.gaveUpTime === undefined ? 0 : MOST_FUTILE);
  const pause = Math.min(patience * 2 ** Math.min(steps, 20), LONGEST_WAIT_MS);
  const rungMs = doorbell === undefined ? 0 : Date.parse(doorbell.time);
  const again = doorbell === undefined ? 0 : rungMs + ringPause(doorbell, doorbell.reminders > 0 ? pause : 0);
  const due = Math.max(restSince + patience, again);
  const busyUntil = propulsion.busySince === undefined ? 0 : timeOf(propulsion.busySince) + policy.busyLimitMs;
  const tools = toolsUntil(situation, patience);
  // Without a doorbell only long silence tells anything.
  const silence = session.canType ? session.startedAtMs + observed.delayMs : restSince + policy.busyLimitMs;
  return Math.max(due, busyUntil, tools, silence);
}

/** Until when nothing is asked because what the program has started works, ms: some time after it was seen last. */
function toolsUntil({ observed, propulsion }: Situation, quietMs: number): number {
  if (propulsion.toolsSince === undefined) return 0;
  const seenMs = timeOf(propulsion.toolsSeen);
  return seenMs - timeOf(propulsion.toolsSince) >= observed.policy.busyLimitMs ? 0 : seenMs + quietMs;
}

/** How long after a ring the next one may come. */
function ringPause(doorbell: Doorbell, wanted: number): number {
  if (doorbell.result === "Refused") return REFUSED_MS;
  return Math.max(wanted, doorbell.result === "Ringing" ? UNVERIFIED_MS : GAP_MS);
}

/** When the doorbell is to be rung for messages, ms; undefined: not at all. */
function mailDue(situation: Situation): number | undefined {
  const { observed, session, activity, doorbell, propulsion, reminders } = situation;
  const { mail, policy, now } = observed;
  if (mail === undefined || !session.canType) return undefined;
  const busyUntil = propulsion.busySince === undefined ? 0 : timeOf(propulsion.busySince) + policy.busyLimitMs;
  // The program asks by itself when its turn ends.
  const busyOrTools = Math.max(busyUntil, toolsUntil(situation, TOOLS_LOOK_MS));
  if (activity === "Busy" && busyOrTools > now) return busyOrTools;
  const settledMs = session.startedAtMs + Math.max(SETTLING_MS, observed.delayMs);
  const wanted = Math.max(settledMs, mail.arrivedMs + (mail.urgent ? 0 : policy.acknowledgeMs));
  if (doorbell === undefined) return wanted;
  const rungMs = Date.parse(doorbell.time);
  if (doorbell.sequence < mail.newest) return Math.max(wanted, rungMs + ringPause(doorbell, 0));
  if (doorbell.repeats >= MOST_REPEATS && propulsion.gaveUpTime === undefined) return undefined;
  const pause = Math.max(UNVERIFIED_MS, policy.acknowledgeMs * 2 ** Math.max(reminders, doorbell.repeats));
  const asked = propulsion.gaveUpTime === undefined ? pause : LONGEST_WAIT_MS;
  return Math.max(wanted, rungMs + ringPause(doorbell, asked));
}

/** The hook is due, or messages are while nothing is on it. Typing comes first, then a restart, then a person. */
function remind({ observed, session, propulsion, reminders }: Situation): Decision {
  const { policy } = observed;
  const { restarts = 0, futile = 0, gaveUpTime } = propulsion;
  const asked = gaveUpTime !== undefined;
  if (session.canType && (asked || (reminders < policy.reminders && futile < MOST_FUTILE)))
    return { now: "Ring", reminder: observed.hook !== undefined };
  if (asked) return { now: "Nothing", nextMs: LONGEST_WAIT_MS };
  if (futile >= MOST_FUTILE)
    return { now: "Escalate", reason: `it answered ${futile} reminders and nothing came of them` };
  const silent = session.canType ? `${reminders} reminders had no answer` : "it was silent for too long";
  if (restarts < policy.restarts) return { now: "Restart", reason: silent };
  return { now: "Escalate", reason: `${silent}, after ${restarts} restarts` };
}
