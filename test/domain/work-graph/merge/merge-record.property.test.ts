import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { mergeRecords } from "../../../../src/domain/work-graph/merge/merge-record.ts";
import { canonicalJson } from "../../../../src/domain/work-graph/record/canonical.ts";
import { at, bead } from "../beads.ts";
import { fc } from "../../../property.ts";

const edit: fc.Arbitrary<Partial<BeadRecord>> = fc.record(
  {
    title: fc.constantFrom("x", "y", "z"),
    priority: fc.integer({ min: 0, max: 4 }),
    notes: fc.constantFrom("n1", "n2"),
    labels: fc.uniqueArray(fc.constantFrom("l1", "l2", "l3"), { minLength: 1 }).map((labels) => labels.sort()),
    dependencies: fc
      .uniqueArray(fc.tuple(fc.constantFrom("t1", "t2", "t3"), fc.constantFrom("blocks", "related")), {
        selector: ([id]) => id,
      })
      .map((edges) => edges.map(([id, type]) => ({ issue_id: "a", depends_on_id: id, type }))),
    comments: fc
      .uniqueArray(fc.constantFrom("c1", "c2", "c3"))
      .map((ids) => ids.map((id) => ({ id, author: "x", text: `text ${id}`, created_at: at(1) }))),
    metadata: fc.dictionary(fc.constantFrom("k1", "k2"), fc.integer({ min: 0, max: 2 })),
    unknown_key: fc.constantFrom({ deep: 1 }, { deep: 2 }, "text"),
    status: fc.constantFrom("open", "closed", "deferred"),
    close_reason: fc.constantFrom("r1", "r2"),
  },
  { requiredKeys: [] },
);
const side = fc.tuple(edit, fc.integer({ min: 0, max: 4 })).map(([fields, ms]) => ({ ...fields, updated_at: at(ms) }));
const base = edit.map((fields) => ({ ...bead("a"), ...fields }) as BeadRecord);

function edited(from: BeadRecord, fields: Partial<BeadRecord>): BeadRecord {
  return { ...from, ...fields } as BeadRecord;
}

describe("merging two versions of a record", () => {
  test("given any two edits of a base, when merged in either order, then the result is the same", () => {
    fc.assert(
      fc.property(fc.option(base, { nil: undefined }), base, side, side, (known, from, left, right) => {
        const a = edited(known ?? from, left);
        const b = edited(known ?? from, right);
        const one = mergeRecords(known, { record: a }, { record: b });
        const other = mergeRecords(known, { record: b }, { record: a });
        expect(canonicalJson(one)).toBe(canonicalJson(other));
      }),
      { numRuns: 2_000 },
    );
  });

  test("given an edit of one side alone, when merged, then it is taken as it is; and merging again changes nothing", () => {
    fc.assert(
      fc.property(base, side, side, (from, left, right) => {
        const a = edited(from, left);
        const b = edited(from, right);
        expect(mergeRecords(from, { record: a }, { record: from })).toEqual(a);
        expect(mergeRecords(from, { record: from }, { record: a })).toEqual(a);
        const merged = mergeRecords(from, { record: a }, { record: b });
        expect(canonicalJson(mergeRecords(a, { record: merged }, { record: a }))).toBe(canonicalJson(merged));
        expect(canonicalJson(mergeRecords(from, { record: merged }, { record: merged }))).toBe(canonicalJson(merged));
      }),
    );
  });
});

