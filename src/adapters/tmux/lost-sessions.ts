import { exitStatusOfShell } from "../../domain/sessions/exit-status.ts";
import type { Log } from "../../ports/log.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import { observedOfRecord, type SessionFiles, type SessionRecord } from "../sessions/session-files.ts";
import type { SessionProcesses } from "../sessions/session-processes.ts";

export interface LostSessionsOptions {
  readonly log: Log;
  readonly files: SessionFiles;
  readonly processes: SessionProcesses;
  /** Ends all processes of a session and verifies it. */
  readonly end: (record: SessionRecord) => Promise<void>;
}

/**
 * Sessions that were started but have no pane any more: the server was killed, or somebody removed the tmux session.
 * Their programs have lost their terminal; those that did not end by the hangup are ended. Until that is verified they
 * are Running, then Exited with what their shim left, so that a loss is evidence and never mere absence.
 */
export class LostSessions {
  readonly #options: LostSessionsOptions;
  readonly #gone = new Set<string>();
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: LostSessionsOptions) {
    this.#options = options;
  }

  async observe(records: readonly SessionRecord[]): Promise<readonly ObservedSession[]> {
    const found = await Promise.all(records.map((record) => this.#observe(record)));
    return found.filter((session) => session !== undefined);
  }

  forget(name: string, generation: number): void {
    this.#gone.delete(`${name}.${generation}`);
  }

  /** Resolves when no ending is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending.values());
  }

  async #observe(record: SessionRecord): Promise<ObservedSession | undefined> {
    const key = `${record.name}.${record.generation}`;
    const code = this.#options.files.exitCode(record.name, record.generation);
    // Written down before tmux was asked: with neither a first process nor an exit code there never was a program.
    if (record.leader === undefined && code === undefined) return undefined;
    if (
      !this.#gone.has(key) &&
      record.leader !== undefined &&
      (await this.#options.processes.probe(record.leader)) !== "Dead"
    ) {
      this.#end(key, record);
      return { ...observedOfRecord(record), state: "Running" };
    }
    this.#gone.add(key);
    return { ...observedOfRecord(record), state: "Exited", ...(code === undefined ? {} : exitStatusOfShell(code)) };
  }

  #end(key: string, record: SessionRecord): void {
    if (this.#ending.has(key)) return;
    const { log, end } = this.#options;
    const fields = { session: record.name, generation: record.generation, pid: record.leader?.pid };
    log.warn(fields, "ending a program that lost its terminal");
    const ended = end(record)
      .catch((err: unknown) => log.error({ ...fields, err }, "cannot end a program that lost its terminal"))
      .finally(() => this.#ending.delete(key));
    this.#ending.set(key, ended);
  }
}
