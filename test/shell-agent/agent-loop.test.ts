import { describe, expect, test } from "vitest";
import { TownError } from "../../src/errors/town-error.ts";
import { type AgentEffects, AgentLoop } from "../../src/shell-agent/agent-loop.ts";
import { misbehaviours } from "../../src/shell-agent/misbehaviour.ts";
import { noteOf, noteText } from "../../src/shell-agent/step-note.ts";
import { RefusedError } from "../../src/shell-agent/town-api.ts";

/** What a run comes to when its program is killed: nothing it awaits ever goes on. */
const CRASHED = "crashed";

/** A town with one bead of three steps, and a worktree whose content is the list of scripts that ran. */
function world(
  options: { readonly steps?: readonly string[]; readonly persistent?: boolean; readonly exitCode?: number } = {},
) {
  const steps = [...(options.steps ?? ["implement", "verify", "submit"])];
  const state = {
    steps,
    over: false,
    attempt: 1,
    calls: [] as string[],
    said: [] as string[],
    titles: [] as string[],
    tree: [] as string[],
    commits: [[]] as string[][],
    note: undefined as string | undefined,
    typed: [] as string[],
    waits: [] as number[],
    failVerb: undefined as ((name: string) => void) | undefined,
    messages: [] as object[],
    beforeCommit: undefined as ((never: () => Promise<never>) => Promise<void>) | undefined,
  };
  let crash: (how: typeof CRASHED) => void = () => {};
  const never = (): Promise<never> => {
    crash(CRASHED);
    return new Promise<never>(() => {});
  };
  const base = "commit-0";
  const head = () => `commit-${state.commits.length - 1}`;
  const prime = () => ({
    seq: 1,
    exit: options.persistent !== true,
    hook: state.over
      ? null
      : {
          bead: { id: "api-1", title: "Greet", description: "```sh\nbead\n```" },
          attempt: state.attempt,
          molecule: "api-m",
          branch: "b",
          base,
          ...(state.steps[0] === undefined
            ? {}
            : {
                step: {
                  id: `api-m.${state.steps[0]}`,
                  name: state.steps[0],
                  title: "t",
                  description: `\`\`\`sh\n${state.steps[0]}\n\`\`\``,
                },
              }),
        },
  });
  const effects: AgentEffects = {
    prime: async () => {
      state.failVerb?.("prime");
      state.calls.push("prime");
      const data = { ...prime(), messages: state.messages.splice(0) };
      return { data, shown: async () => void state.said.push("SHOWN") };
    },
    verb: async (name, args) => {
      state.failVerb?.(name);
      state.calls.push(
        `${name} ${String(args["id"] ?? args["outcome"])}${args["reason"] === undefined ? "" : ` ${JSON.stringify(args["reason"])}`}`,
      );
      if (name === "close") state.steps.shift();
      if (name === "done") state.over = true;
      return prime();
    },
    head: async () => head(),
    commitAll: async () => {
      await state.beforeCommit?.(never);
      if (state.tree.join() === state.commits.at(-1)?.join()) return false;
      state.commits.push([...state.tree]);
      return true;
    },
    backTo: async (to) => {
      state.commits.length = Number(to.slice("commit-".length)) + 1;
      state.tree = [...(state.commits.at(-1) ?? [])];
    },
    readNote: async () => noteOf(state.note),
    writeNote: async (note) => {
      state.note = noteText(note);
    },
    run: async (script) => {
      if (script.startsWith("bead")) state.tree.push("bead");
      return { exitCode: options.exitCode ?? 0, tail: "the tail" };
    },
    say: (text) => void state.said.push(text),
    prompt: () => void state.said.push("PROMPT"),
    title: (text) => void state.titles.push(text),
    forgetLines: () => {},
    line: async (ms) => {
      if (ms !== undefined) state.waits.push(ms);
      if (state.waits.length > 8) return never();
      return state.typed.shift();
    },
    sleep: async () => {},
    die: never,
  };
  const run = (misbehave = "") => {
    const crashed = new Promise<typeof CRASHED>((resolve) => {
      crash = resolve;
    });
    return Promise.race([crashed, new AgentLoop("api/polecats/toast", misbehaviours(misbehave), effects).run()]);
  };
  return { state, run };
}

