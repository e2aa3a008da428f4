import { rm } from "node:fs/promises";
import { sessionNameProblem } from "../../domain/sessions/session-name.ts";
import { newerGeneration, requireSessionName } from "../../domain/sessions/start-refusals.ts";
import { Turns } from "../../domain/sessions/turns.ts";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { ObservedSession, Sessions, SessionsObservation, SessionStart } from "../../ports/sessions.ts";
import type { IdentitySource } from "../process-identity.ts";
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
import type { ControlClient } from "./control-client.ts";
import { ringDoorbell } from "./doorbell.ts";
import { LevelWatch } from "./level-watch.ts";
import { LostSessions } from "./lost-sessions.ts";
import { PaneBook } from "./pane-book.ts";
import type { PaneRow } from "./pane-row.ts";
import { captureScreen, lastLines } from "./screen.ts";
import { againIfServerEnded } from "./server-ended.ts";
import { SessionEnding } from "./session-ending.ts";
import { startCommands } from "./start-commands.ts";
import { StatusLine } from "./status-line.ts";
import { terminalName, type TmuxConfigInput } from "./tmux-config.ts";
import { TmuxServer } from "./tmux-server.ts";
import { requireTmux } from "./tmux-version.ts";

export interface TmuxSessionsOptions extends TmuxConfigInput {
  /** Name of the town's own tmux socket (`tmux -L`). */
  readonly label: string;
  /** For records, shims, exit codes and logs; created with mode 0700. */
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the minimal base environment is taken from. Default: this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How long tmux may take to answer before it counts as not answering. Default 5000. */
  readonly timeoutMs?: number;
  /** How processes are listed. Default: `proc` on Linux, else `ps`. */
  readonly processSource?: IdentitySource;
}

/** Grace of an older generation that a newer one replaces. */
const REPLACE_GRACE_MS = 5_000;
/** A doorbell behind a person's half-written line would send it: it waits until they have paused for so long. */
const PERSON_MS = 4_000;
/** Output logs of so many generations are kept for each name. */
const KEPT_LOGS = 5;

/**
 * Sessions in the town's own tmux server, one tmux session an agent.
 *
 * Guarantees: sessions outlive this object, and a later one adopts them all; a start is adopt-or-create by name and
 * generation, whatever moment a former controller died at; no process is forked while nothing changes; an exit is noticed
 * within milliseconds through the shim's exit file, and within a second if the shim itself was killed.
 * Assumptions: one controller starts and stops the sessions of a label at a time.
 */
export class TmuxSessions implements Sessions {
  readonly runtime = "tmux";
  readonly #options: TmuxSessionsOptions;
  readonly #files: SessionFiles;
  readonly #processes: SessionProcesses;
  readonly #server: TmuxServer;
  readonly #panes: PaneBook;
  readonly #ending: SessionEnding;
  readonly #lost: LostSessions;
  readonly #records = new Map<string, SessionRecord>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<() => void>();
  readonly #level: LevelWatch;
  readonly #status: StatusLine;
  #looking: Promise<SessionsObservation> | undefined;
  #last: readonly ObservedSession[] = [];
  /** Raised at the beginning and the end of each removal. */
  #removals = 0;
  #stopWatching: () => void = () => {};

