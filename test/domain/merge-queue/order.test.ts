import { describe, expect, it } from "vitest";
import { MOST_PASSED_MS, queueOrder } from "../../../src/domain/merge-queue/order.ts";
import { fc } from "../../property.ts";

const HOUR_MS = 3_600_000;
const entry = fc.record({
  id: fc.uuid(),
  priority: fc.integer({ min: 0, max: 4 }),
  convoyMs: fc.integer({ min: 0, max: 100 * HOUR_MS }),
  submittedMs: fc.integer({ min: 0, max: 100 * HOUR_MS }),
  retries: fc.integer({ min: 0, max: 9 }),
});
const entries = fc.uniqueArray(entry, { selector: (each) => each.id });

function names(...given: Parameters<typeof queueOrder>[0][number][]): string[] {
  return queueOrder(given).map(({ id }) => id);
}

describe("queue order", () => {
  it("given any entries, when ordered, then it does not depend on how they came", () => {
    fc.assert(
      fc.property(entries, (given) => {
        expect(queueOrder(given.toReversed())).toEqual(queueOrder(given));
      }),
    );
  });

  it("given any entry, when others come without end, then none that comes long after it goes first", () => {
    fc.assert(
      fc.property(entry, entries, (waiting, others) => {
        const ordered = queueOrder([waiting, ...others]);
        for (const other of ordered.slice(0, ordered.indexOf(waiting)))
          expect(other.submittedMs - waiting.submittedMs).toBeLessThanOrEqual(MOST_PASSED_MS);
      }),
    );
  });

  it("given what was submitted about the same time, when ordered, then by priority, then the older convoy, then fewer retries", () => {
    const base = { priority: 2, convoyMs: HOUR_MS, submittedMs: HOUR_MS, retries: 0 };
    const urgent = { ...base, id: "urgent", priority: 1, submittedMs: 3 * HOUR_MS };
    const old = { ...base, id: "old", convoyMs: 0, submittedMs: HOUR_MS + 60_000 };
    const plain = { ...base, id: "plain" };
    const retry = { ...base, id: "retry", retries: 2 };
    expect(names(retry, plain, old, urgent)).toEqual(["urgent", "old", "plain", "retry"]);
  });

  it("given a retry, when a newer request came within the penalty, then the newer one goes first, but never one from much later", () => {
    const base = { priority: 2, convoyMs: 0 };
    const retry = { ...base, id: "retry", submittedMs: 0, retries: 50 };
    const soon = { ...base, id: "soon", submittedMs: 200_000, convoyMs: 200_000, retries: 0 };
    const late = { ...base, id: "late", submittedMs: 400_000, convoyMs: 400_000, retries: 0 };
    expect(names(retry, soon, late)).toEqual(["soon", "retry", "late"]);
  });
});
