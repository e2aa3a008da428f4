import type { BeadRecord } from "../bead.ts";
import { META } from "../bead.ts";
import { withoutLostDigest } from "../compaction/digest.ts";
import { canonicalJson, sameJson } from "../record/canonical.ts";
import { fenceOf, isClaimed, metadataOf, withFields } from "../record/facts.ts";
import type { Stamp } from "../record/stamp.ts";
import { compareStamps, parseStamp } from "../record/stamp.ts";
import { withoutClaim } from "../rules/claim.ts";
import { mergeComments, mergeEdges, mergeLabels } from "./merge-elements.ts";

/** One side of a merge. */
export interface MergeSide {
  readonly record: BeadRecord;
  /** Time of the last change of a field since the base, ms; undefined: that of the record stands for it. */
  readonly changedMs?: (field: string) => number | undefined;
}

/** Fields that only make sense together: they come from one side as a whole. */
const statusUnit = [
  "status",
  "closed_at",
  "close_reason",
  "closed_by_session",
  "started_at",
  "deleted_at",
  "deleted_by",
  "delete_reason",
  "original_type",
] as const;
const claimUnit = ["assignee", "lease_expires_at", "heartbeat_at"] as const;
const claimMetadata: readonly string[] = [META.fence, META.generation];
const apart = new Set<string>([
  ...statusUnit,
  ...claimUnit,
  "id",
  "updated_at",
  "labels",
  "dependencies",
  "comments",
  "metadata",
]);

/**
 * The three-way merge of one record. `base` undefined: both sides made it, or the base is not known. A field that one side
 * changed takes that side's value; one that both changed takes the later one; the claim takes that of `first`, the side
 * that was published first. Apart from the claim the result does not depend on which side is which.
 */
export function mergeRecords(base: BeadRecord | undefined, first: MergeSide, second: MergeSide): BeadRecord {
  return mergeSides(
    base,
    { ...first, record: withoutLostDigest(base, first.record, second.record) },
    { ...second, record: withoutLostDigest(base, second.record, first.record) },
  );
}

function mergeSides(base: BeadRecord | undefined, first: MergeSide, second: MergeSide): BeadRecord {
  const a = first.record;
  const b = second.record;
  if (sameJson(a, b)) return a;
  if (base !== undefined && sameJson(base, a)) return b;
  if (base !== undefined && sameJson(base, b)) return a;
  const merged: Record<string, unknown> = { id: a.id };
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    if (!apart.has(key)) merged[key] = mergeValue(base?.[key], a[key], b[key], () => secondIsLater(first, second, key));
  }
  Object.assign(merged, unitOf(base, first, second));
  Object.assign(merged, claimOf(base, a, b));
  merged["metadata"] = mergeMetadata(base, first, second);
  merged["labels"] = mergeLabels(base?.labels, a.labels, b.labels);
  merged["dependencies"] = mergeEdges(base?.dependencies, a.dependencies, b.dependencies);
  merged["comments"] = mergeComments(base?.comments, a.comments, b.comments);
  merged["updated_at"] = laterStamp(a, b);
  return consistent(withFields({} as BeadRecord, merged));
}

function mergeValue(base: unknown, a: unknown, b: unknown, bIsLater: () => boolean): unknown {
  if (sameJson(a, b)) return a;
  if (sameJson(base, a)) return b;
  if (sameJson(base, b)) return a;
  return bIsLater() ? b : a;
}

// Between equal times the values decide, so that both clones decide alike.
function secondIsLater(first: MergeSide, second: MergeSide, field: string): boolean {
  const difference = compareStamps(stampOf(second, field), stampOf(first, field));
  if (difference !== 0) return difference > 0;
  return canonicalJson(second.record[field] ?? null) > canonicalJson(first.record[field] ?? null);
}

function stampOf(side: MergeSide, field: string): Stamp {
  const changedMs = side.changedMs?.(field);
  return changedMs === undefined ? recordStamp(side.record) : { ms: changedMs, tick: 0 };
}

function recordStamp(record: BeadRecord): Stamp {
  return parseStamp(record.updated_at) ?? { ms: 0, tick: 0 };
}

