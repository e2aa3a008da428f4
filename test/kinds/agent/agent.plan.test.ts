import { describe, expect, it } from "vitest";
import { CRASH_LOOP } from "../../../src/domain/scheduling/start-backoff.ts";
import type { AgentObject, AgentObserved } from "../../../src/kinds/agent/agent.observe.ts";
import { planAgent } from "../../../src/kinds/agent/agent.plan.ts";
import type { ObservedSession } from "../../../src/ports/sessions.ts";
import { anAgent } from "./an-agent.ts";
import { fc } from "../../property.ts";

const NOW = 1_000_000_000;

function session(fields: Partial<ObservedSession> = {}): ObservedSession {
  return {
    name: "api-polecat-toast",
    namespace: "api",
    agent: "toast",
    role: "polecat",
    generation: 3,
    state: "Running",
    startedAtMs: NOW - 60_000,
    ...fields,
  };
}

const HOUR = 3_600_000;
const hook = {
  bead: "api-x1",
  title: "Say hello",
  step: "implement",
  progressMs: NOW,
  leaseExpiresMs: NOW + 4 * HOUR,
};

const sandbox: AgentObserved["sandbox"] = {
  path: "/town/rigs/api/polecats/toast",
  exists: true,
  branch: "refs/heads/b",
  shown: true,
  setUp: { state: "Done" },
};

function observed(fields: Partial<AgentObserved> = {}): AgentObserved {
  return {
    now: NOW,
    jitter: 0,
    generation: 3,
    desired: "OnWork",
    handoff: undefined,
    joined: undefined,
    hook,
    returned: undefined,
    runtimeName: "api-polecat-toast",
    sight: { state: "Running", session: session() },
    judgeable: "Yes",
    suspended: false,
    capacityLeft: 5,
    hold: undefined,
    output: undefined,
    limitUntilMs: undefined,
    nextStartSlotMs: 0,
    diskLow: false,
    configured: "Yes",
    sandbox,
    ...fields,
  };
}

function actionsOf(fields: Partial<AgentObserved>, status?: AgentObject["status"]): readonly string[] {
  return planAgent(anAgent(status), observed(fields)).actions.map((action) => action.do);
}

