import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needsPerson, NUDGED, PROBE, probeCalls, reportText, TASK } from "../../src/work/conformance.ts";

describe("the stand-in for town", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "town-probe-"));
    writeFileSync(join(directory, "town"), PROBE);
    chmodSync(join(directory, "town"), 0o755);
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  function call(line: string, hook?: object): string {
    const input = hook === undefined ? "" : JSON.stringify(hook, undefined, 2);
    const { stdout, status } = spawnSync(join(directory, "town"), line.split(" "), { input, encoding: "utf8" });
    expect(status).toBe(0);
    return stdout;
  }

  it("given a start hook, when it calls, then it is told the task in the form it asks for, and the call is noted", () => {
    const hook = { session_id: "abc", hook_event_name: "SessionStart" };
    expect(call("prime --hook", hook)).toBe(`${TASK}\n`);
    expect(JSON.parse(call("prime --hook --reply context", hook))).toEqual({
      hookSpecificOutput: { hookEventName: "SessionStart", additionalContext: TASK },
    });
    expect(call("conformance begun")).toBe("");
    expect(probeCalls(readFileSync(join(directory, "calls"), "utf8"))).toEqual([
      { args: "prime --hook", session: "abc" },
      { args: "prime --hook --reply context", session: "abc" },
      { args: "conformance begun", session: undefined },
    ]);
  });

  it("given something to say, when a prompt is submitted, then it is said once, and never to a stop hook", () => {
    writeFileSync(join(directory, "say"), NUDGED);
    expect(call("nudge drain --hook --reply block", { session_id: "abc" })).toBe("");
    expect(existsSync(join(directory, "say"))).toBe(true);
    expect(call("nudge drain --hook", { session_id: "abc" })).toBe(`${NUDGED}\n`);
    expect(call("nudge drain --hook", { session_id: "abc" })).toBe("");
  });

  it("given Gemini's prompt hook, when it asks for context, then its own event is named", () => {
    writeFileSync(join(directory, "say"), NUDGED);
    const answer = call("nudge drain --hook --reply context", { hook_event_name: "BeforeAgent" }).trim();
    expect(answer.replaceAll(" ", "")).toContain('"hookEventName":"BeforeAgent"');
  });
});

describe("the report", () => {
  it("given findings, when written, then each has its line and failures stand out", () => {
    const text = reportText("claude", "2.1.197", [
      { check: "start", result: "Passed", detail: "the program runs" },
      { check: "resume", result: "Failed", detail: "it began another conversation" },
    ]);
    expect(text).toBe(
      "provider claude, version 2.1.197\nok       start: the program runs\nFAILED   resume: it began another conversation",
    );
  });

  it.each([
    [{ state: "DialogOpen" }, "shows a question"],
    [{ state: "AuthRequired" }, "log in"],
    [{ state: "RateLimited", resetAtMs: 0 }, "until 1970-01-01"],
  ] as const)("given a screen that is %o, when judged, then a person is needed", (screen, why) => {
    expect(needsPerson(screen)).toContain(why);
  });

  it("given a program at work or at rest, when judged, then nobody is", () => {
    expect([needsPerson({ state: "Busy" }), needsPerson({ state: "Idle" }), needsPerson({ state: "Unknown" })]).toEqual(
      [undefined, undefined, undefined],
    );
  });
});
