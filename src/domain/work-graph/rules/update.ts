import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { META } from "../bead.ts";
import { endsDigest } from "../compaction/digest.ts";
import type { GraphIndex } from "../index/graph-index.ts";
import { normalisedFields, requireValidFields } from "../record/check-record.ts";
import { sameJson } from "../record/canonical.ts";
import { fenceOf, isClaimed, metadataOf, withFields, withMetadata } from "../record/facts.ts";
import { tombstone } from "../record/statuses.ts";
import type { ChangeContext } from "./actor.ts";
import { requireCurrentSession, requireHolder } from "./actor.ts";
import { defaultLeaseMs, leaseFields, withoutClaim } from "./claim.ts";
import { closed, reopened, withClosedFields } from "./close.ts";

/** Set by the store alone, each with what to use instead. */
const storeFields: Readonly<Record<string, string>> = {
  id: "an id cannot change",
  created_at: "it is set when the bead is made",
  created_by: "it is set when the bead is made",
  updated_at: "it is set by each change",
  dependencies: "use the dependency commands",
  comments: "use the comment command",
  closed_at: "close or reopen the bead",
  started_at: "claim the bead",
};
const claimFields = ["status", "assignee", "lease_expires_at", "heartbeat_at"] as const;

/**
 * The record with a patch applied: fields checked, status changes with everything that belongs to them. Throws TownError
 * `InvalidBead`, `StoreField`, `NotHolder`, `Fenced`, or what closing throws.
 */
export function updated(
  index: GraphIndex,
  record: BeadRecord,
  patch: Readonly<Record<string, unknown>>,
  options: { readonly force?: boolean },
  context: ChangeContext,
): BeadRecord {
  const wanted = endsDigest(record, normalisedFields(patch));
  const fields = Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => !sameJson(value ?? undefined, record[key])),
  );
  refuseStoreFields(record, fields);
  requireValidFields(`update ${record.id}`, fields, index.statuses);
  for (const key of ["title", "status", "priority", "issue_type"]) {
    if (fields[key] === null)
      throw new TownError("InvalidBead", `Cannot update ${record.id}: \`${key}\` must have a value.`, {
        hint: "Give a new value instead of removing it.",
      });
  }
  if (fields["ephemeral"] === true) {
    throw new TownError("StoreField", `Cannot make ${record.id} a wisp: it is in the history already.`, {
      hint: "Create a new bead with ephemeral set.",
    });
  }
  requireCurrentSession("update", record, context);
  if (options.force !== true && claimFields.some((key) => key in fields))
    requireHolder("change the claim of", record, context);
  const { status, metadata, ...rest } = fields;
  const changed = withFields(
    record,
    metadata === undefined ? rest : { ...rest, metadata: replacedMetadata(record, metadata) },
  );
  const next = typeof status === "string" ? withStatus(index, changed, status, options, context) : changed;
  return withClaimUnit(record, next, "assignee" in fields, context);
}

/** New metadata of a user, with the keys of Town that it does not name kept: replacing notes must not lose a fence. */
function replacedMetadata(record: BeadRecord, metadata: unknown): Readonly<Record<string, unknown>> | undefined {
  const own = Object.entries(metadataOf(record)).filter(([key]) => key.startsWith("town."));
  const next = Object.fromEntries([...own, ...Object.entries(metadata ?? {})].filter(([, value]) => value !== null));
  return Object.keys(next).length === 0 ? undefined : next;
}

/** Assignee, lease, generation and fence follow a status or assignee that was set by hand, so that a claim is whole or none. */
function withClaimUnit(
  before: BeadRecord,
  after: BeadRecord,
  assigneeGiven: boolean,
  context: ChangeContext,
): BeadRecord {
  if (isClaimed(after)) {
    if (isClaimed(before) && before.assignee === after.assignee) return after;
    const next = withFields(after, leaseFields(defaultLeaseMs, context));
    return withMetadata(next, { [META.fence]: fenceOf(before) + 1, [META.generation]: null });
  }
  if (!isClaimed(before) || after.status === "closed") return after;
  return withoutClaim(after, { keepAssignee: assigneeGiven || after.status !== "open" });
}

function refuseStoreFields(record: BeadRecord, fields: Readonly<Record<string, unknown>>): void {
  for (const field of Object.keys(fields)) {
    const instead = storeFields[field];
    if (instead === undefined) continue;
    throw new TownError("StoreField", `Cannot set \`${field}\` of ${record.id}: ${instead}.`, {
      causes: [{ reason: "FieldValueForbidden", message: instead, field }],
    });
  }
}

function withStatus(
  index: GraphIndex,
  record: BeadRecord,
  status: string,
  options: { readonly force?: boolean },
  context: ChangeContext,
): BeadRecord {
  if (status === tombstone)
    throw new TownError("InvalidBead", `Cannot set the status of ${record.id} to tombstone.`, {
      hint: "Delete the bead instead.",
    });
  const wasDone = index.statuses.categoryOf(record.status) === "done";
  const done = index.statuses.categoryOf(status) === "done";
  if (status === "closed")
    return closed(
      index,
      record,
      { ...options, ...(record.close_reason === undefined ? {} : { reason: record.close_reason }) },
      context,
    );
  if (done) return withClosedFields(record, status, record.close_reason, context);
  const open = wasDone ? reopened(record, index.statuses) : record;
  const started = status === "in_progress" ? (open.started_at ?? context.stamp) : open.started_at;
  return withFields(open, { status, started_at: started });
}

/** Sets aside: until a time (it comes back by itself and stays open), or for good (status deferred, until undeferred). */
export function deferred(record: BeadRecord, until: string | undefined, context: ChangeContext): BeadRecord {
  requireHolder("defer", record, context);
  requireCurrentSession("defer", record, context);
  if (record.status === "closed") {
    throw new TownError("NotOpen", `Cannot defer ${record.id}: it is closed.`, { hint: "Reopen it first." });
  }
  const next =
    until === undefined
      ? withFields(record, { status: "deferred" })
      : withFields(record, { status: "open", defer_until: until });
  return isClaimed(record) ? withoutClaim(next) : next;
}

export function undeferred(record: BeadRecord): BeadRecord {
  const next = withFields(record, { defer_until: undefined });
  return record.status === "deferred" ? withFields(next, { status: "open" }) : next;
}
