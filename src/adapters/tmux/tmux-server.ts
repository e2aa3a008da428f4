import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Turns } from "../../domain/sessions/turns.ts";
import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import { signal } from "../process-identity.ts";
import { baseEnvironment } from "../sessions/base-environment.ts";
import type { SessionFiles } from "../sessions/session-files.ts";
import type { SessionProcesses } from "../sessions/session-processes.ts";
import { ControlClient } from "./control-client.ts";
import { CONTROL_SESSION } from "./control-session.ts";
import { sourcePath, tmuxConfig, type TmuxConfigInput } from "./tmux-config.ts";

const run = promisify(execFile);

/** Whether the server can be talked to. `Gone` is positive evidence: its process does not exist. */
export type Reach =
  | { readonly state: "Up"; readonly client: ControlClient }
  | { readonly state: "Gone"; readonly message: string }
  | {
      readonly state: "Unknown";
      readonly message: string /** Likely to be another answer soon. */;
      readonly passing?: boolean;
    };

export interface TmuxServerOptions {
  readonly label: string;
  readonly files: SessionFiles;
  readonly config: TmuxConfigInput;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processes: SessionProcesses;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
  /** Something may have changed on the server, or it was lost. */
  readonly changed: () => void;
  /** A connection was made, perhaps to another server than before. */
  readonly connected: () => void;
}

/** How often an ending server is looked at before it counts as one that stays as it is. */
const ENDING_LOOKS = 20;
const BACKOFF_MS = [1_000, 2_000, 5_000, 10_000];

/** The town's own tmux server: found, started, watched; one control client carries every command. */
export class TmuxServer {
  readonly #options: TmuxServerOptions;
  readonly #turns = new Turns();
  readonly #configPath: string;
  readonly #recordPath: string;
  readonly socketDirectory: string;
  #client: ControlClient | undefined;
  #process: ProcessIdentity | undefined;
  #failures = 0;
  #trouble = "";
  #quietUntilMs = 0;
  #closed = false;

  constructor(options: TmuxServerOptions) {
    this.#options = options;
    this.#configPath = join(options.files.directory, "tmux.conf");
    this.#recordPath = join(options.files.directory, "server.json");
    this.socketDirectory = options.environment["TMUX_TMPDIR"] || "/tmp";
  }

