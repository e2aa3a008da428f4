import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AdapterError } from "../../src/errors/town-error.ts";
import type { ObservedSession, Sessions, SessionStart } from "../../src/ports/sessions.ts";
import { TOAST, toastStart } from "./session-start.ts";

/** What a session's program does in these tests; each runtime says how to run it. */
export type Behaviour =
  | { readonly does: "Sleep" }
  | { readonly does: "Exit"; readonly code: number }
  | { readonly does: "Print"; readonly lines: readonly string[] }
  | { readonly does: "IgnoreTerm" }
  /** Prints `got:<line>` for each line typed. */
  | { readonly does: "Echo" };

export interface SessionsFixture {
  readonly sessions: Sessions;
  readonly canType: boolean;
  argv(behaviour: Behaviour): readonly string[];
  /** A further controller on the same runtime. */
  connect(): Promise<Sessions>;
  /** SIGKILL to the program itself. */
  kill(session: ObservedSession): Promise<void>;
  /** Lets a little time pass. */
  pause(): Promise<void>;
  /** Runs something that waits for time to pass. */
  during<T>(task: Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

/** The behaviour of every session runtime. */
export function sessionsContract(name: string, open: () => Promise<SessionsFixture>): void {
  describe(`Sessions contract: ${name}`, () => {
    let fixture: SessionsFixture;
    let sessions: Sessions;
    beforeEach(async () => {
      fixture = await open();
      sessions = fixture.sessions;
    });
    afterEach(async () => fixture.dispose());

    const startOf = (over: Partial<SessionStart> & { readonly behaviour?: Behaviour } = {}): SessionStart => {
      const { behaviour, ...fields } = over;
      return toastStart({ argv: fixture.argv(behaviour ?? { does: "Sleep" }), ...fields });
    };
    const start = (over: Partial<SessionStart> & { readonly behaviour?: Behaviour } = {}) =>
      fixture.during(sessions.start(startOf(over)));
    const find = async (wanted = TOAST, on = sessions): Promise<ObservedSession | undefined> =>
      (await on.observe()).sessions.find((session) => session.name === wanted);
    const until = async <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> => {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const found = await look();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > deadline) throw new Error(`waited 60 s for ${what}`);
        await fixture.pause();
      }
    };
    const exited = (wanted?: string) =>
      until("the session to be Exited", async () => {
        const session = await find(wanted);
        return session?.state === "Exited" && session.exitCode !== undefined && session;
      });

    test("given nothing was started, when observed, then there are no sessions and it is not Unknown", async () => {
      const seen = await sessions.observe();
      expect(seen.completeness).not.toBe("Unknown");
      expect(seen.sessions).toEqual([]);
    });

    test("given a start, when observed, then it runs with its labels", async () => {
      const started = await start({ generation: 7, bead: "api-x1.2" });
      const labels = {
        name: "api-polecats-toast",
        namespace: "api",
        agent: "toast",
        role: "polecat",
        generation: 7,
        bead: "api-x1.2",
      };
      expect(started).toMatchObject({ ...labels, state: "Running" });
      const seen = await sessions.observe();
      expect(seen.completeness).toBe("Complete");
      expect(seen.sessions).toHaveLength(1);
      expect(seen.sessions[0]).toMatchObject({ ...labels, state: "Running" });
      expect(seen.sessions[0]?.pid).toBeGreaterThan(0);
      expect(seen.sessions[0]?.exitCode).toBeUndefined();
      expect(Math.abs((seen.sessions[0]?.startedAtMs ?? 0) - seen.observedAtMs)).toBeLessThan(60_000);
    });

    test("given a start without a bead, when observed, then the bead is absent", async () => {
      await start();
      expect(Object.keys((await find()) ?? {})).not.toContain("bead");
    });

    test("given it runs, when the same generation is started again, then it is adopted", async () => {
      const first = await start();
      const second = await start({ behaviour: { does: "Exit", code: 3 } });
      expect(second.pid).toBe(first.pid);
      expect((await sessions.observe()).sessions).toHaveLength(1);
    });

    test("given many starts of one name and generation at once, when all are done, then one program runs", async () => {
      const all = await fixture.during(Promise.all(Array.from({ length: 8 }, () => sessions.start(startOf()))));
      expect(new Set(all.map((session) => session.pid)).size).toBe(1);
      expect((await sessions.observe()).sessions).toHaveLength(1);
    });

    test("given an older generation runs, when a newer is started, then it replaces the older", async () => {
      const old = await start();
      const fresh = await start({ generation: 2 });
      expect(fresh.generation).toBe(2);
      expect(fresh.pid).not.toBe(old.pid);
      expect((await sessions.observe()).sessions.map((session) => session.generation)).toEqual([2]);
    });

    test("given a newer generation runs, when an older is started, then it is refused and the newer lives", async () => {
      const running = await start({ generation: 5 });
      await expect(start({ generation: 4 })).rejects.toMatchObject({ reason: "NewerGenerationRunning" });
      expect(await find()).toMatchObject({ generation: 5, state: "Running", pid: running.pid });
    });

    test.each([
      0, 1, 7, 100,
    ])("given a program that exits with %i, when observed, then it is Exited with that code", async (code) => {
      await start({ behaviour: { does: "Exit", code } });
      expect(await exited()).toMatchObject({ state: "Exited", exitCode: code });
    });

    test("given a program killed by SIGKILL, when observed, then it is Exited with that signal", async () => {
      await fixture.kill(await start());
      expect(await exited()).toMatchObject({ exitCode: 137, exitSignal: "SIGKILL" });
    });

    test("given an exited session, when the same generation is started, then it runs anew", async () => {
      await start({ behaviour: { does: "Exit", code: 1 } });
      await exited();
      expect((await start()).state).toBe("Running");
      expect(await find()).toMatchObject({ state: "Running", generation: 1 });
    });

    test("given a listener, when a program starts and ends, then it is told each time", async () => {
      let told = 0;
      const unsubscribe = sessions.subscribe(() => {
        told += 1;
      });
      const session = await start();
      await until("the start to be told", async () => told > 0);
      told = 0;
      await fixture.kill(session);
      await until("the exit to be told", async () => told > 0);
      unsubscribe();
      told = 0;
      await start({ name: "api-polecats-other", behaviour: { does: "Exit", code: 0 } });
      await exited("api-polecats-other");
      expect(told).toBe(0);
    });

    test("given a session, when stopped, then it is gone", async () => {
      await start();
      await fixture.during(sessions.stop("api-polecats-toast", 1, { graceMs: 2_000 }));
      expect((await sessions.observe()).sessions).toEqual([]);
    });

    test("given an exited session, when stopped, then its remains are gone", async () => {
      await start({ behaviour: { does: "Exit", code: 1 } });
      await exited();
      await fixture.during(sessions.stop("api-polecats-toast", 1, { graceMs: 2_000 }));
      expect((await sessions.observe()).sessions).toEqual([]);
    });

    test("given a program that ignores SIGTERM, when stopped, then it is killed after the grace", async () => {
      await start({ behaviour: { does: "IgnoreTerm" } });
      await fixture.during(sessions.stop("api-polecats-toast", 1, { graceMs: 300 }));
      expect((await sessions.observe()).sessions).toEqual([]);
    });

    test("given another generation, when it is stopped, then nothing happens", async () => {
      await start({ generation: 2 });
      await fixture.during(sessions.stop("api-polecats-toast", 1, { graceMs: 100 }));
      await fixture.during(sessions.stop("api-polecats-toast", 3, { graceMs: 100 }));
      expect(await find()).toMatchObject({ state: "Running", generation: 2 });
    });

    test("given no such session, when stopped or captured, then it is a no-op and undefined", async () => {
      await fixture.during(sessions.stop("api-polecats-nobody", 1, { graceMs: 100 }));
      expect(await sessions.capture("api-polecats-nobody", 10)).toBeUndefined();
      await start();
      expect(await sessions.capture("api-polecats-nobody", 10)).toBeUndefined();
    });

    test("given a name that is the beginning of another, when used, then the other is not touched", async () => {
      await start({ name: "api-polecats-toast2" });
      await fixture.during(sessions.stop("api-polecats-toast", 1, { graceMs: 100 }));
      expect(await sessions.capture("api-polecats-toast", 10)).toBeUndefined();
      expect(await find("api-polecats-toast2")).toMatchObject({ state: "Running" });
    });

    test.each([
      "",
      "a.b",
      "a:b",
      "-a",
      "=a",
      "$1",
      "%1",
      "@1",
      "a b",
      "a/b",
      "a;b",
      "a\nb",
      "ä",
      "x".repeat(201),
    ])("given the name %j, when started, then it is refused", async (bad) => {
      await expect(start({ name: bad })).rejects.toMatchObject({ reason: "SessionNameInvalid" });
      await expect(start({ name: bad })).rejects.toBeInstanceOf(AdapterError);
    });

    test("given output, when captured running and exited, then the last lines come back newest last", async () => {
      const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
      await start({ behaviour: { does: "Print", lines } });
      await exited();
      const all = (await sessions.capture("api-polecats-toast", 100)) ?? "";
      expect(all.split("\n").filter((line) => line.startsWith("line "))).toEqual(lines);
      const some = (await sessions.capture("api-polecats-toast", 3)) ?? "";
      expect(some.split("\n")).toHaveLength(3);
      expect(some).toContain("line 30");
      expect(some).not.toContain("line 20");
    });

    test("given two controllers, when the first closes, then the second has adopted everything", async () => {
      const first = await start({ generation: 3 });
      await start({ name: "api-polecats-done", behaviour: { does: "Exit", code: 4 } });
      await exited("api-polecats-done");
      const other = await fixture.connect();
      await sessions.close();
      expect(await find("api-polecats-toast", other)).toMatchObject({
        state: "Running",
        generation: 3,
        pid: first.pid,
      });
      expect(await find("api-polecats-done", other)).toMatchObject({ state: "Exited", exitCode: 4 });
      const adopted = await fixture.during(other.start(startOf({ generation: 3 })));
      expect(adopted.pid).toBe(first.pid);
      let told = 0;
      other.subscribe(() => {
        told += 1;
      });
      await fixture.kill(adopted);
      await until("the exit to be told to the second", async () => told > 0);
      const ended = await until("the exit", async () => {
        const session = await find("api-polecats-toast", other);
        return session?.state === "Exited" && session;
      });
      expect(ended).toMatchObject({ exitSignal: "SIGKILL" });
      await other.close();
    });

    test("given it runs, when a line is typed, then the program reads it once, or typing is refused as a whole", async () => {
      const session = await start({ behaviour: { does: "Echo" } });
      const screen = async () => (await sessions.capture(session.name, 50)) ?? "";
      await until("the program to be ready", async () => !fixture.canType || (await screen()).includes("ready"));
      const answer = await fixture.during(sessions.type(session.name, 1, "hello there"));
      expect(answer).toBe(fixture.canType ? "Typed" : "Refused");
      if (!fixture.canType) return;
      await until("the answer", async () => (await screen()).includes("got:hello there"));
      expect((await screen()).split("got:hello there")).toHaveLength(2);
    });

    test("given another generation, an exited or a missing session, when typed, then it is Refused", async () => {
      await start({ generation: 2 });
      await start({ name: "api-polecats-done", behaviour: { does: "Exit", code: 0 } });
      await exited("api-polecats-done");
      expect(await fixture.during(sessions.type("api-polecats-toast", 1, "x"))).toBe("Refused");
      expect(await fixture.during(sessions.type("api-polecats-done", 1, "x"))).toBe("Refused");
      expect(await fixture.during(sessions.type("api-polecats-nobody", 1, "x"))).toBe("Refused");
    });

    test("given 32 names, when started at once and stopped at once, then each is there and then none", async () => {
      const names = Array.from({ length: 32 }, (_, index) => `api-polecats-n${index}`);
      await fixture.during(Promise.all(names.map((each) => sessions.start(startOf({ name: each })))));
      const seen = await sessions.observe();
      expect(
        seen.sessions
          .filter((session) => session.state === "Running")
          .map((session) => session.name)
          .sort(),
      ).toEqual([...names].sort());
      await fixture.during(Promise.all(names.map((each) => sessions.stop(each, 1, { graceMs: 3_000 }))));
      expect((await sessions.observe()).sessions).toEqual([]);
    });
  });
}