  private constructor(options: TmuxSessionsOptions) {
    this.#options = options;
    this.#files = new SessionFiles(options.stateDirectory);
    this.#processes = new SessionProcesses(options.clock, options.processSource);
    const { label, clock, log } = options;
    this.#server = new TmuxServer({
      label,
      clock,
      log,
      files: this.#files,
      processes: this.#processes,
      config: options,
      environment: options.environment ?? process.env,
      timeoutMs: options.timeoutMs ?? 5_000,
      changed: () => this.#notify(),
      connected: () => this.#status.forget(),
    });
    this.#panes = new PaneBook({ clock, files: this.#files, serverPid: () => this.#server.pid });
    this.#status = new StatusLine(this.#server, this.#panes);
    this.#level = new LevelWatch({
      clock,
      needed: () => this.#records.size > 0 || this.#last.length > 0,
      newlyDead: async () => {
        const reach = await this.#server.reach();
        return reach.state === "Up" && this.#panes.newlyDead(reach.client);
      },
      shape: async () => {
        await this.observe();
        return shapeOf(this.#last);
      },
      changed: () => this.#notify(),
    });
    this.#ending = new SessionEnding({
      label,
      log,
      server: this.#server,
      processes: this.#processes,
      files: this.#files,
    });
    this.#lost = new LostSessions({
      clock,
      log,
      changed: () => this.#notify(),
      files: this.#files,
      leads: async ({ leader }) => leader !== undefined && (await this.#processes.probe(leader)) !== "Dead",
      living: (record) => this.#ending.living(record),
      end: (record) => this.#endLost(record),
    });
  }

  /** Throws AdapterError `TmuxMissing` or `TmuxTooOld`; connects to nothing yet. */
  static async open(options: TmuxSessionsOptions): Promise<TmuxSessions> {
    await requireTmux((options.environment ?? process.env)["PATH"]);
    const sessions = new TmuxSessions(options);
    await sessions.#files.prepare();
    await sessions.#files.makeScratch();
    await sessions.#server.prepare();
    for (const record of await sessions.#files.records((err) =>
      options.log.warn({ err }, "passed over a session record"),
    )) {
      sessions.#records.set(record.name, record);
    }
    sessions.#stopWatching = watchExits(sessions.#files.exitsDirectory, () => sessions.#notify(), options.log);
    sessions.#level.wake();
    return sessions;
  }

  /** File that gets the session's terminal output as the program writes it, escape sequences included; `.1` is older. */
  logPath(name: string, generation: number): string {
    return this.#files.logPath(name, generation);
  }

  /** Callers that ask at the same time share one list. */
  observe(): Promise<SessionsObservation> {
    this.#looking ??= Promise.resolve().then(() => {
      this.#looking = undefined;
      return this.#observe();
    });
    return this.#looking;
  }

  async start(start: SessionStart): Promise<ObservedSession> {
    requireSessionName(start.name);
    return this.#turns.take(start.name, () => againIfServerEnded(() => this.#start(start)));
  }

  async stop(name: string, generation: number, options: { readonly graceMs: number }): Promise<void> {
    await this.#turns.take(name, () => againIfServerEnded(() => this.#stop(name, generation, options.graceMs)));
  }

  async capture(name: string, lines: number): Promise<string | undefined> {
    const reach = await this.#server.reach();
    if (reach.state === "Unknown") throw notAnswering(`capture session ${name}`, reach.message);
    const row = reach.state === "Up" ? await this.#find(reach.client, name) : undefined;
    if (reach.state === "Up" && row !== undefined) {
      const pane = { client: reach.client, paneId: row.paneId, scratch: this.#files.scratch };
      const text = await captureScreen(pane, -Math.max(0, lines), true);
      if (text !== undefined) return lastLines(text, lines);
    }
    const record = this.#records.get(name);
    return record === undefined ? undefined : tailOfLog(this.#files.logPath(name, record.generation), lines);
  }

  async type(name: string, generation: number, text: string): Promise<"Typed" | "Refused"> {
    return this.#turns.take(name, async () => {
      const reach = await this.#server.reach();
      if (reach.state === "Unknown") throw notAnswering(`type into session ${name}`, reach.message);
      if (reach.state === "Gone") return "Refused";
      const row = await this.#find(reach.client, name);
      if (row === undefined || row.dead || row.inMode || row.labels.generation !== generation) return "Refused";
      if (this.#files.exitCode(name, generation) !== undefined) return "Refused";
      if (await this.#panes.personTyped(reach.client, name, PERSON_MS)) return "Refused";
      return ringDoorbell({
        client: reach.client,
        clock: this.#options.clock,
        paneId: row.paneId,
        generation,
        text,
        scratch: this.#files.scratch,
        write: (path, content) => this.#files.write(path, content, 0o600),
      });
    });
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A person who sits in another tmux runs it without `TMUX` in the environment, or in a window of its own. */
  attachCommand(name: string): readonly string[] {
    return this.command(["attach-session", "-t", `=${name}`]);
  }

  command(args: readonly string[]): readonly string[] {
    const tmux = ["tmux", "-L", this.#options.label, "-u", ...args];
    const { socketDirectory } = this.#server;
    return socketDirectory === "/tmp" ? tmux : ["env", `TMUX_TMPDIR=${socketDirectory}`, ...tmux];
  }

  /**
   * Texts for the status line: `town` on every session's right side, `sessions` (by name) beside the agent they are
   * about. Nothing happens while no server runs.
   */
  showStatus(town: string, sessions: ReadonlyMap<string, string>): Promise<void> {
    return this.#status.show(town, sessions);
  }

  /** Ends the tmux server with all its sessions, and waits until it is gone. */
  async killServer(): Promise<void> {
    for (const session of (await this.observe()).sessions) {
      await this.stop(session.name, session.generation, { graceMs: 2_000 });
    }
    await this.#server.kill();
  }

  async close(): Promise<void> {
    this.#stopWatching();
    this.#listeners.clear();
    await this.#level.close();
    if (this.#records.size === 0) await this.#server.endIfUnused();
    await this.#server.close();
    await this.#lost.settled();
    await this.#files.removeScratch();
  }

  async #start(start: SessionStart): Promise<ObservedSession> {
    const client = await this.#server.ensure();
    const row = await this.#panes.find(client, start.name);
    if (row !== undefined) {
      const known = await this.#panes.observed(row, client);
      if (known.state === "Running") {
        if (known.generation === start.generation) return known;
        if (known.generation > start.generation) throw newerGeneration(start, known.generation);
      }
      await this.#remove(row.labels, row, known.state === "Running" ? REPLACE_GRACE_MS : 1_000);
    }
    const left = this.#records.get(start.name);
    if (left !== undefined) await this.#remove(left, undefined, 1_000);
    return this.#create(start, client);
  }

  async #stop(name: string, generation: number, graceMs: number): Promise<void> {
    const reach = await this.#server.reach();
    if (reach.state === "Unknown") throw notAnswering(`stop session ${name}`, reach.message);
    const row = reach.state === "Up" ? await this.#find(reach.client, name) : undefined;
    const labels = row?.labels ?? this.#records.get(name);
    if (labels === undefined || labels.generation !== generation) return;
    await this.#remove(labels, row, graceMs);
    this.#notify();
  }

  async #observe(): Promise<SessionsObservation> {
    const observedAtMs = this.#options.clock.now();
    // Only what was complete before the list was asked for can be missing from it.
    const before = [...this.#records.values()];
    const removals = this.#removals;
    try {
      const reach = await this.#server.reach();
      if (reach.state === "Unknown")
        return { completeness: "Unknown", sessions: this.#last, observedAtMs, message: reach.message };
      const rows = reach.state === "Up" ? await this.#panes.list(reach.client) : [];
      const live = reach.state === "Up" ? await this.#panes.observedAll(rows, reach.client) : [];
      for (const row of rows) await this.#learn(row, removals);
      const present = new Set(rows.map((row) => row.labels.name));
      const absent = before.filter(
        (record) => !present.has(record.name) && this.#records.get(record.name)?.generation === record.generation,
      );
      const lost = await this.#lost.observe(absent);
      this.#last = [...live, ...lost.sessions].sort((a, b) => (a.name < b.name ? -1 : 1));
      this.#level.wake();
      if (reach.state === "Up") return { completeness: "Complete", sessions: this.#last, observedAtMs };
      if (lost.living === 0)
        return { completeness: "ServerGone", sessions: this.#last, observedAtMs, message: reach.message };
      const message = `${reach.message}; ${lost.living} programs that lost their terminal are being ended`;
      return { completeness: "Unknown", sessions: this.#last, observedAtMs, message };
    } catch (error) {
      if (!(error instanceof AdapterError) || error.reason === "SessionsClosed") throw error;
      return { completeness: "Unknown", sessions: this.#last, observedAtMs, message: messageOf(error) };
    }
  }

  /** Looks once more, with nobody else at work on that session: what ends here cannot be had back. */
  async #endLost(record: SessionRecord): Promise<void> {
    await this.#turns.take(record.name, async () => {
      if (this.#records.get(record.name)?.generation !== record.generation) return;
      const reach = await this.#server.reach();
      if (reach.state === "Unknown") return;
      const row = reach.state === "Up" ? await this.#panes.find(reach.client, record.name) : undefined;
      if (row?.labels.generation !== record.generation) await this.#ending.end(record, 1_000);
    });
  }

  /** A pane that another controller started, or whose start this one did not live to write down. */
  async #learn(row: PaneRow, removals: number): Promise<void> {
    const { name, generation } = row.labels;
    const known = this.#records.get(name);
    if (known?.generation === generation && known.leader !== undefined) return;
    const saved = await this.#files.record(name).catch(() => undefined);
    const record = saved?.generation === generation ? saved : row.labels;
    const leader = record.leader ?? (row.dead ? undefined : await this.#processes.identify(row.pid));
    // One that was removed meanwhile must not be remembered again.
    if (this.#removals !== removals) return;
    this.#records.set(name, leader === undefined ? record : { ...record, leader });
  }

  async #create(start: SessionStart, client: ControlClient): Promise<ObservedSession> {
    const { clock, log } = this.#options;
    const { name, generation } = start;
    const shim = await writeShim(start, this.#files, {
      environment: this.#options.environment ?? process.env,
      extra: { TERM: terminalName() },
      mark: this.#ending.mark(start),
    });
    const record = recordOf(start, clock.now());
    await rm(this.#files.exitPath(name, generation), { force: true });
    await this.#files.removeOldLogs(name, KEPT_LOGS);
    await this.#files.saveRecord(record);
    this.#records.set(name, record);
    const line = startCommands(start, record, {
      shim,
      logScript: this.#files.logScriptPath,
      log: this.logPath(name, generation),
    });
    const [created] = await client.request(line).catch((error: unknown) => {
      if (error instanceof AdapterError && error.reason === "TmuxRefused")
        throw startFailed(start, `tmux said: ${error.message}`);
      throw error;
    });
    const pid = Number((created ?? "").split(" ")[1]);
    const leader = await this.#processes.identify(pid);
    const complete = leader === undefined ? record : { ...record, leader };
    await this.#files.saveRecord(complete);
    this.#records.set(name, complete);
    log.info({ session: name, generation, pid }, "started a session");
    this.#level.wake();
    this.#notify();
    return {
      ...observedOfRecord(complete),
      pid,
      state: "Running",
      lastActivityMs: record.startedAtMs,
      currentCommand: programName(record),
    };
  }

  /** A name that could not have been started is not looked for: it would be format syntax to tmux. */
  #find(client: ControlClient, name: string): Promise<PaneRow | undefined> {
    return sessionNameProblem(name) === undefined ? this.#panes.find(client, name) : Promise.resolve(undefined);
  }

  async #remove(labels: SessionRecord, row: PaneRow | undefined, graceMs: number): Promise<void> {
    const { name, generation } = labels;
    const recorded = this.#records.get(name);
    this.#removals += 1;
    await this.#ending.remove(recorded?.generation === generation ? recorded : labels, row, graceMs);
    if (this.#records.get(name)?.generation === generation) this.#records.delete(name);
    this.#panes.forget(name, generation);
    this.#lost.forget(name, generation);
    this.#removals += 1;
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** What a listener would act on; a changed title or time is not news. */
function shapeOf(sessions: readonly ObservedSession[]): string {
  return sessions.map((each) => `${each.name}.${each.generation}.${each.state}.${each.exitCode ?? ""}`).join(" ");
}

function notAnswering(what: string, why: string): AdapterError {
  return new AdapterError("RuntimeNotAnswering", `Cannot ${what}: ${why}`);
}
