import { describe, expect, test } from "vitest";
import type { SharedSetting, SharedSettings } from "../../../../src/domain/work-graph/merge/merge-settings.ts";
import { mergeSettings } from "../../../../src/domain/work-graph/merge/merge-settings.ts";
import { at } from "../beads.ts";
import { fc } from "../../../property.ts";

const setting: fc.Arbitrary<SharedSetting> = fc.record(
  { value: fc.constantFrom("x", "y", "z"), updated_at: fc.nat(3).map(at) },
  { requiredKeys: ["value"] },
);
const settings: fc.Arbitrary<SharedSettings> = fc
  .dictionary(fc.constantFrom("k1", "k2", "k3"), setting)
  .map((entries) => new Map(Object.entries(entries)));
const plain = (of: SharedSettings) => [...of].sort(([a], [b]) => (a < b ? -1 : 1));

describe("merging settings", () => {
  test("given any two sides of a base, when merged in either order, then the result is the same, and again changes nothing", () => {
    fc.assert(
      fc.property(settings, settings, settings, (base, a, b) => {
        const merged = mergeSettings(base, a, b);
        expect(plain(mergeSettings(base, b, a))).toEqual(plain(merged));
        expect(plain(mergeSettings(b, merged, b))).toEqual(plain(merged));
      }),
    );
  });

  test("given a change of one side alone, when merged, then it is taken; a removal too", () => {
    fc.assert(
      fc.property(settings, settings, (base, a) => {
        expect(plain(mergeSettings(base, a, base))).toEqual(plain(a));
      }),
    );
  });

  test("given a removal and a change, when merged, then the change stays; of two changes the later one", () => {
    const base = new Map([["k", { value: "old", updated_at: at(1) }]]);
    const early = new Map([["k", { value: "z", updated_at: at(2) }]]);
    const late = new Map([["k", { value: "a", updated_at: at(3) }]]);
    expect(plain(mergeSettings(base, new Map(), early))).toEqual(plain(early));
    expect(plain(mergeSettings(base, early, late))).toEqual(plain(late));
  });
});
