import { META, type BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { type Budget, dayOf, spendText, usageOfDay } from "./budget.ts";
import { modelUsageOf, usageOf } from "./ledger.ts";
import { addUsage, addUsageByName, NO_USAGE, shownUsage, type Usage } from "./usage.ts";

/** How much work a store holds, by what keeps it from being done. Epics, steps and mail are no work of their own. */
export interface WorkTotals {
  /** Can be started now. */
  readonly ready: number;
  /** On a hook. */
  readonly working: number;
  /** Wait for other work, or say so themselves. */
  readonly blocked: number;
  /** Put off. */
  readonly deferred: number;
  /** In the merge queue. */
  readonly merging: number;
}

export const NO_WORK: WorkTotals = { ready: 0, working: 0, blocked: 0, deferred: 0, merging: 0 };

const NO_WORK_ITSELF = new Set([
  "agent",
  "molecule",
  "message",
  "escalation",
  "merge-request",
  "merge-queue",
  "epic",
  "event",
  "gate",
]);

export function workTotals(graph: GraphReader): WorkTotals {
  const counts: { -readonly [K in keyof WorkTotals]: number } = { ...NO_WORK };
  const ready = new Set(graph.ready().map((record) => record.id));
  for (const record of graph.list({ status: ["open", "hooked", "in_progress", "blocked", "deferred"] })) {
    if (!isWork(record)) continue;
    counts[standingOf(record, graph, ready)] += 1;
  }
  return counts;
}

function isWork(record: BeadRecord): boolean {
  return !NO_WORK_ITSELF.has(record.issue_type) && record.metadata?.[META.step] === undefined;
}

function standingOf(record: BeadRecord, graph: GraphReader, ready: ReadonlySet<string>): keyof WorkTotals {
  switch (record.status) {
    case "hooked":
    case "in_progress":
      return "working";
    case "deferred":
      return "deferred";
    case "open":
      break;
    default:
      return "blocked";
  }
  const request = record.metadata?.[META.mergeRequest];
  if (typeof request === "string" && graph.get(request)?.status !== "closed") return "merging";
  if (ready.has(record.id)) return "ready";
  return graph.isBlocked(record.id) ? "blocked" : "deferred";
}

/** What the agents of a store used: in all, on a day, and by model. */
export interface UsageTotals {
  readonly all: Usage;
  readonly today: Usage;
  readonly byModel: Readonly<Record<string, Usage>>;
}

export const NO_TOTALS: UsageTotals = { all: NO_USAGE, today: NO_USAGE, byModel: {} };

export function usageTotals(graph: GraphReader, nowMs: number): UsageTotals {
  const agents = graph.list({ type: ["agent"] });
  return {
    all: agents.map(usageOf).reduce(addUsage, NO_USAGE),
    today: usageOfDay(graph, dayOf(nowMs)),
    byModel: agents.map(modelUsageOf).reduce(addUsageByName, {}),
  };
}

export function addWork(a: WorkTotals, b: WorkTotals): WorkTotals {
  return {
    ready: a.ready + b.ready,
    working: a.working + b.working,
    blocked: a.blocked + b.blocked,
    deferred: a.deferred + b.deferred,
    merging: a.merging + b.merging,
  };
}

export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  return {
    all: addUsage(a.all, b.all),
    today: addUsage(a.today, b.today),
    byModel: addUsageByName(a.byModel, b.byModel),
  };
}

/** What the status of a Rig, or of the Town, says of them; null takes a field away. */
export function totalsStatus(
  work: WorkTotals,
  usage: UsageTotals,
  daily: Budget | undefined,
): Readonly<Record<string, unknown>> {
  const models = Object.entries(usage.byModel)
    .map(([model, used]) => ({ model, ...shownUsage(used) }))
    .toSorted((a, b) => a.model.localeCompare(b.model));
  return {
    work,
    usage: shownUsage(usage.all) ?? null,
    usageToday: shownUsage(usage.today) ?? null,
    spentToday: spendText(usage.today, daily) ?? null,
    models: models.length === 0 ? null : models,
  };
}
