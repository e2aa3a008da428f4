import { exitStatusOfShell } from "../../domain/sessions/exit-status.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import { observedOfRecord, type SessionFiles, type SessionRecord } from "../sessions/session-files.ts";

export interface LostSessionsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly files: SessionFiles;
  /** Whether the session's first process may live: it dies of the hangup when its terminal is lost. */
  readonly leads: (record: SessionRecord) => Promise<boolean>;
  /** Pids of a session's living processes. */
  readonly living: (record: SessionRecord) => Promise<readonly number[]>;
  /** Ends all processes of a session and verifies it. */
  readonly end: (record: SessionRecord) => Promise<void>;
  /** Told when an ending is over. */
  readonly changed: () => void;
}

/** Most programs end by the hangup that the loss of their terminal sends them; looked at after each of these. */
const HANGUP_LOOKS_MS = [30, 70, 200];

export interface LostObservation {
  readonly sessions: readonly ObservedSession[];
  /** How many of them may still have a living program. */
  readonly living: number;
}

/**
 * Sessions that were started but have no pane any more: the server was killed, or somebody removed the tmux session.
 * Their programs have lost their terminal; those that did not end by the hangup are ended. Until that is verified they
 * are Running, then Exited with what their shim left, so that a loss is evidence and never mere absence.
 *
 * A first process that outlives the hangup still has its terminal: whatever the list said, its pane is there, and nothing
 * of the session is touched.
 */
export class LostSessions {
  readonly #options: LostSessionsOptions;
  readonly #gone = new Set<string>();
  /** Those that the list left out though they have their terminal. */
  readonly #unlisted = new Set<string>();
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: LostSessionsOptions) {
    this.#options = options;
  }

  /** `records`: all that have no pane; what was known of others is forgotten. */
  async observe(records: readonly SessionRecord[]): Promise<LostObservation> {
    const absent = new Set(records.map(keyOf));
    for (const key of [...this.#gone, ...this.#unlisted]) if (!absent.has(key)) this.#forget(key);
    const found = await Promise.all(records.map((record) => this.#observe(record)));
    const seen = found.filter((each) => each !== undefined);
    return { sessions: seen.map((each) => each.session), living: seen.filter((each) => each.living).length };
  }

  forget(name: string, generation: number): void {
    this.#forget(keyOf({ name, generation }));
  }

  #forget(key: string): void {
    this.#gone.delete(key);
    this.#unlisted.delete(key);
  }

  /** Resolves when no ending is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending.values());
  }

  async #observe(
    record: SessionRecord,
  ): Promise<{ readonly session: ObservedSession; readonly living: boolean } | undefined> {
    const key = keyOf(record);
    const code = this.#options.files.exitCode(record.name, record.generation);
    // Written down before tmux was asked: with neither a first process nor an exit code there never was a program.
    if (record.leader === undefined && code === undefined) return undefined;
    if (!this.#gone.has(key) && (await this.#lives(record))) {
      this.#end(key, record);
      return { session: { ...observedOfRecord(record), state: "Running" }, living: true };
    }
    this.#gone.add(key);
    const exit = code === undefined ? {} : exitStatusOfShell(code);
    return { session: { ...observedOfRecord(record), state: "Exited", terminalLost: true, ...exit }, living: false };
  }

  /** Any process of it: the first one is the first to go when a terminal is lost. */
  async #lives(record: SessionRecord): Promise<boolean> {
    return (await this.#options.living(record)).length > 0;
  }

  #end(key: string, record: SessionRecord): void {
    if (this.#ending.has(key)) return;
    const { changed, clock, log, leads, end } = this.#options;
    const fields = { session: record.name, generation: record.generation, pid: record.leader?.pid };
    const ended = (async () => {
      for (const waitMs of HANGUP_LOOKS_MS) {
        await clock.sleep(waitMs);
        if (!(await this.#lives(record))) return changed();
      }
      if (await leads(record)) {
        if (!this.#unlisted.has(key))
          log.warn(fields, "tmux does not list a session that has its terminal: left alone");
        this.#unlisted.add(key);
        return;
      }
      log.warn(fields, "ending a program that lost its terminal");
      await end(record);
      changed();
    })()
      .catch((err: unknown) => log.error({ ...fields, err }, "cannot end a program that lost its terminal"))
      .finally(() => {
        this.#ending.delete(key);
      });
    this.#ending.set(key, ended);
  }
}

function keyOf({ name, generation }: Pick<SessionRecord, "name" | "generation">): string {
  return `${name}.${generation}`;
}
