import { describe, expect, it } from "vitest";
import {
  ABSENCES_NEEDED,
  judgeSessions,
  NOTHING_KNOWN,
  type SessionsKnowledge,
} from "../../../src/kinds/session/session-judgement.ts";
import type { ObservedSession, SessionsObservation } from "../../../src/ports/sessions.ts";
import { fc } from "../../property.ts";

function session(name: string): ObservedSession {
  return { name, namespace: "api", agent: name, role: "polecat", generation: 1, state: "Running", startedAtMs: 0 };
}

function complete(names: readonly string[]): SessionsObservation {
  return { completeness: "Complete", sessions: names.map(session), observedAtMs: 0 };
}

const UNKNOWN: SessionsObservation = { completeness: "Unknown", sessions: [], observedAtMs: 0 };
const GONE: SessionsObservation = { completeness: "ServerGone", sessions: [], observedAtMs: 0 };
const NONE = new Set<string>();

function after(observations: readonly SessionsObservation[], stepMs = 100): SessionsKnowledge {
  return observations.reduce(
    (known, observation, index) => judgeSessions(known, observation, index * stepMs, NONE),
    NOTHING_KNOWN,
  );
}

describe("judging sessions", () => {
  it("given nothing but unanswered looks, when judged, then nothing is known and nothing may be judged", () => {
    expect(after([UNKNOWN, UNKNOWN])).toMatchObject({ ready: false, answered: false });
  });

  it("given a running session, when one complete look does not show it, then it is still known", () => {
    expect([...after([complete(["a", "b"]), complete(["b"])]).known.keys()]).toContain("a");
  });

  it("given a running session, when enough complete looks agree that it is gone, then it is gone", () => {
    const looks = [complete(["a", "b"]), ...Array.from({ length: ABSENCES_NEEDED }, () => complete(["b"]))];
    expect([...after(looks).known.keys()]).toEqual(["b"]);
  });

  it("given a running session, when the runtime does not answer for long, then it is kept", () => {
    const known = after([complete(["a"]), ...Array.from({ length: 50 }, () => UNKNOWN)]);
    expect([...known.known.keys()]).toEqual(["a"]);
    expect(known.answered).toBe(false);
  });

  it("given evidence that the runtime is gone, when judged, then all its sessions are gone at once and nothing is frozen", () => {
    expect(after([complete(["a", "b", "c", "d", "e"]), GONE])).toMatchObject({ ready: true, frozenSinceMs: undefined });
    expect(after([complete(["a", "b", "c", "d", "e"]), GONE]).known.size).toBe(0);
  });

  it("given ten sessions, when five vanish by absence in one look, then judgement freezes and lifts after 10 s of agreement", () => {
    const all = Array.from({ length: 10 }, (_, index) => `s${index}`);
    const left = all.slice(5);
    const looks = [complete(all), ...Array.from({ length: 50 }, () => complete(left))];
    expect(after(looks).frozenSinceMs).toBe(100);
    expect(after(looks).known.size).toBe(10);
    const later = [complete(all), ...Array.from({ length: 105 }, () => complete(left))];
    expect(after(later).frozenSinceMs).toBeUndefined();
    expect(after(later).known.size).toBe(5);
  });

  it("given a freeze, when the runtime does not answer for long, then that is no time of agreement", () => {
    const all = ["a", "b", "c", "d", "e"];
    const looks = [complete(all), complete([]), ...Array.from({ length: 200 }, () => UNKNOWN), complete([])];
    expect(after(looks).frozenSinceMs).toBeDefined();
    expect(after(looks).known.size).toBe(5);
  });

  it("given a freeze, when all sessions are seen again, then it lifts at once", () => {
    const all = ["a", "b", "c", "d", "e"];
    const known = after([complete(all), complete([]), complete(all)]);
    expect(known.frozenSinceMs).toBeUndefined();
    expect(known.known.size).toBe(5);
  });

  it("given any looks without evidence, when a session was seen, then fewer than three absences in a row never lose it", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("seen", "absent", "unknown"), { maxLength: 40 }), (steps) => {
        let known = judgeSessions(NOTHING_KNOWN, complete(["a"]), 0, NONE);
        let absences = 0;
        for (const [index, step] of steps.entries()) {
          if (!known.known.has("a")) break;
          const look = step === "seen" ? complete(["a"]) : step === "absent" ? complete([]) : UNKNOWN;
          known = judgeSessions(known, look, index * 100, NONE);
          absences = step === "absent" ? absences + 1 : step === "seen" ? 0 : absences;
          expect(known.known.has("a")).toBe(absences < ABSENCES_NEEDED);
        }
      }),
    );
  });

  it("given a session noted while a look was under way, when that look does not show it, then it stays", () => {
    const started = judgeSessions(NOTHING_KNOWN, complete([]), 0, NONE);
    const noted = { ...started, known: new Map([["a", { session: session("a"), missing: 0 }]]) };
    expect(judgeSessions(noted, complete([]), 1, new Set(["a"])).known.get("a")?.missing).toBe(0);
  });
});
