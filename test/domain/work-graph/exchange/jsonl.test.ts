import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import { readDoltBackup } from "../../../../src/domain/work-graph/exchange/dolt-backup.ts";
import { importOutcome } from "../../../../src/domain/work-graph/exchange/import-plan.ts";
import { readJsonl } from "../../../../src/domain/work-graph/exchange/read-jsonl.ts";
import { writeJsonl } from "../../../../src/domain/work-graph/exchange/write-jsonl.ts";
import { structureProblem } from "../../../../src/domain/work-graph/record/structure.ts";
import { bead } from "../beads.ts";
import { fc } from "../../../property.ts";

const now = { nowMs: Date.UTC(2026, 5, 1) };

// One line per era and tool, as their writers make them.
const eras = [
  '{"id":"bd-9","content_hash":"ab12","title":"old \\u003cb\\u003e","description":"","status":"closed","priority":0,"issue_type":"bug","created_at":"2025-10-12T10:00:00-07:00","updated_at":"2025-10-13T10:00:00.175123-08:00","closed_at":"2025-10-13T10:00:00-07:00","comments":[{"id":7,"issue_id":"bd-9","author":"x","text":"t","created_at":"2025-10-12T10:00:00Z"}]}',
  '{"id":"bd-a3f8","title":"tombstone","description":"","status":"tombstone","priority":2,"issue_type":"task","created_at":"2025-12-01T00:00:00Z","updated_at":"2025-12-02T00:00:00Z","deleted_at":"2025-12-02T00:00:00Z","deleted_by":"me","delete_reason":"dup","original_type":"task"}',
  '{"id":"bd-a3f8e9.1.2","title":"br child","status":"open","priority":2,"issue_type":"not_a_real_type","created_at":"2026-01-01T00:00:00.123456789Z","updated_at":"2026-01-01T00:00:00.123456789Z","source_repo":".","compaction_level":0,"original_size":0,"labels":["x"],"dependencies":[{"issue_id":"bd-a3f8e9.1.2","depends_on_id":"bd-gone","type":"parent_child","created_at":"2026-01-01T00:00:00Z","created_by":"me","metadata":"{}","thread_id":""}]}',
  '{"id": "py-1", "title": "python", "status": "invalid", "priority": 2, "issue_type": "task", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "hook_bead": "x", "nested": {"z": 1, "a": [1, {"b": null}]}}',
  '{"_type":"issue","id":"gt-rig-role-name","title":"agent","status":"hooked","priority":1,"issue_type":"agent","created_at":"2026-07-01T00:00:00Z","updated_at":"2026-07-01T00:00:00Z","metadata":["odd"],"ephemeral":true}',
] as const;
const memory = '{"_type":"memory","key":"k","value":"v"}';
const header = '{"_schema":"beads-jsonl/1","_dolt_branch":"main","_dolt_commit":"x","_sort":"stable-v1"}';

