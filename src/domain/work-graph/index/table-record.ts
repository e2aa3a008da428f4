import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { edgesOf } from "../record/edges.ts";
import { hasFailed, isMerged, metadataOf } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";
import { rowFlag } from "./columns.ts";

/**
 * Whether a record can be a row of a table: no wisp, and nothing of it is of another type than it should be, as files of
 * others have it.
 */
export function fitsTable(record: BeadRecord): boolean {
  const { id, status, issue_type: type, priority, assignee = "", labels = [], metadata } = record;
  const texts: readonly unknown[] = [status, type, assignee, record.close_reason ?? "", record.defer_until ?? ""];
  return (
    record.ephemeral !== true &&
    // Characters of one byte, so that ids are found without being read.
    /^[\u0020-\u007e]+$/.test(id) &&
    Number.isInteger(priority) &&
    priority >= 0 &&
    priority < 256 &&
    timeOf(record.created_at) !== undefined &&
    texts.every((text) => typeof text === "string") &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === "string") &&
    (metadata === undefined || metadataOf(record) === metadata) &&
    (record.dependencies === undefined || Array.isArray(record.dependencies)) &&
    edgesOf(record).every(isEdge)
  );
}

function isEdge(edge: DependencyEdge | null): boolean {
  return (
    typeof edge?.depends_on_id === "string" &&
    typeof edge.type === "string" &&
    (edge.metadata === undefined || typeof edge.metadata === "string")
  );
}

/** Bits of `rowFlag`. */
export function flagsOf(record: BeadRecord): number {
  return (
    (record.pinned === true ? rowFlag.pinned : 0) |
    (record.is_template === true ? rowFlag.template : 0) |
    (isMerged(record) ? rowFlag.merged : 0) |
    (hasFailed(record) ? rowFlag.failed : 0) |
    (metadataOf(record)[META.step] === undefined ? 0 : rowFlag.step) |
    (timeOf(record.defer_until) === undefined ? 0 : rowFlag.deferred)
  );
}
