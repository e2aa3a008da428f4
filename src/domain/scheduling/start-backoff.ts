/** How the starts of one agent went; kept with the agent between controller runs. */
export interface StartRecord {
  /** Ends of sessions in a row that count against the program. */
  readonly failures: number;
  /** Sessions ended from outside (killed, server gone) since the last healthy stretch. */
  readonly kills: number;
  /** ms; 0: at once. */
  readonly nextStartMs: number;
}

export const NO_STARTS: StartRecord = { failures: 0, kills: 0, nextStartMs: 0 };

const BASE_MS = 10_000;
const MAX_MS = 300_000;
const HEALTHY_MS = 600_000;
/** Kills from outside beyond this many are treated like crashes: something keeps ending this agent. */
const TOLERATED_KILLS = 20;
/** Failures in a row after which the agent is Stalled. */
export const CRASH_LOOP = 6;

/**
 * Who ended a session. `Program`: it ended by itself. `Outside`: somebody killed it. `Town`: what it ran on was taken from
 * it (terminal, runtime, machine), or the town ended it; that says nothing about the program.
 */
export type EndedBy = "Program" | "Outside" | "Town";

export interface SessionEnd {
  readonly livedMs: number;
  readonly by: EndedBy;
  /** Uniform in [0,1): spreads restarts. */
  readonly jitter: number;
}

/**
 * The record after a session ended. What the town did to it counts for nothing. The first failure and kills from outside restart at once; further failures in a
 * row wait 10 s, doubling to 5 min, plus up to 20 % jitter; a session that lived 10 minutes starts the count anew.
 */
export function afterEnd(record: StartRecord, end: SessionEnd, now: number): StartRecord {
  const fresh = end.livedMs >= HEALTHY_MS ? NO_STARTS : record;
  if (end.by === "Town") return { ...fresh, nextStartMs: now };
  if (end.by === "Outside" && fresh.kills < TOLERATED_KILLS)
    return { ...fresh, kills: fresh.kills + 1, nextStartMs: now };
  const failures = fresh.failures + 1;
  if (failures === 1) return { ...fresh, failures, nextStartMs: now };
  const wait = Math.min(BASE_MS * 2 ** (failures - 2), MAX_MS);
  return { ...fresh, failures, nextStartMs: now + Math.round(wait * (1 + 0.2 * end.jitter)) };
}

/** The longest wait, jitter included. */
const LONGEST_MS = MAX_MS * 1.2;

/**
 * ms until the next start may be made; 0: now. A time further away than any wait is one of a clock that was set back
 * meanwhile, and holds nothing up.
 */
export function waitBeforeStart(record: StartRecord, now: number): number {
  const left = record.nextStartMs - now;
  return left > LONGEST_MS ? 0 : Math.max(0, left);
}

const OUTSIDE_SIGNALS: ReadonlySet<string> = new Set(["SIGKILL", "SIGTERM", "SIGHUP", "SIGINT", "9", "15", "1", "2"]);

/**
 * Who ended a session, by what is left of it; `exit` undefined: nothing is. An end that nobody saw took its shim along,
 * which no program does.
 */
export function endedBy(
  exit: { readonly exitCode?: number; readonly exitSignal?: string; readonly terminalLost?: true } | undefined,
): EndedBy {
  if (exit === undefined || exit.terminalLost === true) return "Town";
  if (exit.exitSignal !== undefined) return OUTSIDE_SIGNALS.has(exit.exitSignal) ? "Outside" : "Program";
  if (exit.exitCode === undefined) return "Outside";
  // 128 + KILL, TERM, HUP or INT.
  return [137, 143, 129, 130].includes(exit.exitCode) ? "Outside" : "Program";
}
