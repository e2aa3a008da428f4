import { describe, expect, test } from "vitest";
import { decide, outcomeOf } from "../../src/shell-agent/decide.ts";
import { primeOf } from "../../src/shell-agent/prime.ts";

const bead = { id: "api-x1", title: "Greet", description: "Do.\n```sh\necho bead\n```\n```js\nno\n```" };
const data = (hook: Readonly<Record<string, unknown>> | null, exit?: boolean) =>
  primeOf({
    seq: 1,
    hook: hook === null ? null : { bead, attempt: 1, branch: "b", base: "c0", ...hook },
    ...(exit === undefined ? {} : { exit }),
  });
const step = (name: string, description = "") => ({
  molecule: "api-m",
  step: { id: `api-m.${name}`, name, title: name, description },
});

describe("decide", () => {
  test("given no hook, when decided, then an ephemeral agent exits and another idles", () => {
    expect(decide(data(null, true))).toEqual({ do: "Exit" });
    expect(decide(data(null))).toEqual({ do: "Idle" });
    expect(decide(data(null, false))).toEqual({ do: "Idle" });
  });

  test.each([
    {
      because: "a bead without steps is run and handed in",
      hook: {},
      step: "work",
      scripts: ["echo bead\n"],
      close: undefined,
    },
    {
      because: "implement runs the bead's blocks",
      hook: step("implement", "```sh\necho step\n```"),
      step: "implement",
      scripts: ["echo bead\n"],
      close: "api-m.implement",
    },
    {
      because: "another step runs its own blocks",
      hook: step("verify", "```sh\necho step\n```"),
      step: "verify",
      scripts: ["echo step\n"],
      close: "api-m.verify",
    },
    {
      because: "a step without blocks is closed",
      hook: step("review", "look"),
      step: "review",
      scripts: [],
      close: "api-m.review",
    },
    {
      because: "submit hands in",
      hook: step("submit", "```sh\necho last\n```"),
      step: "submit",
      scripts: ["echo last\n"],
      close: undefined,
    },
    {
      because: "after the last step it hands in and runs nothing twice",
      hook: { molecule: "api-m" },
      step: "submit",
      scripts: [],
      close: undefined,
    },
  ])("given a hook, when decided, then $because", ({ hook, step: name, scripts, close }) => {
    expect(decide(data(hook))).toMatchObject({ do: "Work", step: name, scripts, close, refusal: undefined });
  });

  test("given a block without an end, when decided, then it is refused with its line", () => {
    const cut = { ...bead, description: "one\n```sh\nrm -rf /tm" };
    expect(decide(data({ bead: cut }))).toMatchObject({ refusal: expect.stringContaining("line 2") as unknown });
  });

  test("given HEAD at the base, when handed in, then nothing changed", () => {
    const { hook } = data({});
    expect(hook).toBeDefined();
    if (hook === undefined) return;
    expect(outcomeOf(hook, "c0").outcome).toBe("NoChange");
    expect(outcomeOf(hook, "c1")).toEqual({ outcome: "Submitted" });
  });
});

describe("primeOf", () => {
  test.each([
    { data: undefined, field: "data" },
    { data: [], field: "data" },
    { data: { hook: "x" }, field: "hook" },
    { data: { hook: { attempt: 1 } }, field: "hook.bead" },
    { data: { hook: { bead: { id: "a", title: "" }, attempt: 1 } }, field: "hook.bead.title" },
    { data: { hook: { bead: { id: "a", title: "b" } } }, field: "hook.attempt" },
    { data: { hook: { bead: { id: "a", title: "b" }, attempt: 1, step: { name: "x" } } }, field: "hook.step.id" },
  ])("given $data, when read, then the error names $field", ({ data: wrong, field }) => {
    expect(() => primeOf(wrong)).toThrow(`\`${field}\``);
  });

  test("given feedback and attempt, when read, then they are there", () => {
    expect(primeOf({ hook: { bead, attempt: 3, feedback: "gate failed" } }).hook).toMatchObject({
      attempt: 3,
      feedback: "gate failed",
      base: "",
      molecule: false,
    });
  });
});
