import { describe, expect, it } from "vitest";
import type { AgentStatus } from "../../../src/kinds/agent/agent.schema.ts";
import type { HooksObserved } from "../../../src/kinds/agent/hooks.observed.ts";
import { limitedAfter, saidAt } from "../../../src/kinds/agent/hooks.limit.ts";
import { type HooksAction, needsLook, planHooks } from "../../../src/kinds/agent/hooks.plan.ts";
import { anAgent } from "./an-agent.ts";

const START = 1_800_000_000_000;
const S = 1_000;
const MINUTE = 60 * S;

const policy = { acknowledgeMs: 45 * S, idleMs: 2 * MINUTE, busyLimitMs: 30 * MINUTE, reminders: 3, restarts: 2 };
const hook = {
  bead: "api-x1",
  key: "api-x1@1",
  sinceMs: START - S,
  acknowledgedMs: undefined,
  progressMs: START - S,
  question: undefined,
};
const read = { ...hook, acknowledgedMs: START + S, progressMs: START + S };

function world(fields: Partial<HooksObserved> = {}): HooksObserved {
  return {
    now: START,
    suspended: false,
    session: { name: "s", generation: 1, startedAtMs: START, lastActivityMs: START, canType: true },
    hook,
    mail: undefined,
    nextMailMs: undefined,
    unconfirmed: 0,
    policy,
    title: "Idle",
    screen: undefined,
    toolsWork: false,
    readyShows: true,
    delayMs: 0,
    typesFirst: false,
    output: undefined,
    provider: "shell",
    hold: undefined,
    liftedMs: 0,
    ...fields,
  };
}

/** The loop on one agent, second by second, with doorbells that are typed and sessions that are restarted at once. */
class Loop {
  now = START;
  status: AgentStatus = {};
  fields: Partial<HooksObserved>;
  generation = 1;
  startedAtMs = START;
  looks = 0;
  typing: "Typed" | "Refused" = "Typed";
  /** How long until the last plan wants to be made again; what else changed since then is an event, and wakes it too. */
  sleeps = { ms: 0, fields: {} as Partial<HooksObserved>, status: {} as AgentStatus, generation: 1 };
  /** What happened, as `<seconds> <action>`. */
  readonly log: string[] = [];

  constructor(fields: Partial<HooksObserved> = {}) {
    this.fields = fields;
  }

  run(seconds: number): readonly string[] {
    const from = this.log.length;
    for (const end = this.now + seconds * S; this.now < end; this.now += S) this.step();
    return this.log.slice(from);
  }

  step(): void {
    const { fields: now, status, generation, sleeps } = this;
    sleeps.ms -= S;
    const isEvent = sleeps.fields !== now || sleeps.status !== status || sleeps.generation !== generation;
    if (isEvent || sleeps.ms < S) this.reconcile();
  }

  reconcile(): void {
    const { session, screen, ...fields } = this.fields;
    const cheap = world({
      now: this.now,
      session: {
        name: "s",
        generation: this.generation,
        startedAtMs: this.startedAtMs,
        lastActivityMs: this.startedAtMs,
        canType: true,
        ...session,
      },
      ...fields,
    });
    const look = needsLook(anAgent(this.status), cheap);
    if (look) this.looks += 1;
    const seen = look ? { ...cheap, screen: screen ?? { state: "Idle" as const }, output: "last words" } : cheap;
    const plan = planHooks(anAgent(this.status), seen);
    // As the engine does it: what was done is looked at at once.
    const { requeueAfterMs = plan.actions.length > 0 ? 0 : Number.POSITIVE_INFINITY } = plan;
    this.status = merged(this.status, plan.status ?? {});
    this.status = { ...this.status, conditions: (plan.conditions ?? []) as never };
    for (const action of plan.actions) this.act(action);
    const { fields: now, status, generation } = this;
    this.sleeps = { ms: requeueAfterMs, fields: now, status, generation };
  }

  act(action: HooksAction): void {
    this.log.push(`${Math.round((this.now - START) / S)} ${action.do}`);
    if (action.do === "Ring") {
      const { do: _do, reminder: _reminder, ...rung } = action;
      const former = this.status.doorbell;
      const counts =
        this.typing === "Typed" ? {} : { reminders: former?.reminders ?? 0, repeats: former?.repeats ?? 0 };
      const doorbell = { ...rung, ...counts, time: new Date(this.now).toISOString(), result: this.typing };
      this.status = { ...this.status, doorbell };
    }
    if (action.do === "Restart") {
      this.generation += 1;
      this.startedAtMs = this.now;
    }
  }

