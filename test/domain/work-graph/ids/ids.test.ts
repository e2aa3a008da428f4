import { describe, expect, test } from "vitest";
import { idOfKubernetesName, kubernetesNameOf } from "../../../../src/domain/work-graph/ids/kubernetes-name.ts";
import {
  childNumber,
  compareIds,
  idLength,
  mintId,
  nextChildId,
} from "../../../../src/domain/work-graph/ids/mint-id.ts";
import { prefixOf, resolveId, validId } from "../../../../src/domain/work-graph/ids/parse-id.ts";
import { idOfPath, recordPath } from "../../../../src/domain/work-graph/ids/record-path.ts";
import { seededRandom } from "../../../../src/simulation/seeded-random.ts";
import { fc } from "../../../property.ts";

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const anyId = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: "grapheme" }),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$/),
  fc.stringMatching(/^esc--[a-z0-9-]{0,10}$/),
);

describe("names of beads in Kubernetes", () => {
  test("given any id, when named, then the name is valid, says the id again, and no two ids share one", () => {
    fc.assert(
      fc.property(anyId, anyId, (a, b) => {
        const name = kubernetesNameOf(a);
        expect(name).toMatch(subdomain);
        expect(idOfKubernetesName(name)).toBe(a);
        if (a !== b) expect(kubernetesNameOf(b)).not.toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  test("given an ordinary id, then it is its own name; given one that would be too long, then it is refused", () => {
    expect(kubernetesNameOf("api-x1y2z3.12")).toBe("api-x1y2z3.12");
    expect(kubernetesNameOf("API_1")).toBe("esc--z41z50z49z5f1");
    expect(() => kubernetesNameOf("Ä".repeat(100))).toThrow("253 are allowed");
  });
});

describe("paths of records", () => {
  test("given any id without slash, when placed, then the path leads back to it and fits a tree", () => {
    fc.assert(
      fc.property(
        anyId.filter((id) => !/[/\\\s\p{C}]/u.test(id)),
        (id) => {
          const path = recordPath(id);
          expect(path).toMatch(/^[0-3][0-9a-f]\/[0-3][0-9a-f]\/[^/]+\.json$/);
          expect(idOfPath(path)).toBe(id);
        },
      ),
    );
  });

  test("given other files of the branch, then they hold no record", () => {
    for (const path of [
      "version.json",
      "log/2026-01-01/abc.jsonl",
      "00/00/api-x1.json",
      `${recordPath("api-1")}x`,
      "zz/00/a.json",
    ]) {
      expect(idOfPath(path)).toBeUndefined();
    }
  });

  test("given 10,000 ids that differ at their end, then no directory gets more than three times its share", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 10_000; i++) {
      const directory = recordPath(`api-epic.${i}`).slice(0, 5);
      counts.set(directory, (counts.get(directory) ?? 0) + 1);
    }
    expect(counts.size).toBeGreaterThan(3_000);
    expect(Math.max(...counts.values())).toBeLessThan(15);
  });
});

describe("new ids", () => {
  test("given few and many records, then ids have at least six characters and grow with the number", () => {
    expect([0, 1_000, 6_000, 10_000, 100_000, 1_000_000].map(idLength)).toEqual([6, 6, 6, 7, 8, 9]);
  });

  test("given a random source, when minted, then the id has a digit, its prefix and infix, and is not taken", () => {
    const random = seededRandom(1);
    const taken = new Set<string>();
    for (let i = 0; i < 500; i++) {
      const id = mintId({
        prefix: "my-app",
        infix: i % 2 === 0 ? "wisp" : undefined,
        records: i,
        taken: (one) => taken.has(one),
        base36: (n) => random.base36(n),
      });
      expect(id).toMatch(i % 2 === 0 ? /^my-app-wisp-[0-9a-z]{6}$/ : /^my-app-[0-9a-z]{6}$/);
      expect(id.slice(id.lastIndexOf("-") + 1)).toMatch(/\d/);
      expect(prefixOf(id)).toBe(i % 2 === 0 ? "my-app-wisp" : "my-app");
      taken.add(id);
    }
    expect(taken.size).toBe(500);
  });

  test("given a source that repeats itself, when the id is taken, then a longer one is made", () => {
    const id = mintId({ prefix: "a", records: 0, taken: (one) => one === "a-zzzzz6", base36: (n) => "z".repeat(n) });
    expect(id).toMatch(/^a-z{6}\d$/);
  });

  test("given children, when the next is named, then it follows the highest, deleted ones included", () => {
    expect(nextChildId("a-1", ["a-1.2", "a-1.gate-x", "a-9.7"], (id) => id === "a-1.3")).toBe("a-1.4");
    expect(childNumber("a-1", "a-1.2.3")).toBeUndefined();
  });

  test("given ids with numbers, when sorted, then by value", () => {
    expect(["x.10", "x.4", "x", "x.4.2", "w.1"].sort(compareIds)).toEqual(["w.1", "x", "x.4", "x.4.2", "x.10"]);
  });
});

describe("ids that people type", () => {
  const ids = ["api-a3f8k2", "api-a3f8k2.1", "api-b7", "api-wisp-q1"];
  const known = { has: (id: string) => ids.includes(id), all: () => ids };
  test.each([
    { text: "api-b7", found: "api-b7", because: "it is exact" },
    { text: "b7", found: "api-b7", because: "the prefix can be left out" },
    { text: "a3f", found: "api-a3f8k2", because: "a part of a parent means the parent and not its child" },
    { text: "a3f8k2.1", found: "api-a3f8k2.1", because: "a child can be named" },
    { text: "zzz", found: undefined, because: "nothing fits" },
    { text: "", found: undefined, because: "nothing was said" },
  ])("given '$text', then $because", ({ text, found }) => {
    expect(resolveId(text, "api", known)).toBe(found);
  });

  test("given a part that fits several, then it is refused with the candidates", () => {
    expect(() => resolveId("api", "api", { has: () => false, all: () => ["x-api1", "x-api2"] })).toThrow(
      "x-api1, x-api2 fit",
    );
  });

  test.each([
    ["bd-a1b", "bd"],
    ["my-app-123", "my-app"],
    ["my-app-words", "my"],
    ["a-b-x7k2m1.3.1", "a-b"],
    ["nohyphen", undefined],
  ])("given %s without known prefixes, then its prefix is %s", (id, prefix) => {
    expect(prefixOf(id)).toBe(prefix);
  });

  test("given known prefixes, then the longest that fits counts", () => {
    expect(prefixOf("my-app-words", ["my", "my-app", "app"])).toBe("my-app");
  });

  test("given ids of other tools and bad ones, then the grammar tells them apart", () => {
    for (const id of ["bd-1", "gt-rig-role-name", "x.gate-y", "hq-cv-a1"]) expect(validId(id)).toBe(true);
    for (const id of ["", ".a", "a..b", "a/b", "a b", "a.", "-a"]) expect(validId(id)).toBe(false);
  });
});
