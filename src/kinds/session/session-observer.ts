import { type Clock, sleepUnlessWoken } from "../../ports/clock.ts";
import type { SessionSight, SessionsView } from "../../ports/loop-ports.ts";
import type { Log } from "../../ports/log.ts";
import type { Objects, ObservedInput } from "../../ports/objects.ts";
import type { ObservedSession, Sessions, SessionsObservation } from "../../ports/sessions.ts";
import { messageOf } from "../../errors/town-error.ts";
import { timestamp } from "../../resource/condition.ts";
import { judgeSessions, NOTHING_KNOWN, type SessionsKnowledge } from "./session-judgement.ts";

/** Looked at anew this often although nothing was noticed. */
const LEVEL_MS = 5_000;
/** While something is missing or the runtime does not answer. */
const DOUBT_MS = 100;

/** Looks at the runtime, judges what it sees, and shows it as Session objects. */
export class SessionObserver implements SessionsView {
  readonly #ports: { readonly clock: Clock; readonly sessions: Sessions; readonly objects: Objects; readonly log: Log };
  #knowledge: SessionsKnowledge = NOTHING_KNOWN;
  /** Names noted while an observation is under way. */
  readonly #settled = new Set<string>();
  #shown: { readonly sessions: number; readonly runtime: string } | undefined;
  #wake: AbortController | undefined;
  #woken = false;

  constructor(ports: {
    readonly clock: Clock;
    readonly sessions: Sessions;
    readonly objects: Objects;
    readonly log: Log;
  }) {
    this.#ports = ports;
  }

  get ready(): boolean {
    return this.#knowledge.ready;
  }

  get frozen(): boolean {
    return this.#knowledge.frozenSinceMs !== undefined;
  }

  sight(runtimeName: string): SessionSight {
    const entry = this.#knowledge.known.get(runtimeName);
    if (entry === undefined) return { state: "Absent" };
    return {
      state: this.#knowledge.answered && entry.missing === 0 ? entry.session.state : "Unknown",
      session: entry.session,
    };
  }

  running(): number {
    let count = 0;
    for (const entry of this.#knowledge.known.values()) if (entry.session.state === "Running") count += 1;
    return count;
  }

  async note(runtimeName: string, session: ObservedSession | undefined): Promise<void> {
    this.#settled.add(runtimeName);
    const known = new Map(this.#knowledge.known);
    const former = known.get(runtimeName);
    if (session === undefined) known.delete(runtimeName);
    else known.set(runtimeName, { session, missing: 0 });
    this.#knowledge = { ...this.#knowledge, known };
    if (session !== undefined) await this.#publish(session, session.state);
    else if (former !== undefined) await this.#withdraw(former.session);
    this.poke();
  }

  /** Look again soon. */
  poke(): void {
    this.#woken = true;
    this.#wake?.abort();
  }

  /** One observation, judged and published. */
  async look(): Promise<void> {
    this.#settled.clear();
    const observation = await this.#observe();
    const former = this.#knowledge;
    const now = this.#ports.clock.now();
    this.#knowledge = judgeSessions(former, observation, now, this.#settled);
    if (this.frozen && former.frozenSinceMs === undefined)
      this.#ports.log.warn({ sessions: former.known.size }, "many sessions vanished at once without evidence: frozen");
    if (!this.frozen && former.frozenSinceMs !== undefined)
      this.#ports.log.info({}, "observations agree again: unfrozen");
    for (const [name, entry] of this.#knowledge.known) {
      const before = former.known.get(name);
      const unjudged = former.answered === this.#knowledge.answered && before?.missing === entry.missing;
      if (before !== undefined && unjudged && showsTheSame(before.session, entry.session)) continue;
      const sight = this.sight(name);
      if (sight.state !== "Absent") await this.#publish(entry.session, sight.state);
    }
    for (const [name, entry] of former.known) if (!this.#knowledge.known.has(name)) await this.#withdraw(entry.session);
    await this.#republishTown();
  }

  /** Looks on every edge and at intervals until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.#ports.sessions.subscribe(() => this.poke());
    try {
      while (!signal.aborted) {
        this.#woken = false;
        await this.look();
        if (this.#woken) {
          // Something was noted meanwhile: look again, but let the loops have a turn first.
          await this.#ports.clock.sleep(5, signal);
          continue;
        }
        this.#wake = new AbortController();
        const doubtful =
          !this.#knowledge.answered ||
          this.frozen ||
          [...this.#knowledge.known.values()].some((entry) => entry.missing > 0);
        await sleepUnlessWoken(this.#ports.clock, doubtful ? DOUBT_MS : LEVEL_MS, {
          wake: this.#wake,
          stopping: signal,
        });
      }
    } finally {
      unsubscribe();
    }
  }

  async #observe(): Promise<SessionsObservation> {
    try {
      return await this.#ports.sessions.observe();
    } catch (error) {
      this.#ports.log.warn({ err: error }, "sessions could not be observed");
      return {
        completeness: "Unknown",
        sessions: [],
        observedAtMs: this.#ports.clock.now(),
        message: messageOf(error),
      };
    }
  }

  /** What the Town's status says of the runtime; it also wakes loops that wait for a first observation. */
  async #republishTown(): Promise<void> {
    const runtime = this.#knowledge.answered ? (this.frozen ? "Frozen" : "Answering") : "NotAnswering";
    const shown = { sessions: this.running(), runtime };
    if (this.#shown?.sessions === shown.sessions && this.#shown.runtime === shown.runtime) return;
    this.#shown = shown;
    await this.#ports.objects.patchStatus({ kind: "Town", name: "hq" }, shown);
  }

  async #publish(session: ObservedSession, state: "Running" | "Exited" | "Unknown"): Promise<void> {
    await this.#ports.objects.publish(
      { kind: "Session", namespace: session.namespace, name: session.agent },
      objectOf(session, state, this.#ports.sessions.runtime),
    );
  }

  async #withdraw(session: ObservedSession): Promise<void> {
    await this.#ports.objects.publish(
      { kind: "Session", namespace: session.namespace, name: session.agent },
      undefined,
    );
  }
}

const SHOWN = [
  "agent",
  "namespace",
  "role",
  "generation",
  "bead",
  "state",
  "pid",
  "exitCode",
  "exitSignal",
  "startedAtMs",
  "title",
] as const satisfies readonly (keyof ObservedSession)[];

/** What a session's object is made of; an idle town is looked at all the time and this is all that costs. */
function showsTheSame(a: ObservedSession, b: ObservedSession): boolean {
  return a === b || SHOWN.every((field) => a[field] === b[field]);
}

function objectOf(session: ObservedSession, state: "Running" | "Exited" | "Unknown", runtime: string): ObservedInput {
  return {
    labels: { "town.dev/role": session.role },
    spec: {
      agent: session.agent,
      role: session.role,
      generation: session.generation,
      ...(session.bead === undefined ? {} : { bead: session.bead }),
      runtime,
      runtimeName: session.name,
    },
    status: {
      state,
      ...(session.pid === undefined ? {} : { pid: session.pid }),
      ...(session.exitCode === undefined ? {} : { exitCode: session.exitCode }),
      ...(session.exitSignal === undefined ? {} : { exitSignal: session.exitSignal }),
      startTime: timestamp(session.startedAtMs),
      ...(session.title === undefined ? {} : { title: session.title }),
    },
  };
}
