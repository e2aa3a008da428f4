import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { META } from "../bead.ts";
import type { GraphIndex } from "../index/graph-index.ts";
import { openBlockers } from "../index/readiness.ts";
import { metadataOf, withFields } from "../record/facts.ts";
import type { ChangeContext } from "./actor.ts";
import { withoutClaim } from "./claim.ts";

export interface CloseOptions {
  /** Default `Closed`. */
  readonly reason?: string;
  readonly force?: boolean;
}

/** Why a record may not be closed now; undefined when it may. Inherited blockedness does not count. */
export function closeObstacle(
  index: GraphIndex,
  record: BeadRecord,
): { readonly reason: string; readonly message: string } | undefined {
  if (record.is_template === true) return { reason: "IsTemplate", message: "it is a template" };
  if (record.pinned === true || record.status === "pinned") return { reason: "IsPinned", message: "it is pinned" };
  if (record.issue_type === "epic") {
    const open = index.childIds(record.id).filter((id) => {
      const child = index.record(id);
      return child !== undefined && !index.isSettled(child);
    });
    if (open.length > 0)
      return {
        reason: "OpenChildren",
        message: `${open.length === 1 ? "a child is" : `${open.length} children are`} open: ${few(open)}`,
      };
  }
  const blockers = openBlockers(index, record);
  return blockers.length === 0 ? undefined : { reason: "Blocked", message: `it is blocked by ${few(blockers)}` };
}

function few(ids: readonly string[]): string {
  return ids.length > 5 ? `${ids.slice(0, 5).join(", ")}, …` : ids.join(", ");
}

/** Closed; a closed record is returned as it is. Throws TownError with the obstacle's reason unless forced. */
export function closed(
  index: GraphIndex,
  record: BeadRecord,
  options: CloseOptions,
  context: ChangeContext,
): BeadRecord {
  if (record.status === "closed") return record;
  const obstacle = options.force === true ? undefined : closeObstacle(index, record);
  if (obstacle !== undefined) {
    throw new TownError(obstacle.reason, `Cannot close ${record.id}: ${obstacle.message}.`, {
      hint:
        obstacle.reason === "OpenChildren" || obstacle.reason === "Blocked"
          ? "Close those first, or use --force."
          : "Use --force if you mean it.",
    });
  }
  return withClosedFields(record, "closed", options.reason, context);
}

/** Moves into a status of category done. Who did the work stays assigned; the lease ends. */
export function withClosedFields(
  record: BeadRecord,
  status: string,
  reason: string | undefined,
  context: ChangeContext,
): BeadRecord {
  const next = withFields(record, {
    status,
    closed_at: context.stamp,
    close_reason: reason ?? "Closed",
    closed_by_session: context.session,
  });
  return withoutClaim(next, { keepAssignee: true });
}

/**
 * Open again: nothing of the close stays, nor a deferral. A bead that had been claimed is free again (its claim ended with
 * the close); one that was only assigned keeps its assignee, as in Beads. An open record is returned as it is.
 */
export function reopened(record: BeadRecord, book: { categoryOf(status: string): string | undefined }): BeadRecord {
  if (record.status !== "closed" && book.categoryOf(record.status) !== "done") return record;
  const next = withFields(record, {
    status: "open",
    closed_at: undefined,
    close_reason: undefined,
    closed_by_session: undefined,
    defer_until: undefined,
  });
  return withoutClaim(next, { keepAssignee: metadataOf(record)[META.fence] === undefined });
}
