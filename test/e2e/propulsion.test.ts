import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasTmux, TownProcess } from "./town-process.ts";

describe.skipIf(!hasTmux())("agents are kept at what is on their hook", () => {
  let town: TownProcess;

  beforeEach(() => {
    town = new TownProcess();
    town.initWithNobody();
  });

  afterEach(() => town.end());

  /** A role with short clocks, and one agent of it that goes wrong. */
  const worker = (misbehave: string, propulsion: string): void => {
    town.declare("Role", "worker", `{ lifecycle: Ephemeral, formula: work, prompt: Work., propulsion: ${propulsion} }`);
    town.declare(
      "AgentPool",
      "api/workers",
      `{ role: worker, provider: shell, replicas: 1, env: [{ name: TOWN_SHELL_AGENT_MISBEHAVE, value: "${misbehave}" }] }`,
    );
    town.declareWork([{ name: "one", script: "echo one > one.txt" }]);
  };
  /** Starts the town with one agent that has nothing on its hook; returns its name. */
  const idleAgent = (): Promise<string> => {
    town.declare("AgentPool", "api/crew", "{ role: crew, provider: shell, replicas: 1 }");
    town.run("up", "-d");
    return town.until("it runs", () => {
      const found = town.json("get", "sessions", "-n", "api") as
        | { items: { metadata: { name: string }; status: { state: string } }[] }
        | undefined;
      return found?.items.find((each) => each.status.state === "Running")?.metadata.name;
    });
  };
  const closed = (): boolean => town.isWorkClosed();
  const reasons = (): readonly string[] =>
    ((town.json("get", "events", "-n", "api") as { items: { reason: string }[] } | undefined)?.items ?? []).map(
      (event) => event.reason,
    );

  it("given an agent that ignores its hook, waits for input and hangs, when nobody helps, then its work ends", async () => {
    worker(
      "ignore-hook,wait-for-input:implement,hang:verify",
      "{ acknowledge: 2s, idle: 3s, busyLimit: 8s, reminders: 2, restarts: 5 }",
    );
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    // Each way to go wrong is seen after some clocks of its own.
    await town.until("the convoy closes", closed, 300_000);
    expect(reasons()).toEqual(expect.arrayContaining(["Reminded", "Unresponsive"]));
  });

  it("given an agent that ignores everything, when all was tried, then it is Stalled with its last screen, a person is asked, and its answer is heard", async () => {
    worker("ignore-hook!", "{ acknowledge: 1s, idle: 2s, busyLimit: 5s, reminders: 1, restarts: 1 }");
    town.run("up", "-d");
    const agent = await town.until("it is given up", () => {
      const found = town.json("get", "agents", "-n", "api") as
        | { items: { metadata: { name: string }; status?: { state: string; lastOutput?: string } }[] }
        | undefined;
      return found?.items.find((each) => each.status?.state === "Stalled");
    });
    expect(agent.status?.lastOutput).toContain("misbehaving: ignore-hook");
    const raised = town.json("get", "escalations", "-n", "api") as {
      items: { spec: { title: string; text: string } }[];
    };
    expect(raised.items).toHaveLength(1);
    expect(raised.items[0]?.spec.title).toContain("does not act on api-");
    expect(raised.items[0]?.spec.text).toContain("misbehaving: ignore-hook");
    expect(town.run("describe", `agent/${agent.metadata.name}`, "-n", "api").stdout).toContain("Unresponsive");
  });

  it("given an idle agent and a person who writes to it, when nudged, then it shows the message once; mail is answered both ways", async () => {
    const name = await idleAgent();
    const screen = (): string => town.run("peek", `api/${name}`, "--lines", "200").stdout;
    await town.until("its prompt shows", () => screen().includes(`shell-agent api/crew/${name}>`));
    expect(town.run("nudge", `api/${name}`, "the API changed, pull main").stdout).toContain(`sent to api/crew/${name}`);
    await town.until("it shows the message", () => screen().includes("message from overseer: the API changed"));
    const mail = town.run("mail", "send", `api/${name}`, "-s", "Hello", "-m", "how are you");
    expect(mail).toMatchObject({ status: 0 });
    await town.until("it shows the mail", () => screen().includes("message from overseer: Hello"));
    expect(screen().split("the API changed").length - 1).toBe(1);
    const messages = town.json("get", "messages", "-n", "api") as { items: { status: { state: string } }[] };
    expect(messages.items.map((each) => each.status.state).every((state) => state !== "Waiting")).toBe(true);
    expect(town.run("mail", "inbox").stdout).toContain("no mail");
  });

  it("given a program that asks something itself, when nobody answers, then no reminder is spent; it says so, and goes on once answered", async () => {
    const ready =
      '{ screen: "^shell-agent .*>(?![^])", idleTitle: "^shell-agent idle", busyTitle: "^shell-agent busy" }';
    town.declare(
      "Provider",
      "asking",
      `{ command: ["{shellAgent}"], ready: ${ready}, patterns: { dialogOpen: "^Continue\\\\? \\\\[y/N\\\\]" } }`,
    );
    worker("wait-for-input:implement", "{ acknowledge: 2s, idle: 3s, busyLimit: 8s, reminders: 1, restarts: 1 }");
    town.edit("api/agentpools/workers.yaml", "provider: shell", "provider: asking");
    town.run("up", "-d");
    const conditions = (): readonly string[] =>
      (
        town.json("get", "agents", "-n", "api") as
          | { items: { status?: { conditions?: { type: string }[] } }[] }
          | undefined
      )?.items.flatMap((each) => (each.status?.conditions ?? []).map((condition) => condition.type)) ?? [];
    await town.until("the dialog is seen", () => conditions().includes("DialogOpen"));
    expect(reasons()).not.toContain("Reminded");
    spawnSync("tmux", ["-L", town.tmuxLabel, "send-keys", "-t", "=api-worker-toast:", "y", "Enter"], { env: town.env });
    await town.until("the convoy closes", closed);
    expect(conditions()).not.toContain("DialogOpen");
  });

  it("given a hundred nudges at once, when they come, then each is shown once and in order, for a few rings", async () => {
    const name = await idleAgent();
    const cli = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));
    const nudges = Array.from({ length: 100 }, (_, index) => `nudge number ${index} ends here`);
    const began = Date.now();
    await Promise.all(
      nudges.map(
        (text) =>
          new Promise<void>((resolve, reject) => {
            const child = spawn(process.execPath, [cli, "-C", town.directory, "nudge", `api/${name}`, text], {
              env: town.env,
              stdio: "ignore",
            });
            child.on("error", reject);
            child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`nudge ended with ${code}`))));
          }),
      ),
    );
    const screen = (): string => town.run("peek", `api/${name}`, "--lines", "1000").stdout;
    const shown = (): readonly string[] => screen().match(/nudge number \d+ ends here/g) ?? [];
    await town.until("all are shown", () => shown().length >= 100);
    expect([...shown()].sort()).toEqual([...nudges].sort());
    // At most one in 2 s, however long a hundred commands take on this machine.
    const most = Math.ceil((Date.now() - began) / 2_000) + 1;
    expect((screen().match(/Something waits for you/g) ?? []).length).toBeLessThanOrEqual(most);
    const numbers = (
      town.json("get", "messages", "-n", "api") as {
        items: { spec: { subject: string }; status: { sequence: number } }[];
      }
    ).items
      .toSorted((a, b) => a.status.sequence - b.status.sequence)
      .map((each) => each.spec.subject);
    expect(shown()).toEqual(numbers);
  });
});
