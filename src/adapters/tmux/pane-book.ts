import { type ExitStatus, exitStatusOfShell, exitStatusOfSignal } from "../../domain/sessions/exit-status.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ObservedSession } from "../../ports/sessions.ts";
import { signal } from "../process-identity.ts";
import { observedOfRecord, programName, type SessionFiles } from "../sessions/session-files.ts";
import type { ControlClient } from "./control-client.ts";
import { PANE_FORMAT, type PaneRow, paneRowOf } from "./pane-row.ts";

export interface PaneBookOptions {
  readonly clock: Clock;
  readonly files: SessionFiles;
  readonly serverPid: () => number | undefined;
}

/** Reads Town's panes and how they ended, and remembers the endings. */
export class PaneBook {
  readonly #options: PaneBookOptions;
  readonly #exits = new Map<string, ExitStatus>();
  #dead = new Set<string>();

  constructor(options: PaneBookOptions) {
    this.#options = options;
  }

  async list(client: ControlClient): Promise<readonly PaneRow[]> {
    return rowsOf(await client.request(`list-panes -a -F '${PANE_FORMAT}'`));
  }

  async find(client: ControlClient, name: string): Promise<PaneRow | undefined> {
    return rowsOf(await client.request(`list-panes -a -f '#{==:#{@town_name},${name}}' -F '${PANE_FORMAT}'`))[0];
  }

  /** Whether a person pressed a key in that session within the last `ms`. */
  async personTyped(client: ControlClient, name: string, ms: number): Promise<boolean> {
    const lines = await client
      .request(`list-clients -t =${name} -F '#{client_control_mode} #{client_activity}'`)
      // The pane was moved into another session: who looks at that is not told.
      .catch(() => []);
    return lines.some((line) => {
      const [control, activity] = line.split(" ");
      return control === "0" && this.#options.clock.now() - Number(activity) * 1_000 < ms;
    });
  }

  /** True when a pane is dead that was not the last time. */
  async newlyDead(client: ControlClient): Promise<boolean> {
    const lines = await client.request(
      "list-panes -a -f '#{&&:#{pane_dead},#{@town_name}}' -F '#{@town_name}.#{@town_generation}'",
    );
    const dead = lines.filter((key) => key !== "");
    const isNews = dead.some((key) => !this.#dead.has(key));
    this.#dead = new Set(dead);
    return isNews;
  }

  /** Everything that was listed, with one look at the exits for all. Endings of what is not listed are forgotten. */
  async observedAll(rows: readonly PaneRow[], client: ControlClient): Promise<readonly ObservedSession[]> {
    const listed = new Set(rows.map(({ labels }) => `${labels.name}.${labels.generation}`));
    for (const key of this.#exits.keys()) if (!listed.has(key)) this.#exits.delete(key);
    const left = this.#options.files.exitsLeft();
    return Promise.all(rows.map((row) => this.observed(row, client, left)));
  }

  async observed(
    row: PaneRow,
    client: ControlClient,
    left: (name: string, generation: number) => boolean = () => true,
  ): Promise<ObservedSession> {
    const exit = await this.#exitOf(row, client, left);
    return {
      ...observedOfRecord(row.labels),
      state: row.dead || exit !== undefined ? "Exited" : "Running",
      ...exit,
      pid: row.pid,
      lastActivityMs: row.lastActivityMs,
      ...(row.title === "" ? {} : { title: row.title }),
      // The shim is the foreground process to tmux, and asking costs it a look into /proc for each pane.
      currentCommand: programName(row.labels),
      copyMode: row.inMode,
    };
  }

  forget(name: string, generation: number): void {
    this.#exits.delete(`${name}.${generation}`);
    this.#dead.delete(`${name}.${generation}`);
  }

  /** The shim's word first: it comes before tmux notices and is never lost. */
  async #exitOf(
    row: PaneRow,
    client: ControlClient,
    left: (name: string, generation: number) => boolean,
  ): Promise<ExitStatus | undefined> {
    const { name, generation } = row.labels;
    const key = `${name}.${generation}`;
    const reported = left(name, generation) ? this.#reported(name, generation) : undefined;
    const known = this.#exits.get(key) ?? reported ?? statusOfRow(row);
    const exit = known ?? (row.dead ? await this.#askAgain(row, client) : undefined);
    if (exit !== undefined) this.#exits.set(key, exit);
    return exit;
  }

  #reported(name: string, generation: number): ExitStatus | undefined {
    const code = this.#options.files.exitCode(name, generation);
    return code === undefined ? undefined : exitStatusOfShell(code);
  }

  /**
   * tmux may have lost the SIGCHLD of a pane (it resets the handler while it runs the utempter helper) and then does not
   * know the status until the next child ends: a SIGCHLD of our own makes it look.
   */
  async #askAgain(row: PaneRow, client: ControlClient): Promise<ExitStatus | undefined> {
    const pid = this.#options.serverPid();
    if (pid === undefined) return undefined;
    for (const waitMs of [2, 20, 100]) {
      signal(pid, "SIGCHLD");
      await this.#options.clock.sleep(waitMs);
      const lines = await client.request(`list-panes -a -f '#{==:#{pane_id},${row.paneId}}' -F '${PANE_FORMAT}'`);
      const exit = statusOfRow(rowsOf(lines)[0]);
      if (exit !== undefined) return exit;
    }
    return undefined;
  }
}

function statusOfRow(row: PaneRow | undefined): ExitStatus | undefined {
  if (row === undefined || !row.dead) return undefined;
  if (row.deadSignal !== undefined) return exitStatusOfSignal(row.deadSignal);
  return row.deadStatus === undefined ? undefined : exitStatusOfShell(row.deadStatus);
}

function rowsOf(lines: readonly string[]): readonly PaneRow[] {
  return lines.map(paneRowOf).filter((row) => row !== undefined);
}
