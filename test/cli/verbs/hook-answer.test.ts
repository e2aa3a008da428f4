import { describe, expect, it } from "vitest";
import { hookReply } from "../../../src/cli/verbs/hook-answer.ts";
import { FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";

describe("what a hook is answered", () => {
  const hook = { hook_event_name: "SessionStart" };

  it.each([
    [undefined, "do this\n", "do this", "text is the default"],
    ["text", "do this", "do this", "text stays as it is"],
    [
      "context",
      "do this",
      '{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"do this"}}',
      "context names the event it answers",
    ],
    ["block", "do this", '{"decision":"block","reason":"do this"}', "a program that stops is kept going"],
    ["block", " \n", "", "nothing to say lets it stop"],
    ["context", "", "", "nothing to say adds nothing"],
  ])("given the form %s and the text '%s', when replied, then it is '%s': %s", (form, text, expected, _because) => {
    expect(hookReply(form, hook, text)).toBe(expected);
  });
});

describe("town VERB --hook", () => {
  it("given a hook's JSON, when prime is called by it, then the verb gets the JSON and nothing of the form", async () => {
    const town = new FakeTown();
    town.verbs.set("prime", () => ({ body: { text: "primed" } }));
    const stdin = '{"session_id":"s","hook_event_name":"SessionStart"}';
    expect(await runTown(town, "prime --hook --reply context", { stdin })).toMatchObject({
      code: 0,
      out: '{"hookSpecificOutput":{"hookEventName":"SessionStart","additionalContext":"primed"}}\n',
    });
    expect(town.requests.map(({ body }) => JSON.parse(body ?? "") as unknown)).toEqual([
      { args: { hook: { session_id: "s", hook_event_name: "SessionStart" } } },
    ]);
  });

  it.each([
    "prime --hook",
    "prime",
    "nudge drain --hook --reply block",
  ])("given an answer that wants a receipt, when `town %s` has printed it, then it says so; a refused receipt is nobody's trouble", async (line) => {
    const town = new FakeTown();
    const verb = line.startsWith("prime") ? "prime" : "nudge drain";
    town.verbs.set(verb, () => ({ body: { text: "do this", receipt: { request: "request-1" } } }));
    town.verbs.set("receipt", () => ({ status: 409, body: { kind: "Status", code: 409, message: "fenced" } }));
    const answer = await runTown(town, line, { stdin: "{}" });
    expect(answer.out).toContain("do this");
    expect(answer).toMatchObject({ code: 0, err: "" });
    expect(town.requests.map(({ path, body }) => `${path.split("/").at(-1)} ${body}`).at(-1)).toBe(
      'receipt {"args":{"request":"request-1"}}',
    );
  });

  it("given a program whose turns are run one after the other, when its stop hook calls, then nothing is taken from its next turn", async () => {
    const town = new FakeTown();
    town.verbs.set("nudge drain", () => ({ body: { text: "do this" } }));
    const env = { TOWN_IN_TURNS: "1" };
    const stop = await runTown(town, "nudge drain --hook --reply block", { stdin: "{}", env });
    expect(stop).toMatchObject({ code: 0, out: "", err: "" });
    expect(town.requests).toEqual([]);
    expect((await runTown(town, "nudge drain --hook", { stdin: "{}", env })).out).toBe("do this\n");
  });

  it("given stdin that is no JSON, when called as a hook, then it fails without the exit code that refuses a prompt", async () => {
    const answer = await runTown(new FakeTown(), "prime --hook", { stdin: "no json" });
    expect(answer).toMatchObject({ code: 1, out: "" });
    expect(answer.err).toContain("stdin is no JSON");
  });
});
