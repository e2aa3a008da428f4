import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ProcessSessions,
  type ProcessSessionsOptions,
} from "../../../src/adapters/process-sessions/process-sessions.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { toastShell, toastStart } from "../../ports/session-start.ts";
import { alive, listeningLog, pause, programsBelow, until } from "../sessions/real-programs.ts";

describe.each(["proc", "ps"] as const)("process runtime (%s)", (processSource) => {
  let home: string;
  let sessions: ProcessSessions;
  const opened: ProcessSessions[] = [];
  const open = async (over: Partial<ProcessSessionsOptions> = {}): Promise<ProcessSessions> => {
    const one = await ProcessSessions.open({
      stateDirectory: join(home, "st ate"),
      clock: systemClock,
      log: listeningLog(),
      processSource,
      ...over,
    });
    opened.push(one);
    return one;
  };
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "town-process-"));
    sessions = await open();
  });
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
    const last = await open();
    for (const session of (await last.observe()).sessions)
      await last.stop(session.name, session.generation, { graceMs: 0 });
    await last.close();
    opened.length = 0;
    rmSync(home, { recursive: true, force: true });
  });
  const find = async () => (await sessions.observe()).sessions[0];

  test("given programs killed with SIGKILL, when each dies, then it is noticed with its code", async () => {
    for (let generation = 1; generation <= 5; generation += 1) {
      const session = await sessions.start(toastStart({ generation }));
      const [program = -1] = await programsBelow(session.pid ?? -1);
      let told = 0;
      const unsubscribe = sessions.subscribe(() => {
        told += 1;
      });
      process.kill(program, "SIGKILL");
      await until("the edge", () => told > 0);
      await until("the exit", async () => (await find())?.state === "Exited");
      expect(await find()).toMatchObject({ exitCode: 137, exitSignal: "SIGKILL", generation });
      unsubscribe();
    }
  });

  test("given its shim is killed, when its program goes on, then that is ended and only then it is Exited", async () => {
    const session = await sessions.start(toastShell('trap "" TERM HUP; while :; do sleep 0.2; done'));
    const [program = -1] = await programsBelow(session.pid ?? -1);
    let told = 0;
    sessions.subscribe(() => {
      told += 1;
    });
    process.kill(session.pid ?? Number.NaN, "SIGKILL");
    await until("the exit", async () => {
      const seen = await find();
      if (seen?.state !== "Exited") return false;
      expect(alive(program)).toBe(false);
      return true;
    });
    await until("the edge", () => told > 0);
  });

  test("given an exit while no controller runs, when the next one looks, then code and output are there", async () => {
    await sessions.start(toastShell(`sleep 0.3; echo last words; : >${join(home, "over")}; exit 9`));
    await sessions.close();
    await until("its end", () => existsSync(join(home, "over")));
    await pause(500);
    sessions = await open();
    await until("the exit", async () => (await find())?.state === "Exited");
    expect(await find()).toMatchObject({ exitCode: 9 });
    expect(await sessions.capture("api-polecats-toast", 5)).toBe("last words");
  });

  test("given a program with a child in the background, when the program ends, then it is Exited at once", async () => {
    await sessions.start(toastShell("sleep 600 & echo started; exit 3"));
    await until("the exit", async () => (await find())?.state === "Exited");
    expect(await find()).toMatchObject({ exitCode: 3 });
  });

  test("given a log that is slow to take the last output, when the program has ended, then it is captured all the same", async () => {
    const { name } = await sessions.start(toastShell("sleep 1; echo last words"));
    const reader = await until("what reads for the log", () => {
      const rows = execFileSync("ps", ["-axo", "pid=,ppid=,args="], { encoding: "utf8" })
        .split("\n")
        .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row) ?? []);
      const logger = rows.find(
        ([, , , args = ""]) => args.includes("output-log") && args.includes(sessions.logPath(name, 1)),
      );
      const child = rows.find(([, , parent, args = ""]) => parent === logger?.[1] && args.startsWith("dd "));
      return child === undefined ? undefined : Number(child[1]);
    });
    process.kill(reader, "SIGSTOP");
    await until("the exit", async () => (await find())?.state === "Exited");
    setTimeout(() => process.kill(reader, "SIGCONT"), 300);
    expect(await sessions.capture("api-polecats-toast", 5)).toBe("last words");
  });

  test("given output to both streams, when captured, then it is in order, and stdin is empty", async () => {
    await sessions.start(toastShell("echo one; echo two >&2; cat; echo three"));
    await until("the exit", async () => (await find())?.state === "Exited");
    expect(await sessions.capture("api-polecats-toast", 5)).toBe("one\ntwo\nthree");
    expect(readFileSync(sessions.logPath("api-polecats-toast", 1), "utf8")).toBe("one\ntwo\nthree\n");
  });

  test("given a running session, when it is stopped, then its children are gone as well", async () => {
    const pids = join(home, "pids");
    await sessions.start(
      toastShell(
        `sh -c 'echo $$ >>${pids}; exec sleep 600' & sh -c 'echo $$ >>${pids}; trap "" TERM; while :; do sleep 1; done' & wait`,
      ),
    );
    const children = await until("two children", () => {
      const found = existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : [];
      return found.length === 2 && found;
    });
    await sessions.stop("api-polecats-toast", 1, { graceMs: 200 });
    expect(children.filter(alive)).toEqual([]);
  });

  test.skipIf(processSource === "ps")(
    "given a child that left the process session, when stopped, then it is found by its mark",
    async () => {
      const pids = join(home, "pids");
      await sessions.start(toastShell(`(setsid sh -c 'echo $$ >>${pids}; exec sleep 600' &); exec sleep 600`));
      const child = await until("the stray", () => existsSync(pids) && Number(readFileSync(pids, "utf8")));
      await sessions.stop("api-polecats-toast", 1, { graceMs: 200 });
      expect(alive(child)).toBe(false);
    },
  );

  test("given secrets around, when started, then environment and process list show none of them", async () => {
    const one = await open({ environment: { ...process.env, SECRET: "s3cret" } });
    const out = join(home, "env");
    await one.start(toastShell(`env >${out}.tmp; mv ${out}.tmp ${out}`, { env: { OWN: "own" } }));
    const text = await until("the environment", () => existsSync(out) && readFileSync(out, "utf8"));
    expect(text).toContain("OWN=own\n");
    expect(text).not.toContain("s3cret");
  });

  test("given a closed runtime, when used, then it says so and its sessions live", async () => {
    const session = await sessions.start(toastStart());
    await sessions.close();
    await expect(sessions.observe()).rejects.toMatchObject({ reason: "SessionsClosed" });
    await expect(sessions.start(toastStart())).rejects.toMatchObject({ reason: "SessionsClosed" });
    expect(alive(session.pid ?? -1)).toBe(true);
  });
});
