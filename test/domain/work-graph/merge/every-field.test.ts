import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { mergeRecords } from "../../../../src/domain/work-graph/merge/merge-record.ts";
import { canonicalJson } from "../../../../src/domain/work-graph/record/canonical.ts";
import { withFields } from "../../../../src/domain/work-graph/record/facts.ts";
import { at, bead } from "../beads.ts";

type Fields = Readonly<Record<string, unknown>>;

const edge = (to: string, type: string) => ({ issue_id: "a", depends_on_id: to, type });
const comment = (id: string) => ({ id, author: "x", text: id, created_at: at(1) });

/** What each side makes of a field (undefined: it removes it), where the base has the third. */
const edits: Readonly<Record<string, readonly [left: Fields, right: Fields, base: Fields]>> = {
  title: [{ title: "l" }, { title: "r" }, {}],
  description: [{ description: "l" }, { description: undefined }, { description: "b" }],
  design: [{ design: "l" }, { design: "r" }, {}],
  acceptance_criteria: [{ acceptance_criteria: "l" }, { acceptance_criteria: "r" }, {}],
  notes: [{ notes: undefined }, { notes: "r" }, { notes: "b" }],
  status: [{ status: "deferred" }, { status: "blocked" }, {}],
  priority: [{ priority: 0 }, { priority: 4 }, {}],
  issue_type: [{ issue_type: "bug" }, { issue_type: "epic" }, {}],
  assignee: [{ assignee: "l" }, { assignee: "r" }, {}],
  owner: [{ owner: "l" }, { owner: undefined }, { owner: "b" }],
  estimated_minutes: [{ estimated_minutes: 0 }, { estimated_minutes: 5 }, {}],
  started_at: [{ started_at: at(1) }, { started_at: at(2) }, {}],
  closed_at: [
    { status: "closed", closed_at: at(1), close_reason: "l" },
    { status: "closed", closed_at: at(2), close_reason: "r" },
    {},
  ],
  close_reason: [{ close_reason: "l" }, { close_reason: "r" }, { status: "closed", closed_at: at(0) }],
  closed_by_session: [
    { closed_by_session: "l@1" },
    { closed_by_session: "r@1" },
    { status: "closed", closed_at: at(0) },
  ],
  lease_expires_at: [
    { status: "in_progress", assignee: "l", lease_expires_at: at(9), heartbeat_at: at(1) },
    { status: "in_progress", assignee: "r", lease_expires_at: at(8), heartbeat_at: at(2) },
    {},
  ],
  heartbeat_at: [
    { heartbeat_at: at(3), lease_expires_at: at(13) },
    { heartbeat_at: at(4), lease_expires_at: at(14) },
    { status: "in_progress", assignee: "b", heartbeat_at: at(1), lease_expires_at: at(11) },
  ],
  due_at: [{ due_at: at(1) }, { due_at: at(2) }, {}],
  defer_until: [{ defer_until: at(1) }, { defer_until: undefined }, { defer_until: at(0) }],
  external_ref: [{ external_ref: "gh-1" }, { external_ref: "gh-2" }, {}],
  labels: [{ labels: ["l"] }, { labels: ["b", "r"] }, { labels: ["b"] }],
  dependencies: [
    { dependencies: [edge("t1", "related"), edge("t2", "blocks")] },
    { dependencies: undefined },
    { dependencies: [edge("t1", "blocks")] },
  ],
  comments: [{ comments: [comment("l")] }, { comments: [comment("r")] }, {}],
  ephemeral: [{ ephemeral: undefined }, { ephemeral: false }, { ephemeral: true }],
  pinned: [{ pinned: true }, { pinned: false }, {}],
  is_template: [{ is_template: true }, { is_template: false }, {}],
  metadata: [{ metadata: { k: 1, l: 1 } }, { metadata: { k: 2, r: 1 } }, { metadata: { k: 0 } }],
  "an unknown key": [{ crystallizes: { deep: 1 } }, { crystallizes: { deep: 2 } }, {}],
};

/** Set when a bead is made, or by every change: no edit of a side. */
const never = new Set(["id", "created_at", "created_by", "updated_at"]);
/** Fields that only make sense together, so that what one side says of one decides over the others. */
const units = [
  new Set(["status", "closed_at", "close_reason", "closed_by_session", "started_at"]),
  new Set(["assignee", "lease_expires_at", "heartbeat_at"]),
];

function tied(a: string, b: string): boolean {
  const unitOf = (field: string) => units.findIndex((unit) => unit.has(field));
  return a === b || (unitOf(a) >= 0 && unitOf(b) >= 0);
}

const names = Object.keys(edits);
const pairs = names.flatMap((left) => names.map((right) => [left, right] as const));

describe("a merge of every field with every other", () => {
  test("given the fields a bead has, then each is in this test", () => {
    const source = readFileSync(new URL("../../../../src/domain/work-graph/bead.ts", import.meta.url), "utf8");
    const body = /export interface BeadRecord \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
    const fields = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = ""]) => name);
    expect(fields.length).toBeGreaterThan(25);
    expect(fields.filter((field) => !never.has(field) && !names.includes(field))).toEqual([]);
  });

  test.each(
    pairs,
  )("given %s changed on one side and %s on the other, when merged in both orders, then the records are the same", (one, two) => {
    const [left, , leftBase] = edits[one] ?? [{}, {}, {}];
    const [, right, rightBase] = edits[two] ?? [{}, {}, {}];
    const base = withFields(bead("a"), { ...leftBase, ...rightBase });
    for (const [leftMs, rightMs] of [
      [1, 2],
      [2, 1],
      [1, 1],
    ] as const) {
      const a = withFields(base, { ...left, updated_at: at(leftMs) });
      const b = withFields(base, { ...right, updated_at: at(rightMs) });
      const merged = mergeRecords(base, { record: a }, { record: b });
      const other = mergeRecords(base, { record: b }, { record: a });
      expect(canonicalJson(withoutClaim(other))).toBe(canonicalJson(withoutClaim(merged)));
      if (one !== two && claimOf(a) !== claimOf(base) && claimOf(b) !== claimOf(base))
        expect([claimOf(merged), claimOf(other)]).toEqual([claimOf(a), claimOf(b)]);
      if (tied(one, two)) continue;
      for (const key of Object.keys(left))
        if (!units.some((unit) => unit.has(key))) expect(merged[key]).toEqual(left[key]);
      for (const key of Object.keys(right))
        if (!units.some((unit) => unit.has(key))) expect(merged[key]).toEqual(right[key]);
    }
  });
});

/** The claim follows the side that was published first; all else does not depend on the order. */
function withoutClaim(record: BeadRecord): BeadRecord {
  return withFields(record, { assignee: undefined, lease_expires_at: undefined, heartbeat_at: undefined });
}

function claimOf(record: BeadRecord): string {
  return record.assignee ?? "";
}
