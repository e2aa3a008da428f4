import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { mergeGraphs } from "../../../../src/domain/work-graph/merge/merge-graphs.ts";
import { mergeRecords } from "../../../../src/domain/work-graph/merge/merge-record.ts";
import { withFields } from "../../../../src/domain/work-graph/record/facts.ts";
import { at, bead } from "../beads.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the merges of Beads' JSONL eras lost or brought back, by the row of the table that tells it. */
interface Row {
  readonly row: string;
  readonly base: Fields;
  /** `undefined` removes a field. */
  readonly left: Fields;
  readonly right: Fields;
  readonly merged: Fields;
}

const edge = (to: string, type = "blocks") => ({ issue_id: "a", depends_on_id: to, type });
const comment = (id: string) => ({ id, author: "x", text: id, created_at: at(1) });
const closed = { status: "closed", closed_at: at(1), close_reason: "done" };
const opened = { status: "open", closed_at: undefined, close_reason: undefined };

const rows: readonly Row[] = [
  {
    row: "both changed, scalars: edits of other fields were lost",
    base: { title: "t", description: "d" },
    left: { title: "of left" },
    right: { description: "of right" },
    merged: { title: "of left", description: "of right" },
  },
  {
    row: "status: closed always won, so that a reopening never survived",
    base: closed,
    left: opened,
    right: {},
    merged: opened,
  },
  {
    row: "status: a reopening beside another edit",
    base: closed,
    left: opened,
    right: { notes: "seen" },
    merged: { ...opened, notes: "seen" },
  },
  {
    row: "priority: 0 counted as unset, so that P0 lost to P4",
    base: { priority: 4 },
    left: { priority: 0 },
    right: { title: "other" },
    merged: { priority: 0, title: "other" },
  },
  {
    row: "labels: a conflict took one side's",
    base: { labels: ["x"] },
    left: { labels: ["l", "x"] },
    right: { labels: ["r", "x"] },
    merged: { labels: ["l", "r", "x"] },
  },
  {
    row: "labels: a union brought removed ones back",
    base: { labels: ["gone", "x"] },
    left: { labels: ["x"] },
    right: { labels: ["gone", "r", "x"] },
    merged: { labels: ["r", "x"] },
  },
  {
    row: "comments: a conflict lost the right side's",
    base: { comments: [comment("c0")] },
    left: { comments: [comment("c0"), comment("left")] },
    right: { comments: [comment("c0"), comment("right")] },
    merged: { comments: [comment("c0"), comment("left"), comment("right")] },
  },
  {
    row: "dependencies: a union brought removed edges back",
    base: { dependencies: [edge("t1"), edge("t2")] },
    left: { dependencies: [edge("t2")] },
    right: { dependencies: [edge("t1"), edge("t2"), edge("t3")] },
    merged: { dependencies: [edge("t2"), edge("t3")] },
  },
  {
    row: "dependencies: removal won over a change of the same edge",
    base: { dependencies: [edge("t1")] },
    left: { dependencies: undefined },
    right: { dependencies: [edge("t1", "related")] },
    merged: { dependencies: [edge("t1", "related")] },
  },
  {
    row: "notes: both sides' were joined with ---",
    base: { notes: "n" },
    left: { notes: "of left" },
    right: {},
    merged: { notes: "of left" },
  },
  {
    row: "pinned: OR, so that it could never be cleared",
    base: { pinned: true },
    left: { pinned: undefined },
    right: { title: "other" },
    merged: { pinned: undefined, title: "other" },
  },
  {
    row: "is_template: OR, so that it could never be cleared",
    base: { is_template: true },
    left: { is_template: false },
    right: { title: "other" },
    merged: { is_template: false, title: "other" },
  },
  {
    row: "ephemeral: OR, so that it could never be cleared",
    base: { ephemeral: true },
    left: { ephemeral: undefined },
    right: { title: "other" },
    merged: { ephemeral: undefined, title: "other" },
  },
  {
    row: "tombstone against edit: it expired, and the deleted bead came back",
    base: {},
    left: { status: "tombstone", deleted_at: "2020-01-01T00:00:00Z", deleted_by: "x", original_type: "task" },
    right: { title: "edited" },
    merged: { status: "tombstone", deleted_by: "x", title: "edited" },
  },
  {
    row: "unknown keys: they were dropped",
    base: { quality_score: 1 },
    left: { crystallizes: true },
    right: { quality_score: 2 },
    merged: { crystallizes: true, quality_score: 2 },
  },
];

describe("merges that lost something elsewhere", () => {
  test.each(rows)("given $row, when merged in any order and whoever is later, then it is kept", (row) => {
    const base = withFields(bead("a"), row.base);
    for (const [leftMs, rightMs] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const left = withFields(base, { ...row.left, updated_at: at(leftMs) });
      const right = withFields(base, { ...row.right, updated_at: at(rightMs) });
      for (const [first, second] of [
        [left, right],
        [right, left],
      ] as const) {
        const merged = mergeRecords(base, { record: first }, { record: second });
        for (const [key, value] of Object.entries(row.merged)) expect(merged[key], key).toEqual(value);
      }
    }
  });

  test("given a line that is gone on one side and edited on the other, when files are merged, then the edit wins; unedited, it is deleted and that travels", () => {
    const base = bead("a");
    const edited = withFields(base, { title: "edited", updated_at: at(3) });
    const merge = (ours: BeadRecord | undefined, theirs: BeadRecord | undefined) =>
      mergeGraphs({
        changed: ["a"],
        base: () => base,
        ours: () => ours,
        theirs: () => theirs,
        oursChanged: () => (ours === undefined ? [] : [ours]),
        newId: () => "never",
        stamp: at(9),
      }).records.get("a");
    expect(merge(edited, undefined) ?? edited).toMatchObject({ title: "edited", status: "open" });
    expect(merge(undefined, edited)).toMatchObject({ title: "edited", status: "open" });
    expect(merge(base, undefined)).toMatchObject({ status: "tombstone", deleted_at: at(9) });
  });

  test("given one id for two beads with equal content, when merged, then they are two: content is no identity", () => {
    const ours = bead("a", { created_at: at(1), created_by: "left" });
    const theirs = bead("a", { created_at: at(2), created_by: "right" });
    const { records, rekeyed } = mergeGraphs({
      changed: ["a"],
      base: () => undefined,
      ours: (id) => (id === "a" ? ours : undefined),
      theirs: (id) => (id === "a" ? theirs : undefined),
      oursChanged: () => [ours],
      newId: () => "b",
      stamp: at(9),
    });
    expect([...rekeyed]).toEqual([["a", "b"]]);
    expect(records.get("a")).toEqual(theirs);
    expect(records.get("b")).toMatchObject({ id: "b", created_by: "left" });
  });
});
