import type { BeadRecord } from "../bead.ts";
import { META } from "../bead.ts";
import { tombstone } from "./statuses.ts";

const nothing: Readonly<Record<string, unknown>> = {};

/** `metadata` where it is an object; files of other tools also hold texts, arrays and null there. */
export function metadataOf(record: { readonly metadata?: unknown } | undefined): Readonly<Record<string, unknown>> {
  const metadata = record?.metadata;
  return metadata !== null && typeof metadata === "object" && !Array.isArray(metadata)
    ? (metadata as Readonly<Record<string, unknown>>)
    : nothing;
}

/** A value as text where it is a text, a number or a flag; else `""`. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

export function fenceOf(record: BeadRecord): number {
  const fence = metadataOf(record)[META.fence];
  return typeof fence === "number" ? fence : 0;
}

export function generationOf(record: BeadRecord): number | undefined {
  const generation = metadataOf(record)[META.generation];
  return typeof generation === "number" ? generation : undefined;
}

export function keyOf(record: BeadRecord | undefined): string | undefined {
  const key = metadataOf(record)[META.key];
  return typeof key === "string" ? key : undefined;
}

export function isDeleted(record: BeadRecord): boolean {
  return record.status === tombstone;
}

/** Held by someone right now: the whole claim is in the record. */
export function isClaimed(record: BeadRecord): boolean {
  return (record.status === "in_progress" || record.status === "hooked") && (record.assignee ?? "") !== "";
}

/**
 * The work is in the target: closed as merged, marked so, or closed with nothing to merge. What `merge-blocks` waits for.
 */
export function isMerged(record: BeadRecord): boolean {
  if (metadataOf(record)["town.merged"] === true) return true;
  return record.status === "closed" && /^(merged|no ?change)/i.test(record.close_reason ?? "");
}

const failureWords =
  /\b(failed|rejected|wontfix|won't fix|canceled|cancelled|abandoned|blocked|error|timeout|aborted)\b/i;

/** Closed with a reason that says it failed: what `conditional-blocks` waits for. */
export function hasFailed(record: BeadRecord): boolean {
  return record.status === "closed" && failureWords.test(record.close_reason ?? "");
}

/** A copy with some keys set; `undefined` and `null` remove a key. */
export function withFields(record: BeadRecord, fields: Readonly<Record<string, unknown>>): BeadRecord {
  const next: Record<string, unknown> = { ...record };
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === null) delete next[key];
    else next[key] = value;
  }
  return next as unknown as BeadRecord;
}

/** A copy with metadata keys merged; null removes a key, and an empty map disappears. */
export function withMetadata(record: BeadRecord, patch: Readonly<Record<string, unknown>>): BeadRecord {
  const next: Record<string, unknown> = { ...metadataOf(record) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || value === null) delete next[key];
    else next[key] = value;
  }
  return withFields(record, { metadata: Object.keys(next).length === 0 ? undefined : next });
}
