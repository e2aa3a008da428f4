import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import { TOAST } from "../../ports/session-start.ts";
import { pause, until } from "../sessions/real-programs.ts";
import { tmuxInstalled, type TmuxWorld } from "./tmux-world.ts";
import { TypingWorld } from "./typing-world.ts";

/** util-linux' `script` gives a person's terminal. */
const personPossible = process.platform === "linux";
const LINE = "[town] Something waits for you: run `town prime` and do what it says.";

// What went wrong for others when they typed at agents, each as it is on a real terminal: lost, doubled, or for another.
describe.skipIf(!tmuxInstalled)("typing at hostile terminals", () => {
  let typing: TypingWorld;
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  beforeEach(async () => {
    typing = await TypingWorld.open();
    ({ world, sessions } = typing);
  });
  afterEach(() => typing.dispose());

  const notes = () => typing.notes();
  const submitted = () => typing.submitted().filter((text) => text !== "");

  test.each([
    ["an agent on the alternate screen", "alternate", {}],
    ["an agent that looks at its input now and then", "slow", {}],
    ["an agent that draws nothing", "mute", {}],
    ["a window of 20 columns and 3 rows", "plain", { columns: 20, rows: 3 }],
  ] as const)("given %s, when rung, then the line is submitted once and whole", async (_what, mode, over) => {
    await typing.start(mode, over);
    expect(await sessions.type(TOAST, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(1_200);
    expect(submitted()).toEqual([LINE]);
  });

  test("given 10 kB of text with quotes, braces and formats, when typed, then it arrives whole, as one block, once", async () => {
    await typing.start("plain");
    const odd = `#{pane_id} %1 $(id) \`id\` "'{}\\ ; kill-server é✳`;
    const text = Array.from({ length: 160 }, (_, index) => `${index} ${odd} ${"x".repeat(12)}`).join("\n");
    expect(Buffer.byteLength(text)).toBeGreaterThan(10_000);
    expect(await sessions.type(TOAST, 1, text)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(500);
    expect(submitted().map((each) => each.replaceAll("\r", "\n"))).toEqual([text]);
    expect(notes().filter((note) => note.kind === "block")).toHaveLength(1);
  });

  test("given the session was renamed by a person, when rung, then it is the same agent that is rung", async () => {
    await typing.start("plain");
    world.tmux("rename-session", "-t", `=${TOAST}`, "mine");
    expect(await sessions.type(TOAST, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual([LINE]);
  });

  test("given the pane was respawned by a person, when rung for the program that was there, then nothing is typed", async () => {
    await typing.start("plain");
    await typing.ready(() => world.tmux("respawn-pane", "-k", "-t", `=${TOAST}:`, ...typing.command("plain")));
    expect(await sessions.type(TOAST, 1, LINE)).toBe("Refused");
    await pause(300);
    expect(submitted()).toEqual([]);
  });

  test("given a successor started while the line is typed, when it is over, then no successor got half of it", async () => {
    await typing.start("plain");
    const rings = sessions.type(TOAST, 1, LINE);
    await typing.start("plain", { generation: 2 });
    await rings;
    await pause(500);
    const blocks = notes().filter((note) => note.kind === "block");
    expect(blocks.length).toBe(submitted().length);
    expect(submitted().filter((text) => text !== LINE)).toEqual([]);
    expect(submitted().length).toBeLessThanOrEqual(1);
  });

  test("given the server died and a person made a session of that name, when rung, then nothing is typed at it", async () => {
    await typing.start("plain");
    process.kill(Number(world.tmux("display-message", "-p", "#{pid}")), "SIGKILL");
    await until("the loss", async () => (await sessions.observe()).completeness === "ServerGone");
    await typing.ready(() => world.tmux("new-session", "-d", "-s", TOAST, ...typing.command("plain")));
    expect(await sessions.type(TOAST, 1, LINE)).toBe("Refused");
    await pause(300);
    expect(submitted()).toEqual([]);
    world.tmux("kill-session", "-t", `=${TOAST}`);
  });

  test("given a server that was ended and started again between two rings, when the next generation is rung, then once", async () => {
    await typing.start("plain");
    world.tmux("kill-server");
    await until("the loss", async () => (await sessions.observe()).completeness === "ServerGone");
    expect(await sessions.type(TOAST, 1, "for the dead")).toBe("Refused");
    await typing.start("plain", { generation: 2 });
    expect(await sessions.type(TOAST, 1, "for the dead")).toBe("Refused");
    expect(await sessions.type(TOAST, 2, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual([LINE]);
  });

  test.skipIf(!personPossible)(
    "given a person who attached and whose terminal went away, when rung, then the line is submitted once",
    async () => {
      await typing.start("plain");
      const person = await typing.attach();
      person.kill("SIGKILL");
      await until("the person to be gone", () => !world.tmux("list-clients", "-F", "#{session_name}").includes(TOAST));
      await until("the doorbell", async () => (await sessions.type(TOAST, 1, LINE)) === "Typed");
      await until("the submission", () => submitted().length > 0);
      await pause(500);
      expect(submitted()).toEqual([LINE]);
    },
  );

  test("given a ring whose Enter was lost for good, when rung again, then both are submitted as one, and it is nothing but doorbells", async () => {
    await typing.start("numb");
    await sessions.type(TOAST, 1, LINE);
    expect(submitted()).toEqual([]);
    expect(await sessions.type(TOAST, 1, LINE)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(500);
    expect(submitted().filter((text) => text !== "")).toEqual([`${LINE}${LINE}`]);
  });

  test("given rings for eight agents at once, when typed, then each gets its own, once", async () => {
    const names = Array.from({ length: 8 }, (_, index) => `api-polecats-n${index}`);
    for (const name of names) await typing.start("plain", { name, agent: name });
    const answers = await Promise.all(names.map((name) => sessions.type(name, 1, `line for ${name}`)));
    expect(new Set(answers)).toEqual(new Set(["Typed"]));
    await until("all submissions", () => submitted().length >= names.length);
    expect([...submitted()].sort()).toEqual(names.map((name) => `line for ${name}`).sort());
  });
});
