import type { SourceSpec } from "../kinds/source/source.schema.ts";
import type { SyncStatus } from "../kinds/source/sync-status.schema.ts";
import { joinPath } from "../domain/text/join-path.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Objects } from "../ports/objects.ts";
import { conditionOf, type ConditionIntent, READY, timestamp } from "../resource/condition.ts";
import { type Plan, runnable, type RunnableController } from "../resource/controller.ts";
import { BUILTIN_SOURCE, TOWN_SOURCE } from "../resource/desired-origin.ts";
import { durationMs } from "../resource/field.ts";
import { ALLOW_PRUNE_ANNOTATION, RECONCILE_ANNOTATION } from "../resource/held-annotation.ts";
import { keyOf, type TownObject } from "../resource/object-meta.ts";
import type { FurtherSettings, FurtherSources } from "./further-sources.ts";
import type { Fetched } from "./source-sync.ts";
import type { SyncResult } from "./sync-result.ts";
import { healthOf, syncCondition, syncStatus } from "./sync-status.ts";

type Source = TownObject<SourceSpec, { readonly sync?: SyncStatus }>;

export interface FurtherObserved {
  readonly now: number;
  readonly settings: FurtherSettings;
  readonly stale: boolean;
  readonly last: SyncResult | undefined;
  readonly fetched: Fetched | undefined;
  /** Sources that must be applied first and are not, each with why. */
  readonly waitsFor: readonly string[];
  /** While it is deleted: objects that are still there. */
  readonly remaining: number;
  /** What held the last attempt to remove them, made with the same permission. */
  readonly heldRemoval: { readonly reason: string; readonly message: string; readonly hint: string } | undefined;
}

type FurtherAction = { readonly do: "Fetch" | "Sync" | "Withdraw"; readonly settings: FurtherSettings };

/** A repository that does not answer is asked again after this long, or after the interval if that is shorter. */
const RETRY_MS = 60_000;
const LEAST_PAUSE_MS = 1_000;

export function furtherSettings(source: TownObject, root: string): FurtherSettings {
  const { url, branch, path, interval, trusted, prune } = source.spec as unknown as SourceSpec;
  const { name, annotations = {} } = source.metadata;
  return {
    name,
    url: isRelativePath(url) ? joinPath(root, url) : url,
    branch,
    path,
    intervalMs: durationMs(interval),
    trusted,
    prune,
    allowPrune: annotations[ALLOW_PRUNE_ANNOTATION],
    poke: annotations[RECONCILE_ANNOTATION],
  };
}

/** `host:path` and `scheme://…` are for git; anything else is a path. */
function isRelativePath(url: string): boolean {
  return !/^(?:\/|[A-Za-z][A-Za-z0-9+.-]*:\/\/|[^/]+:)/.test(url);
}

/** When to fetch, sync and withdraw, and what the status says of it. Pure. */
export function planFurtherSource(source: Source, observed: FurtherObserved): Plan<FurtherAction> {
  const { name } = source.metadata;
  if (name === TOWN_SOURCE || name === BUILTIN_SOURCE)
    return {
      actions: [],
      finalized: true,
      conditions: [notReady("NameReserved", `a Source must not be called '${name}'; choose another name`)],
    };
  if (source.metadata.deletionTimestamp !== undefined) return planRemoval(observed);
  if (source.spec.suspend)
    return {
      actions: [],
      status: { health: "Suspended" },
      conditions: [
        { type: READY, status: "True", reason: "Suspended", message: "suspended by spec.suspend; its objects stay" },
      ],
    };
  return planFollowing(source, observed);
}