describe("files of beads", () => {
  test("given lines of every era, when read and written with nothing changed, then every byte is as it was", () => {
    const text = `${[header, ...eras.slice(0, 2), memory, ...eras.slice(2)].join("\n")}\n`;
    const { records, memories, problems } = readJsonl(text, now);
    expect(problems).toEqual([]);
    expect(memories).toEqual([{ key: "k", value: "v" }]);
    expect(records.map(({ id }) => id)).toEqual(["bd-9", "bd-a3f8", "bd-a3f8e9.1.2", "py-1", "gt-rig-role-name"]);
    for (const record of records) expect(structureProblem(record)).toBeUndefined();
    expect(writeJsonl(records, { existing: text }).text).toBe(text);
    // Through a store: keys sorted and back.
    const stored = records.map(
      (record) =>
        JSON.parse(
          JSON.stringify(Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))),
        ) as BeadRecord,
    );
    expect(writeJsonl(stored.reverse(), { existing: text }).text).toBe(text);
  });

  test("given records of every era, when written into a new file, then each line is equal as JSON", () => {
    const { records } = readJsonl(eras.join("\n"), now);
    const { text } = writeJsonl(records, { existing: undefined, all: true });
    const lines = text.trim().split("\n");
    expect(lines).toHaveLength(5);
    for (const line of eras) {
      const { _type: _, ...value } = JSON.parse(line) as Record<string, unknown>;
      expect(lines.map((one) => JSON.parse(one) as unknown)).toContainEqual(value);
    }
  });

  test("given one changed record, when written, then only its line changes, in the order and manner of its neighbours", () => {
    const go =
      '{"id":"bd-1","title":"a \\u003e b","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","labels":["x"]}';
    const other =
      '{"id":"bd-2","title":"c","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}';
    const { records } = readJsonl(`${go}\n${other}\n`, now);
    const changed = records.map((record) =>
      record.id === "bd-1" ? { ...record, title: "<&>", assignee: "me" } : record,
    );
    const { text } = writeJsonl([...changed, bead("bd-15")], { existing: `${go}\n${other}\n` });
    const [first, second, third] = text.trim().split("\n");
    expect(first).toBe(
      '{"id":"bd-1","title":"\\u003c\\u0026\\u003e","status":"open","priority":2,"issue_type":"task","assignee":"me","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","labels":["x"]}',
    );
    expect(JSON.parse(second ?? "")).toMatchObject({ id: "bd-15" });
    expect(third).toBe(other);
  });

  test("given a file in no order and with Python's spaces, when a bead is added, then it comes last and with spaces", () => {
    const lines = [
      '{"id": "b", "title": "t", "status": "open", "priority": 1, "issue_type": "task", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}',
    ];
    lines.push((lines[0] ?? "").replace('"id": "b"', '"id": "a"'));
    const existing = `${lines.join("\n")}\n`;
    const { text } = writeJsonl([...readJsonl(existing, now).records, bead("aa")], { existing });
    const written = text.trim().split("\n");
    expect(written.slice(0, 2)).toEqual(lines);
    expect(written[2]).toMatch(/^\{"id": "aa", "title": "aa", /);
  });

  test("given damage, marks of a conflict and doubles, when read, then each is told with its line and the rest is read", () => {
    const one = (id: string, at: string, title = id) =>
      `{"id":"${id}","title":"${title}","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"${at}"}`;
    const text = [
      "<<<<<<< HEAD",
      one("a", "2026-01-02T00:00:00Z", "newer"),
      "=======",
      one("a", "2026-01-01T00:00:00Z", "older"),
      ">>>>>>> theirs",
      '{"id":"b","title":',
      "[1]",
      '{"title":"no id"}',
      '{"id":"c d","title":"x"}',
      '{"id":"e","title":"x","priority":9}',
      "",
      one("f", "2026-01-01T00:00:00Z"),
    ].join("\r\n");
    const { records, problems, notes } = readJsonl(`\uFEFF${text}`, now);
    expect(records.map(({ id, title }) => `${id} ${title}`)).toEqual(["a newer", "f f"]);
    expect(problems.map(({ line }) => line)).toEqual([1, 3, 5, 6, 7, 8, 9, 10]);
    expect(problems[0]?.problem).toContain("merge conflict");
    expect(notes.map(({ line }) => line)).toEqual([4]);
    const { dropped } = writeJsonl(records, { existing: text });
    expect(dropped.map(({ line }) => line)).toEqual([1, 3, 5, 6, 7, 8, 9, 10]);
  });

  test("given missing or odd fields, when read, then the record is made whole as Beads reads it", () => {
    const { records } = readJsonl(
      '{"id":12,"title":"t","created_at":"2026-01-01T00:00:00Z","wisp":true,"dependencies":[{"depends_on_id":"x"},{"issue_id":"other","depends_on_id":"y","type":"blocks"}]}',
      now,
    );
    expect(records).toEqual([
      {
        id: "12",
        title: "t",
        status: "open",
        priority: 0,
        issue_type: "task",
        ephemeral: true,
        created_at: "2026-01-01T00:00:00Z",
        updated_at: "2026-01-01T00:00:00Z",
        dependencies: [{ issue_id: "12", depends_on_id: "x", type: "blocks" }],
      },
    ]);
  });

  test("given nothing to write, then a file that holds records is not replaced by nothing; an empty one may stay empty", () => {
    expect(() => writeJsonl([], { existing: `${eras[0]}\n` })).toThrow("the file holds 1");
    expect(writeJsonl([], { existing: "" }).text).toBe("");
    expect(writeJsonl([], { existing: undefined }).text).toBe("");
  });

  test("given wisps and records of the machinery, then a new file has them only when asked, and a file that has them keeps them", () => {
    const records = [
      bead("a"),
      bead("b", { ephemeral: true }),
      bead("c", { issue_type: "agent" }),
      bead("d", { is_template: true }),
      bead("e", { status: "tombstone" }),
    ];
    const ids = (text: string) =>
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids(writeJsonl(records, { existing: undefined }).text)).toEqual(["a", "d", "e"]);
    expect(ids(writeJsonl(records, { existing: undefined, templates: false }).text)).toEqual(["a", "e"]);
    const all = writeJsonl(records, { existing: undefined, all: true }).text;
    expect(ids(all)).toEqual(["a", "b", "c", "d", "e"]);
    expect(writeJsonl(records, { existing: all }).text).toBe(all);
  });

  test("given any JSON in unknown keys, when written and read, then it is the same", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{3,8}_x$/), fc.jsonValue()), fc.boolean(), (extra, spaced) => {
        const record = JSON.parse(JSON.stringify({ ...bead("a"), ...extra })) as BeadRecord;
        const existing = spaced ? '{"id": "z", "title": "z", "status": "open"}\n' : undefined;
        const { text } = writeJsonl([record], { existing });
        expect(readJsonl(text, now).records).toEqual([record]);
      }),
    );
  });
});