function laterStamp(a: BeadRecord, b: BeadRecord): string {
  const difference = compareStamps(recordStamp(a), recordStamp(b));
  if (difference === 0) return a.updated_at > b.updated_at ? a.updated_at : b.updated_at;
  return difference > 0 ? a.updated_at : b.updated_at;
}

function pick(record: BeadRecord | undefined, keys: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(keys.map((key) => [key, record?.[key]]));
}

function unitOf(base: BeadRecord | undefined, first: MergeSide, second: MergeSide): Readonly<Record<string, unknown>> {
  const [old, a, b] = [base, first.record, second.record].map((record) => pick(record, statusUnit));
  const unit = mergeValue(base === undefined ? undefined : old, a, b, () => {
    const difference = compareStamps(stampOf(second, "status"), stampOf(first, "status"));
    return difference === 0 ? canonicalJson(b) > canonicalJson(a) : difference > 0;
  });
  return unit as Readonly<Record<string, unknown>>;
}

function claimOf(base: BeadRecord | undefined, a: BeadRecord, b: BeadRecord): Readonly<Record<string, unknown>> {
  return claimTaker(base, a, b) === a ? pick(a, claimUnit) : pick(b, claimUnit);
}

// Lease times are no change of a claim: they are renewed all the time.
function claimTaker(base: BeadRecord | undefined, a: BeadRecord, b: BeadRecord): BeadRecord {
  const [old, first, second] = [base, a, b].map(claimIdentity);
  if (first === second) return fresherLease(a, b);
  return base !== undefined && old === first ? b : a;
}

function claimIdentity(record: BeadRecord | undefined): string {
  const metadata = metadataOf(record);
  return canonicalJson([record?.assignee ?? "", ...claimMetadata.map((key) => metadata[key] ?? null)]);
}

function fresherLease(a: BeadRecord, b: BeadRecord): BeadRecord {
  return (b.lease_expires_at ?? "") > (a.lease_expires_at ?? "") ? b : a;
}

function mergeMetadata(base: BeadRecord | undefined, first: MergeSide, second: MergeSide): unknown {
  const a = first.record;
  const b = second.record;
  if (!isMap(a.metadata) || !isMap(b.metadata)) {
    return mergeValue(base?.metadata, a.metadata, b.metadata, () => secondIsLater(first, second, "metadata"));
  }
  const old = metadataOf(base);
  const x = metadataOf(a);
  const y = metadataOf(b);
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(x), ...Object.keys(y)])) {
    if (claimMetadata.includes(key)) continue;
    const value = mergeValue(old[key], x[key], y[key], () => {
      const difference = compareStamps(stampOf(second, `metadata.${key}`), stampOf(first, `metadata.${key}`));
      return difference === 0 ? canonicalJson(y[key] ?? null) > canonicalJson(x[key] ?? null) : difference > 0;
    });
    if (value !== undefined) merged[key] = value;
  }
  const claim = metadataOf(claimTaker(base, a, b));
  for (const key of claimMetadata) if (claim[key] !== undefined) merged[key] = claim[key];
  // The fence never goes back, whoever has the claim now.
  const fence = Math.max(fenceOf(a), fenceOf(b));
  if (fence > 0) merged[META.fence] = fence;
  return Object.keys(merged).length === 0 ? undefined : merged;
}

function isMap(value: unknown): boolean {
  return value === undefined || (value !== null && typeof value === "object" && !Array.isArray(value));
}

// Status and claim can come from different sides: what does not go together is taken back to what does.
function consistent(record: BeadRecord): BeadRecord {
  const working = record.status === "in_progress" || record.status === "hooked";
  if (
    working &&
    (record.assignee ?? "") === "" &&
    record.lease_expires_at === undefined &&
    metadataOf(record)[META.fence] !== undefined
  ) {
    return withoutClaim(withFields(record, { status: "open" }));
  }
  if (
    !isClaimed(record) &&
    (record.lease_expires_at !== undefined || metadataOf(record)[META.generation] !== undefined)
  ) {
    return withoutClaim(record, { keepAssignee: true });
  }
  return record;
}
