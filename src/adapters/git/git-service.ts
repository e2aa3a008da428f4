import type { ChildProcess } from "node:child_process";
import { AdapterError } from "../../errors/town-error.ts";
import { ByteQueue } from "./byte-queue.ts";
import { signalGroup, startFailure, type GitCommand, type GitPlace } from "./git-command.ts";
import { withoutCredentials } from "./git-environment.ts";

/** Reads one answer; undefined when the bytes so far are not enough, and it is called again then. */
export type AnswerReader<T> = (bytes: ByteQueue) => T | undefined;

interface Request {
  readonly input: string;
  /** A reader may hold half an answer, so each process that is asked gets a new one. */
  readonly reader: () => AnswerReader<unknown>;
  read: AnswerReader<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** How often a process ended while this was the request it worked on. */
  deaths: number;
}

export interface GitServiceOptions {
  /** End the process after this long without requests. Default 60 s. */
  readonly idleMs?: number;
  /**
   * End it after this long all the same, as soon as nothing waits. Default 2 minutes: git maps each pack it ever looked into
   * and lets go of none, also of those that were removed since; in a busy rig some hundred a minute (measured).
   */
  readonly lifetimeMs?: number;
  /** Kill it when it answers nothing for this long. Default 60 s. */
  readonly silentMs?: number;
  /** Ask a new process once more when one died. Only for requests that may be repeated. Default true. */
  readonly retry?: boolean;
}

/**
 * A git process that answers many requests in order (`cat-file --batch-command`, `update-ref --stdin`).
 *
 * It is started at the first request, restarted after it died, ended when idle or old, and keeps this program alive only
 * while a request waits. When it dies, the request it was answering is tried once more and those behind it are asked again.
 */
export class GitService {
  readonly #command: GitCommand;
  readonly #args: readonly string[];
  readonly #place: GitPlace;
  readonly #options: Required<GitServiceOptions>;
  readonly #waiting: Request[] = [];
  #child: ChildProcess | undefined;
  #isStarting = false;
  #bytes = new ByteQueue();
  #timer: NodeJS.Timeout | undefined;
  #bornMs = 0;
  #said = "";

  constructor(command: GitCommand, args: readonly string[], place: GitPlace, options: GitServiceOptions = {}) {
    this.#command = command;
    this.#args = args;
    this.#place = place;
    this.#options = { idleMs: 60_000, lifetimeMs: 120_000, silentMs: 60_000, retry: true, ...options };
  }

  /** Id of the running process; for tests and diagnosis. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  ask<T>(input: string, reader: () => AnswerReader<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answered = (answer: unknown) => resolve(answer as T);
      const request: Request = { input, reader, read: reader(), resolve: answered, reject, deaths: 0 };
      const wasIdle = this.#waiting.length === 0;
      this.#waiting.push(request);
      if (this.#child !== undefined) this.#child.stdin?.write(input);
      else if (!this.#isStarting) this.#startWhenReady();
      if (wasIdle) this.#watch();
    });
  }

  /** Ends the process; requests that wait are answered first. Later requests start a new one. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    hold(child, true);
    this.#end(child);
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), 2000);
    await gone;
    clearTimeout(timer);
  }

  #startWhenReady(): void {
    this.#isStarting = true;
    this.#command.ready().then(
      () => {
        this.#isStarting = false;
        this.#start();
        this.#watch();
      },
      (error: unknown) => {
        this.#isStarting = false;
        for (const request of this.#waiting.splice(0)) request.reject(error);
      },
    );
  }

  #start(): void {
    this.#bytes = new ByteQueue();
    this.#said = "";
    const child = this.#command.start(this.#args, this.#place);
    this.#child = child;
    this.#bornMs = performance.now();
    child.stdout?.on("data", (chunk: Buffer) => this.#received(child, chunk));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString("utf8")).slice(-2000);
    });
    // Whatever is wrong with the pipe, the end of the process is reported too.
    child.stdin?.on("error", () => {});
    child.once("error", (error) =>
      this.#failAll(child, startFailure(error, { place: this.#place, doing: this.#doing() })),
    );
    child.once("close", (code, signal) =>
      this.#ended(child, code === null ? `was killed by ${signal}` : `exited with ${code}`),
    );
    for (const request of this.#waiting) {
      request.read = request.reader();
      child.stdin?.write(request.input);
    }
  }

  #received(child: ChildProcess, chunk: Buffer): void {
    if (child !== this.#child) return;
    this.#bytes.push(chunk);
    for (let request = this.#waiting[0]; request !== undefined; request = this.#waiting[0]) {
      const answer = request.read(this.#bytes);
      if (answer === undefined) break;
      this.#waiting.shift();
      request.resolve(answer);
    }
    this.#watch();
  }

  #ended(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    this.#child = undefined;
    const [first] = this.#waiting;
    if (first !== undefined) {
      first.deaths += 1;
      if (!this.#options.retry || first.deaths > 1) {
        this.#waiting.shift();
        first.reject(
          new AdapterError(
            "GitProcessEnded",
            `Cannot ${this.#doing()}: the process ${how}: ${withoutCredentials(this.#said.trim())}`,
          ),
        );
      }
    }
    if (this.#waiting.length > 0) this.#start();
    this.#watch();
  }

  #failAll(child: ChildProcess, error: AdapterError): void {
    if (child === this.#child) this.#child = undefined;
    for (const request of this.#waiting.splice(0)) request.reject(error);
    this.#watch();
  }

  /** Restarts the clock: how long it may be silent while something waits, or idle while nothing does. */
  #watch(): void {
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const busy = this.#waiting.length > 0;
    hold(child, busy);
    if (!busy && performance.now() - this.#bornMs >= this.#options.lifetimeMs) return this.#end(child);
    this.#timer = busy
      ? setTimeout(() => signalGroup(child, "SIGKILL"), this.#options.silentMs)
      : setTimeout(() => this.#end(child), this.#options.idleMs).unref();
  }

  /** Lets a process answer what waits and exit; the next request starts another. */
  #end(child: ChildProcess): void {
    if (this.#waiting.length === 0 && child === this.#child) {
      clearTimeout(this.#timer);
      this.#child = undefined;
    }
    child.stdin?.end();
  }

  #doing(): string {
    return `ask git ${this.#args.join(" ")} in ${this.#place.gitDirectory ?? this.#place.cwd}`;
  }
}

/** Whether a child and its pipes keep this program alive. */
function hold(child: ChildProcess, alive: boolean): void {
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
    const held = handle as { ref?: () => void; unref?: () => void } | null;
    if (alive) held?.ref?.();
    else held?.unref?.();
  }
}