describe("AgentLoop", () => {
  test("given a bead with steps, when run, then each is done once, committed, reported, and it exits", async () => {
    const { state, run } = world();
    expect(await run()).toBe(0);
    expect(state.calls).toEqual([
      "prime",
      "close api-m.implement",
      "prime",
      "close api-m.verify",
      "prime",
      "done Submitted",
      "prime",
    ]);
    expect(state.commits).toEqual([[], ["bead"]]);
    expect(state.titles).toEqual(["busy api-1 implement", "busy api-1 verify", "busy api-1 submit"]);
  });

  test("given messages, when primed, then each is shown once, and what its text holds is no command", async () => {
    const { state, run } = world();
    state.messages = [
      { from: "overseer", subject: "Hello", text: "two\nlines", again: false },
      { from: "web/crew/bob", subject: "Again", text: "", again: true },
    ];
    await run();
    expect(state.said.filter((line) => /message|two/.test(line))).toEqual([
      "shell-agent: message from overseer: Hello",
      "two\nlines",
      "shell-agent: message from web/crew/bob (again): Again",
    ]);
  });

  test("given nothing changed, when handed in, then it says NoChange", async () => {
    const { state, run } = world({ steps: ["verify", "submit"] });
    await run();
    expect(state.calls).toContain('done NoChange "the blocks ran and nothing had to change"');
  });

  test("given a block that fails, when run, then it is reported with its tail and nothing is closed", async () => {
    const { state, run } = world({ exitCode: 4 });
    expect(await run()).toBe(0);
    expect(state.calls).toEqual([
      "prime",
      'done Failed "step implement: block 1 of 1 ended with exit code 4; its last output:\\nthe tail"',
      "prime",
    ]);
    expect(state.commits).toHaveLength(1);
  });

  test.each([
    "die-before:implement",
    "die-after:implement",
    "die-before:verify",
    "die-after:verify",
    "die-before:submit",
    "die-after:submit",
  ])("given %s, when it starts again, then the end is the same as without", async (misbehave) => {
    const { state, run } = world();
    expect(await run(misbehave)).toBe(CRASHED);
    expect(await run(misbehave)).toBe(0);
    expect(state.commits).toEqual([[], ["bead"]]);
    expect(state.calls.filter((call) => call !== "prime")).toEqual([
      "close api-m.implement",
      "close api-m.verify",
      "done Submitted",
    ]);
  });

  test("given a crash between the block and its commit, when it starts again, then the effort is thrown away and redone", async () => {
    const { state, run } = world();
    state.beforeCommit = async (never) => {
      state.beforeCommit = undefined;
      await never();
    };
    expect(await run()).toBe(CRASHED);
    expect(state.tree).toEqual(["bead"]);
    expect(await run()).toBe(0);
    expect(state.commits).toEqual([[], ["bead"]]);
  });

  test("given the same bead on a later attempt, when run, then its blocks run again", async () => {
    const { state, run } = world();
    await run();
    Object.assign(state, { over: false, attempt: 2, steps: ["implement", "submit"] });
    await run();
    expect(state.commits).toEqual([[], ["bead"], ["bead", "bead"]]);
  });

  test.each([
    { error: new RefusedError(401, "Unauthorized", "no"), code: 3 },
    { error: new RefusedError(403, "Forbidden", "no"), code: 3 },
    { error: new RefusedError(409, "Fenced", "replaced"), code: 3 },
    { error: new RefusedError(409, "UncommittedWork", "no"), code: 1 },
    { error: new TypeError("`hook` must be an object"), code: 1 },
  ])("given the answer $error.message, when run, then it ends with $code", async ({ error, code }) => {
    const { state, run } = world();
    state.failVerb = () => {
      throw error;
    };
    expect(await run()).toBe(code);
    expect(state.said.at(-1)).toContain(error.message);
  });

  test("given one refusal of a report, when run, then it reads its hook again and goes on", async () => {
    const { state, run } = world();
    state.failVerb = (name) => {
      if (name !== "close") return;
      state.failVerb = undefined;
      throw new RefusedError(409, "Conflict", "try again");
    };
    expect(await run()).toBe(0);
    expect(state.commits).toEqual([[], ["bead"]]);
  });

  test("given a failure of git, when run, then it is reported as Failed", async () => {
    const { state, run } = world();
    state.beforeCommit = async () => {
      throw new TownError("GitFailed", "git commit ended with 128: no identity");
    };
    expect(await run()).toBe(0);
    expect(state.calls[1]).toContain('done Failed "step implement: git commit ended with 128');
  });

  test("given a persistent agent without work, when idle, then it waits longer each time and a line wakes it", async () => {
    const { state, run } = world({ persistent: true });
    state.over = true;
    expect(await run()).toBe(CRASHED);
    expect(state.waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    expect(state.titles[0]).toBe("idle");
    const again = world({ persistent: true });
    again.state.over = true;
    again.state.typed.push("look", "exit");
    expect(await again.run()).toBe(0);
    expect(again.state.waits).toEqual([1_000, 1_000]);
  });

  test("given wait-for-input, when it asks, then any line lets it go on", async () => {
    const { state, run } = world();
    state.typed.push("y");
    expect(await run("wait-for-input:verify")).toBe(0);
    expect(state.said).toContain("Continue? [y/N]");
    expect(state.titles).toContain("waiting for input");
  });
});

describe("step note", () => {
  test.each([
    undefined,
    "",
    "{",
    "[]",
    '{"format":2,"happened":[]}',
    '{"format":1}',
  ])("given the note %j, when read, then it is empty", (text) => {
    expect(noteOf(text)).toEqual({ happened: [] });
  });
});
