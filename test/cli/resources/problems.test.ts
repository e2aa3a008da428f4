import { describe, expect, it } from "vitest";
import { grouped, problemsOf } from "../../../src/cli/resources/problems.ts";

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

  it("given thirty agents at one limit, when listed, then they and their provider are two lines; programs that nobody asked for are none", () => {
    const agent = (name: string, message: string) => ({
      apiVersion: "work.town.dev/v1alpha1",
      kind: "Agent",
      metadata: { name, namespace: "api" },
      status: { conditions: [{ type: "RateLimited", status: "True", reason: "RateLimited", message }] },
    });
    const provider = (name: string, condition: object) => ({
      apiVersion: "town.dev/v1alpha1",
      kind: "Provider",
      metadata: { name },
      spec: {},
      status: { conditions: [condition] },
    });
    const objects = [
      provider("amp", { type: "Ready", status: "False", reason: "ProgramNotFound", message: "install it" }),
      provider("claude", { type: "Held", status: "True", reason: "RateLimited", message: "until 3" }),
      ...Array.from({ length: 30 }, (_, index) => agent(`p${index}`, "it goes on at 3")),
      agent("late", "it goes on at 4"),
    ];
    expect(grouped(objects.flatMap((object) => problemsOf(object as never)))).toEqual([
      { object: "Provider/claude", reason: "RateLimited", message: "until 3" },
      { object: "Agent/api/p0 and 29 more", reason: "RateLimited", message: "it goes on at 3" },
      { object: "Agent/api/late", reason: "RateLimited", message: "it goes on at 4" },
    ]);
  });
});
