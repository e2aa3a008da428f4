import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import { TOAST } from "../../ports/session-start.ts";
import { pause, until } from "../sessions/real-programs.ts";
import { tmuxInstalled, type TmuxWorld } from "./tmux-world.ts";
import { TypingWorld } from "./typing-world.ts";

/** util-linux' `script` gives a person's terminal. */
const personPossible = process.platform === "linux";

describe.skipIf(!tmuxInstalled)("doorbell", () => {
  let typing: TypingWorld;
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  beforeEach(async () => {
    typing = await TypingWorld.open();
    ({ world, sessions } = typing);
  });
  afterEach(() => typing.dispose());

  const name = TOAST;
  const notes = () => typing.notes();
  const submitted = () => typing.submitted();

  test.each([
    "plain",
    "deaf",
    "busy",
    "late",
  ])("given a %s agent, when rung, then the line is submitted once and whole", async (mode) => {
    await typing.start(mode);
    expect(await sessions.type(name, 1, "You have work: run `town prime`; é✳ $HOME")).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    await pause(1_200);
    expect(submitted()[0]).toBe("You have work: run `town prime`; é✳ $HOME");
    expect(submitted().filter((text) => text !== "")).toHaveLength(1);
  });

  test("given a dialog that opens by the submission, when rung, then no further Enter approves it", async () => {
    await typing.start("dialog");
    expect(await sessions.type(name, 1, "You have work")).toBe("Typed");
    await pause(1_200);
    expect(notes().map((note) => note.kind)).toEqual(["ready", "block", "submitted"]);
  });

  test("given 300 lines, when typed, then they arrive as one block and are submitted once", async () => {
    await typing.start("plain");
    const text = Array.from({ length: 300 }, (_, index) => `line ${index} ${"x".repeat(60)}`).join("\n");
    expect(await sessions.type(name, 1, text)).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(notes().filter((note) => note.kind === "block")).toHaveLength(1);
    expect(submitted()[0]?.replaceAll("\r", "\n")).toBe(text);
  });

  test("given control characters, when typed, then they cannot end the paste or press keys", async () => {
    await typing.start("plain");
    await sessions.type(name, 1, "a\u001b[201~b\u0003c\u0004\rd\u0000");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual(["a[201~bc\rd"]);
    expect(notes().filter((note) => note.kind === "block")).toHaveLength(1);
  });

  test("given text of nothing but control characters, when typed, then it is Refused", async () => {
    await typing.start("plain");
    expect(await sessions.type(name, 1, "\u001b\n\n")).toBe("Refused");
  });

  test("given ten doorbells at once, when rung, then each is submitted once, in order, unmixed", async () => {
    await typing.start("plain");
    const texts = Array.from({ length: 10 }, (_, index) => `doorbell number ${index}`);
    const answers = await Promise.all(texts.map((text) => sessions.type(name, 1, text)));
    expect(new Set(answers)).toEqual(new Set(["Typed"]));
    await until("all submissions", () => submitted().length >= 10);
    expect(submitted()).toEqual(texts);
  });

  test("given copy mode, when rung, then it is Refused and nothing is typed, and afterwards it works", async () => {
    await typing.start("plain");
    world.tmux("copy-mode", "-t", `=${name}:`);
    expect((await sessions.observe()).sessions[0]?.copyMode).toBe(true);
    expect(await sessions.type(name, 1, "one")).toBe("Refused");
    world.tmux("send-keys", "-t", `=${name}:`, "-X", "cancel");
    expect(await sessions.type(name, 1, "two")).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual(["two"]);
  });

  test("given copy mode begins between the paste and Enter, when rung, then the draft is submitted all the same", async () => {
    await typing.start("plain");
    const answer = sessions.type(name, 1, "caught in between");
    await until("the paste", () => notes().some((note) => note.kind === "block"));
    world.tmux("copy-mode", "-t", `=${name}:`);
    expect(await answer).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()[0]).toBe("caught in between");
    expect((await sessions.observe()).sessions[0]?.copyMode).toBe(true);
  });

  test("given the pane now belongs to another generation, when rung for the former, then nothing is typed", async () => {
    await typing.start("plain");
    await typing.start("plain", { generation: 2 });
    expect(await sessions.type(name, 1, "for the dead")).toBe("Refused");
    expect(await sessions.type(name, 2, "for the living")).toBe("Typed");
    await until("the submission", () => submitted().length > 0);
    expect(submitted()).toEqual(["for the living"]);
  });

  test("given the program exits while being typed to, when rung, then it is over quickly and says nothing false", async () => {
    await typing.start("quit");
    expect(await sessions.type(name, 1, "bye")).toBe("Refused");
    await until("the exit", async () => (await sessions.observe()).sessions[0]?.state === "Exited");
    expect((await sessions.observe()).sessions[0]).toMatchObject({ exitCode: 7 });
    expect(world.tmux("list-buffers").trim()).toBe("");
  });

  test.skipIf(!personPossible)(
    "given a person types in it, when rung, then it is Refused until they have stopped for a while",
    async () => {
      await typing.start("plain");
      const person = await typing.attach();
      await until("the attachment to be no news", async () => (await sessions.type(name, 1, "before")) === "Typed");
      person.stdin?.write("half a th");
      await until("the person's keys", () => world.tmux("capture-pane", "-p", "-t", `=${name}:`).includes("half a th"));
      expect(await sessions.type(name, 1, "interrupting")).toBe("Refused");
      person.stdin?.write("ought\r");
      await until("it to be rung", async () => (await sessions.type(name, 1, "after")) === "Typed");
      await until("the submissions", () => submitted().length === 3);
      expect(submitted()).toEqual(["before", "half a thought", "after"]);
    },
  );

  test.skipIf(!personPossible)(
    "given another tmux around, when the attach command is run, then it shows the session",
    async () => {
      await typing.start("plain");
      const person = await typing.attach();
      expect(world.tmux("list-clients", "-t", `=${name}`, "-F", "#{client_control_mode}").trim()).toBe("0");
      expect(person.exitCode).toBeNull();
    },
  );
});
