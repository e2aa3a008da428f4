import type { LoopPorts } from "../ports/loop-ports.ts";
import type { SyncStatus } from "../kinds/source/sync-status.schema.ts";
import type { TownSpec } from "../kinds/town/town.schema.ts";
import { READY } from "../resource/condition.ts";
import { type Plan, runnable, type RunnableController } from "../resource/controller.ts";
import { durationMs } from "../resource/field.ts";
import { ALLOW_PRUNE_ANNOTATION, APPROVE_ANNOTATION, RECONCILE_ANNOTATION } from "../resource/held-annotation.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Fetched, SourceSync } from "./source-sync.ts";
import type { SyncResult, SyncSettings } from "./sync-result.ts";
import { healthOf, syncCondition, syncStatus } from "./sync-status.ts";

type TownHq = TownObject<TownSpec, { readonly sync?: SyncStatus }>;

export interface SourceObserved {
  readonly now: number;
  readonly settings: SyncSettings;
  /** The newest sync did not see what is there now. */
  readonly stale: boolean;
  readonly last: SyncResult | undefined;
  readonly fetched: Fetched | undefined;
}

type SourceAction = { readonly do: "Fetch" | "Sync"; readonly settings: SyncSettings };

/** A revision shown as `main@sha1:…` changes with every commit, so looking this often settles what a watch missed. */
const LEAST_PAUSE_MS = 1_000;

export function settingsOf(town: TownObject): SyncSettings {
  const { sync } = (town as unknown as TownHq).spec;
  const { annotations = {} } = town.metadata;
  return {
    mode: sync.mode,
    branch: sync.branch,
    path: sync.path,
    intervalMs: durationMs(sync.interval),
    remote:
      sync.remote === undefined ? undefined : { url: sync.remote.url, intervalMs: durationMs(sync.remote.interval) },
    allowPrune: annotations[ALLOW_PRUNE_ANNOTATION],
    approve: annotations[APPROVE_ANNOTATION],
    poke: annotations[RECONCILE_ANNOTATION],
  };
}

/** When to fetch and sync, and what the Town's status says of the last sync. Pure. */
export function planSource(town: TownHq, observed: SourceObserved): Plan<SourceAction> {
  const { last, settings, stale, now } = observed;
  const fetchInMs = fetchDelayMs(observed);
  const syncInMs = last === undefined || stale ? 0 : last.timeMs + settings.intervalMs - now;
  const actions: SourceAction[] = [];
  if (fetchInMs <= 0) actions.push({ do: "Fetch", settings });
  if (actions.length > 0 || syncInMs <= 0) actions.push({ do: "Sync", settings });
  if (last === undefined)
    return {
      actions,
      conditions: [{ type: READY, status: "Unknown", reason: "FirstSync", message: "reading the manifests" }],
    };
  return {
    actions,
    status: {
      sync: syncStatus(town.status?.sync, last, stale ? town.status?.sync?.lastHandledReconcileAt : settings.poke),
      health: healthOf(last, town.spec.suspend),
    },
    conditions: [syncCondition(last, town.spec.suspend)],
    ...(actions.length > 0 ? {} : { requeueAfterMs: Math.max(LEAST_PAUSE_MS, Math.min(fetchInMs, syncInMs)) }),
  };
}

function fetchDelayMs({ settings: { remote, poke }, fetched, now }: SourceObserved): number {
  if (remote === undefined) return Number.POSITIVE_INFINITY;
  if (fetched?.url !== remote.url || fetched.poke !== poke) return 0;
  return fetched.timeMs + remote.intervalMs - now;
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
      const stale = await sync.isStale(settings);
      return { now: ports.clock.now(), settings, stale, last: sync.last, fetched: sync.fetched };
    },
    plan: planSource,
    async execute(action) {
      if (action.do === "Fetch") await sync.fetch(action.settings);
      else await sync.sync(action.settings);
    },
  });
}
