import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { GraphIndex } from "../../../../src/domain/work-graph/index/graph-index.ts";
import {
  cyclesOf,
  duplicateGroups,
  expiredClaims,
  staleBeads,
} from "../../../../src/domain/work-graph/queries/attention.ts";
import { beadTest, selectBeads, type BeadFilter } from "../../../../src/domain/work-graph/queries/bead-filter.ts";
import { blockedBeads } from "../../../../src/domain/work-graph/queries/blocked-beads.ts";
import { dependencyTree } from "../../../../src/domain/work-graph/queries/dependency-tree.ts";
import { epicStatus, openEpics } from "../../../../src/domain/work-graph/queries/epics.ts";
import { graphStats } from "../../../../src/domain/work-graph/queries/graph-stats.ts";
import { descendantsOf } from "../../../../src/domain/work-graph/queries/graph-view.ts";
import { searchBeads } from "../../../../src/domain/work-graph/queries/search-beads.ts";
import { settledNames, statusBook } from "../../../../src/domain/work-graph/record/statuses.ts";
import { sortBeads } from "../../../../src/domain/work-graph/queries/sort-beads.ts";
import { IndexReader } from "../../../../src/graph/index-reader.ts";
import { at, bead } from "../beads.ts";

const now = Date.UTC(2026, 0, 1) + 100 * 3_600_000;
const hours = (n: number): string => at(n * 3_600_000);

function viewOf(...records: readonly BeadRecord[]): IndexReader {
  const index = new GraphIndex();
  index.load(records);
  return new IndexReader(index, () => now);
}
const ids = (records: readonly BeadRecord[]): readonly string[] => records.map(({ id }) => id);

describe("lists by status", () => {
  test("given statuses to leave out, when listed, then the rest comes in id order, unknown statuses with it", () => {
    const view = viewOf(
      bead("d", { status: "verified" }),
      bead("c"),
      bead("b", { status: "closed", closed_at: hours(1) }),
      bead("a", { status: "nobodys" }),
      bead("e", { status: "tombstone" }),
    );
    const book = statusBook("verified:done");
    expect(ids(view.list({ excludeStatus: settledNames(book) }))).toEqual(["a", "c"]);
    expect(ids(view.list({ status: ["open", "closed"], excludeStatus: ["closed"] }))).toEqual(["c"]);
  });
});

describe("filters", () => {
  const view = viewOf(
    bead("a", { labels: ["ui", "area:web"], assignee: "bob", priority: 0, title: "Fix the Login", due_at: hours(10) }),
    bead("b", {
      issue_type: "bug",
      status: "closed",
      closed_at: hours(50),
      owner: "o",
      description: "login text",
      metadata: { k: { x: 1 } },
    }),
    bead("c", { needs: [["e", "parent-child"]], notes: "n", external_ref: "gh-9", created_by: "alice" }),
    bead("d", { needs: [["c", "parent-child"]], ephemeral: true, wisp_type: "ping" } as never),
    bead("e", { issue_type: "epic", pinned: true, updated_at: hours(20) }),
    bead("f", { is_template: true }),
  );
  const cases: readonly (readonly [BeadFilter, readonly string[]])[] = [
    [{}, ["a", "b", "c", "e"]],
    [{ wisps: true, templates: true }, ["a", "b", "c", "d", "e", "f"]],
    [{ ids: ["c", "a", "zzz", "c"] }, ["c", "a"]],
    [{ status: ["closed", "deferred"] }, ["b"]],
    [{ excludeStatus: ["open"] }, ["b"]],
    [{ type: ["bug", "epic"] }, ["b", "e"]],
    [{ excludeType: ["task"] }, ["b", "e"]],
    [{ assignee: "bob" }, ["a"]],
    [{ assignee: "", status: ["open"] }, ["c", "e"]],
    [{ owner: "o" }, ["b"]],
    [{ createdBy: "alice" }, ["c"]],
    [{ labels: ["ui", "area:web"] }, ["a"]],
    [{ labels: ["ui", "other"] }, []],
    [{ anyLabel: ["other", "ui"] }, ["a"]],
    [{ excludeLabels: ["ui"], type: ["task"] }, ["c"]],
    [{ labelPattern: "area:*" }, ["a"]],
    [{ labelPattern: "are." }, []],
    [{ noLabels: true, type: ["task"] }, ["c"]],
    [{ priority: [0, 1] }, ["a"]],
    [{ minPriority: 1, maxPriority: 2 }, ["b", "c", "e"]],
    [{ text: "LOGIN" }, ["a", "b"]],
    [{ title: "login" }, ["a"]],
    [{ description: "TEXT" }, ["b"]],
    [{ notes: "n" }, ["c"]],
    [{ externalRef: "gh-" }, ["c"]],
    [{ emptyDescription: false }, ["b"]],
    [{ closed: { after: now - 60 * 3_600_000 } }, ["b"]],
    [{ closed: { before: now - 60 * 3_600_000 } }, []],
    [{ due: { before: now } }, ["a"]],
    [{ updated: { after: Date.UTC(2026, 0, 1) } }, ["e"]],
    [{ parent: "e" }, ["c"]],
    [{ under: "e", wisps: true }, ["c", "d"]],
    [{ noParent: true }, ["a", "b", "e"]],
    [{ metadata: { k: { x: 1 } } }, ["b"]],
    [{ metadataKey: "k" }, ["b"]],
    [{ wispType: "ping", wisps: true }, ["d"]],
    [{ pinned: true }, ["e"]],
    [{ pinned: false, type: ["epic"] }, []],
  ];
  test.each(cases)("given %j, then it selects %j", (filter, wanted) => {
    expect(ids(selectBeads(view, filter))).toEqual(wanted);
    for (const record of selectBeads(view, filter)) expect(beadTest(filter)(record)).toBe(true);
  });
});

