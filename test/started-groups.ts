import type { ChildProcess } from "node:child_process";
import { afterEach } from "vitest";

/** A list for processes that a test starts `detached`; after each test their whole groups are killed. */
export function startedGroups(): ChildProcess[] {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) killGroup(child);
  });
  return started;
}

/** kill -9 to a process that was started `detached` and all in its group. Nothing where all of it has ended. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing is left of it but what nobody has collected yet.
  }
}
