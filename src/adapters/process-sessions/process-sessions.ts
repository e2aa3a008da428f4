import { type ChildProcess, spawn } from "node:child_process";
import { rm, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { exitStatusOfShell } from "../../domain/sessions/exit-status.ts";
import { newerGeneration, requireSessionName } from "../../domain/sessions/start-refusals.ts";
import { Turns } from "../../domain/sessions/turns.ts";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import type { ObservedSession, Sessions, SessionsObservation, SessionStart } from "../../ports/sessions.ts";
import { type IdentitySource, signal } from "../process-identity.ts";
import { watchExits } from "../sessions/exit-watch.ts";
import { tailOfLog } from "../sessions/output-log.ts";
import { startFailed, writeShim } from "../sessions/prepare-start.ts";
import {
  observedOfRecord,
  programName,
  recordOf,
  SessionFiles,
  type SessionRecord,
} from "../sessions/session-files.ts";
import { SessionProcesses } from "../sessions/session-processes.ts";
import { spawnedLeader } from "../sessions/spawned-leader.ts";

export interface ProcessSessionsOptions {
  /** For records, shims, exit codes and logs; created with mode 0700. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the minimal base environment is taken from. Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How processes are listed. Default: `proc` on Linux, else `ps`. */
  readonly processSource?: IdentitySource;
}

const REPLACE_GRACE_MS = 5_000;
/** One timer for all sessions finds those whose shim was killed. */
const LEVEL_MS = 1_000;
/** Of its looks every so many are thorough: a pid that came round again, a zombie that nobody reaps. */
const THOROUGH_EVERY = 30;
const KEPT_LOGS = 5;
/**
 * The output of a program that just ended may still be on its way to the log: the shim ends once that has taken it all,
 * and is waited for so long, since a child in the background may keep it.
 */
const LOG_LAG_MS = 1_000;
const LOG_LOOK_MS = 20;
const JUST_NOW_MS = 5_000;

/**
 * Sessions as plain processes without a terminal: each its own process session with a log; nothing can be typed.
 *
 * Guarantees: as the tmux runtime (sessions outlive this object and are adopted; adopt-or-create by name and generation).
 * An exit is noticed through the shim's exit file, or within a second if the shim itself was killed; then its exit code
 * is not known.
 */
export class ProcessSessions implements Sessions {
  readonly runtime = "process";
  readonly #options: ProcessSessionsOptions;
  readonly #files: SessionFiles;
  readonly #processes: SessionProcesses;
  readonly #records = new Map<string, SessionRecord>();
  readonly #ended = new Map<string, number | undefined>();
  readonly #ending = new Map<string, Promise<void>>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #label: string;
  #last: readonly ObservedSession[] = [];
  #stopWatching: () => void = () => {};
  #ticking: Promise<void> | undefined;

  private constructor(options: ProcessSessionsOptions) {
    this.#options = options;
    this.#files = new SessionFiles(options.stateDirectory);
    this.#processes = new SessionProcesses(options.clock, options.processSource);
    this.#label = `process-${createHash("sha256").update(options.stateDirectory).digest("hex").slice(0, 12)}`;
  }

  static async open(options: ProcessSessionsOptions): Promise<ProcessSessions> {
    const sessions = new ProcessSessions(options);
    await sessions.#files.prepare();
    for (const record of await sessions.#files.records((err) =>
      options.log.warn({ err }, "passed over a session record"),
    )) {
      sessions.#records.set(record.name, record);
    }
    sessions.#stopWatching = watchExits(sessions.#files.exitsDirectory, () => sessions.#notify(), options.log);
    sessions.#watchLevel();
    return sessions;
  }

  /** File that gets what the session's program prints; `.1` is older. */
  logPath(name: string, generation: number): string {
    return this.#files.logPath(name, generation);
  }

  async observe(): Promise<SessionsObservation> {
    this.#requireOpen();
    const observedAtMs = this.#options.clock.now();
    try {
      const left = this.#files.exitsLeft();
      const found = await Promise.all([...this.#records.values()].map((record) => this.#observed(record, left)));
      this.#last = found.filter((session) => session !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
      return { completeness: "Complete", sessions: this.#last, observedAtMs };
    } catch (error) {
      return { completeness: "Unknown", sessions: this.#last, observedAtMs, message: messageOf(error) };
    }
  }

  async start(start: SessionStart): Promise<ObservedSession> {
    this.#requireOpen();
    requireSessionName(start.name);
    return this.#turns.take(start.name, async () => {
      const known = await this.#known(start.name);
      if (known !== undefined) {
        const seen = await this.#observed(known);
        if (seen?.state === "Running") {
          if (known.generation === start.generation) return seen;
          if (known.generation > start.generation) throw newerGeneration(start, known.generation);
        }
        await this.#remove(known, seen?.state === "Running" ? REPLACE_GRACE_MS : 0);
      }
      return this.#create(start);
    });
  }

  async stop(name: string, generation: number, options: { readonly graceMs: number }): Promise<void> {
    this.#requireOpen();
    await this.#turns.take(name, async () => {
      const record = await this.#known(name);
      if (record?.generation !== generation) return;
      await this.#remove(record, options.graceMs);
      this.#notify();
    });
  }

  async capture(name: string, lines: number): Promise<string | undefined> {
    this.#requireOpen();
    const record = await this.#known(name);
    if (record === undefined) return undefined;
    if (await this.#endedJustNow(record)) await this.#logTakesAll(record);
    return (await tailOfLog(this.#files.logPath(name, record.generation), lines)) ?? "";
  }

  /** Always Refused: there is no terminal. */
  async type(): Promise<"Refused"> {
    return "Refused";
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  attachCommand(): undefined {
    return undefined;
  }

  command(): undefined {
    return undefined;
  }

  /** Nobody is ever attached. */
  async showStatus(): Promise<void> {}

  async close(): Promise<void> {
    this.#closing.abort();
    this.#stopWatching();
    this.#listeners.clear();
    await this.#ticking;
    await Promise.all(this.#ending.values());
  }

  /** From memory, else from disk: another controller may have started it. */
  async #known(name: string): Promise<SessionRecord | undefined> {
    const known = this.#records.get(name) ?? (await this.#files.record(name));
    if (known !== undefined) this.#records.set(name, known);
    return known;
  }

  async #observed(
    record: SessionRecord,
    left: (name: string, generation: number) => boolean = () => true,
  ): Promise<ObservedSession | undefined> {
    const key = keyOf(record);
    const { name, generation } = record;
    const code = this.#ended.get(key) ?? (left(name, generation) ? this.#files.exitCode(name, generation) : undefined);
    if (code !== undefined) this.#ended.set(key, code);
    if (code === undefined && !this.#ended.has(key)) {
      if (record.leader === undefined) return undefined;
      if (await this.#lives(record, record.leader)) return this.#running(record);
      // The shim writes its file and ends in this order, so a file missed above is there now.
      this.#ended.set(key, this.#files.exitCode(record.name, record.generation));
    }
    const exitCode = this.#ended.get(key);
    return {
      ...observedOfRecord(record),
      state: "Exited",
      ...(exitCode === undefined ? {} : exitStatusOfShell(exitCode)),
    };
  }

  async #running(record: SessionRecord): Promise<ObservedSession> {
    const changed = await stat(this.#files.logPath(record.name, record.generation)).catch(() => undefined);
    return {
      ...observedOfRecord(record),
      state: "Running",
      lastActivityMs: Math.round(changed?.mtimeMs ?? record.startedAtMs),
      currentCommand: programName(record),
    };
  }

  /** A killed shim leaves its program behind, which nobody could see end: such a program is ended, and lives until then. */
  async #lives(record: SessionRecord, leader: ProcessIdentity): Promise<boolean> {
    const presence = await this.#processes.probe(leader);
    if (presence === "Unknown") {
      throw new AdapterError(
        "ProcessUnknown",
        `Cannot tell whether process ${leader.pid} of session ${record.name} lives`,
      );
    }
    const key = keyOf(record);
    if (presence === "Alive" || this.#ending.has(key)) return true;
    if ((await this.#processes.members({ leader, mark: this.#mark(record) })).length === 0) return false;
    const { log } = this.#options;
    log.warn(
      { session: record.name, generation: record.generation, pid: leader.pid },
      "ending a program that lost its shim",
    );
    const ended = this.#end(record, 1_000)
      .catch((err: unknown) => log.error({ err, session: record.name }, "cannot end a program that lost its shim"))
      .finally(() => {
        this.#ending.delete(key);
        this.#notify();
      });
    this.#ending.set(key, ended);
    return true;
  }

  async #create(start: SessionStart): Promise<ObservedSession> {
    const { clock, log, environment } = this.#options;
    const { name, generation } = start;
    const shim = await writeShim(start, this.#files, {
      environment: environment ?? process.env,
      extra: { TERM: "dumb" },
      mark: this.#mark(start),
      outputTo: ["/bin/sh", this.#files.logScriptPath, this.#files.logPath(name, generation)],
    });
    const record = recordOf(start, clock.now());
    await rm(this.#files.exitPath(name, generation), { force: true });
    await this.#files.removeOldLogs(name, KEPT_LOGS);
    await this.#files.saveRecord(record);
    this.#ended.delete(keyOf(record));
    const { child, pid } = await this.#spawn(start, shim);
    const leader = await spawnedLeader(child, (of) => this.#processes.identify(of), clock);
    if (leader === "Untold") {
      signal(-pid, "SIGKILL");
      throw startFailed(
        start,
        `process ${pid} was started and ended again, since the system does not tell its start time`,
      );
    }
    const complete = leader === "Ended" ? record : { ...record, leader };
    await this.#files.saveRecord(complete);
    this.#records.set(name, complete);
    log.info({ session: name, generation, pid }, "started a session");
    this.#watchLevel();
    this.#notify();
    return { ...(await this.#running(complete)), pid };
  }

  async #spawn(start: SessionStart, shim: string): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
    const child = spawn("/usr/bin/env", ["-i", "/bin/sh", shim], {
      cwd: start.cwd,
      env: {},
      detached: true,
      stdio: "ignore",
    });
    const failed = new Promise<Error>((resolve) => child.once("error", resolve));
    child.once("exit", () => this.#notify());
    child.unref();
    if (child.pid === undefined) throw startFailed(start, messageOf(await failed));
    return { child, pid: child.pid };
  }

  async #remove(record: SessionRecord, graceMs: number): Promise<void> {
    await this.#end(record, graceMs);
    await this.#files.forget(record.name, record.generation);
    if (this.#records.get(record.name)?.generation === record.generation) this.#records.delete(record.name);
    this.#ended.delete(keyOf(record));
    this.#options.log.info({ session: record.name, generation: record.generation }, "removed a session");
  }

  async #end(record: SessionRecord, graceMs: number): Promise<void> {
    const left = await this.#processes.end({ leader: record.leader, mark: this.#mark(record) }, { graceMs });
    if (left.length === 0) return;
    const who = left.map((pid) => `process ${pid}`).join(", ");
    throw new AdapterError(
      "SessionStillRunning",
      `Cannot stop session ${record.name} (generation ${record.generation}): SIGKILL did not end ${who}`,
      {
        hint: "A process that hangs in the kernel (a dead network mount) can be the reason: see its state with `ps`.",
      },
    );
  }

  async #logTakesAll({ leader }: SessionRecord): Promise<void> {
    for (let waited = 0; waited < LOG_LAG_MS; waited += LOG_LOOK_MS) {
      if (leader !== undefined && (await this.#processes.probe(leader)) === "Dead") return;
      await this.#options.clock.sleep(LOG_LOOK_MS);
    }
  }

  async #endedJustNow(record: SessionRecord): Promise<boolean> {
    const left = await stat(this.#files.exitPath(record.name, record.generation)).catch(() => undefined);
    return left !== undefined && Math.abs(Date.now() - left.mtimeMs) < JUST_NOW_MS;
  }

  #mark(of: { readonly name: string; readonly generation: number }): string {
    return `${this.#label}/${of.name}/${of.generation}`;
  }

  #watchLevel(): void {
    if (this.#ticking !== undefined || this.#closing.signal.aborted) return;
    this.#ticking = this.#tick().finally(() => {
      this.#ticking = undefined;
    });
  }

  async #tick(): Promise<void> {
    for (let look = 1; !this.#closing.signal.aborted && this.#records.size > 0; look += 1) {
      await this.#options.clock.sleep(LEVEL_MS, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      if (look % THOROUGH_EVERY !== 0 && ![...this.#records.values()].some((each) => this.#looksGone(each))) continue;
      const before = this.#ended.size;
      await this.observe();
      if (this.#ended.size !== before) this.#notify();
    }
  }

  /** Cheap; only says that a closer look is due. */
  #looksGone(record: SessionRecord): boolean {
    return !this.#ended.has(keyOf(record)) && record.leader !== undefined && signal(record.leader.pid, 0) === "Gone";
  }

  #requireOpen(): void {
    if (this.#closing.signal.aborted)
      throw new AdapterError("SessionsClosed", "Cannot use the session runtime: it was closed");
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf(record: SessionRecord): string {
  return `${record.name}.${record.generation}`;
}