describe("planning an agent", () => {
  const rows: readonly {
    because: string;
    fields: Partial<AgentObserved>;
    status?: AgentObject["status"];
    actions: readonly string[];
  }[] = [
    { because: "it works", fields: {}, actions: [] },
    {
      because: "work without a session starts one, sandbox first",
      fields: { sight: { state: "Absent" } },
      status: { endedGeneration: 3 },
      actions: ["EnsureSandbox", "Start"],
    },
    { because: "a session without work ends", fields: { hook: undefined }, actions: ["Stop"] },
    { because: "an older generation is fenced off", fields: { generation: 4 }, actions: ["Stop"] },
    { because: "unknown is not dead", fields: { sight: { state: "Unknown", session: session() } }, actions: [] },
    {
      because: "nothing was observed yet",
      fields: { judgeable: "NotObservedYet", sight: { state: "Absent" } },
      actions: [],
    },
    {
      because: "a mass disappearance is frozen",
      fields: { judgeable: "Frozen", sight: { state: "Absent" } },
      actions: [],
    },
    { because: "suspension starts nothing", fields: { suspended: true, sight: { state: "Absent" } }, actions: [] },
    { because: "suspension ends nothing that works", fields: { suspended: true }, actions: [] },
    {
      because: "as many were started within a minute as may be",
      fields: { nextStartSlotMs: NOW + 5_000, sight: { state: "Absent" } },
      actions: [],
    },
    {
      because: "there is no room for a new sandbox",
      fields: { diskLow: true, sight: { state: "Absent" }, sandbox: { ...sandbox, exists: false } },
      actions: [],
    },
    {
      because: "a new sandbox is set up before its first session",
      fields: { sight: { state: "Absent" }, sandbox: { ...sandbox, setUp: { state: "Needed", again: false } } },
      actions: ["EnsureSandbox", "SetUp"],
    },
    {
      because: "a set-up takes its time",
      fields: { sight: { state: "Absent" }, sandbox: { ...sandbox, setUp: { state: "Running", log: "/log" } } },
      actions: [],
    },
    { because: "the town is full", fields: { capacityLeft: 0, sight: { state: "Absent" } }, actions: [] },
    {
      because: "an unwanted sandbox is removed once the session is gone",
      fields: { hook: undefined, sight: { state: "Absent" } },
      actions: ["RemoveSandbox"],
    },
    {
      because: "an exited, unwanted session is removed with its sandbox",
      fields: { hook: undefined, sight: { state: "Exited", session: session({ state: "Exited", exitCode: 0 }) } },
      actions: ["Stop", "RemoveSandbox"],
    },
    { because: "a persistent agent runs without work", fields: { hook: undefined, desired: "Running" }, actions: [] },
    {
      because: "a lease below two hours is renewed",
      fields: { hook: { ...hook, leaseExpiresMs: NOW + 3_600_000 } },
      actions: ["RenewLease"],
    },
    {
      because: "its provider is at a limit",
      fields: {
        sight: { state: "Absent" },
        hold: { reason: "RateLimited", untilMs: NOW + 60_000, message: "api/crew/bob: a limit" },
      },
      status: { endedGeneration: 3 },
      actions: [],
    },
    {
      because: "its provider's limit is over",
      fields: {
        sight: { state: "Absent" },
        hold: { reason: "RateLimited", untilMs: NOW - 1, message: "api/crew/bob: a limit" },
      },
      status: { endedGeneration: 3 },
      actions: ["EnsureSandbox", "Start"],
    },
    {
      because: "its session was started for work that was handed on",
      fields: { sight: { state: "Running", session: session({ bead: "api-x0" }) } },
      actions: ["Stop"],
    },
    {
      because: "the session of a persistent agent goes on with other work",
      fields: { desired: "Running", sight: { state: "Running", session: session({ bead: "api-x0" }) } },
      actions: [],
    },
    {
      because: "the hooks loop wants this session replaced",
      fields: {},
      status: { propulsion: { hook: "api-x1@1", generation: 3, restarting: 3 } },
      actions: ["Stop"],
    },
    {
      because: "the hooks loop wanted a former session replaced",
      fields: {},
      status: { propulsion: { hook: "api-x1@1", generation: 2, restarting: 2 } },
      actions: [],
    },
    { because: "its pool is missing", fields: { configured: "PoolNotFound", sight: { state: "Absent" } }, actions: [] },
  ];
  it.each(rows)("given that $because, then the actions are $actions", ({ fields, status, actions }) => {
    expect(actionsOf(fields, status)).toEqual(actions);
  });

  it("given the hooks loop gave up on this hook, when planned, then it is Stalled; on other work it is not", () => {
    const propulsion = { hook: "api-x1@1", generation: 3, gaveUpTime: "2026-01-01T00:00:00.000Z" };
    const plan = planAgent(anAgent({ propulsion }), observed());
    expect(plan.actions).toEqual([]);
    expect(plan.status).toMatchObject({ state: "Stalled" });
    expect(plan.conditions).toContainEqual(expect.objectContaining({ type: "Stalled", reason: "Unresponsive" }));
    const other = planAgent(anAgent({ propulsion }), observed({ hook: { ...hook, bead: "api-x2" } }));
    expect(other.status).toMatchObject({ state: "Working" });
  });

  it("given a session without work, when planned, then it is called a Zombie until it is gone", () => {
    expect(planAgent(anAgent(), observed({ hook: undefined })).status).toMatchObject({ state: "Zombie" });
  });

  it("given a crash with its last screen, when planned, then the screen is kept without what acts on terminals", () => {
    const exited = { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) } as const;
    const plan = planAgent(
      anAgent({ endedGeneration: 2 }),
      observed({ sight: exited, output: "one\u001b[31m\ntwo\n" }),
    );
    expect(plan.status).toMatchObject({ lastOutput: "one[31m\ntwo" });
  });

  it("given a program that ended because a limit is reached, when planned, then its provider is held and nothing counts as a failure", () => {
    const exited = { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) } as const;
    const limited = observed({ sight: exited, output: "You've hit your limit", limitUntilMs: NOW + HOUR });
    const plan = planAgent(anAgent({ endedGeneration: 2, failures: 4 }), limited);
    expect(plan.actions).toMatchObject([{ do: "HoldProvider", untilMs: NOW + HOUR }]);
    expect(plan.status).toMatchObject({ failures: 4, endedGeneration: 3, state: "Starting" });
    expect(plan.conditions?.[0]).toMatchObject({ reason: "RateLimited" });
    const held = { reason: "RateLimited", untilMs: NOW + HOUR, message: "a limit" };
    expect(actionsOf({ sight: exited, hold: held }, plan.status as AgentObject["status"])).toEqual([]);
    expect(actionsOf({ sight: exited }, plan.status as AgentObject["status"])).toEqual(["EnsureSandbox", "Start"]);
  });

  it("given a session that ends with its work while the next work is hooked already, when planned, then that was no failure", () => {
    const ended = session({ state: "Exited", exitCode: 3, bead: "api-x0" });
    const plan = planAgent(
      anAgent({ endedGeneration: 2, failures: 2 }),
      observed({ sight: { state: "Exited", session: ended } }),
    );
    expect(plan.actions.map((action) => action.do)).toEqual(["EnsureSandbox", "Start"]);
    expect(plan.status).toMatchObject({ failures: 0, endedGeneration: 3 });
    expect(plan.events?.[0]).toMatchObject({ type: "Normal", reason: "SessionEnded" });
  });

  it("given a session killed from outside, when planned, then it is replaced at once", () => {
    const plan = planAgent(
      anAgent({ endedGeneration: 2 }),
      observed({ sight: { state: "Exited", session: session({ state: "Exited", exitCode: 137 }) } }),
    );
    expect(plan.actions.map((action) => action.do)).toEqual(["EnsureSandbox", "Start"]);
    expect(plan.status).toMatchObject({ kills: 1, failures: 0, endedGeneration: 3 });
    expect(plan.events?.[0]).toMatchObject({ reason: "SessionEnded" });
  });

  it("given two crashes in a row, when planned, then the second waits", () => {
    const plan = planAgent(
      anAgent({ endedGeneration: 2, failures: 1 }),
      observed({ sight: { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) } }),
    );
    expect(plan.actions).toEqual([]);
    expect(plan.requeueAfterMs).toBe(10_000);
  });

  it("given a crash loop on the same work, when planned, then it stalls; other work starts it again", () => {
    const exited = { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) } as const;
    const status = { endedGeneration: 3, failures: CRASH_LOOP, hook: "api-x1" };
    expect(planAgent(anAgent(status), observed({ sight: exited })).conditions).toContainEqual(
      expect.objectContaining({ type: "Stalled", status: "True" }),
    );
    expect(actionsOf({ sight: exited, hook: { ...hook, bead: "api-x2" } }, status)).toEqual(["EnsureSandbox", "Start"]);
  });

  it("given the end of one session, when planned twice, then it is counted once", () => {
    const exited = { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) } as const;
    const first = planAgent(anAgent({ endedGeneration: 2 }), observed({ sight: exited }));
    const second = planAgent(anAgent(first.status as AgentObject["status"]), observed({ sight: exited }));
    expect(second.status?.["failures"]).toBe(1);
    expect(second.events ?? []).toEqual([]);
  });

  const anyObserved = fc.record({
    generation: fc.integer({ min: 0, max: 3 }),
    hook: fc.constantFrom(undefined, hook),
    desired: fc.constantFrom("Running" as const, "OnWork" as const, "Stopped" as const),
    judgeable: fc.constantFrom("Yes" as const, "NotObservedYet" as const, "Frozen" as const),
    suspended: fc.boolean(),
    capacityLeft: fc.integer({ min: 0, max: 2 }),
    sight: fc.constantFrom<AgentObserved["sight"]>(
      { state: "Absent" },
      { state: "Running", session: session() },
      { state: "Unknown", session: session() },
      { state: "Exited", session: session({ state: "Exited", exitCode: 1 }) },
    ),
    sandbox: fc.record({
      path: fc.constant("/p"),
      exists: fc.boolean(),
      branch: fc.constant("b"),
      shown: fc.boolean(),
      setUp: fc.constantFrom<AgentObserved["sandbox"]["setUp"]>(
        { state: "Done" },
        { state: "Needed", again: false },
        { state: "Running", log: "/log" },
        { state: "Failed", message: "no", retryMs: NOW + 1_000 },
      ),
    }),
    nextStartSlotMs: fc.constantFrom(0, NOW + 1_000),
    diskLow: fc.boolean(),
  });

  it("given anything, when planned, then it is deterministic, bounded, and nothing destructive follows from not knowing", () => {
    fc.assert(
      fc.property(anyObserved, (fields) => {
        const view = observed(fields);
        const plan = planAgent(anAgent(), view);
        expect(planAgent(anAgent(), view)).toEqual(plan);
        expect(plan.actions.length).toBeLessThanOrEqual(2);
        const acting = plan.actions.filter((action) => action.do !== "ShowSandbox");
        if (view.judgeable !== "Yes" || view.sight.state === "Unknown") expect(acting).toEqual([]);
        const starts = plan.actions.some((action) => action.do === "Start");
        if (starts) {
          expect(view.sight.state).not.toBe("Running");
          expect(view.sandbox.setUp.state).toBe("Done");
          expect(view.nextStartSlotMs).toBeLessThanOrEqual(NOW);
        }
        if (plan.actions.some((action) => action.do === "RemoveSandbox")) expect(view.hook).toBeUndefined();
      }),
    );
  });
});

