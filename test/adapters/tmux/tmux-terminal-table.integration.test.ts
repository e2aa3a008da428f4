import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import type { SessionStart } from "../../../src/ports/sessions.ts";
import { pause, until } from "../sessions/real-programs.ts";
import { tmuxInstalled, tmuxWorld, type TmuxWorld } from "./tmux-world.ts";
import { TYPING_AGENT } from "./typing-agent.ts";

/** util-linux' `script` gives a person's terminal. */
const personPossible = process.platform === "linux";
const NAME = "api-polecats-toast";
const LINE = "[town] Something waits for you: run `town prime` and do what it says.";

// What went wrong for others when they typed at agents, each as it is on a real terminal: lost, doubled, or for another.
describe.skipIf(!tmuxInstalled)("typing at hostile terminals", () => {
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  let out: string;
  const people: ChildProcess[] = [];
  beforeEach(async () => {
    world = tmuxWorld();
    sessions = await world.open();
    out = join(world.stateDirectory, "out");
    writeFileSync(join(world.stateDirectory, "agent.cjs"), TYPING_AGENT);
  });
  afterEach(async () => {
    for (const person of people.splice(0)) person.kill("SIGKILL");
    await world.dispose();
  });

  const notes = (): readonly { readonly kind: string; readonly text: string }[] => {
    const lines = existsSync(out) ? readFileSync(out, "utf8").split("\n").slice(0, -1) : [];
    return lines.map((line) => JSON.parse(line) as { kind: string; text: string });
  };
  const submitted = (): readonly string[] =>
    notes()
      .filter((note) => note.kind === "submitted" && note.text !== "")
      .map((note) => note.text);
  const command = (mode: string): readonly string[] => [
    process.execPath,
    join(world.stateDirectory, "agent.cjs"),
    mode,
    out,
  ];
  const agent = async (mode: string, over: Partial<SessionStart> = {}): Promise<void> => {
    const before = notes().filter((note) => note.kind === "ready").length;
    await sessions.start({
      name: NAME,
      namespace: "api",
      agent: "toast",
      role: "polecat",
      generation: 1,
      cwd: "/tmp",
      env: {},
      argv: command(mode),
      ...over,
    });
    await until("the agent to be ready", () => notes().filter((note) => note.kind === "ready").length > before);
    await pause(100);
  };
  const attach = async (): Promise<ChildProcess> => {
    const person = spawn("/usr/bin/script", ["-qec", sessions.attachCommand(NAME).join(" "), "/dev/null"], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, TERM: "xterm", TMUX: undefined },
    });
    people.push(person);
    await until("the person to be attached", () => world.tmux("list-clients", "-F", "#{session_name}").includes(NAME));
    return person;
  };

  test.each([
    ["an agent on the alternate screen", "alternate", {}],
    ["an agent that looks at its input now and then", "slow", {}],
    ["an agent that draws nothing", "mute", {}],
    ["a window of 20 columns and 3 rows", "plain", { columns: 20, rows: 3 }],
  ] as const)("given %s, when rung, then the line is submitted once and whole", async (_what, mode, over) => {
    await agent(mode, over);
    expect(await sessions.type(NAME, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(1_200);
    expect(submitted()).toEqual([LINE]);
  });

  test("given 10 kB of text with quotes, braces and formats, when typed, then it arrives whole, as one block, once", async () => {
    await agent("plain");
    const odd = `#{pane_id} %1 $(id) \`id\` "'{}\\ ; kill-server é✳`;
    const text = Array.from({ length: 160 }, (_, index) => `${index} ${odd} ${"x".repeat(12)}`).join("\n");
    expect(Buffer.byteLength(text)).toBeGreaterThan(10_000);
    expect(await sessions.type(NAME, 1, text)).toBe("Typed");
    await until("the submission", () => submitted().length > 0, 10_000);
    await pause(500);
    expect(submitted().map((each) => each.replaceAll("\r", "\n"))).toEqual([text]);
    expect(notes().filter((note) => note.kind === "block")).toHaveLength(1);
  });

  test("given the session was renamed by a person, when rung, then it is the same agent that is rung", async () => {
    await agent("plain");
    world.tmux("rename-session", "-t", `=${NAME}`, "mine");
    expect(await sessions.type(NAME, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual([LINE]);
  });

  test("given the pane was respawned by a person, when rung for the program that was there, then nothing is typed", async () => {
    await agent("plain");
    const before = notes().filter((note) => note.kind === "ready").length;
    world.tmux("respawn-pane", "-k", "-t", `=${NAME}:`, ...command("plain"));
    await until("the other program", () => notes().filter((note) => note.kind === "ready").length > before);
    expect(await sessions.type(NAME, 1, LINE)).toBe("Refused");
    await pause(300);
    expect(submitted()).toEqual([]);
  });

  test("given a successor started while the line is typed, when it is over, then no successor got half of it", async () => {
    await agent("plain");
    const rings = sessions.type(NAME, 1, LINE);
    await agent("plain", { generation: 2 });
    await rings;
    await pause(500);
    const blocks = notes().filter((note) => note.kind === "block");
    expect(blocks.length).toBe(submitted().length);
    expect(submitted().filter((text) => text !== LINE)).toEqual([]);
    expect(submitted().length).toBeLessThanOrEqual(1);
  });

  test("given the server died and a person made a session of that name, when rung, then nothing is typed at it", async () => {
    await agent("plain");
    process.kill(Number(world.tmux("display-message", "-p", "#{pid}")), "SIGKILL");
    await until("the loss", async () => (await sessions.observe()).completeness === "ServerGone");
    const before = notes().filter((note) => note.kind === "ready").length;
    world.tmux("new-session", "-d", "-s", NAME, ...command("plain"));
    await until("the person's program", () => notes().filter((note) => note.kind === "ready").length > before);
    expect(await sessions.type(NAME, 1, LINE)).toBe("Refused");
    await pause(300);
    expect(submitted()).toEqual([]);
    world.tmux("kill-session", "-t", `=${NAME}`);
  });

  test("given a server that was ended and started again between two rings, when the next generation is rung, then once", async () => {
    await agent("plain");
    world.tmux("kill-server");
    await until("the loss", async () => (await sessions.observe()).completeness === "ServerGone");
    expect(await sessions.type(NAME, 1, "for the dead")).toBe("Refused");
    await agent("plain", { generation: 2 });
    expect(await sessions.type(NAME, 1, "for the dead")).toBe("Refused");
    expect(await sessions.type(NAME, 2, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual([LINE]);
  });

  test.skipIf(!personPossible)(
    "given a person who attached and whose terminal went away, when rung, then the line is submitted once",
    async () => {
      await agent("plain");
      const person = await attach();
      person.kill("SIGKILL");
      await until(
        "the person to be gone",
        () => !world.tmux("list-clients", "-F", "#{session_name}").includes(NAME),
        10_000,
      );
      await until("the doorbell", async () => (await sessions.type(NAME, 1, LINE)) === "Typed", 10_000);
      await until("the submission", () => submitted().length > 0);
      await pause(500);
      expect(submitted()).toEqual([LINE]);
    },
  );

  test("given a ring whose Enter was lost for good, when rung again, then both are submitted as one, and it is nothing but doorbells", async () => {
    await agent("numb");
    await sessions.type(NAME, 1, LINE);
    expect(submitted()).toEqual([]);
    expect(await sessions.type(NAME, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(500);
    expect(submitted().filter((text) => text !== "")).toEqual([`${LINE}${LINE}`]);
  });

  test("given rings for eight agents at once, when typed, then each gets its own, once", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `api-polecats-n${index}`);
    for (const name of names) await agent("plain", { name, agent: name });
    const answers = await Promise.all(names.map((name) => sessions.type(name, 1, `line for ${name}`)));
    expect(new Set(answers)).toEqual(new Set(["Typed"]));
    await until("all submissions", () => submitted().length >= names.length, 10_000);
    expect([...submitted()].sort()).toEqual(names.map((name) => `line for ${name}`).sort());
  });
});