function planFollowing(source: Source, observed: FurtherObserved): Plan<FurtherAction> {
  const { last, settings, stale, now, waitsFor, fetched } = observed;
  const fetchInMs = fetchDelayMs(observed);
  const actions: FurtherAction[] = fetchInMs <= 0 ? [{ do: "Fetch", settings }] : [];
  if (waitsFor.length > 0)
    return {
      actions,
      conditions: [notReady("DependencyNotReady", `waits for ${waitsFor.join(", ")}`)],
      ...(actions.length > 0 ? {} : { requeueAfterMs: Math.max(LEAST_PAUSE_MS, fetchInMs) }),
    };
  const syncInMs = last === undefined || stale ? 0 : last.timeMs + settings.intervalMs - now;
  if (actions.length > 0 || syncInMs <= 0) actions.push({ do: "Sync", settings });
  if (last === undefined)
    return {
      actions,
      conditions: [{ type: READY, status: "Unknown", reason: "FirstSync", message: `fetching ${settings.url}` }],
    };
  return {
    actions,
    status: {
      sync: syncStatus(source.status?.sync, last, stale ? source.status?.sync?.lastHandledReconcileAt : settings.poke),
      health: healthOf(last, false),
      ...(fetched?.error === undefined && fetched !== undefined ? { fetchTime: timestamp(fetched.timeMs) } : {}),
    },
    conditions: [syncCondition(last, false)],
    ...(actions.length > 0 ? {} : { requeueAfterMs: Math.max(LEAST_PAUSE_MS, Math.min(fetchInMs, syncInMs)) }),
  };
}

function planRemoval({ settings, remaining, heldRemoval }: FurtherObserved): Plan<FurtherAction> {
  if (heldRemoval !== undefined)
    return { actions: [], conditions: [notReady(heldRemoval.reason, `${heldRemoval.message}. ${heldRemoval.hint}`)] };
  return {
    actions: [{ do: "Withdraw", settings }],
    finalized: remaining === 0,
    conditions: [notReady("Withdrawing", `removing its ${remaining} objects`)],
  };
}

function fetchDelayMs({ settings, fetched, now }: FurtherObserved): number {
  const { url, branch, poke, intervalMs } = settings;
  if (fetched?.url !== `${url} ${branch}` || fetched.poke !== poke) return 0;
  const pauseMs = fetched.error === undefined ? intervalMs : Math.min(intervalMs, RETRY_MS);
  return fetched.timeMs + pauseMs - now;
}

function notReady(reason: string, message: string): ConditionIntent {
  return { type: READY, status: "False", reason, message };
}

/** The Sources that a Source depends on and that are not applied, each with why. */
export function unmetDependencies(source: Source, objects: Objects): readonly string[] {
  return (source.spec.dependsOn ?? []).flatMap((name) => {
    const other = objects.get({ kind: "Source", name });
    if (other === undefined) return [`Source ${name}, which does not exist`];
    const ready = conditionOf(other, READY);
    if (ready?.status === "True" && ready.observedGeneration === other.metadata.generation) return [];
    return [`Source ${name}${ready === undefined ? "" : ` (${ready.reason})`}`];
  });
}

/** The loop of further sources. */
export function furtherSourceController(sources: FurtherSources): RunnableController<LoopPorts> {
  return runnable<FurtherObserved, FurtherAction, LoopPorts, Source>({
    name: "sources",
    kind: "Source",
    watches: [
      {
        kind: "Source",
        by: "Map",
        keys: (changed, ports) =>
          ports.objects
            .list("Source")
            .filter((each) => (each as unknown as Source).spec.dependsOn?.includes(changed.metadata.name) === true)
            .map(keyOf),
      },
    ],
    resyncMs: 300_000,
    finalizer: "town.dev/source",
    ownedConditions: [READY],
    async observe(source, ports) {
      const settings = furtherSettings(source, ports.layout.root);
      const { name } = settings;
      const isDeleting = source.metadata.deletionTimestamp !== undefined;
      return {
        now: ports.clock.now(),
        settings,
        stale: !isDeleting && (await sources.isStale(settings)),
        last: sources.last(name),
        fetched: sources.fetched(name),
        waitsFor: unmetDependencies(source, ports.objects),
        remaining: isDeleting ? await sources.remaining(name) : 0,
        heldRemoval: sources.heldRemoval(settings),
      };
    },
    plan: planFurtherSource,
    async execute({ do: act, settings }) {
      if (act === "Fetch") await sources.fetch(settings);
      else if (act === "Sync") await sources.sync(settings);
      else await sources.withdraw(settings);
    },
  });
}