  get reasons(): readonly string[] {
    return (this.status.conditions ?? []).map((condition) => condition.reason);
  }
}

function merged(former: AgentStatus, next: Readonly<Record<string, unknown>>): AgentStatus {
  const all = Object.entries({ ...former, ...next }).filter(([, value]) => value !== null);
  return Object.fromEntries(all) as AgentStatus;
}

describe("a program whose first prompt is typed", () => {
  it("given its prompt on the screen, when started, then it is rung at once, and again only when that was not heard", () => {
    const loop = new Loop({ typesFirst: true });
    expect(loop.run(40)).toEqual(["0 Ring"]);
    expect(loop.run(60)).toHaveLength(1);
  });

  it("given a delay, when started, then nothing is typed sooner, not for messages either", () => {
    expect(new Loop({ typesFirst: true, delayMs: 7 * S }).run(20)).toEqual(["7 Ring"]);
    const mail = { newest: 1, oldest: 1, arrivedMs: START, urgent: true, count: 1 };
    expect(new Loop({ hook: undefined, mail, delayMs: 20 * S }).run(25)).toEqual(["20 Ring"]);
  });

  it("given no prompt on the screen yet, when started, then it is waited for", () => {
    const loop = new Loop({ typesFirst: true, screen: { state: "Unknown" } });
    expect(loop.run(9)).toEqual([]);
    loop.fields = { typesFirst: true };
    expect(loop.run(30).map((line) => line.split(" ")[1])).toEqual(["Ring"]);
  });
});

describe("an agent that does not read its hook", () => {
  it("given no answer to anything, when time goes by, then it is reminded with growing pauses, restarted, and a person is asked", () => {
    const loop = new Loop();
    expect(loop.run(3 * 3_600)).toEqual([
      "45 Ring",
      "135 Ring",
      "315 Ring",
      "675 Restart",
      "720 Ring",
      "810 Ring",
      "990 Ring",
      "1350 Restart",
      "1395 Ring",
      "1485 Ring",
      "1665 Ring",
      "2025 Escalate",
      // From then on it is only asked now and then.
      "3465 Ring",
      "5265 Ring",
      "7065 Ring",
      "8865 Ring",
      "10665 Ring",
    ]);
    expect(loop.status.propulsion?.gaveUpTime).toBeDefined();
    expect(loop.reasons).toEqual(["Escalated"]);
  });

  it("given a restart by hand after a person was asked, when it still does not act, then it has all its chances again", () => {
    const loop = new Loop();
    loop.run(2_100);
    loop.generation += 1;
    loop.startedAtMs = loop.now;
    expect(loop.run(700).map((entry) => entry.split(" ")[1])).toEqual(["Ring", "Ring", "Ring", "Restart"]);
  });

  it("given a slow start that shows it is busy, when time goes by, then nothing is typed until the limit", () => {
    const loop = new Loop({ title: "Busy" });
    expect(loop.run(29 * 60)).toEqual([]);
    expect(loop.run(2 * 60)).toEqual(["1800 Ring"]);
  });

  it("given a program whose prompt does not show yet, when it is due, then nothing is typed, and the screen is looked at again", () => {
    const loop = new Loop({ screen: { state: "Unknown" } });
    expect(loop.run(100)).toEqual([]);
    loop.fields = { screen: { state: "Idle" } };
    expect(loop.run(10)).toEqual(["100 Ring"]);
  });

  it("given a program whose prompt never shows, when a minute more is over, then it is rung all the same", () => {
    const loop = new Loop({ screen: { state: "Unknown" } });
    expect(loop.run(110)).toEqual(["105 Ring"]);
  });

  it("given a person in its terminal, when it is due, then refusals count as no reminder and it is tried every 5 s", () => {
    const loop = new Loop();
    loop.typing = "Refused";
    expect(loop.run(300).length).toBe(51);
    expect(loop.status.doorbell?.reminders).toBe(0);
    loop.typing = "Typed";
    expect(loop.run(60)).toEqual(["300 Ring"]);
  });

  it("given a crash between the record of a ring and the typing, when planned again, then it is not rung before 60 s", () => {
    const loop = new Loop();
    loop.run(46);
    loop.status = {
      ...loop.status,
      doorbell: { ...(loop.status.doorbell as object), result: "Ringing", reminders: 0 } as never,
    };
    expect(loop.run(59)).toEqual([]);
    expect(loop.run(60)).toEqual(["105 Ring"]);
  });

  it("given a runtime without a terminal, when it is silent, then it is restarted only after the busy limit", () => {
    const loop = new Loop({ session: { canType: false } as never });
    expect(loop.run(1_799)).toEqual([]);
    expect(loop.run(2)).toEqual(["1800 Restart"]);
  });
});

