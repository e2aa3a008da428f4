import type { Clock } from "../../ports/clock.ts";
import type { ProcessRow, ProcessStamp, ProcessTable } from "./process-table.ts";

/** Environment variable that every program of a session inherits, so that strays are found again. */
export const MARK_VARIABLE = "TOWN_SESSION_MARK";

/** Which processes belong to a session. */
export interface SessionProcesses {
  /** Leader of the process session, where one was recorded. */
  readonly leader: ProcessStamp | undefined;
  /** Value of `TOWN_SESSION_MARK`. */
  readonly mark: string;
}

const KILL_ROUNDS_MS = [20, 50, 100, 300, 500, 1_000];

/**
 * Ends every process of a session: its process session and group, all descendants, and strays that left both but carry
 * the mark. SIGTERM first, SIGKILL after `graceMs`; returns the pids that are still there after that (normally none).
 *
 * Guarantees: never signals this process, its ancestors, or pids in `spare`; a reused pid is not signalled, since
 * members are found by looking, immediately before.
 */
export async function endProcesses(
  table: ProcessTable,
  clock: Clock,
  who: SessionProcesses,
  options: { readonly graceMs: number; readonly spare?: readonly number[] },
): Promise<readonly number[]> {
  const look = async (): Promise<readonly number[]> => members(await table.snapshot(), table, who, options.spare ?? []);
  let alive = await look();
  const asked = new Set<number>();
  const deadline = clock.monotonicMs() + options.graceMs;
  for (let waitMs = 10; alive.length > 0 && clock.monotonicMs() < deadline; waitMs = Math.min(waitMs * 2, 100)) {
    // Only once each; one forked since the last look has not been asked yet.
    signalAll(
      alive.filter((pid) => !asked.has(pid)),
      "SIGTERM",
    );
    for (const pid of alive) asked.add(pid);
    await clock.sleep(Math.min(waitMs, deadline - clock.monotonicMs()));
    alive = await look();
  }
  for (const waitMs of KILL_ROUNDS_MS) {
    if (alive.length === 0) return [];
    signalAll(alive, "SIGKILL");
    await clock.sleep(waitMs);
    alive = await look();
  }
  return alive;
}

function members(
  rows: ReadonlyMap<number, ProcessRow>,
  table: ProcessTable,
  who: SessionProcesses,
  spare: readonly number[],
): readonly number[] {
  const spared = new Set([...spare, ...ancestors(process.pid, rows)]);
  const found = new Set<number>();
  for (const row of rows.values()) {
    if (spared.has(row.pid) || row.zombie) continue;
    if (belongsToLeader(row, rows, who.leader) || table.variable(row.pid, MARK_VARIABLE) === who.mark)
      found.add(row.pid);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const row of rows.values()) {
      if (found.has(row.pid) || spared.has(row.pid) || row.zombie || !found.has(row.parent)) continue;
      found.add(row.pid);
      grew = true;
    }
  }
  return [...found];
}

/** While a process session or group has members, its leader's pid is not given to another process. */
function belongsToLeader(
  row: ProcessRow,
  rows: ReadonlyMap<number, ProcessRow>,
  leader: ProcessStamp | undefined,
): boolean {
  if (leader === undefined) return false;
  const now = rows.get(leader.pid);
  if (now !== undefined && now.startTime !== leader.startTime) return false;
  return row.pid === leader.pid || row.session === leader.pid || row.group === leader.pid;
}

function ancestors(pid: number, rows: ReadonlyMap<number, ProcessRow>): ReadonlySet<number> {
  const chain = new Set<number>();
  for (
    let next: number | undefined = pid;
    next !== undefined && next > 0 && !chain.has(next);
    next = rows.get(next)?.parent
  ) {
    chain.add(next);
  }
  return chain;
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended between the look and the signal.
    }
  }
}
