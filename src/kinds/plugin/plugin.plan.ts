import { counted } from "../../domain/text/counted.ts";
import { type ConditionIntent, READY, timestamp } from "../../resource/condition.ts";
import type { Plan } from "../../resource/controller.ts";
import { durationMs } from "../../resource/field.ts";
import type { AgentDeclaration } from "../../work/agent-record.ts";
import { defined } from "../../work/record-fields.ts";
import { type Due, dueOf } from "./due.ts";
import type { TargetStatus } from "./plugin.schema.ts";
import type { PluginObject, PluginObserved, PluginTarget } from "./plugin.observe.ts";
import type { PluginRun } from "../../work/plugin-run.ts";

export type PluginAction =
  | { readonly do: "Begin"; readonly namespace: string; readonly due: Omit<Extract<Due, { is: "Now" }>, "is"> }
  | { readonly do: "Check"; readonly namespace: string }
  | { readonly do: "Execute"; readonly namespace: string; readonly run: PluginRun }
  /** A program that a former controller started is ended before anything else. */
  | { readonly do: "Interrupt"; readonly namespace: string; readonly run: PluginRun }
  | { readonly do: "Sling"; readonly namespace: string; readonly run: string; readonly pool: string }
  | { readonly do: "Hook"; readonly namespace: string; readonly run: string; readonly agent: AgentDeclaration }
  | { readonly do: "End"; readonly namespace: string; readonly run: PluginRun; readonly why: "TimedOut" | "Removed" };

/** How often a run that waits for a free agent is looked at. */
const LOOK_MS = 5_000;
/** How long nothing may happen without a look at the clock, which can be set. */
const LONGEST_MS = 10 * 60_000;

/** One step for each of a plugin's targets. What runs is a bead, so nothing is started twice, by whichever controller. */
export function planPlugin(object: PluginObject, observed: PluginObserved): Plan<PluginAction> {
  if (object.metadata.deletionTimestamp !== undefined) return planRemoval(observed);
  const { now, problem } = observed;
  if (problem !== undefined) return { actions: [], conditions: [{ type: READY, status: "False", ...problem }] };
  const steps = observed.targets.map((target) => stepFor(object, target, now));
  const actions = steps.flatMap(({ action }) => (action === undefined ? [] : [action]));
  const targets = steps.map(({ status }) => status);
  const ended = targets.map(({ lastEndTime }) => lastEndTime ?? "").toSorted();
  const next = targets.flatMap(({ nextRunTime }) => (nextRunTime === undefined ? [] : [nextRunTime])).toSorted()[0];
  const newest = targets.find(({ lastEndTime }) => lastEndTime !== undefined && lastEndTime === ended.at(-1));
  return {
    actions,
    status: {
      targets,
      runs: targets.reduce((sum, { runs }) => sum + runs, 0),
      lastRunTime: newest?.lastEndTime ?? null,
      result: newest?.result ?? null,
      nextRunTime: next ?? null,
    },
    conditions: [readiness(object, observed, targets)],
    ...(actions.length > 0 ? {} : { requeueAfterMs: Math.min(LONGEST_MS, ...steps.map(({ waitMs }) => waitMs)) }),
  };
}

interface Step {
  readonly action: PluginAction | undefined;
  readonly status: TargetStatus;
  readonly waitMs: number;
}

function stepFor(object: PluginObject, target: PluginTarget, now: number): Step {
  const { namespace, open } = target;
  const due = dueOf(object.spec, target.past, now, target.occurrence);
  const status = statusOf(object, target, due, now);
  if (!target.isReady) return { action: undefined, status, waitMs: 2_000 };
  if (open !== undefined)
    return { action: stepOfRun(object, target, open, now), status, waitMs: lookIn(object, open, now) };
  if (target.suspendedBy !== undefined || due.is === "Never") return { action: undefined, status, waitMs: LONGEST_MS };
  if (due.is === "Later") return { action: undefined, status, waitMs: Math.max(1, due.atMs - now) };
  if (target.doer?.is === "Nobody") return { action: undefined, status, waitMs: LONGEST_MS };
  if (due.is === "Check")
    return { action: { do: "Check", namespace }, status: { ...status, lastCheckTime: timestamp(now) }, waitMs: 0 };
  const { is: _now, ...what } = due;
  return { action: { do: "Begin", namespace, due: what }, status, waitMs: 0 };
}

/** When an agent is at it, its end is a change of its bead; only its time limit is none. */
function lookIn(object: PluginObject, { fact }: PluginRun, now: number): number {
  return fact.startedMs === undefined ? LOOK_MS : Math.max(1, fact.startedMs + durationMs(object.spec.timeout) - now);
}