describe("an agent that read its hook", () => {
  it("given it is busy, when time goes by, then it is left alone, and costs no look", () => {
    const loop = new Loop({ hook: read, title: "Busy" });
    expect(loop.run(29 * 60)).toEqual([]);
    expect(loop.looks).toBe(0);
  });

  it("given it sits at its prompt, when it moves its work on after each reminder, then it is never restarted", () => {
    const loop = new Loop({ hook: read });
    const rings: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      rings.push(...loop.run(130));
      loop.fields = { hook: { ...read, progressMs: loop.now } };
    }
    expect(new Set(rings.map((entry) => entry.split(" ")[1]))).toEqual(new Set(["Ring"]));
    expect(rings.length).toBe(20);
  });

  it("given it answers reminders with a little work that moves nothing, when that goes on, then it is not killed, and a person is asked", () => {
    const loop = new Loop({ hook: read });
    const log: string[] = [];
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      const done = loop.run(60);
      log.push(...done.map((entry) => entry.split(" ")[1] ?? ""));
      loop.fields = { hook: read, title: done.some((entry) => entry.endsWith("Ring")) ? "Busy" : "Idle" };
    }
    expect(log).not.toContain("Restart");
    expect(log.filter((entry) => entry === "Escalate")).toHaveLength(1);
  });

  it("given a program that hangs while it shows that it is busy, when the limit is over, then it is reminded, then restarted", () => {
    const loop = new Loop({ hook: read, title: "Busy", screen: { state: "Unknown" } });
    const log = loop.run(3 * 3_600).map((entry) => entry.split(" ")[1]);
    expect(log[0]).toBe("Ring");
    expect(log).toContain("Restart");
  });

  it("given a program that shows nothing while what it started works, when time goes by, then nothing is asked until the limit, for a look now and then", () => {
    const loop = new Loop({ hook: read, title: "Unknown", screen: { state: "Unknown" }, toolsWork: true });
    expect(loop.run(30 * 60)).toEqual([]);
    expect(loop.status.activity).toBe("Busy");
    expect(loop.looks).toBeLessThan(20);
    expect(loop.run(10 * 60).map((entry) => entry.split(" ")[1])).toContain("Ring");
    const ends = new Loop({ hook: read, title: "Unknown", screen: { state: "Unknown" }, toolsWork: true });
    ends.run(20 * 60);
    ends.fields = { ...ends.fields, toolsWork: false };
    expect(ends.run(4 * 60).map((entry) => entry.split(" ")[1])).toEqual(["Ring"]);
  });

  it("given its title says that it is at its prompt, when what it started works in the background, then it is reminded as ever", () => {
    const loop = new Loop({ hook: read, title: "Idle", screen: { state: "Idle" } });
    expect(loop.run(125)).toEqual(["121 Ring"]);
  });

  it("given a message while what it started works, when looked at, then it is rung for it only once that ended", () => {
    const mail = { newest: 1, oldest: 1, arrivedMs: START, urgent: true, count: 1 };
    const loop = new Loop({ hook: read, mail, title: "Unknown", screen: { state: "Unknown" }, toolsWork: true });
    expect(loop.run(10 * 60)).toEqual([]);
    loop.fields = { ...loop.fields, toolsWork: false };
    expect(loop.run(31).map((entry) => entry.split(" ")[1])).toEqual(["Ring"]);
  });

  it("given output but no title, when it flows, then it counts as busy; the echo of a doorbell does not", () => {
    const flowing = new Loop({ hook: read, title: "Unknown" });
    for (let round = 0; round < 100; round += 1) {
      flowing.fields = { hook: read, title: "Unknown", session: { lastActivityMs: flowing.now } as never };
      flowing.run(5);
    }
    expect(flowing.log).toEqual([]);
    const echoing = new Loop({ hook: read, title: "Unknown" });
    const log: string[] = [];
    for (let round = 0; round < 1_900; round += 1) {
      const rungMs = Date.parse(echoing.status.doorbell?.time ?? new Date(0).toISOString());
      echoing.fields = { hook: read, title: "Unknown", session: { lastActivityMs: rungMs + S } as never };
      log.push(...echoing.run(1).map((entry) => entry.split(" ")[1] ?? ""));
    }
    expect(log).toEqual(["Ring", "Ring", "Ring", "Restart"]);
  });

  it("given an open question, when time goes by, then it is not reminded; an answer ends it", () => {
    const question = { text: "which one?", answer: undefined };
    const loop = new Loop({ hook: { ...read, question } });
    expect(loop.run(3_600)).toEqual([]);
    expect(loop.reasons).toEqual(["WaitsForAnswer"]);
    loop.fields = { hook: { ...read, question: { ...question, answer: { by: "Message" } } } };
    expect(loop.run(1)).toEqual(["3600 EndQuestion"]);
    expect(loop.reasons).toEqual([]);
  });
});