describe("a session that handed off", () => {
  const at = (sinceMs: number) => ({ handoff: { generation: 3, sinceMs } });

  it("given it just did, when planned, then it may still show the answer, and is looked at again", () => {
    const plan = planAgent(anAgent(), observed(at(NOW - 10)));
    expect(plan.actions.map((action) => action.do)).toEqual([]);
    expect(plan.requeueAfterMs).toBeGreaterThan(0);
  });

  it("given a second went by, when planned, then it is ended", () => {
    expect(actionsOf(at(NOW - 1_000))).toEqual(["Stop"]);
  });

  it("given it ended after failures, when planned, then the next starts at once and nothing is counted", () => {
    const status = { failures: 2, kills: 3, nextStartTime: new Date(NOW + 60_000).toISOString(), endedGeneration: 2 };
    const plan = planAgent(anAgent(status), observed({ ...at(NOW - 2_000), sight: { state: "Absent" } }));
    expect(plan.actions.map((action) => action.do)).toEqual(["EnsureSandbox", "Start"]);
    expect(plan.status).toMatchObject({ failures: 2, kills: 3, endedGeneration: 3 });
  });

  it("given a newer session, when planned, then the old handoff has no effect", () => {
    const sight = { state: "Running" as const, session: session({ generation: 4 }) };
    expect(actionsOf({ ...at(NOW - 2_000), generation: 4, sight })).toEqual([]);
  });
});

