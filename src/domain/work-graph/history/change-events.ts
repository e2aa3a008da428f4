import type { BeadComment, BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { bodyFields, bodySize, compactionLevel, digestFieldNames } from "../compaction/digest.ts";
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
const toldAtBirth = new Set(["title", "issue_type", "priority", "status", "assignee"]);
const stateFields = new Set(["status", "assignee", "close_reason", "closed_by_session", "delete_reason"]);

/** The events of one change; empty when nothing but bookkeeping (leases, times) changed. */
export function changeEvents(before: BeadRecord | undefined, after: BeadRecord | undefined): readonly ChangeEvent[] {
  if (after === undefined) return before === undefined ? [] : [{ event: "deleted", changes: [] }];
  const former = before?.status === tombstone ? undefined : before;
  if (after.status === tombstone) return former === undefined ? [] : [{ event: "deleted", changes: reasonOf(after) }];
  const fields = fieldChanges(former, after);
  return [
    ...(former === undefined ? [createdEvent(fields)] : fieldEvents(former, after, fields)),
    ...edgeEvents(former, after),
    ...labelEvents(former, after),
    ...newComments(former, after).map(({ text }) => ({
      event: "commented",
      changes: [{ field: "comment", to: shortened(text) }],
    })),
  ];
}

// The first version of the record holds the rest; the log of an import must not be as large as what was imported.
function createdEvent(fields: readonly FieldChange[]): ChangeEvent {
  return { event: "created", changes: fields.filter(({ field }) => toldAtBirth.has(field)) };
}

function reasonOf(record: BeadRecord): readonly FieldChange[] {
  const reason = record["delete_reason"];
  return reason === undefined ? [] : [{ field: "reason", to: shortened(reason) }];
}

const compactionFields = new Set<string>([...bodyFields, ...digestFieldNames]);

/** A digest is told by its size: the texts it stands for are not worth a copy in the log. */
function compactionEvent(before: BeadRecord, after: BeadRecord): ChangeEvent | undefined {
  if (compactionLevel(before) === compactionLevel(after)) return undefined;
  const event = compactionLevel(after) > compactionLevel(before) ? "compacted" : "restored";
  return { event, changes: [{ field: "characters", from: bodySize(before), to: bodySize(after) }] };
}

function fieldEvents(before: BeadRecord, after: BeadRecord, all: readonly FieldChange[]): readonly ChangeEvent[] {
  const compaction = compactionEvent(before, after);
  const fields = compaction === undefined ? all : all.filter(({ field }) => !compactionFields.has(field));
  const state = fields.filter(({ field }) => stateFields.has(field));
  const rest = fields.filter(({ field }) => !stateFields.has(field));
  const takenOver = isClaimed(after) && fenceChanged(before, after);
  return [
    ...(state.length > 0 || takenOver ? [{ event: stateEvent(before, after), changes: state }] : []),
    ...(compaction === undefined ? [] : [compaction]),
    ...(rest.length > 0 ? [{ event: "updated", changes: rest }] : []),
  ];
}

function fenceChanged(before: BeadRecord, after: BeadRecord): boolean {
  return metadataOf(before)[META.fence] !== metadataOf(after)[META.fence];
}

function stateEvent(before: BeadRecord, after: BeadRecord): string {
  if (after.status === "closed" && before.status !== "closed") return "closed";
  if (before.status === "closed" && after.status !== "closed") return "reopened";
  if (isClaimed(after) && (!isClaimed(before) || fenceChanged(before, after))) return "claimed";
  if (isClaimed(before) && after.status === "open") return "released";
  return before.status === after.status ? "updated" : "status_changed";
}

function fieldChanges(before: BeadRecord | undefined, after: BeadRecord): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  for (const key of changedKeys(before, after)) {
    if (!separate.has(key) && !silent.has(key)) pushChange(changes, key, before?.[key], after[key]);
  }
  if (before?.metadata === after.metadata) return changes;
  const from = metadataOf(before);
  const to = metadataOf(after);
  for (const key of changedKeys(from, to)) {
    if (!silentMetadata.has(key)) pushChange(changes, `metadata.${key}`, from[key], to[key]);
  }
  return changes;
}

type Fields = Readonly<Record<string, unknown>>;

// Unchanged values are the same objects: copies of a record share them.
function changedKeys(before: Fields | undefined, after: Fields): readonly string[] {
  const keys: string[] = [];
  for (const key in after) if (before?.[key] !== after[key]) keys.push(key);
  for (const key in before) if (!(key in after)) keys.push(key);
  return keys.length > 1 ? keys.sort() : keys;
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
  if (before?.dependencies === after.dependencies) return [];
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
  if (before?.labels === after.labels) return [];
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
