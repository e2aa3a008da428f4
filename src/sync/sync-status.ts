import { type ConditionIntent, READY, timestamp } from "../resource/condition.ts";
import type { SyncStatus } from "../kinds/source/sync-status.schema.ts";
import type { SyncResult } from "./sync-result.ts";

const HISTORY = 5;
/** Problems shown in a status; the rest is counted in the condition. */
const MAX_PROBLEMS = 50;

/** `<branch>@sha1:<commit>` as Flux writes it, or `worktree`. */
export function revisionText(branch: string, revision: string): string {
  if (revision === "worktree") return revision;
  return `${branch}@${revision.length > 40 ? "sha256" : "sha1"}:${revision.slice(0, 12)}`;
}

/** The sync axis after a sync. Pure. */
export function syncStatus(former: SyncStatus | undefined, result: SyncResult, poke: string | undefined): SyncStatus {
  const { branch, standing, problems, declared, revision } = result;
  const isApplied = revision !== undefined && errorsOf(result).length === 0;
  const applied = revision === undefined ? former?.appliedRevision : revisionText(branch, revision);
  const history = former?.history ?? [];
  const isNew = isApplied && history.at(-1)?.revision !== applied;
  const entry = { revision: applied ?? "", time: timestamp(result.timeMs), changes: result.changes };
  const appliedRevision = isApplied ? applied : former?.appliedRevision;
  return {
    status: standing?.status ?? (isApplied ? "Synced" : "OutOfSync"),
    ...(appliedRevision === undefined ? {} : { appliedRevision }),
    ...(result.attempted === undefined ? {} : { attemptedRevision: revisionText(branch, result.attempted) }),
    attemptedTime: timestamp(result.timeMs),
    objects: declared,
    problems: problems.slice(0, MAX_PROBLEMS).map(({ path, line, column, reason, message, hint }) => ({
      path,
      line,
      column,
      reason,
      message: hint === undefined ? message : `${message}. ${hint}`,
    })),
    history: isNew ? [...history, entry].slice(-HISTORY) : history,
    ...(poke === undefined ? {} : { lastHandledReconcileAt: poke }),
  };
}

/** The health axis: of what is in force, whatever the sync says. */
export function healthOf(result: SyncResult, suspended: boolean): "Healthy" | "Degraded" | "Suspended" | "Unknown" {
  if (suspended) return "Suspended";
  if (result.standing?.status === "Unknown") return "Unknown";
  return errorsOf(result).length === 0 && result.standing === undefined ? "Healthy" : "Degraded";
}

export function syncCondition(result: SyncResult, suspended: boolean): ConditionIntent {
  const errors = errorsOf(result);
  const [first] = errors;
  const { standing, branch, revision } = result;
  if (standing !== undefined)
    return {
      type: READY,
      status: "False",
      reason: standing.reason,
      message: `${standing.message}. ${standing.hint}`,
    };
  if (first !== undefined) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    const message = `${first.path}:${first.line}:${first.column}: ${first.message}${more}`;
    return { type: READY, status: "False", reason: "ManifestsInvalid", message };
  }
  if (suspended) return { type: READY, status: "True", reason: "Suspended", message: "suspended by spec.suspend" };
  const message = `applied ${revisionText(branch, revision ?? "")}`;
  return { type: READY, status: "True", reason: "Applied", message };
}

function errorsOf({ problems }: SyncResult): SyncResult["problems"] {
  return problems.filter((problem) => problem.severity === "Error");
}
