import { describe, expect, test } from "vitest";
import { failureOf, nextStep, type Outcome } from "../../src/engine/outcome.ts";
import { AdapterError, ApiStatusError, TerminalError, TownError, WaitingError } from "../../src/errors/town-error.ts";

const failed = (error: unknown): Outcome => ({ acted: 0, failure: failureOf(error) });

describe("nextStep", () => {
  test.each<{ readonly because: string; readonly outcome: Outcome; readonly step: object }>([
    { because: "nothing to do", outcome: { acted: 0 }, step: { do: "Forget" } },
    { because: "something was done and nothing said about when", outcome: { acted: 1 }, step: { do: "Again" } },
    { because: "the plan says when", outcome: { acted: 0, requeueAfterMs: 5_000 }, step: { do: "Later", ms: 5_000 } },
    {
      because: "the plan says when, after actions",
      outcome: { acted: 2, requeueAfterMs: 5_000 },
      step: { do: "Later", ms: 5_000 },
    },
    {
      because: "the plan says at once: no busy loop",
      outcome: { acted: 0, requeueAfterMs: 0 },
      step: { do: "Later", ms: 10 },
    },
    {
      because: "the plan says nonsense",
      outcome: { acted: 0, requeueAfterMs: Number.NaN },
      step: { do: "Later", ms: 10 },
    },
    { because: "a person must act", outcome: failed(new TerminalError("R", "m")), step: { do: "Forget" } },
    { because: "it waits", outcome: failed(new WaitingError("R", "m", 700)), step: { do: "Wait", ms: 700 } },
    {
      because: "it waits for no time: no busy loop",
      outcome: failed(new WaitingError("R", "m", -1)),
      step: { do: "Wait", ms: 10 },
    },
    { because: "the world refused", outcome: failed(new AdapterError("R", "m")), step: { do: "BackOff" } },
    {
      because: "somebody else wrote",
      outcome: failed(new ApiStatusError(409, "Conflict", "m")),
      step: { do: "BackOff" },
    },
    {
      because: "a failure outweighs what the plan says",
      outcome: { ...failed(new Error("m")), requeueAfterMs: 5 },
      step: { do: "BackOff" },
    },
    { because: "it is gone", outcome: { acted: 3, void: true, requeueAfterMs: 5 }, step: { do: "Forget" } },
  ])("given $because, when mapped, then $step", ({ outcome, step }) => {
    expect(nextStep(outcome)).toEqual(step);
  });
});

describe("failureOf", () => {
  test("given errors, when told, then reason, message with causes and hint are kept, and a message has a limit", () => {
    const cause = new AdapterError("TmuxAway", "no server");
    expect(failureOf(new TownError("CannotStart", "cannot start a", { hint: "Run town up.", cause }))).toMatchObject({
      kind: "Failed",
      reason: "CannotStart",
      message: "cannot start a: no server Run town up.",
    });
    expect(failureOf("text")).toMatchObject({ kind: "Failed", reason: "ReconcileFailed", message: "text" });
    expect(failureOf(new Error("x".repeat(10_000))).message.length).toBeLessThan(4_100);
    expect(failureOf(new ApiStatusError(404, "NotFound", "m")).kind).toBe("Failed");
  });
});
