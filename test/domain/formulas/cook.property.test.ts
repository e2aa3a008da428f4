import { describe, expect, test } from "vitest";
import { cook, type CookInput } from "../../../src/domain/formulas/cook.ts";
import { library } from "./cooking.ts";
import { fc, fuzzRuns } from "../../property.ts";

interface Draw {
  readonly needs: readonly number[];
  readonly condition: boolean;
  readonly loop: number;
  readonly expand: boolean;
  readonly child: boolean;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  needs: fc.array(fc.nat(30), { maxLength: 3 }),
  condition: fc.boolean(),
  loop: fc.nat(3),
  expand: fc.boolean(),
  child: fc.boolean(),
});

const composition = fc.record({
  steps: fc.array(draw, { minLength: 1, maxLength: 12 }),
  v: fc.constantFrom("", "yes"),
  glob: fc.constantFrom("*", "s*", "s1*", "*.iter1.*", "nothing"),
  map: fc.boolean(),
  aspect: fc.boolean(),
  hook: fc.boolean(),
});
type Composition = typeof composition extends fc.Arbitrary<infer T> ? T : never;

function stepOf(each: Draw, index: number) {
  const id = `s${index}`;
  const needs = index === 0 ? [] : [...new Set(each.needs.map((need) => `s${need % index}`))];
  const condition = each.condition ? { condition: "{{v}}" } : {};
  const base = { id, title: id, needs, ...condition };
  if (each.loop > 0)
    return {
      ...base,
      loop: {
        count: each.loop - 1,
        body: [
          { id: "x", title: "x" },
          { id: "y", title: "y", needs: ["x"] },
        ],
      },
    };
  if (each.expand) return { ...base, expand: "twice" };
  return each.child ? { ...base, children: [{ id: `${id}c`, title: "c", needs }] } : base;
}

function formulaOf({ steps, glob, map, aspect, hook }: Composition) {
  return library(
    {
      formula: "f",
      vars: { v: "" },
      // Something always stays.
      steps: [...steps.map(stepOf), { id: "last", title: "last" }],
      compose: {
        ...(map ? { map: [{ select: "last", with: "twice" }] } : {}),
        ...(aspect ? { aspects: ["around"] } : {}),
        bond_points: [{ id: "p", after_step: map ? "last.b" : "last" }],
        ...(hook ? { hooks: [{ trigger: "type:bug", attach: "extra", at: "p" }] } : {}),
      },
    },
    {
      formula: "twice",
      template: [
        { id: "{target}.a", title: "a" },
        { id: "{target}.b", title: "b", needs: ["{target}.a"] },
      ],
    },
    {
      formula: "around",
      advice: [{ target: glob, before: { id: "pre", title: "p" }, after: { id: "post", title: "p" } }],
    },
    { formula: "extra", steps: [{ id: "e", title: "e" }] },
  );
}

const input = (v: string): CookInput => ({ values: { v }, subject: { type: "bug" } });

describe("cook, whatever is composed", () => {
  test("given any composition, when cooked, then ids are unique, no need dangles and each step comes after what it needs", () => {
    fc.assert(
      fc.property(composition, (drawn) => {
        const { protomolecule, problems } = cook(formulaOf(drawn), input(drawn.v));
        expect(problems.filter(({ severity }) => severity === "Error")).toEqual([]);
        const seen = new Set<string>();
        for (const step of protomolecule?.steps ?? []) {
          for (const need of [...step.needs, ...(step.parent === undefined ? [] : [step.parent])])
            expect(seen).toContain(need);
          expect(seen).not.toContain(step.id);
          seen.add(step.id);
        }
        expect(seen.size).toBeGreaterThan(0);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  test("given any composition, when cooked again, then it has the same name", () => {
    fc.assert(
      fc.property(composition, (drawn) => {
        const [one, two] = [cook(formulaOf(drawn), input(drawn.v)), cook(formulaOf(drawn), input(drawn.v))];
        expect(one.protomolecule?.id).toBe(two.protomolecule?.id);
      }),
    );
  });

  test("given what came before a step, when composed, then it still comes before the step", () => {
    fc.assert(
      fc.property(composition, (drawn) => {
        const steps = cook(formulaOf(drawn), input("yes")).protomolecule?.steps ?? [];
        const needs = new Map(steps.map((step) => [step.id, step.needs]));
        const before = (id: string): ReadonlySet<string> => {
          const found = new Set<string>();
          const open = [...(needs.get(id) ?? [])];
          for (let next = open.pop(); next !== undefined; next = open.pop()) {
            if (found.has(next)) continue;
            found.add(next);
            open.push(...(needs.get(next) ?? []));
          }
          return found;
        };
        for (const [index, each] of drawn.steps.entries()) {
          const own = stepOf(each, index);
          if (!needs.has(own.id)) continue;
          for (const need of own.needs) if (needs.has(need)) expect(before(own.id)).toContain(need);
        }
      }),
    );
  });

  test("given an aspect around every step, when cooked, then each step has its before and its after", () => {
    fc.assert(
      fc.property(composition, (drawn) => {
        const plain =
          cook(formulaOf({ ...drawn, aspect: false, hook: false }), input(drawn.v)).protomolecule?.steps ?? [];
        const around = cook(
          formulaOf({ ...drawn, aspect: true, glob: "*", hook: false }),
          input(drawn.v),
        ).protomolecule;
        const ids = new Set(around?.steps.map(({ id }) => id));
        expect(ids.size).toBe(plain.length * 3);
        for (const { id } of plain) for (const each of [id, `${id}.pre`, `${id}.post`]) expect(ids).toContain(each);
      }),
    );
  });
});
