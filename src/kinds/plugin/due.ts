import { nextCronTime } from "../../domain/scheduling/crontab.ts";
import { durationMs } from "../../resource/field.ts";
import type { PluginSpec } from "./plugin.schema.ts";
import type { RunResult } from "../../work/plugin-run.ts";

/** What is known of a plugin's runs about one target. */
export interface PluginPast {
  /** When the plugin was declared, ms since the epoch. */
  readonly declaredMs: number;
  /** What the newest run was due at. */
  readonly dueMs?: number;
  readonly endedMs?: number;
  readonly result?: RunResult;
  readonly slot?: string;
  readonly attempt?: number;
  /** When the condition was tried last. */
  readonly checkedMs?: number;
  /** Resource version of the Event that started a run last. */
  readonly event?: string;
}

/** An Event that starts a run. */
export interface Occurrence {
  readonly version: string;
  readonly text: string;
}

export type Due =
  | { readonly is: "Never" }
  | { readonly is: "Later"; readonly atMs: number }
  /** The condition must be tried. */
  | { readonly is: "Check" }
  | {
      readonly is: "Now";
      readonly slot: string;
      readonly dueMs: number;
      readonly why: string;
      readonly attempt: number;
      readonly event?: string;
    };

/** Between two tries of a condition. */
const CHECK_MS = 60_000;
/** A run that its controller did not survive is begun so often in all. */
const MAX_ATTEMPTS = 3;

/**
 * When a plugin is to run next, given what is known of its runs. However many times were missed, it runs once for them. A
 * run that was interrupted is repeated at once. Pure.
 */
export function dueOf(
  spec: Pick<PluginSpec, "gate" | "timeZone">,
  past: PluginPast,
  now: number,
  newest: Occurrence | undefined,
): Due {
  const { result, slot, dueMs, attempt = 1 } = past;
  if (result === "Interrupted" && slot !== undefined && dueMs !== undefined && attempt < MAX_ATTEMPTS)
    return { is: "Now", slot, dueMs, why: "its controller ended before it did", attempt: attempt + 1 };
  const { cooldown, cron, event, condition } = spec.gate;
  if (cooldown !== undefined) return cooldownDue(cooldown, past, now);
  if (cron !== undefined) return cronDue(cron, spec.timeZone, past, now);
  if (event !== undefined && newest !== undefined && newest.version !== past.event)
    return { ...nowFor(now, newest.text), slot: `event-${newest.version}`, event: newest.version };
  return condition === undefined ? { is: "Never" } : conditionDue(past, now);
}

function cooldownDue(cooldown: string, past: PluginPast, now: number): Due {
  const at = past.endedMs === undefined ? past.declaredMs : past.endedMs + durationMs(cooldown);
  // An end that lies ahead is one of a clock that was set back since.
  const isDue = at <= now || (past.endedMs ?? 0) > now;
  return isDue ? nowFor(Math.min(at, now), `every ${cooldown}`) : { is: "Later", atMs: at };
}

function conditionDue(past: PluginPast, now: number): Due {
  const last = Math.max(past.checkedMs ?? 0, past.endedMs ?? 0);
  const isDue = past.checkedMs === undefined || last + CHECK_MS <= now || last > now;
  return isDue ? { is: "Check" } : { is: "Later", atMs: last + CHECK_MS };
}

function cronDue(cron: string, timeZone: string | undefined, past: PluginPast, now: number): Due {
  const first = nextCronTime(cron, timeZone, Math.min(past.dueMs ?? past.declaredMs, now));
  if (first === undefined) return { is: "Never" };
  if (first > now) return { is: "Later", atMs: first };
  // Times that went by meanwhile count as this one: what comes after now is next.
  return { ...nowFor(first, `at ${cron}`), dueMs: now };
}

function nowFor(atMs: number, why: string): Extract<Due, { is: "Now" }> {
  return { is: "Now", slot: new Date(atMs).toISOString(), dueMs: atMs, why, attempt: 1 };
}
