import { describe, expect, test } from "vitest";
import { failureOf } from "../../src/engine/outcome.ts";
import {
  changedConditions,
  type RunFacts,
  secondaryConditions,
  summaryConditions,
} from "../../src/engine/stated-conditions.ts";
import { TerminalError, WaitingError } from "../../src/errors/town-error.ts";
import { type Condition, type ConditionIntent, mergeConditions } from "../../src/resource/condition.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { statusProblems } from "../status-checker.ts";
import { fc, fuzzRuns } from "../property.ts";

const status = fc.constantFrom("True" as const, "False" as const, "Unknown" as const);
const intent: fc.Arbitrary<ConditionIntent> = fc.record({
  type: fc.constantFrom("Ready", "Reconciling", "Stalled", "Painted"),
  status,
  reason: fc.constantFrom("A", "B"),
  message: fc.constant("m"),
});
const failure = fc.constantFrom(
  undefined,
  failureOf(new TerminalError("T", "t")),
  failureOf(new WaitingError("W", "w", 5)),
  failureOf(new Error("e")),
);
const facts: fc.Arbitrary<RunFacts> = fc
  .record({
    plan: fc.option(
      fc.record({
        actions: fc.array(fc.constant({}), { maxLength: 2 }),
        conditions: fc.array(intent, { maxLength: 5 }),
      }),
      { nil: undefined },
    ),
    failure,
    deleting: fc.boolean(),
  })
  .filter(({ plan, failure: failed }) => plan !== undefined || failed !== undefined);

