import type { PaneBook } from "./pane-book.ts";
import { SESSION_STATUS, statusCommand, TOWN_STATUS } from "./tmux-face.ts";
import type { TmuxServer } from "./tmux-server.ts";

/** Sets the texts of the status line, each only when it changes. What was set on panes that are gone is forgotten. */
export class StatusLine {
  readonly #server: TmuxServer;
  readonly #panes: PaneBook;
  readonly #shown = new Map<string, string>();

  constructor(server: TmuxServer, panes: PaneBook) {
    this.#server = server;
    this.#panes = panes;
  }

  /** Nothing happens while no server runs. */
  async show(town: string, sessions: ReadonlyMap<string, string>): Promise<void> {
    const reach = await this.#server.reach();
    if (reach.state !== "Up") return;
    const rows = await this.#panes.list(reach.client);
    const commands = rows.map((row) =>
      statusCommand(`-p -t ${row.paneId}`, SESSION_STATUS, sessions.get(row.labels.name)),
    );
    const all = [statusCommand("-g", TOWN_STATUS, town), ...commands];
    const keys = new Set(all.map(({ key }) => key));
    for (const key of this.#shown.keys()) if (!keys.has(key)) this.#shown.delete(key);
    for (const command of all) {
      if (this.#shown.get(command.key) === command.text) continue;
      await reach.client.request(command.text);
      this.#shown.set(command.key, command.text);
    }
  }

  /** The server may be another one now. */
  forget(): void {
    this.#shown.clear();
  }
}
