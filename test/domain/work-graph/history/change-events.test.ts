import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { changeEvents } from "../../../../src/domain/work-graph/history/change-events.ts";
import { at, bead } from "../beads.ts";

const base = bead("a", { description: "" });
const claimed = {
  ...base,
  status: "in_progress",
  assignee: "bob",
  lease_expires_at: at(9),
  metadata: { "town.fence": 1, "town.generation": 1 },
} as BeadRecord;
const events = (before: BeadRecord | undefined, after: BeadRecord | undefined) =>
  changeEvents(before, after).map(({ event }) => event);

describe("the events of a change", () => {
  test.each([
    {
      because: "it is new",
      before: undefined,
      after: {
        ...base,
        labels: ["x"],
        comments: [{ id: "1", author: "a", text: "t", created_at: at(0) }],
      } as BeadRecord,
      told: ["created", "label_added", "commented"],
    },
    { because: "it is claimed", before: base, after: claimed, told: ["claimed"] },
    {
      because: "another session takes the claim over",
      before: claimed,
      after: { ...claimed, metadata: { "town.fence": 2, "town.generation": 2 } } as BeadRecord,
      told: ["claimed"],
    },
    { because: "it is given back", before: claimed, after: base, told: ["released"] },
    {
      because: "it is closed",
      before: claimed,
      after: { ...claimed, status: "closed", closed_at: at(1), close_reason: "done" } as BeadRecord,
      told: ["closed"],
    },
    { because: "it is reopened", before: { ...base, status: "closed" } as BeadRecord, after: base, told: ["reopened"] },
    {
      because: "its status alone changes",
      before: base,
      after: { ...base, status: "deferred" } as BeadRecord,
      told: ["status_changed"],
    },
    {
      because: "fields change",
      before: base,
      after: { ...base, title: "x", priority: 0 } as BeadRecord,
      told: ["updated"],
    },
    {
      because: "only its lease is renewed",
      before: claimed,
      after: { ...claimed, lease_expires_at: at(20), heartbeat_at: at(10), updated_at: at(10) } as BeadRecord,
      told: [],
    },
    {
      because: "an edge comes and another goes",
      before: bead("a", { needs: [["x", "blocks"]] }),
      after: bead("a", { needs: [["y", "related"]] }),
      told: ["dependency_added", "dependency_removed"],
    },
    {
      because: "it is deleted",
      before: claimed,
      after: { ...base, status: "tombstone", delete_reason: "dup" } as BeadRecord,
      told: ["deleted"],
    },
    { because: "a wisp is burned", before: base, after: undefined, told: ["deleted"] },
    {
      because: "a tombstone comes from elsewhere",
      before: undefined,
      after: { ...base, status: "tombstone" } as BeadRecord,
      told: [],
    },
    {
      because: "an empty text becomes absent",
      before: base,
      after: { ...base, description: undefined as never } as BeadRecord,
      told: [],
    },
  ])("given a change, when $because, then it is told so", ({ before, after, told }) => {
    expect(events(before, after)).toEqual(told);
  });

  test("given fields, then each is told with what it was and is; long texts are cut, and metadata goes by key", () => {
    const after = {
      ...base,
      title: "x",
      notes: "n".repeat(600),
      metadata: { k: { deep: 1 }, "town.fence": 5 },
    } as BeadRecord;
    expect(changeEvents(base, after)).toEqual([
      {
        event: "updated",
        changes: [
          { field: "notes", to: `${"n".repeat(500)}… (600 characters)` },
          { field: "title", from: "a", to: "x" },
          { field: "metadata.k", to: { deep: 1 } },
        ],
      },
    ]);
  });

  test("given a close with other changes, then the state and the rest are told apart", () => {
    const after = { ...base, status: "closed", close_reason: "done", notes: "n" } as BeadRecord;
    expect(changeEvents(base, after)).toEqual([
      {
        event: "closed",
        changes: [
          { field: "close_reason", to: "done" },
          { field: "status", from: "open", to: "closed" },
        ],
      },
      { event: "updated", changes: [{ field: "notes", to: "n" }] },
    ]);
  });
});
