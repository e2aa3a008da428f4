import { describe, expect, test } from "vitest";
import type { SessionStart } from "../../src/ports/sessions.ts";
import { type MemoryProgram, MemorySessions } from "../../src/simulation/memory-sessions.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { type Behaviour, sessionsContract } from "../ports/sessions.contract.ts";

const virtualClock = () => new VirtualClock({ turn: () => new Promise((done) => setImmediate(done)) });

const programOf = (start: SessionStart): MemoryProgram | undefined => {
  const behaviour = start.argv[0] === undefined ? undefined : (JSON.parse(start.argv[0]) as Behaviour);
  switch (behaviour?.does) {
    case undefined:
      return undefined;
    case "Exit":
      return async () => behaviour.code;
    case "Print":
      return async ({ print }) => {
        for (const line of behaviour.lines) print(`${line}\n`);
        return 0;
      };
    case "IgnoreTerm":
      return () => new Promise<number>(() => {});
    case "Sleep":
      return ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(143)));
    case "Echo":
      return async ({ print, readLine }) => {
        print("ready\n");
        for (;;) {
          const line = await readLine();
          if (line === undefined) return 0;
          print(`got:${line}\n`);
        }
      };
    default:
      return behaviour satisfies never;
  }
};

const world = () => {
  const clock = virtualClock();
  const runtime = new MemorySessions({ clock, resolve: programOf });
  const during = async <T>(task: Promise<T>): Promise<T> => {
    let done = false;
    const watched = task.finally(() => {
      done = true;
    });
    watched.catch(() => {});
    for (let turn = 0; turn < 1_000 && !done; turn += 1) await clock.advance(100);
    return watched;
  };
  return { clock, runtime, during };
};

sessionsContract("memory", async () => {
  const { clock, runtime, during } = world();
  return {
    sessions: runtime.connect(),
    canType: true,
    argv: (behaviour) => [JSON.stringify(behaviour)],
    connect: async () => runtime.connect(),
    kill: async (session) => runtime.kill(session.name),
    pause: async () => clock.advance(10),
    during,
    dispose: async () => {},
  };
});

describe("MemorySessions", () => {
  const start = (over: Partial<SessionStart> = {}): SessionStart => ({
    name: "a",
    namespace: "api",
    agent: "a",
    role: "polecat",
    generation: 1,
    cwd: "/",
    env: {},
    argv: [JSON.stringify({ does: "Sleep" })],
    ...over,
  });

  test("given the server was killed, when observed, then it is ServerGone until the next start", async () => {
    const { runtime } = world();
    await runtime.start(start());
    runtime.killServer();
    expect(await runtime.observe()).toMatchObject({
      completeness: "ServerGone",
      sessions: [{ name: "a", state: "Exited", exitSignal: "SIGHUP", terminalLost: true }],
    });
    await runtime.start(start({ name: "b" }));
    expect(await runtime.observe()).toMatchObject({
      completeness: "Complete",
      sessions: [
        { name: "a", state: "Exited" },
        { name: "b", state: "Running" },
      ],
    });
  });

  test("given silence, when observed, then it is Unknown with the last complete list and nothing else works", async () => {
    const { runtime } = world();
    await runtime.start(start());
    await runtime.observe();
    runtime.setSilent(true);
    runtime.kill("a");
    expect(await runtime.observe()).toMatchObject({
      completeness: "Unknown",
      sessions: [{ name: "a", state: "Running" }],
    });
    await expect(runtime.start(start({ name: "b" }))).rejects.toMatchObject({ reason: "RuntimeNotAnswering" });
    runtime.setSilent(false);
    expect(await runtime.observe()).toMatchObject({
      completeness: "Complete",
      sessions: [{ name: "a", state: "Exited" }],
    });
  });

  test("given a lying probe, when observed, then the session is absent though its program lives", async () => {
    const { runtime } = world();
    await runtime.start(start());
    runtime.setHidden("a", true);
    expect(await runtime.observe()).toMatchObject({ completeness: "Complete", sessions: [] });
    runtime.setHidden("a", false);
    expect((await runtime.observe()).sessions).toHaveLength(1);
  });

  test("given a slow start, when the controller asks twice, then one program is launched after the delay", async () => {
    const clock = virtualClock();
    const runtime = new MemorySessions({ clock, resolve: programOf, startDelayMs: () => 5_000 });
    const both = Promise.all([runtime.start(start()), runtime.start(start())]);
    await clock.advance(4_999);
    expect((await runtime.observe()).sessions).toEqual([]);
    await clock.advance(1);
    expect((await both).map((session) => session.startedAtMs)).toEqual([clock.now(), clock.now()]);
    expect(runtime.launches).toBe(1);
  });

  test("given starts that fail, when retried, then the one after them succeeds", async () => {
    const { runtime } = world();
    runtime.failStarts(1);
    await expect(runtime.start(start())).rejects.toMatchObject({ reason: "SessionStartFailed" });
    expect(await runtime.start(start())).toMatchObject({ state: "Running" });
  });

  test("given copy mode, when typed, then it is Refused and the line is not delivered later", async () => {
    const { runtime } = world();
    await runtime.start(start({ argv: [JSON.stringify({ does: "Echo" })] }));
    runtime.setCopyMode("a", true);
    expect(await runtime.type("a", 1, "one")).toBe("Refused");
    runtime.setCopyMode("a", false);
    expect(await runtime.type("a", 1, "two")).toBe("Typed");
    await Promise.resolve();
    expect(await runtime.capture("a", 10)).not.toContain("got:one");
  });

  test("given a closed handle, when used, then it is refused and others are not", async () => {
    const { runtime } = world();
    const handle = runtime.connect();
    await handle.close();
    await expect(handle.observe()).rejects.toMatchObject({ reason: "SessionsClosed" });
    expect(await runtime.connect().observe()).toMatchObject({ completeness: "Complete" });
  });

  test("given a program that fails, when it ends, then it exited with 1 and its error is on the screen", async () => {
    const { clock } = world();
    const runtime = new MemorySessions({
      clock,
      resolve: () => async () => {
        throw new Error("no such model");
      },
    });
    await runtime.start(start());
    await clock.advance(1);
    expect((await runtime.observe()).sessions[0]).toMatchObject({ state: "Exited", exitCode: 1 });
    expect(await runtime.capture("a", 5)).toBe("no such model");
  });
});