describe("Dolt backups", () => {
  test("given tables, when read, then rows become records as the JSONL has them", () => {
    const { records, problems } = readDoltBackup(
      {
        issues:
          '{"acceptance_criteria":"","assignee":null,"closed_at":null,"compaction_level":0,"content_hash":"x","created_at":"2026-05-01 10:00:00","description":"d","ephemeral":0,"id":"bd-a1b","is_template":1,"issue_type":"task","metadata":"{\\"k\\":1}","pinned":0,"priority":0,"status":"open","timeout_ns":0,"title":"t","updated_at":"2026-05-02 10:00:00.5","waiters":"[]","await_type":""}\nbroken',
        labels: '{"issue_id":"bd-a1b","label":"y"}\n{"issue_id":"bd-a1b","label":"x"}',
        dependencies:
          '{"created_at":"2026-05-01 10:00:00","created_by":"me","depends_on_id":"bd-z","issue_id":"bd-a1b","metadata":"{}","thread_id":"","type":"blocks"}',
        comments: '{"author":"me","created_at":"2026-05-01 11:00:00","id":"u-1","issue_id":"bd-a1b","text":"c"}',
      },
      now,
    );
    expect(problems.map(({ line }) => line)).toEqual([2]);
    expect(records).toEqual([
      {
        id: "bd-a1b",
        title: "t",
        description: "d",
        status: "open",
        priority: 0,
        issue_type: "task",
        is_template: true,
        created_at: "2026-05-01T10:00:00Z",
        updated_at: "2026-05-02T10:00:00.5Z",
        metadata: { k: 1 },
        labels: ["x", "y"],
        dependencies: [
          {
            issue_id: "bd-a1b",
            depends_on_id: "bd-z",
            type: "blocks",
            created_at: "2026-05-01T10:00:00Z",
            created_by: "me",
            metadata: "{}",
          },
        ],
        comments: [{ id: "u-1", issue_id: "bd-a1b", author: "me", text: "c", created_at: "2026-05-01T11:00:00Z" }],
      },
    ]);
  });
});

describe("what an import does to what is here", () => {
  const here = bead("a", { updated_at: "2026-02-01T00:00:00Z", metadata: { "town.key": "k", mine: 1 } });
  test.each([
    { because: "it is new", here: undefined, incoming: bead("a"), outcome: "Created" },
    { because: "it is the same", here, incoming: { ...here }, outcome: "Unchanged" },
    {
      because: "it is older, so a close here is not undone",
      here: { ...here, status: "closed" },
      incoming: bead("a", { updated_at: "2026-01-31T00:00:00Z" }),
      outcome: "Older",
    },
    {
      because: "it is newer",
      here,
      incoming: bead("a", { title: "x", updated_at: "2026-02-01T00:00:00.000001Z" }),
      outcome: "Updated",
    },
  ])("given a record, then $outcome because $because", ({ here: known, incoming, outcome }) => {
    expect(importOutcome(known, incoming).outcome).toBe(outcome);
  });

  test("given a tool that drops what it does not know, then Town's facts stay and a real bead does not become a wisp", () => {
    const { record } = importOutcome(
      here,
      bead("a", { updated_at: "2026-03-01T00:00:00Z", metadata: { mine: 2 }, ephemeral: true }),
    );
    expect(record.metadata).toEqual({ mine: 2, "town.key": "k" });
    expect(record.ephemeral).toBeUndefined();
  });
});
