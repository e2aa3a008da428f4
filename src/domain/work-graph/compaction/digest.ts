import type { BeadRecord } from "../bead.ts";
import { sameJson } from "../record/canonical.ts";
import { textOf, withFields } from "../record/facts.ts";

/** Texts that a digest stands for. It is the description; the others are empty then. Comments stay as they are. */
export const bodyFields = ["description", "design", "notes", "acceptance_criteria"] as const;

/** What a compaction writes beside the texts, in the names of Beads. */
export const digestFieldNames = ["compaction_level", "compacted_at", "compacted_at_commit", "original_size"] as const;

export type Tier = 1 | 2;

/** 0: the record has its own texts. */
export function compactionLevel(record: BeadRecord | undefined): number {
  const level = record?.["compaction_level"];
  return typeof level === "number" ? level : 0;
}

/** The description is a digest; the texts it stands for are in the history. */
export function isDigest(record: BeadRecord): boolean {
  return compactionLevel(record) > 0;
}

/** Commit of the work branch that holds the texts of a digest; undefined when nobody wrote it down. */
export function fullTextCommit(record: BeadRecord): string | undefined {
  const commit = record["compacted_at_commit"];
  return isDigest(record) && typeof commit === "string" && commit !== "" ? commit : undefined;
}

/** Characters of the texts that a digest would stand for. */
export function bodySize(record: BeadRecord): number {
  return bodyFields.reduce((sum, field) => sum + textOf(record[field]).length, 0);
}

/** The digest in place of the texts, as a patch (null removes a field); `commit` holds the record as it is. */
export function digestFields(
  record: BeadRecord,
  made: { readonly digest: string; readonly tier: Tier; readonly commit: string; readonly now: number },
): Readonly<Record<string, unknown>> {
  const known = record["original_size"];
  // Beads writes 0 where it does not know; next to a commit it was counted.
  const isKnown = isDigest(record) && typeof known === "number" && (known > 0 || fullTextCommit(record) !== undefined);
  return {
    description: made.digest,
    design: null,
    notes: null,
    acceptance_criteria: null,
    compaction_level: made.tier,
    compacted_at: new Date(made.now).toISOString(),
    // The first compaction's commit holds the texts as they were written.
    compacted_at_commit: fullTextCommit(record) ?? made.commit,
    original_size: isKnown ? known : bodySize(record),
  };
}

/**
 * A digest with its texts put back, as a patch; `original` is the record before it was compacted. What was written beside
 * the digest since is kept below the text that was there.
 */
export function restoredFields(record: BeadRecord, original: BeadRecord): Readonly<Record<string, unknown>> {
  return {
    ...Object.fromEntries(bodyFields.map((field) => [field, restoredText(field, record, original)])),
    ...Object.fromEntries(digestFieldNames.map((field) => [field, original[field] ?? null])),
  };
}

/** A digest as it reads with its texts put back. */
export function withFullText(record: BeadRecord, original: BeadRecord): BeadRecord {
  return isDigest(record) ? withFields(record, restoredFields(record, original)) : record;
}

function restoredText(field: (typeof bodyFields)[number], record: BeadRecord, original: BeadRecord): unknown {
  const before = textOf(original[field]);
  const since = field === "description" ? "" : textOf(record[field]);
  if (since === "" || since === before) return original[field] ?? null;
  return before === "" ? since : `${before}\n${since}`;
}

/**
 * A patch of a digest as it must be applied: a new description is the bead's own text again, so nothing is a digest any more.
 */
export function endsDigest(
  record: BeadRecord,
  patch: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const isOwnText = isDigest(record) && "description" in patch && !("compaction_level" in patch);
  return isOwnText ? { ...patch, ...Object.fromEntries(digestFieldNames.map((field) => [field, null])) } : patch;
}

/**
 * A side of a merge whose compaction gives way: the other side changed the texts or opened the bead again meanwhile, so it has
 * the texts it had in the base. Of two compactions the further, then the later one stands for both.
 */
export function withoutLostDigest(base: BeadRecord | undefined, side: BeadRecord, other: BeadRecord): BeadRecord {
  const before = compactionLevel(base);
  if (base === undefined || compactionLevel(side) <= before) return side;
  if (compactionLevel(other) > before) return isLater(other, side) ? withTextsOf(side, other) : side;
  const isWorkedOn =
    bodyFields.some((field) => !sameJson(base[field], other[field])) ||
    (base.status === "closed" && other.status !== "closed");
  return isWorkedOn ? withTextsOf(side, base) : side;
}

function isLater(a: BeadRecord, b: BeadRecord): boolean {
  const difference = compactionLevel(a) - compactionLevel(b);
  if (difference !== 0) return difference > 0;
  const order = (record: BeadRecord): string =>
    JSON.stringify([...digestFieldNames.toReversed(), ...bodyFields].map((field) => record[field] ?? null));
  const [at, bt] = [textOf(a["compacted_at"]), textOf(b["compacted_at"])];
  return at === bt ? order(a) > order(b) : at > bt;
}

function withTextsOf(record: BeadRecord, source: BeadRecord): BeadRecord {
  return withFields(
    record,
    Object.fromEntries([...bodyFields, ...digestFieldNames].map((field) => [field, source[field]])),
  );
}
