import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeProgram } from "./fake-program.ts";
import { hasTmux, TownProcess } from "./town-process.ts";

const AGENTS = 6;
/** Long enough for all to run into it, and a limit ends at most a minute after what it says. */
const LIMIT = "You've hit your usage limit. Try again in 60 seconds.";

interface Items {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: {
      readonly state?: string;
      readonly failures?: number;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly hold?: unknown;
    };
  }[];
}

describe.skipIf(!hasTmux())("a program that reached its limit", () => {
  let town: TownProcess;
  let program: FakeProgram;

  beforeEach(() => {
    town = new TownProcess();
    town.initWithNobody();
    program = new FakeProgram(town);
    town.declareWorker("acknowledge: 3s, idle: 4s, busyLimit: 1m, reminders: 2, restarts: 1");
  });
  afterEach(() => town.end());

  const work = (count: number): void => {
    town.declare("AgentPool", "api/workers", `{ role: worker, provider: coder, replicas: ${count} }`);
    town.declareWork(Array.from({ length: count }, (_, index) => ({ name: `item-${index}`, title: `Item ${index}` })));
  };
  const list = (...args: string[]): Items["items"] => (town.json("get", ...args) as Items | undefined)?.items ?? [];
  const limited = (): number =>
    list("agents", "-n", "api").filter((agent) =>
      agent.status?.conditions?.some(({ type, status }) => type === "RateLimited" && status === "True"),
    ).length;
  const progress = (): unknown => town.object("convoy", "hq", "work")?.status?.["progress"];
  const reasons = (): readonly string[] =>
    town.items<{ reason: string }>("get", "events", "-n", "api").map(({ reason }) => reason);

  it("given all agents run into it at once, when it ends, then all go on by themselves, and nothing was spent on it", async () => {
    program.set("limit", LIMIT);
    work(AGENTS);
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("all wait for its end", () => limited() === AGENTS);
    const status = town.run("status").stdout;
    expect(status).toMatch(/Provider\/coder +RateLimited +no session is started until/);
    expect(status).toContain("town reconcile provider/coder");
    // Those that go on within the same minute are one line.
    expect(status).toMatch(/Agent\/api\/\S+ and \d+ more +RateLimited/);
    program.set("limit", undefined);
    await town.until("all is merged", () => progress() === `${AGENTS}/${AGENTS}`, 300_000);
    expect(list("escalations", "-A")).toEqual([]);
    expect(reasons()).not.toContain("Unresponsive");
    expect(program.notes.filter((note) => note.endsWith("started"))).toHaveLength(AGENTS);
    await town.until(
      "its provider is held no more",
      () => town.object("provider", undefined, "coder")?.status?.["hold"] === undefined,
    );
    await town.until("nothing is wrong", () => town.run("status").stdout.includes("No problems."));
  });

  it("given a program that opens a menu about it, when it ends, then a fresh session goes on, and nobody typed into the menu", async () => {
    program.set("limit", "You've hit your usage limit. Try again in 10 seconds.");
    program.set("menu", "What do you want to do?\n> 1. Stop and wait for limit to reset\n  2. Add funds\n");
    work(1);
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    // Its title says that it works, as if the menu were part of that: seen when it has worked for busyLimit.
    await town.until("it waits for its end", () => limited() === 1, 300_000);
    program.set("limit", undefined);
    await town.until("all is merged", () => progress() === "1/1", 300_000);
    expect(program.notes.filter((note) => note.includes("typed into the menu"))).toEqual([]);
    expect(program.notes.filter((note) => note.endsWith("started"))).toHaveLength(2);
  });

  it("given a program that ends at it, when it ends, then it is started again, and was no crash", async () => {
    program.set("limit", "You've hit your usage limit. Try again in 20 seconds.");
    program.set("quits", "");
    work(2);
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("its provider is held", () => town.object("provider", undefined, "coder")?.status?.["hold"]);
    expect(town.run("status").stdout).toMatch(/Provider\/coder +RateLimited/);
    program.set("limit", undefined);
    await town.until("all is merged", () => progress() === "2/2");
    expect(reasons()).not.toContain("Stalled");
    expect(list("agents", "-n", "api").map(({ status }) => status?.failures ?? 0)).toEqual([0, 0]);
  });

  it("given a limit of days that somebody has had lifted, when a person says so, then all go on at once", async () => {
    program.set("limit", "You've hit your usage limit. Try again in 3 days.");
    work(2);
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("they wait for its end", () => limited() === 2);
    program.set("limit", undefined);
    expect(town.run("reconcile", "provider/coder")).toMatchObject({ status: 0 });
    await town.until("all is merged", () => progress() === "2/2");
  });

  it("given an idle program, when a message comes before its start hook has called, then the message is acted on, once", async () => {
    program.set("work.sh", undefined);
    town.declare("AgentPool", "api/crew", "{ role: crew, provider: coder, replicas: 1, names: [pat] }");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("it is to be", () => town.object("agent", "api", "pat"));
    expect(town.run("nudge", "api/pat", "pull main")).toMatchObject({ status: 0 });
    const told = (): readonly string[] => program.notes.filter((note) => note.includes("told: "));
    await town.until("it is told in a turn", () => told().length > 0);
    expect(told()[0]).toContain("pull main");
    expect(told()[0]).not.toContain("again=");
    await town.until("nothing waits", () => town.run("get", "messages", "-n", "api").stdout.includes("Delivered"));
    expect(told()).toHaveLength(1);
  });
});
