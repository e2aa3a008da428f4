import { AdapterError } from "../../errors/town-error.ts";
import type { Log } from "../../ports/log.ts";
import type { SessionFiles, SessionRecord } from "../sessions/session-files.ts";
import type { SessionMembership, SessionProcesses } from "../sessions/session-processes.ts";
import { tmuxWord } from "./control-protocol.ts";
import type { PaneRow } from "./pane-row.ts";
import type { TmuxServer } from "./tmux-server.ts";

export interface SessionEndingOptions {
  readonly label: string;
  readonly server: TmuxServer;
  readonly processes: SessionProcesses;
  readonly files: SessionFiles;
  readonly log: Log;
}

/** Takes sessions apart: processes first and verified, then the pane, then the files; repeatable after any of them. */
export class SessionEnding {
  readonly #options: SessionEndingOptions;

  constructor(options: SessionEndingOptions) {
    this.#options = options;
  }

  /** Throws AdapterError `SessionStillRunning`; then pane and files are left as they are. */
  async remove(record: SessionRecord, row: PaneRow | undefined, graceMs: number): Promise<void> {
    const { name, generation } = record;
    const unknown = record.leader === undefined && row !== undefined && !row.dead;
    const leader = unknown ? await this.#options.processes.identify(row.pid) : record.leader;
    await this.end(leader === undefined ? record : { ...record, leader }, graceMs);
    if (row !== undefined) await this.#killPane(row);
    await this.#options.files.forget(name, generation);
    this.#options.log.info({ session: name, generation }, "removed a session");
  }

  /** Ends all processes of a session. Throws AdapterError `SessionStillRunning`. */
  async end(record: SessionRecord, graceMs: number): Promise<void> {
    const left = await this.#options.processes.end(this.#membership(record), { graceMs, spare: this.#spared() });
    if (left.length === 0) return;
    const who = left.map((pid) => `process ${pid}`).join(", ");
    const message = `Cannot stop session ${record.name} (generation ${record.generation}): SIGKILL did not end ${who}`;
    throw new AdapterError("SessionStillRunning", message, {
      hint: "A process that hangs in the kernel (a dead network mount) can be the reason: see its state with `ps`.",
    });
  }

  /** Pids of a session's living processes. */
  living(record: SessionRecord): Promise<readonly number[]> {
    return this.#options.processes.members(this.#membership(record), this.#spared());
  }

  /** What its programs carry in `TOWN_SESSION_MARK`. */
  mark(of: { readonly name: string; readonly generation: number }): string {
    return `${this.#options.label}/${of.name}/${of.generation}`;
  }

  #membership(record: SessionRecord): SessionMembership {
    return { leader: record.leader, mark: this.mark(record) };
  }

  /** An agent may have started the tmux server anew, which must not make it a part of that agent's session. */
  #spared(): readonly number[] {
    const { pid } = this.#options.server;
    return pid === undefined ? [] : [pid];
  }

  /** The pane by its id and, if its tmux session is still there, that with whatever a person opened in it. */
  async #killPane(row: PaneRow): Promise<void> {
    const reach = await this.#options.server.reach();
    if (reach.state !== "Up") return;
    const { name, generation } = row.labels;
    const guard = `#{==:#{@town_name}.#{@town_generation},${name}.${generation}}`;
    const session = tmuxWord(`kill-session -t ${tmuxWord(`=${name}`)}`);
    await reach.client.request(`if-shell -F -t =${name}: '${guard}' ${session}`);
    await reach.client.request(`if-shell -F -t ${row.paneId} '${guard}' 'kill-pane -t ${row.paneId}'`);
  }
}