function stepOfRun(object: PluginObject, target: PluginTarget, run: PluginRun, now: number): PluginAction | undefined {
  const { namespace, doer } = target;
  if (doer === undefined)
    return run.fact.startedMs === undefined ? { do: "Execute", namespace, run } : { do: "Interrupt", namespace, run };
  const { startedMs } = run.fact;
  if (startedMs !== undefined && now - startedMs >= durationMs(object.spec.timeout))
    return { do: "End", namespace, run, why: "TimedOut" };
  if (startedMs !== undefined || doer.is === "Nobody") return undefined;
  if (doer.is === "Pool") return { do: "Sling", namespace, run: run.id, pool: doer.pool };
  return doer.agent === undefined ? undefined : { do: "Hook", namespace, run: run.id, agent: doer.agent };
}

function statusOf(object: PluginObject, target: PluginTarget, due: Due, now: number): TargetStatus {
  const { namespace, open, last, past } = target;
  const known = object.status?.targets?.find((former) => former.namespace === namespace);
  const isNew = last !== undefined && last.id !== known?.lastRun;
  const ended = last?.fact.endedMs;
  const nextMs = due.is === "Later" ? due.atMs : due.is === "Now" ? now : undefined;
  const isHeld = target.suspendedBy !== undefined || open !== undefined;
  const { run: _run, nextRunTime: _next, ...former } = known ?? {};
  return {
    ...former,
    namespace,
    runs: (known?.runs ?? 0) + (isNew ? 1 : 0),
    ...defined({
      lastRun: last?.id,
      result: last?.fact.result,
      message: last?.fact.message,
      lastScheduleTime: timeOf(past.dueMs),
      lastEndTime: timeOf(ended),
      lastEvent: past.event,
      run: open?.id,
      nextRunTime: isHeld ? undefined : timeOf(nextMs),
    }),
  };
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : timestamp(ms);
}

function readiness(
  object: PluginObject,
  { targets }: PluginObserved,
  statuses: readonly TargetStatus[],
): ConditionIntent {
  const say = (status: "True" | "False" | "Unknown", reason: string, message: string): ConditionIntent => ({
    type: READY,
    status,
    reason,
    message,
  });
  if (targets.length === 0) return say("True", "NoTarget", "there is no rig yet that it could be about");
  const closed = targets.find((target) => !target.isReady);
  if (closed !== undefined)
    return say("Unknown", "RigNotReady", `the work graph of ${closed.namespace} is not open yet`);
  for (const { doer } of targets) if (doer?.is === "Nobody") return say("False", doer.reason, doer.message);
  const held = targets.find((target) => target.suspendedBy !== undefined);
  if (held !== undefined) return say("True", "Suspended", `suspended by ${held.suspendedBy ?? ""}`);
  const failed = statuses.find(({ result }) => result !== undefined && result !== "Succeeded");
  if (failed !== undefined)
    return say("False", "LastRunFailed", `${failed.namespace}: ${failed.result ?? ""}: ${failed.message ?? ""}`);
  // One reason whether it runs or waits, so that each run is not two changes of state.
  const running = targets.filter((target) => target.open !== undefined);
  const [first] = running;
  return say(
    "True",
    "Scheduled",
    first?.open === undefined ? waitingText(object) : runningText(first, first.open, running.length),
  );
}

function runningText(target: PluginTarget, run: PluginRun, count: number): string {
  const more = count > 1 ? ` and ${counted(count - 1, "more")}` : "";
  if (target.doer?.is === "Agent" && run.fact.startedMs === undefined)
    return `${run.id} waits for an agent of ${target.namespace}/${target.doer.pool} that has nothing on its hook${more}`;
  return `${run.id} (${run.fact.why})${run.assignee === undefined ? "" : `, on the hook of ${run.assignee}`}${more}`;
}

function waitingText({ spec, metadata }: PluginObject): string {
  const { cooldown, cron, event, condition } = spec.gate;
  if (cooldown !== undefined) return `runs ${cooldown} after it last ended`;
  if (cron !== undefined) return `runs at ${cron}${spec.timeZone === undefined ? "" : ` (${spec.timeZone})`}`;
  if (event !== undefined) return `runs after the next Event ${event}`;
  if (condition !== undefined) return `runs when \`${condition}\` exits with 0`;
  return `runs when asked: town plugin run ${metadata.name} -n ${metadata.namespace ?? "hq"}`;
}

/** Runs in progress end with the plugin. */
function planRemoval(observed: PluginObserved): Plan<PluginAction> {
  const actions = observed.targets.flatMap(({ namespace, open, doer }): PluginAction[] => {
    if (open === undefined) return [];
    const isOrphan = doer === undefined && open.fact.startedMs !== undefined;
    return [isOrphan ? { do: "Interrupt", namespace, run: open } : { do: "End", namespace, run: open, why: "Removed" }];
  });
  return actions.length === 0 ? { actions, finalized: true } : { actions };
}
