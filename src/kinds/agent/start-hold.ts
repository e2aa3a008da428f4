import { timestamp } from "../../resource/condition.ts";
import type { AgentObserved } from "./agent.observe.ts";

/** Why a session that is wanted is not started right now. */
export interface StartHold {
  readonly reason: string;
  readonly message: string;
  /** When to look again. */
  readonly retryMs: number;
}

const CAPACITY_RETRY_MS = 5_000;
const DISK_RETRY_MS = 30_000;
const SET_UP_LOOK_MS = 500;

/** What the provider says, limits of the town and the state of the sandbox; undefined: a session may start. Pure. */
export function startHold(observed: AgentObserved): StartHold | undefined {
  const { now, capacityLeft, nextStartSlotMs, sandbox, hold } = observed;
  if (hold !== undefined && hold.untilMs > now)
    return {
      reason: hold.reason,
      message: `waits until ${timestamp(hold.untilMs)}: ${hold.message}`,
      retryMs: hold.untilMs - now,
    };
  if (capacityLeft <= 0)
    return {
      reason: "CapacityReached",
      message: "the town runs as many sessions as spec.capacity.sessions allows",
      retryMs: CAPACITY_RETRY_MS,
    };
  if (nextStartSlotMs > now)
    return {
      reason: "StartRateReached",
      message: `the town started as many sessions within a minute as spec.capacity.startsPerMinute allows; next at ${timestamp(nextStartSlotMs)}`,
      retryMs: nextStartSlotMs - now,
    };
  if (observed.diskLow && !sandbox.exists)
    return {
      reason: "DiskLow",
      message: "less disk is free than spec.capacity.diskFloor of the Town; no sandbox is made",
      retryMs: DISK_RETRY_MS,
    };
  if (sandbox.setUp.state === "Running")
    return {
      reason: "SettingUp",
      message: `the sandbox is being set up; output in ${sandbox.setUp.log}`,
      retryMs: SET_UP_LOOK_MS,
    };
  if (sandbox.setUp.state === "Failed")
    return {
      reason: "SetUpFailed",
      message: `${sandbox.setUp.message}; tried again at ${timestamp(sandbox.setUp.retryMs)}`,
      retryMs: sandbox.setUp.retryMs - now,
    };
  return undefined;
}
