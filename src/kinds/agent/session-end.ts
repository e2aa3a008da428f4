import { afterEnd, endedBy, NO_STARTS, type StartRecord } from "../../domain/scheduling/start-backoff.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import type { PlannedEvent } from "../../resource/controller.ts";
import type { AgentObject, AgentObserved } from "./agent.observe.ts";

/** How the agent's starts went, as its status says. */
export function startRecord(object: AgentObject): StartRecord {
  const status = object.status;
  if (status === undefined) return NO_STARTS;
  return {
    failures: status.failures ?? 0,
    kills: status.kills ?? 0,
    nextStartMs: status.nextStartTime === undefined ? 0 : Date.parse(status.nextStartTime),
  };
}

/** Takes note of the end of the newest session, once. */
export function noteEnd(
  object: AgentObject,
  observed: AgentObserved,
): { readonly starts: StartRecord; readonly event: PlannedEvent } | undefined {
  const noted = object.status?.endedGeneration ?? 0;
  if (observed.generation === 0 || observed.generation <= noted) return undefined;
  const session = observed.sight.state === "Absent" ? undefined : observed.sight.session;
  if (session !== undefined && session.generation !== observed.generation) return undefined;
  if (observed.handoff?.generation === observed.generation) {
    const message = `session of generation ${observed.generation} handed off`;
    return {
      starts: { ...startRecord(object), nextStartMs: 0 },
      event: { type: "Normal", reason: "SessionHandedOff", message },
    };
  }
  if (session?.bead !== undefined && session.bead !== observed.hook?.bead && observed.desired === "OnWork") {
    const message = `session of generation ${observed.generation} ended, and so had its work on ${session.bead}`;
    return { starts: NO_STARTS, event: { type: "Normal", reason: "SessionEnded", message } };
  }
  const livedMs = session === undefined ? 0 : observed.now - session.startedAtMs;
  return {
    starts: afterEnd(startRecord(object), { livedMs, by: endedBy(session), jitter: observed.jitter }, observed.now),
    event: {
      type: "Warning",
      reason: "SessionEnded",
      message: `session of generation ${observed.generation} ended: ${howItEnded(session)}`,
    },
  };
}

function howItEnded(session: ObservedSession | undefined): string {
  if (session === undefined) return "nothing is left of it: the town ended it, or what it ran on is gone";
  const how =
    session.exitSignal !== undefined ? `signal ${session.exitSignal}` : `exit code ${session.exitCode ?? "unknown"}`;
  return session.terminalLost === true ? `its terminal was taken from it (${how})` : how;
}