  async prepare(): Promise<void> {
    const { config, files } = this.#options;
    const extraPath = join(files.directory, "tmux-extra.conf");
    await files.write(extraPath, `${config.extraConfig ?? ""}\n`, 0o600);
    await files.write(this.#configPath, tmuxConfig(config, extraPath), 0o600);
    const text = await readFile(this.#recordPath, "utf8").catch(() => undefined);
    if (text === undefined) return;
    try {
      this.#process = (JSON.parse(text) as { readonly server?: ProcessIdentity }).server;
    } catch (err) {
      this.#options.log.warn({ err, path: this.#recordPath }, "the record of the tmux server is unreadable");
    }
  }

  /** Process of the server, once known. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Talks to the server if there is one; never starts it. */
  reach(): Promise<Reach> {
    if (this.#client?.open === true) return Promise.resolve({ state: "Up", client: this.#client });
    return this.#turns.take("server", () => this.#reach());
  }

  /** A connection; starts the server when it is gone. Throws AdapterError `RuntimeNotAnswering` or `TmuxNotStarted`. */
  async ensure(): Promise<ControlClient> {
    const now = await this.reach();
    if (now.state === "Up") return now.client;
    return this.#turns.take("server", async () => {
      const reach = await this.#reachSettled();
      if (reach.state === "Up") return reach.client;
      if (reach.state === "Unknown")
        throw new AdapterError("RuntimeNotAnswering", `Cannot reach the tmux server: ${reach.message}`);
      await this.#startControlSession();
      const started = await this.#reach();
      if (started.state === "Up") return started.client;
      throw new AdapterError("TmuxNotStarted", `Cannot start a tmux server: ${started.message}`);
    });
  }

  /** Ends the server and everything on it, waits until it is gone and removes its socket. Throws AdapterError `TmuxStillRunning`. */
  async kill(): Promise<void> {
    const reach = await this.reach();
    if (reach.state === "Up") await reach.client.request("kill-server").catch(() => []);
    // A client that does not read its farewell can hold the server back.
    for (const force of ["SIGTERM", "SIGKILL", undefined] as const) {
      for (let waited = 0; waited < 2_000; waited += 20) {
        if (!(await this.#mayLive())) return rm(this.#socketPath(), { force: true });
        await this.#options.clock.sleep(20);
      }
      if (force !== undefined && this.#process !== undefined) signal(this.#process.pid, force);
    }
    const message = `Cannot end the tmux server of ${this.#options.label}: process ${this.pid} still runs`;
    throw new AdapterError("TmuxStillRunning", message);
  }

  /** Ends Town's own session if no session of an agent is left; with nothing else in it the server then ends itself. */
  async endIfUnused(): Promise<void> {
    if (this.#client?.open !== true) return;
    try {
      const labelled = await this.#client.request("list-panes -a -f '#{@town_name}' -F '#{pane_id}'");
      if (labelled.length === 0) await this.#client.request(`kill-session -t ${CONTROL_SESSION}`);
    } catch (err) {
      this.#options.log.debug({ err }, "left the tmux server as it is");
    }
  }

  /** Disconnects; the server stays. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#client?.close();
    await this.#client?.closed;
  }

  /** A server that is about to end (kill-server answers before it is gone) is waited for: a start would fall into its socket. */
  async #reachSettled(): Promise<Reach> {
    let reach = await this.#reach();
    for (let tries = 0; tries < ENDING_LOOKS && reach.state === "Unknown" && reach.passing === true; tries += 1) {
      await this.#options.clock.sleep(25 + tries * 10);
      reach = await this.#reach();
    }
    return reach;
  }

  async #reach(): Promise<Reach> {
    if (this.#closed) throw new AdapterError("SessionsClosed", "Cannot use the session runtime: it was closed");
    if (this.#client?.open === true) return { state: "Up", client: this.#client };
    if (this.#options.clock.monotonicMs() < this.#quietUntilMs)
      return { state: "Unknown", message: `not tried again yet: ${this.#trouble}` };
    const lives = await this.#mayLive();
    if (!(await this.#socketAnswers())) {
      if (!lives) return { state: "Gone", message: "no tmux server runs" };
      return this.#wakeSocket();
    }
    try {
      return { state: "Up", client: await this.#connect() };
    } catch (error) {
      return this.#notConnected(error);
    }
  }

  /** Only evidence that the recorded process does not exist counts. */
  async #mayLive(): Promise<boolean> {
    return this.#process !== undefined && (await this.#options.processes.probe(this.#process)) !== "Dead";
  }

  /** The socket file was removed (a cleaner of temporary files): SIGUSR1 makes tmux create it again, see tmux(1). */
  async #wakeSocket(): Promise<Reach> {
    const { clock } = this.#options;
    if (this.#process !== undefined) signal(this.#process.pid, "SIGUSR1");
    for (let waited = 0; waited < 200; waited += 20) {
      await clock.sleep(20);
      if (!(await this.#socketAnswers())) continue;
      return await this.#connect().then(
        (client): Reach => ({ state: "Up", client }),
        (error: unknown) => this.#notConnected(error),
      );
    }
    return { state: "Unknown", message: "the tmux server runs, but not on its socket", passing: true };
  }

  async #notConnected(error: unknown): Promise<Reach> {
    const message = messageOf(error);
    const silent = error instanceof AdapterError && error.reason === "RuntimeNotAnswering";
    this.#failures += 1;
    // A server that is ending answers otherwise within moments; one that does not (another version's) is left alone longer.
    const backoffMs =
      BACKOFF_MS[Math.min(this.#failures - (silent ? 1 : 1 + ENDING_LOOKS), BACKOFF_MS.length - 1)] ?? 0;
    this.#quietUntilMs = this.#options.clock.monotonicMs() + backoffMs;
    this.#trouble = message;
    if (silent) return { state: "Unknown", message };
    if (!(await this.#mayLive()) && !(await this.#socketAnswers())) {
      this.#failures = 0;
      this.#quietUntilMs = 0;
      return { state: "Gone", message: "no tmux server runs" };
    }
    return { state: "Unknown", message, passing: true };
  }

  async #connect(): Promise<ControlClient> {
    const open = (): Promise<ControlClient> =>
      ControlClient.open({
        args: [
          ...this.arguments(),
          "-u",
          "-C",
          "attach-session",
          "-t",
          `=${CONTROL_SESSION}`,
          "-f",
          "no-output,ignore-size",
        ],
        env: this.#environment(),
        clock: this.#options.clock,
        timeoutMs: this.#options.timeoutMs,
        noticed: (text) => {
          if (text.startsWith("%sessions-changed") || text.startsWith("%unlinked-window-close"))
            this.#options.changed();
          // Only what it cannot parse does tmux say outside of its protocol.
          if (text !== "" && !text.startsWith("%")) this.#options.log.warn({ complaint: text }, CONFIGURATION_WRONG);
        },
      });
    const client = await open().catch(async (error: unknown) => {
      // A server without Town's own session: somebody ended it, or started the server by hand.
      if (!messageOf(error).includes("can't find session")) throw error;
      await this.#startControlSession();
      return open();
    });
    await this.#configure(client);
    // If Town's own session is ended by hand, its client must not be moved to an agent's: it is to end and come back.
    await client.request(`set-option -t =${CONTROL_SESSION}: detach-on-destroy on`);
    await this.#identify(client);
    this.#client = client;
    this.#failures = 0;
    this.#options.connected();
    void client.closed.then((reason) => {
      if (this.#client === client) this.#client = undefined;
      if (!this.#closed) this.#options.log.info({ reason }, "the tmux connection ended");
      this.#options.changed();
    });
    return client;
  }

  /** Also for a server that somebody started by hand, or that runs since before an update. */
  async #configure(client: ControlClient): Promise<void> {
    const { log } = this.#options;
    const source = `source-file -q ${sourcePath(this.#configPath)}`;
    try {
      const complaints = await client.request(source);
      if (complaints.length > 0) log.warn({ complaints }, CONFIGURATION_WRONG);
    } catch (err) {
      log.warn({ err }, CONFIGURATION_WRONG);
    }
  }

  async #identify(client: ControlClient): Promise<void> {
    const [pid] = await client.request("display-message -p '#{pid}'");
    const found = await this.#options.processes.identify(Number(pid));
    if (found === undefined || (found.pid === this.#process?.pid && found.startTime === this.#process.startTime))
      return;
    this.#process = found;
    await this.#options.files.write(this.#recordPath, `${JSON.stringify({ format: 1, server: found })}\n`, 0o600);
  }

  async #startControlSession(): Promise<void> {
    const { clock, log } = this.#options;
    const note = "printf 'Town keeps this session open for itself; the agents have their own.\\n'; exec cat";
    const args = [
      ...this.arguments(),
      "new-session",
      "-d",
      "-s",
      CONTROL_SESSION,
      "-x",
      "80",
      "-y",
      "24",
      "/usr/bin/env",
      "-i",
      "/bin/sh",
      "-c",
      note,
    ];
    let failure: unknown;
    for (let tries = 0; tries < 8; tries += 1) {
      try {
        await run("tmux", args, { env: this.#environment(), timeout: this.#options.timeoutMs, cwd: "/" });
        log.info({ label: this.#options.label }, "started the tmux server");
        return;
      } catch (error) {
        failure = error;
        if (messageOf(error).includes("duplicate session")) return;
        // The former server still holds the socket for a moment: "server exited unexpectedly", "lost server".
        await clock.sleep(30 * 2 ** tries);
      }
    }
    throw new AdapterError(
      "TmuxNotStarted",
      `Cannot start the tmux server of ${this.#options.label}: ${messageOf(failure)}`,
      { cause: failure },
    );
  }

  /** Arguments that select this server. */
  arguments(): readonly string[] {
    return ["-L", this.#options.label, "-f", this.#configPath];
  }

  #environment(): Record<string, string> {
    return { ...baseEnvironment(this.#options.environment), TERM: "xterm-256color", TMUX_TMPDIR: this.socketDirectory };
  }

  #socketPath(): string {
    return join(this.socketDirectory, `tmux-${process.getuid?.() ?? 0}`, this.#options.label);
  }

  #socketAnswers(): Promise<boolean> {
    const path = this.#socketPath();
    return new Promise((resolve) => {
      const socket = createConnection(path);
      const end = (answers: boolean): void => {
        socket.destroy();
        resolve(answers);
      };
      socket.once("connect", () => end(true));
      // A full backlog (EAGAIN) or a refused permission is a server that exists; only these two mean there is none.
      socket.once("error", (error: NodeJS.ErrnoException) =>
        end(error.code !== "ENOENT" && error.code !== "ECONNREFUSED"),
      );
    });
  }
}

const CONFIGURATION_WRONG = "the tmux configuration has errors";
