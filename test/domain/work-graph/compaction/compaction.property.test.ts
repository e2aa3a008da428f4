import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../../../src/domain/work-graph/bead.ts";
import {
  bodyFields,
  bodySize,
  compactionLevel,
  digestFields,
  endsDigest,
  isDigest,
  withFullText,
} from "../../../../src/domain/work-graph/compaction/digest.ts";
import { mayCompact, mechanicalDigest } from "../../../../src/domain/work-graph/compaction/mechanical-digest.ts";
import { mergeRecords } from "../../../../src/domain/work-graph/merge/merge-record.ts";
import { canonicalJson } from "../../../../src/domain/work-graph/record/canonical.ts";
import { withFields } from "../../../../src/domain/work-graph/record/facts.ts";
import { at, bead } from "../beads.ts";
import { fc } from "../../../property.ts";

const day = 86_400_000;
const now = Date.parse("2026-11-22T00:00:00Z");
const closedFor = (days: number): string => new Date(now - days * day).toISOString();

const prose = fc
  .array(fc.constantFrom("It broke. ", "word ", "```\ncode\n```", "\n", "𝒳", "é! ", "Why? "), { maxLength: 400 })
  .map((parts) => parts.join(""));
const texts = fc.record(
  { description: prose, design: prose, notes: prose, acceptance_criteria: prose, close_reason: prose },
  { requiredKeys: [] },
);
const closedBead = texts.map(
  (fields) => ({ ...bead("a"), status: "closed", closed_at: closedFor(40), ...fields }) as BeadRecord,
);
const tier = fc.constantFrom(1 as const, 2 as const);

function compacted(record: BeadRecord, level: 1 | 2 = 1, commit = "c0ffee0"): BeadRecord {
  return withFields(
    record,
    digestFields(record, { digest: mechanicalDigest(record, level), tier: level, commit, now }),
  );
}

describe("what may be compacted", () => {
  const long = { description: "x".repeat(700) };
  const cases: readonly {
    readonly because: string;
    readonly record: object;
    readonly children?: readonly BeadRecord[];
    readonly days?: number;
    readonly tier?: 1 | 2;
    readonly may: boolean;
  }[] = [
    { because: "closed for more than 30 days", record: { closed_at: closedFor(31) }, may: true },
    { because: "30 days are not over", record: { closed_at: closedFor(30) }, may: false },
    { because: "a shorter time was asked for", record: { closed_at: closedFor(3) }, days: 2, may: true },
    { because: "nobody knows since when", record: { closed_at: undefined }, may: false },
    { because: "it is open", record: { status: "open" }, may: false },
    { because: "it is a wisp", record: { ephemeral: true }, may: false },
    { because: "it is a template", record: { is_template: true }, may: false },
    { because: "it is pinned", record: { pinned: true }, may: false },
    { because: "it is a digest already", record: { compaction_level: 1 }, may: false },
    { because: "its texts are short", record: { description: "x".repeat(600) }, may: false },
    {
      because: "only its comments are long, and those stay",
      record: { description: "x", comments: [{ id: 1, author: "a", text: "y".repeat(9_000), created_at: at(1) }] },
      may: false,
    },
    { because: "a child is open", record: {}, children: [bead("a.1")], may: false },
    { because: "all below it is closed", record: {}, children: [bead("a.1", { status: "closed" })], may: true },
    { because: "tier 2 follows tier 1", record: { compaction_level: 1, closed_at: closedFor(91) }, tier: 2, may: true },
    { because: "tier 2 wants 90 days", record: { compaction_level: 1, closed_at: closedFor(89) }, tier: 2, may: false },
    { because: "tier 2 wants tier 1 first", record: { closed_at: closedFor(91) }, tier: 2, may: false },
  ];
  test.each(cases)("given a closed bead, when $because, then it is $may", ({
    record,
    children,
    days,
    tier: of,
    may,
  }) => {
    const one = { ...bead("a"), status: "closed", closed_at: closedFor(40), ...long, ...record } as BeadRecord;
    const rule = { tier: of ?? 1, now, ...(days === undefined ? {} : { days }) };
    expect(mayCompact(one, children ?? [], rule)).toBe(may);
  });
});

