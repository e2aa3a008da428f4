import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { AdapterError } from "../../errors/town-error.ts";
import type { Clock } from "../../ports/clock.ts";
import { ControlParser } from "./control-protocol.ts";

export interface ControlClientOptions {
  /** Complete arguments of `tmux`, ending in an attach in control mode. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** How long tmux may take to answer anything before the connection is given up. */
  readonly timeoutMs: number;
  /** Told at each notice of the server (`%sessions-changed` …). */
  readonly noticed: (text: string) => void;
}

interface Request {
  readonly mark: string;
  readonly lines: string[];
  error: string | undefined;
  readonly settle: (result: readonly string[] | AdapterError) => void;
}

const UNREAD_MS = 100;

/**
 * One long-lived connection to a tmux server that carries every command: no process is started per command.
 *
 * Each request is followed by a command that prints a mark of its own, since a line of several commands answers with as
 * many blocks as were run, which an error cuts short.
 */
export class ControlClient {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #options: ControlClientOptions;
  readonly #pending: Request[] = [];
  readonly #parser = new ControlParser();
  #requests = 0;
  #greeted: ((ok: boolean) => void) | undefined;
  #complaint = "";
  #gone: string | undefined;
  /** Resolves with the reason once the connection has ended. */
  readonly closed: Promise<string>;

  private constructor(options: ControlClientOptions) {
    this.#options = options;
    this.#child = spawn("tmux", [...options.args], { env: { ...options.env }, stdio: "pipe", cwd: "/" });
    this.closed = new Promise((resolve) => {
      const end = (reason: string): void => {
        this.#gone ??= reason;
        for (const request of this.#pending.splice(0)) request.settle(this.#lost());
        this.#greeted?.(false);
        resolve(this.#gone);
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("close", () => end(this.#complaint.trim() || "the connection ended"));
    });
    // Writing to a client that just ended is reported by its close.
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-2_000);
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => this.#take(text));
  }

  /** Connects. Throws AdapterError `TmuxNotConnected` with what tmux said, or `RuntimeNotAnswering`. */
  static async open(options: ControlClientOptions): Promise<ControlClient> {
    const client = new ControlClient(options);
    const greeted = new Promise<boolean>((resolve) => {
      client.#greeted = resolve;
    });
    const ok = await client.#inTime(greeted, "attach to the tmux server");
    client.#greeted = undefined;
    if (ok) return client;
    client.#child.kill("SIGTERM");
    const reason = await client.closed;
    throw new AdapterError("TmuxNotConnected", `Cannot attach to the tmux server: ${reason}`);
  }

  /** Whether commands can still be sent. */
  get open(): boolean {
    return this.#gone === undefined;
  }

  /**
   * Runs one line of commands; returns what they printed. Throws AdapterError `TmuxRefused` when one of them failed (those
   * after it in the line were not run), `TmuxConnectionLost` when the server ended and `RuntimeNotAnswering` when it does
   * not answer in time: in both it is not known whether they were run.
   */
  async request(line: string): Promise<readonly string[]> {
    if (line.includes("\n")) throw new RangeError("a tmux command is one line");
    if (this.#gone !== undefined) throw this.#lost();
    const mark = `town-done-${++this.#requests}`;
    const answer = new Promise<readonly string[] | AdapterError>((resolve) => {
      this.#pending.push({ mark, lines: [], error: undefined, settle: resolve });
    });
    this.#child.stdin.write(`${line}\ndisplay-message -p ${mark}\n`);
    const result = await this.#inTime(answer, `run \`tmux ${line.slice(0, 60)}\``);
    if (result instanceof AdapterError) throw result;
    return result;
  }

  /** Ends the connection; the server and its sessions stay. */
  close(): void {
    this.#gone ??= "the connection was closed";
    this.#child.stdin.end();
    this.#child.kill("SIGTERM");
  }

  #take(text: string): void {
    for (const item of this.#parser.feed(text)) {
      if (item.kind === "Notice") {
        this.#options.noticed(item.text);
      } else if (this.#greeted !== undefined) {
        if (!item.ok) this.#complaint += item.lines.join("\n");
        this.#greeted(item.ok);
      } else {
        this.#answered(item.ok, item.lines);
      }
    }
  }

  #answered(ok: boolean, lines: readonly string[]): void {
    const [request] = this.#pending;
    if (request === undefined) return;
    if (lines.length === 1 && lines[0] === request.mark) {
      this.#pending.shift();
      request.settle(request.error === undefined ? request.lines : new AdapterError("TmuxRefused", request.error));
    } else if (ok) {
      request.lines.push(...lines);
    } else {
      request.error ??= lines.join(" ");
    }
  }

  /** A server that is silent for too long ends the connection: a late answer must not be taken for that of another request. */
  async #inTime<T>(answer: Promise<T>, what: string): Promise<T> {
    const over = new AbortController();
    const late = Symbol("late");
    try {
      const { clock, timeoutMs } = this.#options;
      const first = await Promise.race([answer, clock.sleep(timeoutMs, over.signal).then(() => late)]);
      if (first !== late) return first as T;
      // If this process itself was held up, the answer may lie there unread.
      const second = await Promise.race([answer, clock.sleep(UNREAD_MS).then(() => late)]);
      if (second !== late) return second as T;
      this.#gone ??= `tmux did not answer within ${timeoutMs} ms`;
      this.#child.kill("SIGKILL");
      throw new AdapterError("RuntimeNotAnswering", `Cannot ${what}: ${this.#gone}`);
    } finally {
      over.abort();
    }
  }

  #lost(): AdapterError {
    return new AdapterError("TmuxConnectionLost", `The tmux connection is lost: ${this.#gone ?? "unknown reason"}`);
  }
}