describe("what a program itself waits for", () => {
  it.each([
    "AuthRequired",
    "DialogOpen",
  ] as const)("given %s, when time goes by, then no reminder or restart is spent, and it goes on once it is over", (state) => {
    const loop = new Loop({ screen: { state } });
    const log = loop.run(3_600).map((entry) => entry.split(" ")[1]);
    expect(log.filter((entry) => entry !== "Hold")).toEqual([]);
    expect(loop.reasons).toEqual([state]);
    expect(loop.status.activity).toBe(state);
    expect(loop.looks).toBeLessThanOrEqual(61);
    loop.fields = { screen: { state: "Idle" } };
    expect(loop.run(61).map((entry) => entry.split(" ")[1])).toEqual(["Ring"]);
    expect(loop.reasons).toEqual(["Reminded"]);
  });

  it("given a limit with a time, when it is known, then new starts wait until then, it is looked at seldom, and it goes on soon after", () => {
    const resetAtMs = START + 3_600 * S;
    const loop = new Loop({ screen: { state: "RateLimited", resetAtMs } });
    const log = loop.run(3_600);
    expect(log.filter((entry) => !entry.endsWith("Hold"))).toEqual([]);
    expect(loop.looks).toBeLessThanOrEqual(14);
    expect(loop.reasons).toEqual(["RateLimited"]);
    const plan = planHooks(anAgent(), {
      ...world({ now: START + 50 * S }),
      screen: { state: "RateLimited", resetAtMs },
    });
    const [hold] = plan.actions.flatMap((action) => (action.do === "Hold" ? [action.untilMs] : []));
    expect(hold).toBeGreaterThanOrEqual(resetAtMs);
    expect(hold).toBeLessThanOrEqual(resetAtMs + 60 * S);
    loop.fields = { screen: { state: "Idle" } };
    expect(loop.run(61).map((entry) => entry.split(" ")[1])).toEqual(["Ring"]);
    expect(loop.status.doorbell?.reminders).toBe(1);
  });

  it("given a limit that does not say when it ends, when it is told again and again, then it is asked with growing pauses, for ever, and no restart or person is spent on it", () => {
    const limited = { state: "RateLimited" } as const;
    const loop = new Loop({ hook: read, screen: limited });
    const rings: number[] = [];
    for (let second = 0; second < 8 * 3_600; second += 1) {
      for (const entry of loop.run(1)) {
        expect(entry).toMatch(/ (Hold|Ring)$/);
        if (!entry.endsWith("Ring")) continue;
        rings.push(Number(entry.split(" ")[0]));
        // It tries, and says the same again.
        loop.fields = { hook: read, screen: limited, session: { lastActivityMs: loop.now + 5 * S } as never };
      }
    }
    const pauses = rings.slice(1).map((at, index) => at - (rings[index] ?? 0));
    expect(rings.length).toBeGreaterThan(12);
    expect(rings.length).toBeLessThan(30);
    expect(Math.max(...pauses)).toBeLessThan(36 * 60);
    expect(pauses.at(-1)).toBeGreaterThan(29 * 60);
    expect(loop.status.propulsion?.gaveUpTime).toBeUndefined();
  });

  it("given a span on a screen that stands still, when it is looked at again and again, then it ends when it was said to", () => {
    const loop = new Loop({ hook: read, screen: { state: "RateLimited" } });
    loop.run(130);
    const since = new Date(START).toISOString();
    expect(loop.status.propulsion?.limited).toMatchObject({ since, times: 1 });
    // A clock on its screen moves, and nothing was said anew.
    const now = START + 200 * S;
    expect(saidAt({ ...loop.status, doorbell: undefined }, { startedAtMs: 0, lastActivityMs: now }, now)).toBe(START);
    const rung = { ...loop.status.doorbell, time: new Date(START + 190 * S).toISOString() } as AgentStatus["doorbell"];
    expect(saidAt({ ...loop.status, doorbell: rung }, { startedAtMs: 0, lastActivityMs: now }, now)).toBe(now);
    // Another session says it for itself.
    expect(saidAt(loop.status, { startedAtMs: START + 60 * S, lastActivityMs: now }, now)).toBe(now);
  });

  it("given its menu about the limit, when the limit is over, then the session is started anew, and nothing is typed into the menu", () => {
    const resetAtMs = START + 600 * S;
    const loop = new Loop({ hook: read, screen: { state: "RateLimited", resetAtMs, menu: true } });
    const log = loop.run(900).filter((entry) => !entry.endsWith("Hold"));
    expect(log.map((entry) => entry.split(" ")[1])).toEqual(["Restart", ...log.slice(1).map(() => "Restart")]);
    expect(Number(log[0]?.split(" ")[0])).toBeGreaterThanOrEqual(600);
    expect(Number(log[0]?.split(" ")[0])).toBeLessThanOrEqual(661);
  });

  it("given thirty agents at one limit, when it ends, then they do not all go on in one second", () => {
    const resetAtMs = START + 600 * S;
    const screen = { state: "RateLimited", resetAtMs } as const;
    const ends = Array.from(
      { length: 30 },
      (_, index) =>
        limitedAfter(undefined, {
          identity: `api/polecats/p${index}`,
          now: START,
          screen,
          saidMs: START,
          rungMs: 0,
          progressMs: 0,
          liftedMs: 0,
        })?.until,
    );
    expect(new Set(ends).size).toBeGreaterThan(20);
  });

  it("given work that moves although the provider is held for a limit, when planned, then the hold is lifted; who waits goes on", () => {
    const hold = { reason: "RateLimited", sinceMs: START };
    const moved = { ...read, progressMs: START + 100 * S };
    const plan = planHooks(anAgent(), world({ now: START + 110 * S, hook: moved, title: "Busy", hold }));
    expect(plan.actions).toEqual([{ do: "LiftHold", provider: "shell" }]);
    const early = { ...read, progressMs: START + 30 * S };
    expect(planHooks(anAgent(), world({ hook: early, title: "Busy", hold })).actions).toEqual([]);
    const loop = new Loop({ hook: read, screen: { state: "RateLimited", resetAtMs: START + 48 * 3_600 * S } });
    loop.run(600);
    loop.fields = { ...loop.fields, liftedMs: loop.now };
    expect(loop.run(61).map((entry) => entry.split(" ")[1])).toEqual(["Ring"]);
  });

  it("given a dialog in the midst of work, when seen, then others of the provider still start", () => {
    const loop = new Loop({ hook: read, screen: { state: "DialogOpen" } });
    expect(loop.run(600)).toEqual([]);
    expect(loop.reasons).toEqual(["DialogOpen"]);
  });

  it("given it shows that it is busy again, when planned without a look, then nothing is in the way any more", () => {
    const loop = new Loop({ hook: read, screen: { state: "DialogOpen" } });
    loop.run(130);
    loop.fields = { hook: read, title: "Busy" };
    loop.run(1);
    expect(loop.reasons).toEqual([]);
  });
});

