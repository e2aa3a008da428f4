import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HeldSocket } from "./held-socket.ts";
import { type Answer, hasTmux, TownProcess } from "./town-process.ts";

const CLI = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

describe("how work ends, in a real town", () => {
  let town: TownProcess;
  let project: string;

  beforeEach(() => {
    town = new TownProcess();
    project = town.initWithNobody({ gate: "test ! -e bad.txt" });
  });
  afterEach(() => town.end());

  const pool = (role: string, more = ""): void =>
    town.declare("AgentPool", "api/pool", `{ role: ${role}, provider: shell, replicas: 1${more} }`);
  const bead = (title: string, script?: string): string => {
    const description = script === undefined ? [] : ["--description", `\`\`\`sh\n${script}\n\`\`\``];
    const made = town.run("bd", "create", title, "--rig", "api", ...description, "--json");
    expect(made).toMatchObject({ status: 0 });
    return (JSON.parse(made.stdout) as { id: string }).id;
  };
  const closed = (id: string) => (): boolean => town.object("bead", "api", id)?.status?.["state"] === "closed";
  const text = (name: string): string => readFileSync(join(project, name), "utf8");

  /** A program that a person started, as that agent. */
  interface Joined {
    readonly env: Record<string, string>;
    readonly sandbox: string;
    run(...line: string[]): Answer;
  }
  const joined = (name: string): Joined => {
    const answer = town.json("join", name) as unknown as {
      env: Record<string, string>;
      programs: string;
      sandbox: string;
    };
    const env = { ...town.env, ...answer.env, PATH: `${answer.programs}:${town.env["PATH"]}` };
    return { env, sandbox: answer.sandbox, run: (...line) => inside(env, answer.sandbox, line) };
  };
  const inside = (env: Record<string, string>, cwd: string, [program = "", ...args]: readonly string[]): Answer => {
    const { status, stdout, stderr } = spawnSync(program, args, { env, cwd, encoding: "utf8", timeout: 120_000 });
    return { status, stdout, stderr };
  };

  it.skipIf(!hasTmux())(
    "given an agent that asks a question, when nobody answers, then it keeps its hook and is not reminded; the answer reaches it and it goes on",
    async () => {
      town.declareWorker("acknowledge: 1s, idle: 1s, busyLimit: 5s, reminders: 20, restarts: 1", "WorkHook, SendMail");
      pool("worker", ', env: [{ name: TOWN_SHELL_AGENT_MISBEHAVE, value: "ignore-hook!" }]');
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
      const id = bead("paint it");
      await town.until("somebody can take it", () => town.run("sling", id).status === 0);
      const name = await town.until(
        "it is on a hook",
        () => town.object("bead", "api", id)?.status?.["assignee"] as string | undefined,
      );
      const agent = name.split("/").at(-1) ?? "";
      // Its program sits at its prompt; its hooks speak for it, with its own token.
      const endpoint = JSON.parse(readFileSync(join(town.directory, ".git/town/endpoint.json"), "utf8")) as {
        socket: string;
      };
      const speak = (...args: string[]): Answer =>
        inside(
          {
            ...town.env,
            TOWN_SOCKET: endpoint.socket,
            TOWN_TOKEN_FILE: join(town.directory, `.git/town/tokens/sessions/api-${agent}`),
            TOWN_AGENT: name,
            TOWN_NAMESPACE: "api",
          },
          town.home,
          [process.execPath, CLI, ...args],
        );
      const rings = (): number =>
        (town.run("peek", `api/${agent}`, "--lines", "1000").stdout.match(/Something waits for you/g) ?? []).length;
      await town.until("it is reminded", () => rings() > 0);
      expect(speak("prime").stdout).toContain(`Your hook holds ${id}`);
      expect(speak("done", "--outcome", "Question").stderr).toContain('--outcome Question --reason "…"');
      expect(speak("done", "--outcome", "Question", "--reason", "red or blue?").stdout).toContain(
        "Wait for the answer",
      );
      await town.until("a person sees it", () => town.run("status").stdout.includes("red or blue?"));
      await town.until("it shows that it asks", () =>
        town.run("get", "agents", "-n", "api", "-o", "wide").stdout.includes("Asking"),
      );
      const asked = rings();
      await sleep(5_000);
      expect(rings()).toBe(asked);
      expect(town.object("bead", "api", id)?.status?.["assignee"]).toBe(name);
      const mail = /(hq-\S+)/.exec(town.run("mail", "inbox").stdout)?.[1] ?? "";
      expect(town.run("mail", "reply", mail, "red, of course")).toMatchObject({ status: 0 });
      await town.until("its doorbell is rung", () => rings() > asked);
      expect(speak("nudge", "drain").stdout).toContain("red, of course");
      expect(speak("done", "--outcome", "NoChange", "--reason", "it is red already").stdout).toContain("NoChange");
      await town.until("the bead is closed", closed(id));
      expect((town.json("get", "mergerequests", "-n", "api") as { items: unknown[] }).items).toEqual([]);
      expect(town.run("status").stdout).not.toContain("red or blue?");
    },
  );

  it("given work that needs other work first, or fails, when it says so, then it is let go, waits or is tried again, and ends", async () => {
    pool("polecat");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const other = bead("the other work");
    const waits = bead(
      "needs the other",
      `if [ ! -e "$HOME/unblocked" ]; then town done --outcome Blocked --on ${other} --reason "the door is locked"; sleep 60; fi\necho in > room.txt`,
    );
    expect(town.run("sling", waits)).toMatchObject({ status: 0 });
    await town.until("it is blocked", () => town.run("bd", "show", waits).stdout.includes("the door is locked"));
    await town.until("its hook is empty", () => town.object("bead", "api", waits)?.status?.["assignee"] === undefined);
    expect(town.run("bd", "ready", "--rig", "api").stdout).not.toContain(waits);
    writeFileSync(join(town.home, "unblocked"), "");
    expect(town.run("bd", "close", other)).toMatchObject({ status: 0 });
    await town.until("it is merged", closed(waits));
    expect(text("room.txt")).toBe("in\n");
    const fails = bead(
      "fails once",
      `if [ "$TOWN_ATTEMPT" = 1 ]; then town done --outcome Failed --reason "no luck today"; sleep 60; fi\ntown prime > primed.txt`,
    );
    expect(town.run("sling", fails)).toMatchObject({ status: 0 });
    await town.until("it is merged", closed(fails));
    expect(text("primed.txt")).toContain("Attempt 2");
    expect(text("primed.txt")).toContain("no luck today");
    const agents = town.json("get", "agents", "-n", "api") as { items: { status: { ledger: { failed: number } } }[] };
    expect(agents.items.reduce((sum, { status }) => sum + status.ledger.failed, 0)).toBe(1);
  });

  it("given a plain shell that joined, when it would lose its work, then it is refused with what to do; it hands in what a person asked for without a bead", async () => {
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the rig is ready", () => town.run("bd", "list", "--rig", "api").status === 0);
    const id = bead("by hand");
    const pat = joined("pat");
    expect(town.run("hook", "pat", id)).toMatchObject({ status: 0 });
    await town.until("it has it", () => town.object("sandbox", "api", "pat")?.status?.["bead"] === id);
    expect(pat.run("town", "prime").stdout).toContain(`Your hook holds ${id}`);
    for (const line of [`town close ${id}`, `bd close ${id}`, `bd update ${id} --status open`]) {
      const refused = pat.run(...line.split(" "));
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain("town done");
    }
    writeFileSync(join(pat.sandbox, "work.txt"), "work\n");
    expect(pat.run("town", "done")).toMatchObject({ status: 5, stderr: expect.stringContaining("git add -A") });
    expect(pat.run("town", "done", "--outcome", "NoChange").stderr).toContain("hand them in: town done");
    expect(pat.run("git", "add", "--all")).toMatchObject({ status: 0 });
    expect(pat.run("git", "commit", "--quiet", "--message", "By hand")).toMatchObject({ status: 0 });
    expect(pat.run("git", "log", "-1", "--format=%B").stdout).toContain(`Town-Bead: ${id}`);
    expect(pat.run("town", "done")).toMatchObject({ status: 0 });
    await town.until("the work is merged", closed(id));
    writeFileSync(join(pat.sandbox, "asked.txt"), "asked\n");
    expect(pat.run("git", "add", "--all")).toMatchObject({ status: 0 });
    expect(pat.run("git", "commit", "--quiet", "--message", "What Pat asked for")).toMatchObject({ status: 0 });
    const own = /^(api-\S+) submitted/.exec(pat.run("town", "done").stdout)?.[1] ?? "";
    await town.until("that is merged, too", closed(own));
    expect(text("asked.txt")).toBe("asked\n");
    // What a gate rejects comes back to who made it, with the reason.
    writeFileSync(join(pat.sandbox, "bad.txt"), "bad\n");
    expect(pat.run("git", "add", "--all")).toMatchObject({ status: 0 });
    expect(pat.run("git", "commit", "--quiet", "--message", "What the gate will not have")).toMatchObject({
      status: 0,
    });
    const sentBack = /^(api-\S+) submitted/.exec(pat.run("town", "done").stdout)?.[1] ?? "";
    await town.until("it is on the hook again", () => pat.run("town", "hook").stdout.includes(sentBack));
    const told = pat.run("town", "prime").stdout;
    expect(told).toContain("Attempt 2: the last one was sent back");
    expect(told).toContain(`${sentBack} was not merged`);
    expect(town.run("get", "mergerequests", "-n", "api").stdout).toMatch(new RegExp(`Rejected .*${sentBack}`));
    expect(pat.run("git", "rm", "--quiet", "bad.txt")).toMatchObject({ status: 0 });
    expect(pat.run("git", "commit", "--quiet", "--message", "Without it")).toMatchObject({ status: 0 });
    expect(pat.run("town", "done")).toMatchObject({ status: 0 });
    await town.until("then it is merged", closed(sentBack));
    expect(pat.run("town", "join", "--leave")).toMatchObject({ status: 0, stdout: "api/crew/pat has left\n" });
    expect(pat.run("town", "prime").status).not.toBe(0);
  });

  it("given hooks that are killed at every point of a drain, when the program's next hook drains, then no message is lost", async () => {
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the rig is ready", () => town.run("bd", "list", "--rig", "api").status === 0);
    const pat = joined("pat");
    const socket = await HeldSocket.listen(join(town.home, "held.sock"), pat.env["TOWN_SOCKET"] ?? "");
    const drain = (onStart?: (kill: () => void) => void): Promise<string> => {
      const child = spawn(process.execPath, [CLI, "nudge", "drain"], {
        env: { ...pat.env, TOWN_SOCKET: socket.path },
        cwd: pat.sandbox,
        stdio: ["ignore", "pipe", "inherit"],
      });
      let output = "";
      child.stdout.setEncoding("utf8").on("data", (data: string) => (output += data));
      onStart?.(() => child.kill("SIGKILL"));
      return new Promise((resolve) => child.on("close", () => resolve(output)));
    };
    const killedAt = (verb: string, what: "Answer" | "Request"): Promise<string> =>
      drain((kill) => void socket.hold({ verb, what }).then(kill));
    try {
      expect(town.run("nudge", "pat", "the API changed")).toMatchObject({ status: 0 });
      // Before the town heard of it; after it handed the message over; and after that was printed.
      expect(await killedAt("nudge drain", "Request")).toBe("");
      expect(await killedAt("nudge drain", "Answer")).toBe("");
      const printed = await killedAt("receipt", "Request");
      expect(printed).toContain('subject="the API changed" again="true"');
      socket.letGo();
      const again = await drain();
      expect(again).toContain('subject="the API changed" again="true"');
      expect(await drain()).toBe("");
      const messages = town.json("get", "messages", "-n", "api") as { items: { status: { state: string } }[] };
      expect(messages.items.map(({ status }) => status.state)).toEqual(["Acknowledged"]);
    } finally {
      await socket.close();
    }
  });
});
