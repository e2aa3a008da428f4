import type { ObservedSession, SessionsObservation } from "../../ports/sessions.ts";

export interface KnownSession {
  readonly session: ObservedSession;
  /** Complete observations in a row that did not show it. */
  readonly missing: number;
}

export interface SessionsKnowledge {
  /** By name on the runtime. */
  readonly known: ReadonlyMap<string, KnownSession>;
  /** A first complete observation was made. */
  readonly ready: boolean;
  /** The last observation answered. */
  readonly answered: boolean;
  /** ms since which a mass disappearance is being watched. */
  readonly frozenSinceMs: number | undefined;
}

export const NOTHING_KNOWN: SessionsKnowledge = {
  known: new Map(),
  ready: false,
  answered: false,
  frozenSinceMs: undefined,
};

/** Complete observations that must agree before mere absence counts as an end. */
export const ABSENCES_NEEDED = 3;
const MASS_COUNT = 3;
const MASS_SHARE = 0.3;
const THAW_AFTER_MS = 10_000;

/**
 * What is known after one more observation. An end with evidence (a runtime that is gone) counts at once. Absence counts
 * after three complete observations in a row. More than three sessions, and more than 30 %, that go missing by absence
 * in one observation freeze all judgement until complete observations have agreed for 10 s.
 *
 * `settled` names sessions that were started or stopped while the observation was being made: it cannot judge those.
 */
export function judgeSessions(
  former: SessionsKnowledge,
  observation: SessionsObservation,
  now: number,
  settled: ReadonlySet<string>,
): SessionsKnowledge {
  // Time without an answer is no time of agreement.
  if (observation.completeness === "Unknown")
    return { ...former, answered: false, frozenSinceMs: former.frozenSinceMs === undefined ? undefined : now };
  if (observation.completeness === "ServerGone") {
    const kept = new Map([...former.known].filter(([name]) => settled.has(name)));
    return { known: kept, ready: true, answered: true, frozenSinceMs: undefined };
  }
  const seen = new Map(
    observation.sessions
      .filter((session) => !settled.has(session.name))
      .map((session) => [session.name, { session, missing: 0 }]),
  );
  const absent = [...former.known].filter(([name]) => !seen.has(name) && !settled.has(name));
  const newlyAbsent = absent.filter(([, known]) => known.missing === 0 && known.session.state === "Running");
  const mass = newlyAbsent.length > MASS_COUNT && newlyAbsent.length > former.known.size * MASS_SHARE;
  const frozenSinceMs = mass
    ? now
    : newlyAbsent.length === 0 || former.frozenSinceMs === undefined
      ? former.frozenSinceMs
      : now;
  const thawed = frozenSinceMs === undefined || now - frozenSinceMs >= THAW_AFTER_MS;
  const allBack = absent.length === 0;
  const known = new Map(seen);
  for (const [name, entry] of former.known) if (settled.has(name)) known.set(name, entry);
  for (const [name, entry] of absent) {
    const missing = entry.missing + 1;
    if (!thawed || missing < ABSENCES_NEEDED) known.set(name, { ...entry, missing });
  }
  return { known, ready: true, answered: true, frozenSinceMs: thawed || allBack ? undefined : frozenSinceMs };
}