describe("order", () => {
  const a = bead("x.10", { priority: 1, created_at: hours(90), title: "b" });
  const b = bead("x.2", { priority: 0, created_at: hours(10), title: "a", due_at: hours(5) });
  const c = bead("y", { priority: 1, created_at: hours(80), updated_at: hours(95) });
  const d = bead("z", { priority: 0, created_at: hours(95) });
  test.each([
    ["id", ["x.2", "x.10", "y", "z"]],
    ["priority", ["x.2", "z", "y", "x.10"]],
    ["created", ["z", "x.10", "y", "x.2"]],
    ["oldest", ["x.2", "y", "x.10", "z"]],
    ["updated", ["y", "x.2", "x.10", "z"]],
    ["due", ["x.2", "x.10", "y", "z"]],
    ["title", ["x.2", "x.10", "y", "z"]],
    ["hybrid", ["z", "y", "x.10", "x.2"]],
  ] as const)("given beads, when sorted by %s, then %j", (key, wanted) => {
    expect(ids(sortBeads([a, b, c, d], key, { nowMs: now }))).toEqual(wanted);
    expect(ids(sortBeads([d, c, b, a], key, { nowMs: now }))).toEqual(wanted);
  });
});

describe("what waits, and for what", () => {
  const view = viewOf(
    bead("epic", { issue_type: "epic", needs: [["gate", "blocks"]] }),
    bead("gate"),
    bead("child", { needs: [["epic", "parent-child"]] }),
    bead("both", {
      needs: [
        ["gate", "blocks"],
        ["other", "blocks"],
        ["external:web:login", "blocks"],
      ],
    }),
    bead("one", { needs: [["gate", "blocks"]] }),
    bead("other"),
    bead("over", { status: "closed", needs: [["gate", "blocks"]] }),
  );

  test("given blocked beads, then each is told with its blockers and the ancestors that hold it", () => {
    expect(
      blockedBeads(view, { nowMs: now }).map(({ record, blockedBy, heldBy }) => [record.id, blockedBy, heldBy]),
    ).toEqual([
      ["both", ["gate", "other", "external:web:login"], []],
      ["child", [], ["epic"]],
      ["epic", ["gate"], []],
      ["one", ["gate"], []],
    ]);
  });
});

