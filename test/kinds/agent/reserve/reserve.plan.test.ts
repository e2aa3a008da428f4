import { describe, expect, it } from "vitest";
import type { Reserved, ReserveObserved } from "../../../../src/kinds/agent/reserve/reserve.observe.ts";
import { planReserve, type ReserveAction } from "../../../../src/kinds/agent/reserve/reserve.plan.ts";
import type { SetUpState } from "../../../../src/kinds/agent/sandbox-setup.ts";
import { type RigObject, rigSpec } from "../../../../src/kinds/rig/rig.schema.ts";
import { fc } from "../../../property.ts";

const RIG: RigObject = {
  apiVersion: "town.dev/v1alpha1",
  kind: "Rig",
  metadata: { name: "api", uid: "u", resourceVersion: "1", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: rigSpec.parse({ path: "/p", setup: { command: "make", reserve: 2 } }),
};

const BASE = { commit: "c1", inputs: "t1" };
const DONE: SetUpState = { state: "Done" };
const NEEDED: SetUpState = { state: "Needed", again: false };
const AGAIN: SetUpState = { state: "Needed", again: true };
const RUNNING: SetUpState = { state: "Running", log: "/log" };
const FAILED: SetUpState = { state: "Failed", message: "ended with 1", retryMs: 50_000 };

function observed(reserved: readonly Reserved[], more: Partial<ReserveObserved> = {}): ReserveObserved {
  return { now: 40_000, wanted: 2, base: BASE, diskLow: false, suspended: false, reserved, ...more };
}

const at = (number: number, setUp: SetUpState, exists = true): Reserved => ({ number, exists, setUp });
const absent = (number: number): Reserved => at(number, NEEDED, false);
const prepare = (number: number, again = false): ReserveAction => ({ do: "Prepare", number, ...BASE, again });

describe("what a rig keeps in reserve", () => {
  it.each<{ because: string; seen: ReserveObserved; actions: readonly object[]; ready: number | null; ms?: number }>([
    { because: "one is made at a time", seen: observed([absent(1), absent(2)]), actions: [prepare(1)], ready: 0 },
    { because: "a set-up runs", seen: observed([at(1, RUNNING), absent(2)]), actions: [], ready: 0, ms: 2_000 },
    { because: "the next follows", seen: observed([at(1, DONE), absent(2)]), actions: [prepare(2)], ready: 1 },
    { because: "all are there", seen: observed([at(1, DONE), at(2, DONE)]), actions: [], ready: 2 },
    {
      because: "the base has moved on",
      seen: observed([at(1, NEEDED), at(2, DONE)]),
      actions: [{ do: "Remove", number: 1 }],
      ready: 1,
    },
    {
      because: "fewer are wanted",
      seen: observed([at(1, DONE), at(2, RUNNING)], { wanted: 1 }),
      actions: [{ do: "Remove", number: 2 }],
      ready: 1,
    },
    {
      because: "none is wanted any more",
      seen: observed([at(1, DONE)], { wanted: 0, base: undefined }),
      actions: [{ do: "Remove", number: 1 }],
      ready: null,
    },
    {
      because: "a failed set-up waits",
      seen: observed([at(1, FAILED), at(2, DONE)]),
      actions: [],
      ready: 1,
      ms: 10_000,
    },
    { because: "then it is tried where it is", seen: observed([at(1, AGAIN)]), actions: [prepare(1, true)], ready: 0 },
    { because: "the disk is full", seen: observed([absent(1)], { diskLow: true }), actions: [], ready: 0, ms: 30_000 },
    {
      because: "the rig is suspended",
      seen: observed([absent(1)], { suspended: true }),
      actions: [],
      ready: 0,
      ms: 30_000,
    },
    {
      because: "what the base is cannot be told, so nothing is out of date",
      seen: observed([at(1, NEEDED), absent(2)], { base: undefined }),
      actions: [],
      ready: 0,
      ms: 30_000,
    },
  ])("given that $because, when planned, then just that is done", ({ seen, actions, ready, ms }) => {
    const plan = planReserve(RIG, seen);
    expect(plan.actions).toMatchObject(actions);
    expect(plan.actions).toHaveLength(actions.length);
    expect(plan.status).toEqual({ reserve: ready });
    expect(plan.requeueAfterMs).toBe(ms);
  });

  it("given any sight, when planned, then at most one is prepared, nothing that is set up for the base is removed unless too many, and all settles", () => {
    const state = fc.constantFrom(DONE, NEEDED, AGAIN, RUNNING, FAILED);
    const place = fc.record({ setUp: state, exists: fc.boolean() });
    fc.assert(
      fc.property(fc.array(place, { maxLength: 6 }), fc.nat(6), fc.boolean(), (places, wanted, diskLow) => {
        const count = Math.max(places.length, wanted);
        let reserved = Array.from({ length: count }, (_, index) => ({
          number: index + 1,
          ...(places[index] ?? { setUp: NEEDED, exists: false }),
        }));
        for (let round = 0; ; round += 1) {
          const plan = planReserve(RIG, observed(reserved, { wanted, diskLow }));
          expect(plan.actions.filter((action) => action.do === "Prepare").length).toBeLessThanOrEqual(1);
          for (const action of plan.actions) {
            const found = reserved[action.number - 1];
            if (action.do === "Remove") expect(action.number > wanted || found?.setUp.state === "Needed").toBe(true);
          }
          if (plan.actions.length === 0 && !reserved.some(({ exists, setUp }) => exists && setUp.state === "Running"))
            break;
          expect(round).toBeLessThan(30);
          // Every set-up that was begun or runs ends well.
          reserved = reserved.map((each) => {
            const action = plan.actions.find(({ number }) => number === each.number);
            if (action?.do === "Remove") return { ...each, exists: false, setUp: NEEDED };
            if (action?.do === "Prepare" || each.setUp.state === "Running")
              return { ...each, exists: each.exists || action !== undefined, setUp: DONE };
            return each;
          });
        }
        const ready = reserved.filter(
          ({ number, exists, setUp }) => number <= wanted && exists && setUp.state === "Done",
        );
        const held = reserved.filter(({ exists, setUp }) => exists && setUp.state === "Failed");
        if (!diskLow) expect(ready.length + held.filter(({ number }) => number <= wanted).length).toBe(wanted);
      }),
    );
  });
});
