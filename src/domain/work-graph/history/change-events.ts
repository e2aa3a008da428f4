import type { BeadComment, BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { sameJson } from "../record/canonical.ts";
import { isClaimed, metadataOf } from "../record/facts.ts";
import { tombstone } from "../record/statuses.ts";

export interface FieldChange {
  readonly field: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** What happened to a record, in the words of Beads' event types. */
export interface ChangeEvent {
  readonly event: string;
  readonly changes: readonly FieldChange[];
}

/** Texts longer than this are cut in events; the versions of the record hold them whole. */
const maxTextLength = 500;
const separate = new Set(["dependencies", "labels", "comments", "metadata"]);
const silent = new Set([
  "updated_at",
  "lease_expires_at",
  "heartbeat_at",
  "started_at",
  "closed_at",
  "id",
  "created_at",
  "deleted_at",
  "deleted_by",
  "original_type",
]);
const silentMetadata = new Set<string>([META.fence, META.generation]);
const stateFields = new Set(["status", "assignee", "close_reason", "closed_by_session", "delete_reason"]);

/** The events of one change; empty when nothing but bookkeeping (leases, times) changed. */
export function changeEvents(before: BeadRecord | undefined, after: BeadRecord | undefined): readonly ChangeEvent[] {
  if (after === undefined) return before === undefined ? [] : [{ event: "deleted", changes: [] }];
  const first = before === undefined || before.status === tombstone;
  const fields = fieldChanges(first ? undefined : before, after);
  const events: ChangeEvent[] = [];
  if (first && after.status !== tombstone) events.push({ event: "created", changes: fields });
  else {
    const state = fields.filter(({ field }) => stateFields.has(field));
    const rest = fields.filter(({ field }) => !stateFields.has(field));
    const takenOver = before !== undefined && isClaimed(after) && fenceChanged(before, after);
    if (state.length > 0 || takenOver) events.push({ event: stateEvent(before, after), changes: state });
    if (rest.length > 0) events.push({ event: "updated", changes: rest });
  }
  if (after.status === tombstone) return events;
  events.push(...edgeEvents(first ? undefined : before, after), ...labelEvents(first ? undefined : before, after));
  for (const comment of newComments(first ? undefined : before, after)) {
    events.push({ event: "commented", changes: [{ field: "comment", to: shortened(comment.text) }] });
  }
  return events;
}

function fenceChanged(before: BeadRecord, after: BeadRecord): boolean {
  return metadataOf(before)[META.fence] !== metadataOf(after)[META.fence];
}

function stateEvent(before: BeadRecord | undefined, after: BeadRecord): string {
  const from = before?.status ?? "";
  const to = after.status;
  if (to === tombstone) return "deleted";
  if (to === "closed" && from !== "closed") return "closed";
  if (from === "closed" && to !== "closed") return "reopened";
  if (isClaimed(after) && (before === undefined || !isClaimed(before) || fenceChanged(before, after))) return "claimed";
  if (before !== undefined && isClaimed(before) && to === "open") return "released";
  if (from !== to) return "status_changed";
  return "updated";
}

function fieldChanges(before: BeadRecord | undefined, after: BeadRecord): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
  for (const key of [...keys].sort()) {
    if (separate.has(key) || silent.has(key)) continue;
    pushChange(changes, key, before?.[key], after[key]);
  }
  const from = metadataOf(before);
  const to = metadataOf(after);
  for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()) {
    if (!silentMetadata.has(key)) pushChange(changes, `metadata.${key}`, from[key], to[key]);
  }
  return changes;
}

function pushChange(changes: FieldChange[], field: string, from: unknown, to: unknown): void {
  if (sameJson(from, to) || ((from ?? "") === "" && (to ?? "") === "")) return;
  changes.push({
    field,
    ...(from === undefined ? {} : { from: shortened(from) }),
    ...(to === undefined ? {} : { to: shortened(to) }),
  });
}

function shortened(value: unknown): unknown {
  if (typeof value !== "string" || value.length <= maxTextLength) return value;
  return `${value.slice(0, maxTextLength)}… (${value.length} characters)`;
}

function edgeEvents(before: BeadRecord | undefined, after: BeadRecord): readonly ChangeEvent[] {
  const old = byKey(before?.dependencies, edgeKey);
  const now = byKey(after.dependencies, edgeKey);
  return [
    ...added(old, now).map((edge) => ({
      event: "dependency_added",
      changes: [{ field: edge.type, to: edge.depends_on_id }],
    })),
    ...added(now, old).map((edge) => ({
      event: "dependency_removed",
      changes: [{ field: edge.type, from: edge.depends_on_id }],
    })),
  ];
}

function edgeKey(edge: DependencyEdge): string {
  return `${edge.type}\n${edge.depends_on_id}`;
}

function labelEvents(before: BeadRecord | undefined, after: BeadRecord): readonly ChangeEvent[] {
  const old = byKey(before?.labels, String);
  const now = byKey(after.labels, String);
  return [
    ...added(old, now).map((label) => ({ event: "label_added", changes: [{ field: "label", to: label }] })),
    ...added(now, old).map((label) => ({ event: "label_removed", changes: [{ field: "label", from: label }] })),
  ];
}

function newComments(before: BeadRecord | undefined, after: BeadRecord): readonly BeadComment[] {
  if (before?.comments === after.comments) return [];
  const key = (comment: BeadComment): string => String(comment.id);
  return added(byKey(before?.comments, key), byKey(after.comments, key));
}

function byKey<T>(items: readonly T[] | undefined, keyOf: (item: T) => string): ReadonlyMap<string, T> {
  return new Map((Array.isArray(items) ? (items as readonly T[]) : []).map((item) => [keyOf(item), item]));
}

function added<T>(old: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): readonly T[] {
  return [...now].filter(([key]) => !old.has(key)).map(([, item]) => item);
}