describe("messages", () => {
  const mail = { newest: 7, oldest: 7, arrivedMs: START + 60 * S, urgent: true, count: 1 };

  it("given an urgent message and an idle agent, when nothing has an answer, then it is rung with growing pauses, restarted, and a person is asked", () => {
    const loop = new Loop({ hook: undefined, mail });
    expect(loop.run(2 * 3_600)).toEqual([
      "60 Ring",
      "150 Ring",
      "330 Ring",
      "690 Restart",
      "700 Ring",
      "790 Ring",
      "970 Ring",
      "1330 Restart",
      "1340 Ring",
      "1430 Ring",
      "1610 Ring",
      "1970 Escalate",
      "3410 Ring",
      "5210 Ring",
      "7010 Ring",
    ]);
    expect(loop.reasons).toEqual(["Escalated"]);
    loop.fields = { hook: undefined, mail: undefined };
    expect(loop.run(3_600)).toEqual([]);
    expect(loop.reasons).toEqual([]);
    expect(loop.status.propulsion).toBeUndefined();
  });

  it("given a program that works a little at each ring and reads nothing, when that goes on, then it is not restarted", () => {
    const loop = new Loop({ hook: undefined, mail });
    const log: string[] = [];
    for (let minute = 0; minute < 12 * 60; minute += 1) {
      const done = loop.run(60);
      log.push(...done.map((entry) => entry.split(" ")[1] ?? ""));
      loop.fields = { hook: undefined, mail, title: done.length > 0 ? "Busy" : "Idle" };
    }
    expect(new Set(log)).toEqual(new Set(["Ring"]));
    expect(log.length).toBeLessThan(8);
    expect(loop.reasons).toEqual(["MessagesWait"]);
  });

  it("given a hundred messages within a second, when they come, then they are two rings", () => {
    const loop = new Loop({ hook: undefined, mail });
    loop.run(61);
    loop.fields = { hook: undefined, mail: { ...mail, newest: 107, oldest: 7, count: 100 } };
    expect(loop.run(50)).toHaveLength(1);
    expect(loop.log).toHaveLength(2);
  });

  it("given ordinary mail, when it comes, then the doorbell waits as long as for a hook", () => {
    const loop = new Loop({ hook: undefined, mail: { ...mail, urgent: false } });
    expect(loop.run(120)).toEqual(["105 Ring"]);
  });

  it("given it is busy, when a message comes, then nothing is typed: its turn's end asks for it", () => {
    const loop = new Loop({ hook: read, mail, title: "Busy" });
    expect(loop.run(1_700)).toEqual([]);
    loop.fields = { hook: read, mail, title: "Idle" };
    expect(loop.run(5)).toEqual(["1700 Ring"]);
  });

  it("given a successor session, when the message still waits, then it reads it at its start, and is rung only later", () => {
    const loop = new Loop({ hook: undefined, mail });
    loop.run(70);
    loop.generation += 1;
    loop.startedAtMs = loop.now;
    expect(loop.run(9)).toEqual([]);
    expect(loop.run(3)).toEqual(["80 Ring"]);
  });
});