describe("the rules of a merge", () => {
  const cases: readonly {
    readonly because: string;
    readonly base?: Partial<BeadRecord>;
    readonly a: Partial<BeadRecord>;
    readonly b: Partial<BeadRecord>;
    readonly merged: Partial<BeadRecord>;
  }[] = [
    {
      because: "P0 is a value, not a missing one",
      base: { priority: 2 },
      a: { priority: 0, updated_at: at(2) },
      b: { priority: 4, updated_at: at(1) },
      merged: { priority: 0 },
    },
    {
      because: "a reopening survives an edit of the other side",
      base: { status: "closed", closed_at: at(0), close_reason: "done" },
      a: { status: "open", closed_at: undefined as never, close_reason: undefined as never, updated_at: at(1) },
      b: { notes: "later", updated_at: at(2) },
      merged: { status: "open", notes: "later", closed_at: undefined as never, close_reason: undefined as never },
    },
    {
      because: "status, time and reason of a close come from one side",
      a: { status: "closed", closed_at: at(1), close_reason: "by a", updated_at: at(1) },
      b: { status: "closed", closed_at: at(2), close_reason: "by b", updated_at: at(2) },
      merged: { status: "closed", closed_at: at(2), close_reason: "by b" },
    },
    {
      because: "closed does not beat a later reopening for its own sake",
      base: { status: "in_progress", assignee: "x" },
      a: { status: "closed", closed_at: at(1), close_reason: "by a", updated_at: at(1) },
      b: { status: "deferred", updated_at: at(2) },
      merged: { status: "deferred", closed_at: undefined as never },
    },
    {
      because: "a removed label stays removed when the other side did not touch it",
      base: { labels: ["x", "y"] },
      a: { labels: ["y"], updated_at: at(1) },
      b: { labels: ["x", "y", "z"], updated_at: at(2) },
      merged: { labels: ["y", "z"] },
    },
    {
      because: "a removed dependency stays removed",
      base: { dependencies: [{ issue_id: "a", depends_on_id: "t", type: "blocks" }] },
      a: { dependencies: undefined as never, updated_at: at(1) },
      b: { title: "other", updated_at: at(2) },
      merged: { dependencies: undefined as never, title: "other" },
    },
    {
      because: "a dependency that the other side changed is not removed",
      base: { dependencies: [{ issue_id: "a", depends_on_id: "t", type: "blocks" }] },
      a: { dependencies: undefined as never, updated_at: at(2) },
      b: { dependencies: [{ issue_id: "a", depends_on_id: "t", type: "related" }], updated_at: at(1) },
      merged: { dependencies: [{ issue_id: "a", depends_on_id: "t", type: "related" }] },
    },
    {
      because: "comments that two databases gave one number are two comments",
      a: { comments: [{ id: 1, author: "a", text: "of a", created_at: at(1) }], updated_at: at(1) },
      b: { comments: [{ id: 1, author: "b", text: "of b", created_at: at(2) }], updated_at: at(2) },
      merged: {
        comments: [
          { id: 1, author: "a", text: "of a", created_at: at(1) },
          { id: 1, author: "b", text: "of b", created_at: at(2) },
        ],
      },
    },
    {
      because: "metadata is merged by key",
      base: { metadata: { k: 1, gone: 1 } },
      a: { metadata: { k: 2, gone: 1 }, updated_at: at(1) },
      b: { metadata: { k: 1, fresh: 1 }, updated_at: at(2) },
      merged: { metadata: { k: 2, fresh: 1 } },
    },
  ];
  test.each(cases)("given two edits, when merged, then $because", ({ base: from, a, b, merged }) => {
    const start = { ...bead("a"), ...from } as BeadRecord;
    const result = mergeRecords(start, { record: edited(start, a) }, { record: edited(start, b) });
    for (const [key, value] of Object.entries(merged)) expect(result[key]).toEqual(value);
  });

  test("given two claims, when merged, then the one published first holds and the fence never goes back", () => {
    const start = bead("a");
    const claim = (who: string, fence: number, ms: number): BeadRecord =>
      edited(start, {
        status: "in_progress",
        assignee: who,
        lease_expires_at: at(ms + 100),
        heartbeat_at: at(ms),
        metadata: { "town.fence": fence },
        updated_at: at(ms),
      });
    const first = claim("first", 1, 5);
    const second = claim("second", 3, 9);
    const merged = mergeRecords(start, { record: first }, { record: second });
    expect(merged).toMatchObject({ assignee: "first", lease_expires_at: at(105), metadata: { "town.fence": 3 } });
    expect(mergeRecords(start, { record: second }, { record: first })).toMatchObject({ assignee: "second" });
  });
});
