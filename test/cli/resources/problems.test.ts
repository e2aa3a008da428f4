import { describe, expect, it } from "vitest";
import { problemsOf } from "../../../src/cli/resources/problems.ts";

describe("problems", () => {
  it("given a rig whose target fails a gate, when listed, then that is a problem, and none once it is mended", () => {
    const rig = (conditions: readonly object[]) => ({
      apiVersion: "town.dev/v1alpha1",
      kind: "Rig",
      metadata: { name: "api" },
      spec: {},
      status: { conditions },
    });
    const ready = { type: "Ready", status: "True", reason: "RigReady", message: "" };
    const broken = { type: "TargetBroken", status: "True", reason: "TargetFailsGate", message: "main fails gate test" };
    expect(problemsOf(rig([ready, broken]) as never)).toEqual([
      { object: "Rig/api", reason: "TargetFailsGate", message: "main fails gate test" },
    ]);
    expect(problemsOf(rig([ready]) as never)).toEqual([]);
  });
});
