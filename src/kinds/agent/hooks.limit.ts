import type { ScreenState } from "../../domain/agent-program/screen-state.ts";
import type { AgentStatus } from "./agent.schema.ts";

/** What is known of the limit that an agent's program told of. */
export type Limited = NonNullable<NonNullable<AgentStatus["propulsion"]>["limited"]>;

/** A limit that does not say when it ends is tried again after so long, doubling with each time it is told again. */
const FIRST_TRY_MS = 2 * 60_000;
const LONGEST_TRY_MS = 30 * 60_000;
/** The maker's clock, and a town's agents that must not all come back in one second. */
const MARGIN_MS = 15_000;
const SPREAD_MS = 45_000;
/** Once a person, or work that moves, has shown that it is over, somebody waits. */
const LIFTED_SPREAD_MS = 10_000;
/** The echo of a typed line is no answer to it. */
const ECHO_MS = 3_000;
/** A limit told so long after another one is no repetition of it. */
const FORGOTTEN_MS = 6 * 3_600_000;

export interface LimitSigns {
  readonly identity: string;
  readonly now: number;
  /** Absent when it was not looked at. */
  readonly screen: ScreenState | undefined;
  /** When what the screen shows was printed, as far as is known, ms. */
  readonly saidMs: number;
  /** When something was typed last, or the session began, ms. */
  readonly rungMs: number;
  /** When the work on the hook moved last, ms; 0: never. */
  readonly progressMs: number;
  /** When the provider's limit turned out to be over, ms; 0: never. */
  readonly liftedMs: number;
}

/**
 * When what a screen shows was printed: as long as nothing was typed since it was seen first, and the session is the same,
 * it was then. A span (`try again in 3 hours`) counts from there and not anew at each look.
 */
export function saidAt(
  status: AgentStatus | undefined,
  session: { readonly startedAtMs: number; readonly lastActivityMs: number | undefined },
  now: number,
): number {
  const { limited } = status?.propulsion ?? {};
  const since = limited === undefined ? undefined : Date.parse(limited.since);
  const rungMs = status?.doorbell === undefined ? 0 : Date.parse(status.doorbell.time);
  if (since !== undefined && since <= now && Math.max(rungMs, session.startedAtMs) <= since) return since;
  return Math.min(now, session.lastActivityMs ?? now);
}

/** What is known after a look; kept for a while after its end, to tell a limit that is told again at once. Pure. */
export function limitedAfter(known: Limited | undefined, signs: LimitSigns): Limited | undefined {
  const { screen, now, saidMs, rungMs, progressMs, liftedMs } = signs;
  const formerSince = known === undefined ? 0 : Date.parse(known.since);
  // A time ahead of the clock was written before the clock was set back.
  const former = formerSince > now ? undefined : known;
  const isRecent = former !== undefined && progressMs <= formerSince && now - formerSince < FORGOTTEN_MS;
  if (screen === undefined) return former;
  if (screen.state !== "RateLimited") return isRecent ? former : undefined;
  const isSame = former !== undefined && rungMs <= formerSince;
  // What is typed shows, too.
  const isEcho = screen.isAnswer !== true && saidMs < rungMs + ECHO_MS;
  if (former !== undefined && !isSame && isEcho) return former;
  const sinceMs = isSame ? formerSince : saidMs;
  const times = isSame ? former.times : isRecent ? former.times + 1 : 1;
  const triedMs = Math.min(FIRST_TRY_MS * 2 ** Math.min(times - 1, 20), LONGEST_TRY_MS);
  const endMs = screen.resetAtMs === undefined ? sinceMs + triedMs : screen.resetAtMs + MARGIN_MS;
  const isLifted = liftedMs > sinceMs && liftedMs < endMs;
  const untilMs = isLifted
    ? liftedMs + LIFTED_SPREAD_MS * placeOf(signs.identity)
    : endMs + SPREAD_MS * placeOf(signs.identity);
  return { since: new Date(sinceMs).toISOString(), until: new Date(Math.floor(untilMs)).toISOString(), times };
}

/** Each agent's own place in a spread, at least 0, less than 1: FNV-1a, mixed, since names may differ in a digit only. */
function placeOf(identity: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < identity.length; at += 1) hash = Math.imul(hash ^ identity.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}

/** Whether a limit was told since something was typed last. */
export function isToldSince(limited: Limited | undefined, screen: ScreenState | undefined, rungMs: number): boolean {
  return limited !== undefined && screen?.state === "RateLimited" && Date.parse(limited.since) >= rungMs;
}

export function isLimited(limited: Limited | undefined, now: number): boolean {
  return limited !== undefined && Date.parse(limited.until) > now;
}