describe("a digest made by rule", () => {
  test("given any texts, then it is the same each time, within its limit, whole characters, and shorter than what may be compacted", () => {
    fc.assert(
      fc.property(closedBead, tier, (record, of) => {
        const digest = mechanicalDigest(record, of);
        expect(mechanicalDigest(structuredClone(record), of)).toBe(digest);
        expect(digest.length).toBeLessThanOrEqual(of === 1 ? 600 : 200);
        expect(digest).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
        if (mayCompact(record, [], { tier: of, now })) expect(digest.length).toBeLessThan(bodySize(record));
      }),
    );
  });

  test("given a description, a design and a reason, then it begins as they do and says how it ended", () => {
    const record = bead("a", {
      description: `The cache was wrong. ${"More about it. ".repeat(60)}`,
      design: "Entries expire.",
      close_reason: "entries expire now",
    });
    expect(mechanicalDigest(record, 1)).toMatch(
      /^The cache was wrong\. More[^\n]+\.\nDesign: Entries expire\.\nOutcome: entries expire now$/,
    );
    expect(mechanicalDigest(record, 2)).not.toContain("Design");
  });
});

describe("compaction and back", () => {
  test("given a bead whose only text is its reason, when compacted twice, then its size stays nothing", () => {
    const record = {
      ...bead("a"),
      status: "closed",
      closed_at: closedFor(40),
      close_reason: "It broke.",
    } as BeadRecord;
    expect(compacted(compacted(record), 2, "badcafe")).toMatchObject({ original_size: 0 });
  });

  test("given any bead, when compacted once or twice and restored from what the history has, then it is as it was", () => {
    fc.assert(
      fc.property(closedBead, fc.boolean(), (record, twice) => {
        const once = compacted(record);
        expect([isDigest(record), isDigest(once)]).toEqual([false, true]);
        const last = twice ? compacted(once, 2, "badcafe") : once;
        expect(last).toMatchObject({ compacted_at_commit: "c0ffee0", original_size: bodySize(record) });
        expect(canonicalJson(withFullText(last, record))).toBe(canonicalJson(record));
        for (const key of Object.keys(record))
          if (!(bodyFields as readonly string[]).includes(key)) expect(last[key]).toEqual(record[key]);
      }),
    );
  });

  test("given notes written beside a digest, when restored, then both are there", () => {
    const record = bead("a", { status: "closed", notes: "before" });
    const later = withFields(compacted(record), { notes: "since" });
    expect(withFullText(later, record)).toMatchObject({ notes: "before\nsince" });
    expect(isDigest(withFullText(later, record))).toBe(false);
  });

  test("given a new description, when a digest is updated, then it is no digest any more; other fields leave it one", () => {
    const digest = compacted(bead("a", { status: "closed", description: "x".repeat(700) }));
    expect(compactionLevel(withFields(digest, endsDigest(digest, { description: "new" })))).toBe(0);
    expect(compactionLevel(withFields(digest, endsDigest(digest, { notes: "more" })))).toBe(1);
  });
});

describe("a merge with a compaction", () => {
  const edits: readonly Partial<BeadRecord>[] = [
    { description: "rewritten" },
    { notes: "found something" },
    { design: "other" },
    { status: "open", closed_at: undefined as never, close_reason: undefined as never },
  ];
  test("given texts changed or a reopening on the other side, when merged in either order, then no text is lost to the digest", () => {
    fc.assert(
      fc.property(closedBead, fc.constantFrom(...edits), fc.boolean(), (base, edit, later) => {
        const worked = withFields(base, { ...edit, updated_at: at(later ? 9 : 3) });
        const digest = withFields(compacted(base), { updated_at: at(5) });
        const merged = mergeRecords(base, { record: worked }, { record: digest });
        expect(canonicalJson(mergeRecords(base, { record: digest }, { record: worked }))).toBe(canonicalJson(merged));
        expect(isDigest(merged)).toBe(false);
        for (const field of bodyFields) expect(merged[field]).toEqual(worked[field]);
        expect(merged.status).toBe(worked.status);
      }),
    );
  });

  test("given another label on the other side, when merged, then both the digest and the label are there", () => {
    const base = bead("a", { status: "closed", description: "x".repeat(700) });
    const merged = mergeRecords(
      base,
      { record: withFields(compacted(base), { updated_at: at(5) }) },
      { record: withFields(base, { labels: ["kept"], updated_at: at(6) }) },
    );
    expect(merged).toMatchObject({ compaction_level: 1, labels: ["kept"] });
  });

  test("given two compactions, when merged in either order, then one of them stands as a whole, the further one first", () => {
    const base = bead("a", { status: "closed", description: "x".repeat(700), notes: "n" });
    const byRule = withFields(compacted(base, 1, "aaaaaaa"), { updated_at: at(9) });
    const byHand = withFields(base, {
      ...digestFields(base, { digest: "hand", tier: 2, commit: "bbbbbbb", now: now - 5 }),
      updated_at: at(5),
    });
    for (const [first, second] of [
      [byRule, byHand],
      [byHand, byRule],
    ] as const)
      expect(mergeRecords(base, { record: first }, { record: second })).toMatchObject({
        description: "hand",
        compaction_level: 2,
        compacted_at_commit: "bbbbbbb",
      });
  });
});
