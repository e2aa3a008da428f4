import type { Clock } from "../../ports/clock.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import { type IdentitySource, type Presence, type ProcessTable, processTable, signal } from "../process-identity.ts";
import { ConfirmedProcesses } from "./confirmed-processes.ts";
import { ProcessList, type ProcessRow } from "./process-list.ts";

/** Environment variable that every program of a session inherits, so that strays are found again. */
export const MARK_VARIABLE = "TOWN_SESSION_MARK";

/** Which processes belong to a session. */
export interface SessionMembership {
  /** Leader of the process session, where one was recorded. */
  readonly leader: ProcessIdentity | undefined;
  /** Value of `TOWN_SESSION_MARK`. */
  readonly mark: string;
}

export interface EndOptions {
  readonly graceMs: number;
  /** Never signalled, with this process and its ancestors. */
  readonly spare?: readonly number[];
}

const KILL_ROUNDS_MS = [20, 50, 100, 300, 500, 1_000];

/** The processes of sessions: who they are, whether they live, and their verified end. */
export class SessionProcesses {
  readonly #clock: Clock;
  readonly #list: ProcessList;
  readonly #identities: ProcessTable;
  readonly #source: IdentitySource;
  readonly #confirmed = new ConfirmedProcesses();

  constructor(clock: Clock, source: IdentitySource = process.platform === "linux" ? "proc" : "ps") {
    this.#clock = clock;
    this.#list = new ProcessList(source, clock);
    this.#identities = processTable(source);
    this.#source = source;
    // A daemon that an agent started must not pass that agent's mark on to what it runs itself.
    delete process.env[MARK_VARIABLE];
  }

  /** Undefined when there is no such process, or none that can be told. */
  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    for (let tries = 0; tries < 3; tries += 1) {
      const identity = await this.#identities.identify(pid);
      if (identity !== undefined) this.#confirmed.add(identity, this.#clock.monotonicMs());
      if (identity !== undefined || signal(pid, 0) === "Gone") return identity;
    }
    return undefined;
  }

  /**
   * Whether that very process lives. Where that takes a run of `ps`, a process that was confirmed lately and whose pid
   * never went away since is taken for the same.
   */
  async probe(identity: ProcessIdentity): Promise<Presence> {
    const { pid, startTime } = identity;
    const now = this.#clock.monotonicMs();
    const last = this.#confirmed.lately(pid, now);
    const known = this.#source === "ps" && last?.startTime === startTime && identity.bootId === last.bootId;
    const presence = known ? (signal(pid, 0) === "Gone" ? "Dead" : "Alive") : await this.#identities.probe(identity);
    if (presence === "Alive") this.#confirmed.add(identity, now);
    else this.#confirmed.delete(pid);
    return presence;
  }

  /** Pids of a session's living processes: its process session and group, all descendants, and strays with its mark. */
  async members(who: SessionMembership, spare: readonly number[] = []): Promise<readonly number[]> {
    const snapshot = await this.#list.snapshot();
    const { rows } = snapshot;
    // While a process session or group has members, its leader's pid is not given to another process.
    const leader = who.leader !== undefined && !(await this.#reused(who.leader, rows)) ? who.leader.pid : undefined;
    const spared = new Set([...spare, ...ancestors(process.pid, rows)]);
    const others = [...rows.values()].filter((row) => !row.zombie && !spared.has(row.pid));
    const marked = (row: ProcessRow): boolean => snapshot.variable(row.pid, MARK_VARIABLE) === who.mark;
    return withDescendants(
      others.filter((row) => isLed(row, leader) || marked(row)),
      others,
    );
  }

  /**
   * Ends every process of a session: SIGTERM, after `graceMs` SIGKILL. Returns the pids that are still there after that
   * (normally none).
   *
   * Guarantees: signals go only to processes found to be members immediately before, so a reused pid gets none.
   */
  async end(who: SessionMembership, options: EndOptions): Promise<readonly number[]> {
    const clock = this.#clock;
    const look = (): Promise<readonly number[]> => this.members(who, options.spare);
    let alive = await look();
    const asked = new Set<number>();
    const deadline = clock.monotonicMs() + options.graceMs;
    for (let waitMs = 10; alive.length > 0 && clock.monotonicMs() < deadline; waitMs = Math.min(waitMs * 2, 100)) {
      for (const pid of alive) {
        // Once each; one forked since the last look has not been asked yet.
        if (!asked.has(pid)) signal(pid, "SIGTERM");
        asked.add(pid);
      }
      await clock.sleep(Math.min(waitMs, deadline - clock.monotonicMs()));
      alive = await look();
    }
    for (const waitMs of KILL_ROUNDS_MS) {
      if (alive.length === 0) break;
      for (const pid of alive) signal(pid, "SIGKILL");
      await clock.sleep(waitMs);
      alive = await look();
    }
    if (alive.length === 0 && who.leader !== undefined) this.#confirmed.delete(who.leader.pid);
    return alive;
  }

  async #reused(leader: ProcessIdentity, rows: ReadonlyMap<number, ProcessRow>): Promise<boolean> {
    return rows.get(leader.pid)?.zombie === false && (await this.#identities.probe(leader)) === "Dead";
  }
}

function isLed(row: ProcessRow, leader: number | undefined): boolean {
  return leader !== undefined && (row.pid === leader || row.session === leader || row.group === leader);
}

function withDescendants(first: readonly ProcessRow[], all: readonly ProcessRow[]): readonly number[] {
  const found = new Set(first.map((row) => row.pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const row of all) if (found.has(row.parent)) found.add(row.pid);
  }
  return [...found];
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
