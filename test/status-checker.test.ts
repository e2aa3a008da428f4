import { describe, expect, test } from "vitest";
import type { Condition } from "../src/resource/condition.ts";
import type { TownObject } from "../src/resource/object-meta.ts";
import { checkStatus, statusProblems } from "./status-checker.ts";

type Brief = readonly [type: string, status: Condition["status"], observedGeneration?: number];

function widget(conditions: readonly Brief[], observedGeneration: number | "absent" = 3): TownObject {
  return {
    apiVersion: "town.dev/v1alpha1",
    kind: "Widget",
    metadata: { name: "w", uid: "u", resourceVersion: "1", generation: 3, creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: {},
    status: {
      ...(observedGeneration === "absent" ? {} : { observedGeneration }),
      conditions: conditions.map(([type, status, seen = 3]) => ({
        type,
        status,
        reason: "Why",
        message: "",
        lastTransitionTime: "2026-01-01T00:00:00Z",
        observedGeneration: seen,
      })),
    },
  };
}

describe("statusProblems", () => {
  test.each<{ readonly because: string; readonly object: TownObject; readonly broken: readonly string[] }>([
    {
      because: "all is well",
      object: widget([
        ["Ready", "True"],
        ["Merged", "True"],
      ]),
      broken: [],
    },
    {
      because: "being worked on",
      object: widget([
        ["Ready", "Unknown"],
        ["Reconciling", "True"],
      ]),
      broken: [],
    },
    { because: "not ready and nothing to do", object: widget([["Ready", "False"]]), broken: [] },
    {
      because: "stuck",
      object: widget(
        [
          ["Ready", "False"],
          ["Stalled", "True"],
        ],
        2,
      ),
      broken: [],
    },
    { because: "never looked at", object: widget([]), broken: ["S1"] },
    {
      because: "ready while being worked on",
      object: widget([
        ["Ready", "True"],
        ["Reconciling", "True"],
      ]),
      broken: ["S2"],
    },
    {
      because: "ready while stuck",
      object: widget([
        ["Ready", "True"],
        ["Stalled", "True"],
      ]),
      broken: ["S2", "S3"],
    },
    {
      because: "stuck and maybe ready",
      object: widget([
        ["Ready", "Unknown"],
        ["Reconciling", "True"],
        ["Stalled", "True"],
      ]),
      broken: ["S3", "S4"],
    },
    { because: "ahead of the object", object: widget([["Ready", "False", 4]]), broken: ["S5"] },
    { because: "status ahead of the object", object: widget([["Ready", "False"]], 4), broken: ["S5"] },
    { because: "ready for an older generation", object: widget([["Ready", "True", 2]]), broken: ["S6"] },
    { because: "ready, status older", object: widget([["Ready", "True"]], 2), broken: ["S6"] },
    { because: "ready, status not stated", object: widget([["Ready", "True"]], "absent"), broken: ["S6"] },
    { because: "unknown without anybody at work", object: widget([["Ready", "Unknown"]]), broken: ["S7"] },
    {
      because: "abnormal conditions that are False do not count",
      object: widget([
        ["Ready", "True"],
        ["Stalled", "False"],
      ]),
      broken: [],
    },
  ])("given an object that is $because, when checked, then it breaks $broken", ({ object, broken }) => {
    expect(statusProblems(object).map((problem) => problem.slice(0, 2))).toEqual(broken);
  });

  test("given a condition of another loop that lags behind, when it is named as kept, then only the rest must be up to date", () => {
    const object = widget([
      ["Ready", "True"],
      ["Synced", "True", 2],
    ]);
    expect(statusProblems(object)).toHaveLength(1);
    expect(statusProblems(object, { kept: ["Synced"] })).toEqual([]);
  });
});

describe("checkStatus", () => {
  test("given a broken status, when checked, then the test fails with number, rule and object", () => {
    expect(() => checkStatus(widget([["Ready", "Unknown"]]))).toThrow(/S7/);
    expect(() => checkStatus(undefined)).toThrow("no such object");
    checkStatus(widget([["Ready", "True"]]));
  });
});
