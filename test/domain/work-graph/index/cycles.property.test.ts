import { describe, expect, test } from "vitest";
import type { BeadRecord, DependencyEdge } from "../../../../src/domain/work-graph/bead.ts";
import { cycleThrough, findCycles } from "../../../../src/domain/work-graph/index/cycles.ts";
import { GraphIndex } from "../../../../src/domain/work-graph/index/graph-index.ts";
import { bead } from "../beads.ts";
import { fc } from "../../../property.ts";

/*
 * The oracle plays the work: every open bead that is not held closes, an epic or parent when its children are closed. What
 * never closes although everybody tries is on or behind a deadlock. So a new edge may be refused exactly when it makes
 * something stuck that was not.
 */
function stuck(records: readonly BeadRecord[]): Set<string> {
  const open = new Set(records.map(({ id }) => id));
  const edges = (id: string): readonly DependencyEdge[] =>
    records.find((record) => record.id === id)?.dependencies ?? [];
  const kids = (id: string): string[] =>
    records
      .filter((record) => edges(record.id).some((edge) => edge.type === "parent-child" && edge.depends_on_id === id))
      .map(({ id: kid }) => kid);
  const waits = (id: string): boolean =>
    edges(id).some(
      ({ type, depends_on_id: to }) =>
        (type === "blocks" && open.has(to)) || (type === "waits-for" && kids(to).some((kid) => open.has(kid))),
    );
  const held = (id: string, seen: readonly string[] = []): boolean =>
    waits(id) ||
    edges(id).some(
      ({ type, depends_on_id: to }) =>
        type === "parent-child" && open.has(to) && !seen.includes(to) && held(to, [...seen, id]),
    );
  for (let changed = true; changed; ) {
    changed = false;
    for (const id of Array.from(open)) {
      if (held(id) || kids(id).some((kid) => open.has(kid))) continue;
      open.delete(id);
      changed = true;
    }
  }
  return open;
}

const ids = ["a", "b", "c", "d", "e"];
const anyEdge = fc
  .tuple(
    fc.constantFrom(...ids),
    fc.constantFrom(...ids),
    fc.constantFrom("blocks", "parent-child", "waits-for", "related"),
  )
  .filter(([from, to]) => from !== to);

function withEdge(
  records: readonly BeadRecord[],
  [from, to, type]: readonly [string, string, string],
): readonly BeadRecord[] {
  return records.map((record) =>
    record.id === from
      ? { ...record, dependencies: [...(record.dependencies ?? []), { issue_id: from, depends_on_id: to, type }] }
      : record,
  );
}

describe("deadlocks", () => {
  test("given any graph that works, when an edge is added, then it is refused exactly when it would make something stuck", () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(anyEdge, { maxLength: 12 }), (edges) => {
        let records: readonly BeadRecord[] = ids.map((id) => bead(id));
        for (const edge of edges) {
          const [from, to, type] = edge;
          const own = records.find(({ id }) => id === from)?.dependencies ?? [];
          if (own.some(({ depends_on_id: known }) => known === to)) continue;
          if (type === "parent-child" && own.some((known) => known.type === type)) continue;
          const index = new GraphIndex();
          index.load(records);
          const cycle = cycleThrough(index, { issue_id: from, depends_on_id: to, type });
          const next = withEdge(records, edge);
          expect(
            cycle !== undefined,
            `${JSON.stringify(edge)} in ${JSON.stringify(records.flatMap((record) => record.dependencies ?? []))}`,
          ).toBe(stuck(next).size > 0);
          if (cycle === undefined) records = next;
          else refused++;
        }
        const index = new GraphIndex();
        index.load(records);
        expect(findCycles(index, index.all())).toEqual([]);
      }),
      { numRuns: 1_500 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test("given cycles in imported records, when listed, then each group is told once", () => {
    const index = new GraphIndex();
    index.load([
      bead("a", { needs: [["b", "blocks"]] }),
      bead("b", { needs: [["a", "blocks"]] }),
      bead("c", { needs: [["d", "parent-child"]] }),
      bead("d", { needs: [["c", "parent-child"]] }),
      bead("e", { needs: [["a", "blocks"]] }),
      bead("f", { needs: [["f", "blocks"]] }),
      bead("g", { needs: [["h", "related"]] }),
      bead("h", { needs: [["g", "related"]] }),
    ]);
    expect(findCycles(index, index.all())).toEqual([["a", "b"], ["c", "d"], ["f"]]);
  });

  test("given a chain of 20,000 beads and a fan-in, when an edge closes the circle, then it is found in one walk", () => {
    const count = 20_000;
    const index = new GraphIndex();
    index.load(
      Array.from({ length: count }, (_, i) =>
        bead(
          `x${i}`,
          i === 0 ? {} : { needs: [[`x${i - 1}`, "blocks"], ...(i > 1 ? [[`x${i - 2}`, "blocks"] as const] : [])] },
        ),
      ),
    );
    expect(cycleThrough(index, { issue_id: "x0", depends_on_id: `x${count - 1}`, type: "blocks" })).toBeDefined();
    expect(cycleThrough(index, { issue_id: `x${count - 1}`, depends_on_id: "x5", type: "blocks" })).toBeUndefined();
    expect(findCycles(index, index.all())).toEqual([]);
  });
});