describe("trees and epics", () => {
  test("given dependencies with a circle and a diamond, when drawn, then each bead is followed once and the depth is kept", () => {
    const view = viewOf(
      bead("a", {
        needs: [
          ["b", "blocks"],
          ["c", "related"],
        ],
      }),
      bead("b", { needs: [["d", "blocks"]] }),
      bead("c", {
        needs: [
          ["d", "blocks"],
          ["gone", "blocks"],
        ],
      }),
      bead("d", { needs: [["a", "blocks"]] }),
    );
    const rows = (options: Parameters<typeof dependencyTree>[2]) =>
      dependencyTree(view, "a", options).map(
        ({ id, depth, truncated }) => `${"  ".repeat(depth)}${id}${truncated ? " …" : ""}`,
      );
    expect(rows({ direction: "down" })).toEqual(["a", "  b", "    d", "      a …", "  c", "    d …", "    gone"]);
    expect(rows({ direction: "down", maxDepth: 1 })).toEqual(["a", "  b …", "  c …"]);
    expect(rows({ direction: "down", types: ["related"] })).toEqual(["a", "  c"]);
    expect(rows({ direction: "up", maxDepth: 2 })).toEqual(["a", "  d", "    b …", "    c …"]);
    expect(cyclesOf(view)).toEqual([["a", "b", "d"]]);
  });

  test("given nested epics, then children, work and what can be closed are counted", () => {
    const view = viewOf(
      bead("top", { issue_type: "epic" }),
      bead("sub", { issue_type: "epic", needs: [["top", "parent-child"]] }),
      bead("t1", { status: "closed", needs: [["sub", "parent-child"]] }),
      bead("t2", { status: "closed", needs: [["sub", "parent-child"]] }),
      bead("t3", { needs: [["top", "parent-child"]] }),
      bead("empty", { issue_type: "epic" }),
      bead("past", { issue_type: "epic", status: "closed" }),
    );
    expect(
      openEpics(view).map(({ epic, children, closedChildren, work, closedWork, closable, needsDecomposition }) => [
        epic.id,
        children,
        closedChildren,
        work,
        closedWork,
        closable,
        needsDecomposition,
      ]),
    ).toEqual([
      ["empty", 0, 0, 0, 0, false, true],
      ["sub", 2, 2, 2, 2, true, false],
      ["top", 2, 0, 3, 2, false, false],
    ]);
    expect(epicStatus(view, view.get("past") as BeadRecord).needsDecomposition).toBe(false);
    expect(ids(descendantsOf(view, "top"))).toEqual(["sub", "t3", "t1", "t2"]);
    // Epics are listed apart from work.
    expect(ids(view.ready())).toEqual(["t3"]);
    expect(ids(view.ready({ type: "epic" }))).toEqual(["empty", "sub", "top"]);
  });
});

describe("what wants attention", () => {
  const view = viewOf(
    bead("old", { updated_at: hours(1) }),
    bead("older", { updated_at: hours(0), status: "in_progress", assignee: "x", lease_expires_at: hours(99) }),
    bead("fresh", { updated_at: hours(99), due_at: hours(98) }),
    bead("done", { updated_at: hours(0), due_at: hours(1), status: "closed" }),
    bead("held", { updated_at: hours(99), status: "hooked", assignee: "y", lease_expires_at: hours(101) }),
  );
  test("given beads, then stale ones and lapsed claims are found, the worst first", () => {
    expect(ids(staleBeads(view, { nowMs: now, days: 4 }))).toEqual(["older", "old"]);
    expect(ids(staleBeads(view, { nowMs: now, days: 4, status: ["open"] }))).toEqual(["old"]);
    expect(ids(expiredClaims(view, now))).toEqual(["older"]);
  });

  test("given beads that say the same, then they are grouped, the oldest first", () => {
    const twice = viewOf(
      bead("b", { title: "Fix  login", created_at: hours(2) }),
      bead("a", { title: "fix login", created_at: hours(3) }),
      bead("c", { title: "fix login", issue_type: "bug" }),
      bead("d", { title: "fix login", status: "closed" }),
    );
    expect(duplicateGroups(twice).map(ids)).toEqual([["b", "a"]]);
  });

  test("given a query, then every word must be found somewhere, and better places come first", () => {
    const records = [
      bead("a", { title: "other", description: "the login page" }),
      bead("b", { title: "Login page" }),
      bead("c", { title: "login" }),
      bead("d", { title: "x", comments: [{ id: 1, author: "x", text: "Login on this page", created_at: at(0) }] }),
      bead("e", { title: "login page", status: "closed" }),
    ];
    expect(searchBeads(records, " login PAGE ").map(({ record }) => record.id)).toEqual(["b", "e", "a", "d"]);
    expect(searchBeads(records, "  ")).toEqual([]);
  });

  test("given a graph, then the counts agree with its lists", () => {
    const stats = graphStats(
      viewOf(
        bead("a"),
        bead("b", { status: "closed", closed_at: hours(10) }),
        bead("c", { status: "closed", created_at: hours(80), closed_at: hours(100) }),
        bead("d", { needs: [["a", "blocks"]] }),
        bead("e", { status: "deferred" }),
        bead("f", { defer_until: hours(200) }),
        bead("g", { issue_type: "epic" }),
        bead("h", { status: "closed", needs: [["g", "parent-child"]] }),
        bead("w", { ephemeral: true }),
        bead("p", { pinned: true, priority: 0 }),
      ),
      { nowMs: now },
    );
    expect(stats).toMatchObject({
      total: 9,
      wisps: 1,
      ready: 1,
      blocked: 1,
      deferred: 2,
      pinned: 1,
      epicsClosable: 1,
      byStatus: { open: 5, closed: 3, deferred: 1 },
      byType: { task: 8, epic: 1 },
      byPriority: { P0: 1, P2: 8 },
      averageLeadTimeHours: 15,
      createdRecently: 1,
      closedRecently: 1,
    });
  });
});
