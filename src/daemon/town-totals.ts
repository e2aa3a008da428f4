import { type Clock, sleepUnlessWoken } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Objects } from "../ports/objects.ts";
import type { WorkGraphs } from "../ports/work-graph.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { type Budget, dayOf, untilNextDay } from "../work/budget.ts";
import {
  addTotals,
  addWork,
  NO_TOTALS,
  NO_WORK,
  totalsStatus,
  type UsageTotals,
  usageTotals,
  type WorkTotals,
  workTotals,
} from "../work/totals.ts";

const WATCHED: ReadonlySet<string> = new Set(["Bead", "Agent", "MergeRequest", "Rig", "Town"]);
/** Changes come in bursts; nobody reads sums faster. */
const GAP_MS = 1_000;
/** Of the time, so much at most is spent on summing up: a store may hold very many beads. */
const DUTY = 0.05;

interface Totals {
  readonly work: WorkTotals;
  readonly usage: UsageTotals;
}

/**
 * Keeps what the status of each Rig and of the Town says of work and usage in line with the stores, until aborted. Sleeps
 * while nothing changes; a new day (UTC) wakes it, too.
 */
export async function keepTotals(at: {
  readonly clock: Clock;
  readonly objects: Objects;
  readonly graphs: WorkGraphs;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, objects, log, signal } = at;
  const stale = new Set<string>();
  const known = new Map<string, Totals>();
  let changed = true;
  let day = "";
  let wake = new AbortController();
  const unsubscribe = objects.subscribe(({ object }) => {
    if (!WATCHED.has(object.kind)) return;
    const namespace = object.kind === "Rig" ? object.metadata.name : object.metadata.namespace;
    if (namespace !== undefined) stale.add(namespace);
    changed = true;
    wake.abort();
  });
  try {
    while (!signal.aborted) {
      if (!changed) {
        wake = new AbortController();
        await sleepUnlessWoken(clock, untilNextDay(clock.now()), { wake, stopping: signal });
        if (signal.aborted) return;
      }
      changed = false;
      const today = dayOf(clock.now());
      if (today !== day) known.clear();
      day = today;
      const from = clock.monotonicMs();
      await show(at, known, stale).catch((err: unknown) => log.warn({ err }, "cannot sum up work and usage"));
      await clock.sleep(Math.max(GAP_MS, (clock.monotonicMs() - from) / DUTY), signal);
    }
  } finally {
    unsubscribe();
  }
}

async function show(
  { clock, objects, graphs }: { readonly clock: Clock; readonly objects: Objects; readonly graphs: WorkGraphs },
  known: Map<string, Totals>,
  stale: Set<string>,
): Promise<void> {
  const open = graphs.all();
  for (const namespace of known.keys())
    if (!open.some((graph) => graph.namespace === namespace)) known.delete(namespace);
  for (const graph of open) {
    const { namespace } = graph;
    if (known.has(namespace) && !stale.has(namespace)) continue;
    stale.delete(namespace);
    const totals = { work: workTotals(graph), usage: usageTotals(graph, clock.now()) };
    known.set(namespace, totals);
    const key = { kind: "Rig", name: namespace };
    await objects.patchStatus(key, totalsStatus(totals.work, totals.usage, dailyBudget(objects.get(key))));
  }
  const work = [...known.values()].reduce((sum, each) => addWork(sum, each.work), NO_WORK);
  const usage = [...known.values()].reduce((sum, each) => addTotals(sum, each.usage), NO_TOTALS);
  const town = { kind: "Town", name: "hq" };
  await objects.patchStatus(town, totalsStatus(work, usage, dailyBudget(objects.get(town))));
}

function dailyBudget(object: TownObject | undefined): Budget | undefined {
  return (object?.spec as { readonly budget?: { readonly daily?: Budget } } | undefined)?.budget?.daily;
}
