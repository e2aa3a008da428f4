import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeProgram } from "./fake-program.ts";
import { hasTmux, TownProcess } from "./town-process.ts";

interface Event {
  readonly reason: string;
  readonly message: string;
  readonly involvedObject?: { readonly name?: string };
}

interface Session {
  readonly spec: { readonly generation: number };
  readonly status: { readonly state: string; readonly pid?: number };
}

/** A file of a process below /proc; empty once that is gone. */
function ofProcess(pid: number | string, file: "stat" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

/** What nobody has buried yet does nothing any more. */
function lives(pid: number): boolean {
  const stat = ofProcess(pid, "stat");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

describe.skipIf(!hasTmux())("a session that lives while its program does nothing", () => {
  let town: TownProcess;
  let program: FakeProgram;

  beforeEach(() => {
    town = new TownProcess();
    town.initWithNobody();
    program = new FakeProgram(town);
    town.declareWorker("acknowledge: 2s, idle: 3s, busyLimit: 6s, reminders: 1, restarts: 3");
    town.declare("AgentPool", "api/workers", "{ role: worker, provider: coder, replicas: 1, names: [toast] }");
    town.declareWork([{ name: "one" }]);
  });
  afterEach(() => town.end());

  const merged = (): boolean => town.object("convoy", "hq", "work")?.status?.["progress"] === "1/1";
  const events = (reason: string): readonly string[] =>
    town
      .items<Event>("get", "events", "-n", "api")
      .filter((event) => event.reason === reason)
      .map(({ message }) => message);
  const session = (): { readonly pid: number; readonly generation: number } | undefined => {
    const found = town.items<Session>("get", "sessions", "-n", "api").find(({ status }) => status.state === "Running");
    return found?.status.pid === undefined ? undefined : { pid: found.status.pid, generation: found.spec.generation };
  };
  /** The program itself, below its session's first process. */
  const programPid = (): number | undefined => {
    const first = session()?.pid;
    if (first === undefined) return undefined;
    const parents = new Map<number, number>();
    for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
      const text = ofProcess(name, "stat");
      parents.set(Number(name), Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]));
    }
    const isBelow = (pid: number): boolean => pid === first || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
    return [...parents.keys()].find((pid) => isBelow(pid) && ofProcess(pid, "cmdline").includes("coder.cjs"));
  };

  /** So that it can be stopped before anybody asks it, however long that takes here. */
  const patiently = (): void => town.edit("roles/worker.yaml", "busyLimit: 6s", "busyLimit: 25s");
  /** It has called its start hook and has its prompt: one stopped before that gets the time that a start may take. */
  const started = async (): Promise<number> => {
    await town.until("it was prompted", () => program.notes.some((note) => note.includes(" prompted: ")));
    return town.until("it runs", programPid);
  };

  it("given a program that is gone while a shell stays in its place, when nothing answers, then the session is replaced with what was seen, and the work ends", async () => {
    program.set("leaves a shell", "");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    // A start may take a minute before anything is typed.
    await town.until("it is given up", () => events("Unresponsive").length > 0, 300_000);
    expect(events("Unresponsive")[0]).toContain("generation 1 is restarted: 1 reminders had no answer");
    expect(town.object("agent", "api", "toast")?.status?.["lastOutput"]).toContain("coder: out of memory");
    await town.until("its work is merged", merged);
    expect(events("SessionEnded").join()).not.toMatch(/exit code|signal/);
  });

  it("given a program that hangs, shows that it is busy and uses nothing, when its time is over, then it is asked, replaced, and the work ends", async () => {
    program.set("hangs", "");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("it is given up", () => events("Unresponsive").length > 0);
    program.set("hangs", undefined);
    expect(events("Reminded").join("\n")).toContain("generation 1 was reminded of");
    await town.until("its work is merged", merged);
  });

  it.skipIf(process.platform !== "linux")(
    "given a program that was stopped, when it stays so, then it is asked first and replaced only after that; its process is gone",
    async () => {
      patiently();
      program.set("hangs", "");
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
      const pid = await started();
      process.kill(pid, "SIGSTOP");
      program.set("hangs", undefined);
      // Read from the record: each of these states lasts seconds only.
      await town.until("it is given up", () => events("Unresponsive").length > 0);
      // Silence alone proved nothing: it was neither dead nor replaced before it had been asked.
      expect(events("Reminded").toSorted()).toEqual([
        expect.stringContaining("1 reminders had no answer"),
        expect.stringContaining("generation 1 was reminded of"),
      ]);
      expect(events("Unresponsive")[0]).toContain("generation 1 is restarted: 1 reminders had no answer");
      await town.until("it is replaced", () => events("SessionStarted").some((text) => text.includes("generation 2")));
      expect(lives(pid)).toBe(false);
      await town.until("its work is merged", merged);
    },
  );

  it.skipIf(process.platform !== "linux")(
    "given a program that was stopped and goes on in time, when it has answered, then nobody was replaced",
    async () => {
      town.edit("roles/worker.yaml", "reminders: 1", "reminders: 5");
      patiently();
      program.set("hangs", "");
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
      const pid = await started();
      process.kill(pid, "SIGSTOP");
      program.set("hangs", undefined);
      await town.until("it is asked", () => events("Reminded").length > 0);
      process.kill(pid, "SIGCONT");
      await town.until("its work is merged", merged);
      expect(events("Unresponsive")).toEqual([]);
      expect(town.object("agent", "api", "toast")?.status?.["generation"]).toBe(1);
    },
  );

  it.skipIf(process.platform !== "linux")(
    "given a program that was stopped and its work is handed on, when seen, then it is a zombie, is ended, and what it left is kept",
    async () => {
      program.set("work.sh", "town prime > /dev/null; echo half > half.txt; sleep 600");
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
      const sandbox = join(town.directory, "rigs/api/workers/toast");
      await town.until("it has begun", () => existsSync(join(sandbox, "half.txt")));
      const pid = await town.until("it runs", programPid);
      process.kill(pid, "SIGSTOP");
      const id = String(town.object("agent", "api", "toast")?.status?.["hook"]);
      town.edit("api/agentpools/workers.yaml", "replicas: 1", "replicas: 0");
      expect(town.run("hook", "api/toast", "--clear", "--force", "--reason", "somebody else does it")).toMatchObject({
        status: 0,
      });
      await town.until("it is ended", () => events("SessionStopped").length > 0);
      expect(events("SessionStopped").join("\n")).toMatch(/closed or handed on/);
      await town.until("its process is gone", () => !lives(pid));
      await town.until("its sandbox is gone", () => !existsSync(sandbox));
      await sleep(100);
      const clone = join(town.directory, ".git/town/rigs/api.git");
      const kept = town
        .git(clone, "for-each-ref", "--format=%(refname)", "refs/town")
        .split("\n")
        .filter((ref) => ref.includes(id));
      const found = kept.some((ref) => town.git(clone, "ls-tree", "--name-only", "-r", ref).includes("half.txt"));
      expect(found).toBe(true);
    },
  );
});
