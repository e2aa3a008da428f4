import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { queueOrder } from "../../../src/domain/merge-queue/order.ts";

const entry = fc.record({
  id: fc.uuid(),
  priority: fc.integer({ min: 0, max: 4 }),
  convoyAgeMs: fc.integer({ min: 0, max: 3 }),
  submittedMs: fc.integer({ min: 0, max: 1_000_000 }),
  retries: fc.integer({ min: 0, max: 9 }),
});

describe("queue order", () => {
  it("given any entries, when ordered, then P0 goes before P4, and the order does not depend on how they came", () => {
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: (each) => each.id }), (entries) => {
        const ordered = queueOrder(entries);
        expect(queueOrder(entries.toReversed())).toEqual(ordered);
        for (const [index, each] of ordered.entries())
          expect(each.priority).toBeGreaterThanOrEqual(ordered[index - 1]?.priority ?? 0);
      }),
    );
  });

  it("given a retry, when a newer request came within the penalty, then the newer one goes first, but never one from much later", () => {
    const base = { priority: 2, convoyAgeMs: 0 };
    const retry = { ...base, id: "retry", submittedMs: 0, retries: 50 };
    const soon = { ...base, id: "soon", submittedMs: 200_000, retries: 0 };
    const late = { ...base, id: "late", submittedMs: 400_000, retries: 0 };
    expect(queueOrder([retry, soon, late]).map((each) => each.id)).toEqual(["soon", "retry", "late"]);
  });
});
