import type { ChildProcess } from "node:child_process";
import type { Clock } from "../../ports/clock.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";

/** How long the end of a child may take to be told, once its start time cannot be read any more. */
const TOLD_WITHIN_MS = 2_000;

/**
 * Who a child is that was just started. `Ended`: it is over. One that ended before it was asked, and that nobody collected
 * yet, has no start time but still answers to signals: only the news of its end tells it from a living one, `Untold`, whose
 * start time the system keeps to itself.
 */
export async function spawnedLeader(
  child: ChildProcess,
  identify: (pid: number) => Promise<ProcessIdentity | undefined>,
  clock: Pick<Clock, "sleep">,
): Promise<ProcessIdentity | "Ended" | "Untold"> {
  const told = new AbortController();
  child.once("exit", () => told.abort());
  const leader = child.pid === undefined ? undefined : await identify(child.pid);
  if (leader !== undefined) return leader;
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (!ended()) await clock.sleep(TOLD_WITHIN_MS, told.signal);
  return ended() ? "Ended" : "Untold";
}