describe("what must never happen", () => {
  it("given the clock is set back by hours after a ring, when time goes by, then it is not silent for hours", () => {
    const loop = new Loop();
    loop.run(50);
    loop.now -= 4 * 3_600 * S;
    expect(loop.run(120).map((entry) => entry.split(" ")[1])).toContain("Ring");
    const reader = new Loop({ hook: read });
    reader.run(130);
    reader.now -= 4 * 3_600 * S;
    const rings = reader.run(600).filter((entry) => entry.endsWith("Ring"));
    expect(rings.length).toBeGreaterThan(0);
    expect(rings.length).toBeLessThan(4);
  });

  it("given the town is suspended, or nothing may be concluded about the session, when due, then nothing is done", () => {
    expect(new Loop({ suspended: true }).run(1_000)).toEqual([]);
    const plan = planHooks(anAgent(), world({ session: undefined, now: START + 3_600 * S }));
    expect(plan.actions).toEqual([]);
    expect(plan.conditions).toEqual([]);
  });

  it("given messages that were handed over too often without a receipt, when looked at, then it says so and nothing is typed", () => {
    const idle = { hook: undefined, unconfirmed: 2, now: START + 3_600 * S };
    const plan = planHooks(anAgent(), world(idle));
    expect(plan.actions).toEqual([]);
    expect(plan.conditions).toMatchObject([{ type: "MessagesUnconfirmed", status: "True", reason: "NoReceipt" }]);
    expect(plan.conditions?.[0]?.message).toContain("2 messages 5 times");
    expect(plan.conditions?.[0]?.message).toContain("town handoff --agent api/toast");
  });

  it.each([
    ["an idle agent", {}],
    ["a limit that lasts", { screen: { state: "RateLimited", resetAtMs: START + 60 * MINUTE } }],
  ] as const)("given %s and messages that nobody said were shown, when planned, then it is looked again when they count as lost", (_, fields) => {
    const observed = world({ now: START + 10 * S, hook: read, nextMailMs: START + 40 * S, ...fields });
    expect(planHooks(anAgent(), observed).requeueAfterMs).toBe(30 * S);
  });

  it("given a screen that cannot be read, when due, then nothing is done and it is tried again", () => {
    const plan = planHooks(anAgent(), world({ now: START + 3_600 * S, screen: undefined }));
    expect(plan.actions).toEqual([]);
    expect(plan.requeueAfterMs).toBe(5 * S);
  });
});
