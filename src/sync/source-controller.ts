import type { LoopPorts } from "../ports/loop-ports.ts";
import { READY, timestamp, type ConditionIntent } from "../resource/condition.ts";
import { type Plan, runnable, type RunnableController } from "../resource/controller.ts";
import { durationMs } from "../resource/field.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { SourceSync, SyncResult, SyncSettings } from "./source-sync.ts";

type TownFields = {
  readonly suspend: boolean;
  readonly sync: {
    readonly mode: "commit" | "worktree";
    readonly branch?: string;
    readonly path: string;
    readonly interval: string;
  };
};
type TownSyncStatus = {
  readonly sync?: {
    readonly appliedRevision?: string;
    readonly history?: readonly { readonly revision: string; readonly time: string; readonly changes: number }[];
  };
};
type TownHq = TownObject<TownFields, TownSyncStatus>;

interface SourceObserved {
  readonly now: number;
  readonly settings: SyncSettings;
  readonly branch: string;
  readonly revision: string | undefined;
  readonly last: SyncResult | undefined;
}

type SourceAction = { readonly do: "Sync"; readonly settings: SyncSettings };

/** Annotation with the revision at which a person allowed pruning. */
export const ALLOW_PRUNE = "runtime.town.dev/allow-prune";
const HISTORY = 5;

export function settingsOf(town: TownObject): SyncSettings {
  const { sync } = (town as unknown as TownHq).spec;
  return {
    mode: sync.mode,
    branch: sync.branch,
    path: sync.path,
    allowPrune: town.metadata.annotations?.[ALLOW_PRUNE],
  };
}

/** What the Town's status says of a sync. Pure. */
export function planSource(town: TownHq, observed: SourceObserved): Plan<SourceAction> {
  const { last, revision, settings, branch } = observed;
  const requeueAfterMs = durationMs(town.spec.sync.interval);
  if (settings.mode === "commit" && revision === undefined) {
    return {
      actions: [],
      status: { sync: { status: "Unknown" } },
      conditions: [
        {
          type: READY,
          status: "False",
          reason: "BranchMissing",
          message: `the town repository has no branch ${branch} with a commit; commit the manifests or set spec.sync.branch`,
        },
      ],
      requeueAfterMs: 5_000,
    };
  }
  const due =
    last === undefined ||
    last.revision !== (settings.mode === "commit" ? revision : "worktree") ||
    settings.mode === "worktree" ||
    settings.allowPrune !== undefined;
  const actions: SourceAction[] = due ? [{ do: "Sync", settings }] : [];
  if (last === undefined)
    return {
      actions,
      conditions: [{ type: READY, status: "Unknown", reason: "FirstSync", message: "reading the manifests" }],
      requeueAfterMs: 1,
    };
  return {
    actions,
    status: statusOf(town, last),
    conditions: [conditionOf(town, last)],
    requeueAfterMs: due && settings.mode === "commit" ? 1 : requeueAfterMs,
  };
}

function revisionText(result: SyncResult): string {
  return result.revision === "worktree" ? "worktree" : `${result.branch}@sha1:${result.revision.slice(0, 12)}`;
}

function statusOf(town: TownHq, last: SyncResult): Record<string, unknown> {
  const errors = last.problems.filter((problem) => problem.severity === "Error");
  const clean = errors.length === 0 && last.held === undefined;
  const applied = revisionText(last);
  const former = town.status?.sync;
  const history = former?.history ?? [];
  const isNew = history.at(-1)?.revision !== applied;
  return {
    sync: {
      status: clean ? "Synced" : "OutOfSync",
      attemptedRevision: applied,
      attemptedTime: timestamp(last.timeMs),
      ...(clean ? { appliedRevision: applied } : {}),
      objects: last.declared,
      problems: last.problems.slice(0, 50).map(({ path, line, column, message, hint }) => ({
        path,
        line,
        column,
        message: hint === undefined ? message : `${message}. ${hint}`,
      })),
      history:
        isNew && clean
          ? [...history, { revision: applied, time: timestamp(last.timeMs), changes: last.changes }].slice(-HISTORY)
          : history,
    },
    health: town.spec.suspend ? "Suspended" : clean ? "Healthy" : "Degraded",
  };
}

function conditionOf(town: TownHq, last: SyncResult): ConditionIntent {
  const errors = last.problems.filter((problem) => problem.severity === "Error");
  const first = errors[0];
  if (first !== undefined) {
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    return {
      type: READY,
      status: "False",
      reason: "ManifestsInvalid",
      message: `${first.path}:${first.line}:${first.column}: ${first.message}${more}`,
    };
  }
  if (last.held !== undefined)
    return {
      type: READY,
      status: "False",
      reason: last.held.reason,
      message: `${last.held.message}. ${last.held.hint}`,
    };
  if (town.spec.suspend)
    return { type: READY, status: "True", reason: "Suspended", message: "suspended by spec.suspend" };
  return { type: READY, status: "True", reason: "Applied", message: `applied ${revisionText(last)}` };
}

/** The source loop: the Town object stands for the town repository. */
export function sourceController(sync: SourceSync): RunnableController<LoopPorts> {
  return runnable<SourceObserved, SourceAction, LoopPorts, TownHq>({
    name: "source",
    kind: "Town",
    watches: [],
    resyncMs: 60_000,
    ownedConditions: [READY],
    async observe(town, ports) {
      const settings = settingsOf(town);
      const { branch, revision } = await sync.attempted(settings);
      return { now: ports.clock.now(), settings, branch, revision, last: sync.last };
    },
    plan: planSource,
    async execute(action) {
      await sync.sync(action.settings);
    },
  });
}
