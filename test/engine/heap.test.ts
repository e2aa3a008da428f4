import { describe, expect, test } from "vitest";
import { Heap } from "../../src/engine/heap.ts";
import { fc } from "../property.ts";

describe("Heap", () => {
  test("given any pushes, pops and cullings, when compared with a sorted list, then the same items leave in the same order", () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 0, max: 50 }) }),
      fc.constant("pop" as const),
      fc.constant("cull" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        let list: number[] = [];
        for (const action of steps) {
          if (action === "pop") expect(heap.pop()).toBe(list.shift());
          else if (action === "cull") {
            heap.retain((item) => item % 3 !== 0);
            list = list.filter((item) => item % 3 !== 0);
          } else {
            heap.push(action.push);
            list = [...list, action.push].sort((a, b) => a - b);
          }
          expect([heap.size, heap.peek()]).toEqual([list.length, list[0]]);
        }
        heap.clear();
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});