const objectWith = (conditions: readonly Condition[]): TownObject => ({
  apiVersion: "t/v1",
  kind: "Widget",
  metadata: { name: "w", uid: "u", resourceVersion: "1", generation: 2, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {},
  status: { observedGeneration: 2, conditions },
});

const merged = (run: RunFacts, former: readonly Condition[] = [], now = 0): Condition[] => {
  const { intents, owned } = summaryConditions(run, ["Ready", "Painted"]);
  return mergeConditions(former, intents, { now, generation: 2, owned });
};
const brief = (run: RunFacts): string[] =>
  merged(run).map((condition) => `${condition.type}=${condition.status} ${condition.reason}`);
const run = (more: Partial<RunFacts>): RunFacts => ({
  plan: { actions: [] },
  failure: undefined,
  deleting: false,
  ...more,
});
const ready = (readiness: ConditionIntent["status"], reason = "R"): ConditionIntent => ({
  type: "Ready",
  status: readiness,
  reason,
  message: "",
});

describe("summaryConditions", () => {
  test("given any plan, failure and former conditions, when stated, then every invariant of the status checker holds and no type comes twice", () => {
    fc.assert(
      fc.property(facts, facts, (before, after) => {
        const former = merged(before);
        const next = merged(after, former, 1_000);
        expect(statusProblems(objectWith(former))).toEqual([]);
        expect(statusProblems(objectWith(next), { kept: ["Painted"] })).toEqual([]);
        expect(new Set(next.map((condition) => condition.type)).size).toBe(next.length);
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  test.each<{ readonly because: string; readonly facts: RunFacts; readonly says: readonly string[] }>([
    { because: "nothing stated, nothing to do", facts: run({}), says: ["Ready=True Reconciled"] },
    {
      because: "nothing stated, acting",
      facts: run({ plan: { actions: [1] } }),
      says: ["Ready=Unknown Progressing", "Reconciling=True Progressing"],
    },
    {
      because: "stated True while acting: upkeep does not shake it",
      facts: run({ plan: { actions: [1], conditions: [ready("True")] } }),
      says: ["Ready=True R"],
    },
    {
      because: "stated False, acting",
      facts: run({ plan: { actions: [1], conditions: [ready("False")] } }),
      says: ["Ready=False R", "Reconciling=True R"],
    },
    {
      because: "stated False, nothing to do",
      facts: run({ plan: { actions: [], conditions: [ready("False")] } }),
      says: ["Ready=False R"],
    },
    {
      because: "stated Unknown",
      facts: run({ plan: { actions: [], conditions: [ready("Unknown")] } }),
      says: ["Ready=Unknown R", "Reconciling=True R"],
    },
    {
      because: "stalled by plan",
      facts: run({ plan: { actions: [], conditions: [{ ...ready("True", "S"), type: "Stalled" }, ready("True")] } }),
      says: ["Ready=False S", "Stalled=True S"],
    },
    {
      because: "stalled by a terminal error",
      facts: run({
        failure: failureOf(new TerminalError("T", "t")),
        plan: { actions: [1], conditions: [ready("True")] },
      }),
      says: ["Ready=False T", "Stalled=True T"],
    },
    {
      because: "waiting keeps what the plan says",
      facts: run({
        failure: failureOf(new WaitingError("W", "w", 5)),
        plan: { actions: [1], conditions: [ready("False")] },
      }),
      says: ["Ready=False R", "Reconciling=True W"],
    },
    {
      because: "not observed",
      facts: run({ failure: failureOf(new Error("e")), plan: undefined }),
      says: ["Ready=Unknown ReconcileFailed", "Reconciling=True ReconcileFailed"],
    },
    {
      because: "not done",
      facts: run({ failure: failureOf(new Error("e")), plan: { actions: [1], conditions: [ready("True")] } }),
      says: ["Ready=False ReconcileFailed", "Reconciling=True ReconcileFailed"],
    },
    {
      because: "going away",
      facts: run({ deleting: true }),
      says: ["Ready=False Terminating", "Reconciling=True Terminating"],
    },
    {
      because: "going away, with a word on it",
      facts: run({ deleting: true, plan: { actions: [], conditions: [ready("False", "Draining")] } }),
      says: ["Ready=False Draining", "Reconciling=True Draining"],
    },
  ])("given $because, when stated, then $says", ({ facts: given, says }) => {
    expect(brief(given)).toEqual(says);
  });

  test("given a run without a plan, when merged, then the loop's own conditions stay as they were", () => {
    const former = merged(
      run({ plan: { actions: [], conditions: [{ type: "Painted", status: "True", reason: "Red", message: "" }] } }),
    );
    expect(
      merged(run({ plan: undefined, failure: failureOf(new Error("e")) }), former).find(
        ({ type }) => type === "Painted",
      ),
    ).toEqual(former.find(({ type }) => type === "Painted"));
    expect(merged(run({}), former).some(({ type }) => type === "Painted")).toBe(false);
  });
});

describe("secondaryConditions", () => {
  test("given a failing second loop, when stated, then it owns its own and <Loop>Failing and touches nothing else", () => {
    const stated = secondaryConditions(run({ failure: failureOf(new Error("e")), plan: undefined }), "merges", [
      "Merging",
    ]);
    expect(stated.intents.map(({ type }) => type)).toEqual(["MergesFailing"]);
    expect([...stated.owned]).toEqual(["MergesFailing"]);
    const bold = secondaryConditions(
      run({ plan: { actions: [], conditions: [ready("True"), { ...ready("True"), type: "Merging" }] } }),
      "merges",
      ["Merging", "Ready"],
    );
    expect([bold.intents.map(({ type }) => type), [...bold.owned]]).toEqual([
      ["Merging"],
      ["MergesFailing", "Merging"],
    ]);
    const fine = secondaryConditions(run({}), "merges", ["Merging"]);
    expect([fine.intents, [...fine.owned]]).toEqual([[], ["MergesFailing", "Merging"]]);
    expect(
      secondaryConditions(run({ failure: failureOf(new WaitingError("W", "w", 1)) }), "merges", []).intents,
    ).toEqual([]);
  });
});

describe("changedConditions", () => {
  const condition = (type: string, readiness: Condition["status"], reason: string): Condition => ({
    type,
    status: readiness,
    reason,
    message: "",
    lastTransitionTime: "",
  });

  test("given former and next, when compared, then stated ones with a new status or reason count, the engine's usual reasons and Reconciling do not", () => {
    const former = [
      condition("Ready", "True", "Fine"),
      condition("Painted", "True", "Red"),
      condition("Foreign", "True", "X"),
    ];
    const next = [
      condition("Ready", "False", "Broken"),
      condition("Painted", "True", "Red"),
      condition("Foreign", "True", "Y"),
      condition("Reconciling", "True", "Z"),
      condition("New", "True", "Progressing"),
    ];
    const intents = next.filter(({ type }) => type !== "Foreign");
    expect(changedConditions(former, next, intents).map(({ type }) => type)).toEqual(["Ready"]);
    expect(changedConditions([], [condition("Ready", "True", "Fine")], intents)).toHaveLength(1);
  });
});
