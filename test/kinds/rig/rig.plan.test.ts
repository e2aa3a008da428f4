import { describe, expect, it } from "vitest";
import type { RigObserved } from "../../../src/kinds/rig/rig.observe.ts";
import { planRig } from "../../../src/kinds/rig/rig.plan.ts";
import { type RigObject, rigSpec } from "../../../src/kinds/rig/rig.schema.ts";
import { fc } from "../../property.ts";

const NOW = 1_000_000_000;

function rig(spec: object = { path: "/project" }): RigObject {
  return {
    apiVersion: "town.dev/v1alpha1",
    kind: "Rig",
    metadata: {
      name: "api",
      uid: "u",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: rigSpec.parse(spec),
  };
}

const NOTHING = { hooked: [], requests: [], branches: [], unpushed: 0 };

function observed(fields: Partial<RigObserved> = {}): RigObserved {
  return {
    now: NOW,
    name: "api",
    source: "/project",
    problem: undefined,
    cloned: true,
    origin: "/project",
    fetch: { state: "Done" },
    graphOpen: true,
    bound: true,
    branch: "main",
    head: "a".repeat(40),
    beads: 0,
    queue: 0,
    diskLow: false,
    push: undefined,
    removal: undefined,
    ...fields,
  };
}

const anyObserved = fc.record({
  problem: fc.constantFrom<RigObserved["problem"]>(
    undefined,
    { reason: "RepositoryNotFound", message: "gone" },
    { reason: "BoundElsewhere", message: "x" },
  ),
  cloned: fc.boolean(),
  origin: fc.constantFrom(undefined, "/project", "/other"),
  fetch: fc.constantFrom<RigObserved["fetch"]>(
    { state: "Done" },
    { state: "NotDue", dueMs: NOW + 1 },
    { state: "Held", dueMs: NOW + 1 },
    { state: "Failed", reason: "RemoteUnreachable", message: "no route" },
  ),
  graphOpen: fc.boolean(),
  bound: fc.boolean(),
  branch: fc.constantFrom(undefined, "main"),
  head: fc.constantFrom(undefined, "a".repeat(40)),
  diskLow: fc.boolean(),
  push: fc.constantFrom<RigObserved["push"]>(
    undefined,
    { target: "Ahead", remote: "origin", workRemote: undefined },
    { target: "Diverged", remote: "origin", workRemote: "origin" },
  ),
  removal: fc.option(
    fc.record({
      waitsFor: fc.constantFrom<readonly string[]>([], ["AgentPool crew"]),
      sandboxes: fc.constantFrom<readonly string[]>([], ["/town/rigs/api/polecats/toast"]),
      unfinished: fc.constantFrom(NOTHING, { ...NOTHING, hooked: ["api-1 (x)"] }, { ...NOTHING, unpushed: 2 }),
      declaredAgain: fc.boolean(),
      abandoned: fc.boolean(),
    }),
    { nil: undefined },
  ),
});

describe("planning a rig", () => {
  it("given anything, when planned, then it is deterministic, bounded, and nothing goes that holds work or cannot be seen", () => {
    fc.assert(
      fc.property(anyObserved, (fields) => {
        const view = observed(fields);
        const plan = planRig(rig(), view);
        expect(planRig(rig(), view)).toEqual(plan);
        expect(plan.actions.length).toBeLessThanOrEqual(3);
        const acts = plan.actions.map((action) => action.do);
        if (view.removal === undefined)
          for (const destructive of ["PutAway", "CloseGraph", "Unbind", "ReleaseWork"])
            expect(acts).not.toContain(destructive);
        if (view.removal?.declaredAgain === true) expect(acts).toEqual([]);
        if (acts.includes("PutAway")) {
          expect(view.removal?.waitsFor).toEqual([]);
          expect(view.removal?.sandboxes).toEqual([]);
          expect(view.graphOpen).toBe(true);
          if (view.removal?.abandoned !== true) expect(view.removal?.unfinished).toEqual(NOTHING);
        }
        if (view.cloned) expect(acts).not.toContain("Clone");
        if (view.push?.target !== "Ahead") expect(acts).not.toContain("PushTarget");
      }),
    );
  });

  it("given a remote that does not answer, when planned, then it is Unknown and the last fetch is told", () => {
    const object = { ...rig(), status: { fetchTime: "2026-01-01T00:00:00Z" } };
    const plan = planRig(
      object,
      observed({ fetch: { state: "Failed", reason: "RemoteUnreachable", message: "no route" } }),
    );
    expect(plan.conditions?.[0]).toMatchObject({
      status: "Unknown",
      reason: "RemoteUnreachable",
      message: "no route work goes on with what was fetched at 2026-01-01T00:00:00Z",
    });
    expect(plan.status).not.toHaveProperty("fetchTime");
  });
});
