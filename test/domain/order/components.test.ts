import { describe, expect, it } from "vitest";
import { components } from "../../../src/domain/order/components.ts";
import { fc } from "../../property.ts";

const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 });
const NODES = Array.from({ length: 10 }, (_, node) => node);

function targetsOf(all: readonly (readonly [number, number])[]): (node: number) => readonly number[] {
  return (node) => all.filter(([from]) => from === node).map(([, to]) => to);
}

function reached(start: number, targets: (node: number) => readonly number[]): ReadonlySet<number> {
  const seen = new Set([start]);
  for (const node of seen) for (const target of targets(node)) seen.add(target);
  return seen;
}

describe("components", () => {
  it("given any graph, when divided, then two nodes are in one component if and only if each reaches the other", () => {
    fc.assert(
      fc.property(edges, (all) => {
        const targets = targetsOf(all);
        const found = [...components(NODES, targets)];
        expect(found.flat().toSorted((a, b) => a - b)).toEqual(NODES);
        for (const component of found)
          for (const node of component) {
            const together = NODES.filter(
              (other) => reached(node, targets).has(other) && reached(other, targets).has(node),
            );
            expect([...component].toSorted((a, b) => a - b)).toEqual(together);
          }
      }),
    );
  });

  it("given any graph, when divided, then a component comes before those that lead to it", () => {
    fc.assert(
      fc.property(edges, (all) => {
        const place = new Map(
          [...components(NODES, targetsOf(all))].flatMap((nodes, at) => nodes.map((node) => [node, at])),
        );
        for (const [from, to] of all) expect(place.get(to)).toBeLessThanOrEqual(place.get(from) ?? -1);
      }),
    );
  });

  it("given a chain of 200,000 nodes from one root, when divided, then each is alone and nothing overflows", () => {
    let count = 0;
    for (const component of components([0], (node) => (node < 199_999 ? [node + 1] : []))) count += component.length;
    expect(count).toBe(200_000);
  });
});