describe("work that was sent back to its author", () => {
  const back = { hook: undefined, returned: "api-x2" };

  it.each([
    { because: "its session waits", fields: { desired: "Running" as const }, does: ["TakeBack"] },
    { because: "it has no session", fields: { sight: { state: "Absent" as const } }, does: ["TakeBack"] },
    {
      because: "a program joined as it",
      fields: { desired: "Stopped" as const, joined: { silentMs: 0 }, sight: { state: "Absent" as const } },
      does: ["TakeBack"],
    },
    { because: "it is to stop", fields: { desired: "Stopped" as const }, does: ["Stop"] },
    { because: "all is suspended", fields: { desired: "Running" as const, suspended: true }, does: [] },
    { because: "nothing may be concluded", fields: { judgeable: "Frozen" as const }, does: [] },
  ])("given $because, when planned, then: $does", ({ fields, does }) => {
    expect(actionsOf({ ...back, ...fields })).toEqual(does);
  });
});

describe("a program that a person started", () => {
  const gone = { joined: { silentMs: 0 }, sight: { state: "Absent" as const } };

  it("given it has work, when planned, then no session is started for it", () => {
    expect(actionsOf(gone)).toEqual([]);
    expect(planAgent(anAgent(), observed(gone)).conditions).toContainEqual(
      expect.objectContaining({ status: "True", reason: "Joined" }),
    );
  });

  it("given its worktree does not show its hook, when planned, then that is made so and nothing else", () => {
    const sandbox = { ...observed({}).sandbox, shown: false };
    expect(actionsOf({ ...gone, sandbox })).toEqual(["EnsureSandbox", "ShowSandbox"]);
    const former = { state: "Exited" as const, session: session({ state: "Exited", generation: 2 }) };
    expect(actionsOf({ ...gone, sight: former })).toEqual([]);
  });

  it.each([
    { because: "it is heard", silentMs: HOUR, leftMs: 1.9 * HOUR, does: ["RenewLease"] },
    { because: "its claim lasts", silentMs: HOUR, leftMs: 2.1 * HOUR, does: [] },
    { because: "it is silent", silentMs: 2.1 * HOUR, leftMs: HOUR, does: [] },
    { because: "it is gone", silentMs: 4 * HOUR, leftMs: HOUR, does: ["Unjoin"] },
  ])("given that $because, when planned, then its claim is renewed or ends by that: $does", ({
    silentMs,
    leftMs,
    does,
  }) => {
    expect(actionsOf({ ...gone, joined: { silentMs }, hook: { ...hook, leaseExpiresMs: NOW + leftMs } })).toEqual(does);
  });

  it("given nothing to do, when planned, then it wakes for its claim, or for the end of a silence", () => {
    const restsOf = (fields: Partial<AgentObserved>): number | undefined =>
      planAgent(anAgent(), observed(fields)).requeueAfterMs;
    expect(restsOf({})).toBe(2 * HOUR + 1);
    expect(restsOf({ ...gone, joined: { silentMs: HOUR } })).toBe(2 * HOUR + 1);
    expect(restsOf({ ...gone, joined: { silentMs: 3 * HOUR } })).toBe(HOUR);
    expect(restsOf({ hook: { ...hook, leaseExpiresMs: undefined } })).toBeUndefined();
  });

  it("given a session of an older generation still runs, when planned, then it is that one that ends", () => {
    expect(actionsOf({ ...gone, generation: 4, sight: { state: "Running", session: session() } })).toEqual(["Stop"]);
  });
});
