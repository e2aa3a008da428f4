import { describe, expect, test } from "vitest";
import { findCycles } from "../../src/domain/order/cycles.ts";
import { loadSource } from "../../src/manifests/load-source.ts";
import { problemText } from "../../src/manifests/problem.ts";
import { checkReferences } from "../../src/manifests/references.ts";
import type { ReferenceRule } from "../../src/manifests/references.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";
import { fc } from "../property.ts";

const rules: readonly ReferenceRule[] = [
  { from: "AgentPool", path: "role", to: "Role", namespace: "SameOrTown" },
  { from: "AgentPool", path: "dependsOn[]", to: "AgentPool", namespace: "Same", orders: true },
];
const known = [{ kind: "Role", namespace: "hq", name: "crew" }];

function check(...texts: string[]) {
  const loaded = loadSource(
    texts.map((text, index) => ({ path: `${index}.yaml`, content: text, text: () => text })),
    { kinds: SAMPLE_KINDS, locals: new Map() },
  );
  expect(loaded.problems).toEqual([]);
  return checkReferences(loaded.objects, { rules, known, namespaceKind: "Rig" }).map(problemText);
}

const dependent = (name: string, ...needs: string[]) => `${poolText(name)}  dependsOn: [${needs.join(", ")}]\n`;

describe("checkReferences", () => {
  test("given references that hold, when checked, then there is nothing to say", () => {
    expect(check(rigText("api"), poolText("a"), dependent("b", "a", "api/a", "AgentPool/a", "Rig/api"))).toEqual([]);
  });

  test("given a reference to nothing, when checked, then place and nearest name are told", () => {
    expect(check(rigText("api"), poolText("a").replace("role: crew", "role: crwe"), dependent("b", "x"))).toEqual([
      "1.yaml:7:9: `spec.role` names Role 'crwe', which does not exist. Did you mean `crew`?",
      "2.yaml:9:15: `spec.dependsOn[0]` names AgentPool 'x', which does not exist. Declare AgentPool/api/x, or name one that exists.",
    ]);
  });

  test("given a namespace without Rig, when checked, then it is told", () => {
    expect(check(rigText("api"), poolText("a", 1, "apo"), poolText("b", 1, "hq"))).toEqual([
      "1.yaml:5:14: `metadata.namespace` 'apo' belongs to no Rig. Did you mean `api`?",
    ]);
  });

  test("given a cycle, when checked, then it is told once with its way", () => {
    expect(
      check(rigText("api"), dependent("a", "b"), dependent("b", "c"), dependent("c", "a"), dependent("d", "a")),
    ).toEqual([
      "1.yaml:9:15: `spec.dependsOn[0]` closes a cycle: AgentPool/api/a → AgentPool/api/b → AgentPool/api/c → AgentPool/api/a. Remove one of these dependencies.",
    ]);
  });
});

describe("findCycles", () => {
  test("given a chain of 100,000 nodes, when searched, then there is no cycle, and one when it is closed", () => {
    const nodes = Array.from({ length: 100_000 }, (_, index) => String(index));
    const next = (closed: boolean) => (node: string) =>
      Number(node) + 1 < nodes.length ? [String(Number(node) + 1)] : closed ? ["0"] : [];
    expect(findCycles(nodes, next(false))).toEqual([]);
    expect(findCycles(nodes, next(true))[0]).toHaveLength(100_001);
  });

  test("given any graph, when searched, then a cycle is found exactly when there is no topological order", () => {
    const graph = fc.array(fc.array(fc.nat(7), { maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(graph, (edges) => {
        const nodes = edges.map((_, index) => String(index));
        const edgesOf = (node: string) => (edges[Number(node)] ?? []).map(String);
        const cycles = findCycles(nodes, edgesOf);
        for (const cycle of cycles) {
          expect(cycle[0]).toBe(cycle.at(-1));
          for (const [index, node] of cycle.slice(0, -1).entries()) expect(edgesOf(node)).toContain(cycle[index + 1]);
        }
        const left = new Set(nodes);
        for (let removed = true; removed; ) {
          const free = [...left].filter((node) => !edgesOf(node).some((target) => left.has(target)));
          for (const node of free) left.delete(node);
          removed = free.length > 0;
        }
        expect(cycles.length > 0).toBe(left.size > 0);
      }),
    );
  });
});
