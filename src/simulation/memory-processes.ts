import { AdapterError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { ProcessIdentity, Processes, RunOptions, RunResult } from "../ports/processes.ts";

/** What a program of the simulated machine sees of its run. */
export interface ProgramRun {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly identity: ProcessIdentity;
  /** A killed program's sleep never returns. */
  readonly clock: Clock;
  /** Aborts at SIGTERM; the program may take its time, SIGKILL ends it regardless. */
  readonly terminated: AbortSignal;
  print(text: string): void;
}

/** Returns its exit code. */
export type Program = (run: ProgramRun) => Promise<number>;

export interface MemoryMachineOptions {
  readonly clock: Clock;
  /** Takes the output of runs with `logPath`. */
  readonly files?: Files;
}

interface Running {
  readonly identity: ProcessIdentity;
  readonly term: AbortController;
  /** Ends the process; the first call decides. */
  readonly end: (how: { readonly exitCode?: number; readonly signal?: string }) => void;
  readonly ended: Promise<{ readonly exitCode?: number; readonly signal?: string }>;
}

const OUTPUT_LIMIT = 64 * 1024;
/** As the real adapter: how long a process may take over SIGTERM after a timeout or an abort. */
const KILL_GRACE_MS = 5000;

/**
 * A machine whose programs are async functions, and the Processes port on it. It outlives its users: after `endLife` a
 * port's calls never return, but the programs they started go on as orphans.
 */
export class MemoryMachine {
  readonly #clock: Clock;
  readonly #files: Files | undefined;
  readonly #programs = new Map<string, Program>();
  readonly #running = new Map<number, Running>();
  #lastPid = 1000;
  #boot = 1;
  /** While true, probes cannot tell. */
  probesFail = false;

  constructor(options: MemoryMachineOptions) {
    this.#clock = options.clock;
    this.#files = options.files;
  }

  /** `name` is matched against the command as given, then against its last path segment. */
  install(name: string, program: Program): void {
    this.#programs.set(name, program);
  }

  /** Identities of everything that runs, the oldest first. */
  get running(): readonly ProcessIdentity[] {
    return [...this.#running.values()].map((process) => process.identity);
  }

  /** kill -9 from outside. False when there is no such process. */
  kill(pid: number): boolean {
    const process = this.#running.get(pid);
    process?.end({ signal: "SIGKILL" });
    return process !== undefined;
  }

  /** Everything is gone and the boot id is another one. */
  reboot(): void {
    for (const process of this.#running.values()) process.end({ signal: "SIGKILL" });
    this.#boot += 1;
  }

  /** The port for one process life (a controller): itself a process of the machine, gone after `endLife`. */
  life(): { readonly processes: Processes; readonly endLife: () => void } {
    const self = this.#spawn();
    const whileAlive = async <T>(work: Promise<T>): Promise<T> => {
      const settled = await work.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      if (this.#running.get(self.identity.pid) !== self) return new Promise<never>(() => undefined);
      if ("error" in settled) throw settled.error;
      return settled.value;
    };
    const processes: Processes = {
      run: (command, args, options) => whileAlive(this.#run(command, args, options, whileAlive)),
      probe: (identity) => whileAlive(this.#probe(identity)),
      identify: (pid) => whileAlive(Promise.resolve(this.#running.get(pid)?.identity)),
      self: () => whileAlive(Promise.resolve(self.identity)),
      terminate: (identity, graceMs) => whileAlive(this.#terminate(identity, graceMs)),
    };
    return { processes, endLife: () => self.end({ signal: "SIGKILL" }) };
  }

  async #probe(identity: ProcessIdentity): Promise<"Alive" | "Dead" | "Unknown"> {
    if (this.probesFail) return "Unknown";
    return this.#find(identity) === undefined ? "Dead" : "Alive";
  }

  async #terminate(identity: ProcessIdentity, graceMs: number): Promise<void> {
    const process = this.#find(identity);
    if (process === undefined) return;
    process.term.abort();
    const over = new AbortController();
    await Promise.race([process.ended, this.#clock.sleep(graceMs, over.signal)]);
    over.abort();
    process.end({ signal: "SIGKILL" });
  }

  async #run(
    command: string,
    args: readonly string[],
    options: RunOptions,
    whileAlive: <T>(work: Promise<T>) => Promise<T>,
  ): Promise<RunResult> {
    const startedMs = this.#clock.monotonicMs();
    const program = this.#programs.get(command) ?? this.#programs.get(command.slice(command.lastIndexOf("/") + 1));
    if (program === undefined) {
      throw new AdapterError("CommandNotFound", `Cannot run ${command}: there is no such program.`, {
        code: "ENOENT",
        hint: `Install ${command} or correct the command.`,
      });
    }
    const process = this.#spawn();
    const output: string[] = [];
    const cause = { timedOut: false, aborted: false };
    const over = new AbortController();
    const stop = async (why: "timedOut" | "aborted"): Promise<void> => {
      if (over.signal.aborted) return;
      cause[why] = true;
      await this.#terminate(process.identity, KILL_GRACE_MS);
    };
    const abort = (): void => void stop("aborted");
    void this.#clock.sleep(options.timeoutMs, over.signal).then(() => stop("timedOut"));
    if (options.signal?.aborted === true) abort();
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      await whileAlive(options.started?.(process.identity) ?? Promise.resolve());
    } catch (error) {
      over.abort();
      process.end({ signal: "SIGKILL" });
      throw error;
    }
    this.#execute(program, process, args, options, output);
    const end = await process.ended;
    over.abort();
    options.signal?.removeEventListener("abort", abort);
    const text = output.join("");
    if (options.logPath !== undefined) await this.#log(options.logPath, text);
    return {
      ...end,
      ...cause,
      output: options.logPath === undefined ? text.slice(-OUTPUT_LIMIT) : "",
      durationMs: this.#clock.monotonicMs() - startedMs,
    };
  }

  #execute(program: Program, process: Running, args: readonly string[], options: RunOptions, output: string[]): void {
    const run: ProgramRun = {
      args,
      cwd: options.cwd,
      env: options.env,
      input: options.input ?? "",
      identity: process.identity,
      clock: this.#clockOf(process),
      terminated: process.term.signal,
      print: (text) => {
        if (this.#running.has(process.identity.pid)) output.push(text);
      },
    };
    if (!this.#running.has(process.identity.pid)) return;
    void program(run).then(
      (exitCode) => process.end(process.term.signal.aborted && exitCode === 0 ? { signal: "SIGTERM" } : { exitCode }),
      (error: unknown) => {
        output.push(`${String(error)}\n`);
        process.end({ exitCode: 1 });
      },
    );
  }

  /** The clock as the program sees it: a killed program never wakes. */
  #clockOf(process: Running): Clock {
    const clock = this.#clock;
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        if (!this.#running.has(process.identity.pid)) await new Promise<never>(() => undefined);
      },
    };
  }

  async #log(path: string, text: string): Promise<void> {
    const file = await this.#files?.openAppend(path);
    await file?.append(text, { durable: false });
    await file?.close();
  }

  #find(identity: ProcessIdentity): Running | undefined {
    const process = this.#running.get(identity.pid);
    return process !== undefined &&
      process.identity.startTime === identity.startTime &&
      process.identity.bootId === identity.bootId
      ? process
      : undefined;
  }

  #spawn(): Running {
    this.#lastPid += 1;
    const identity = { pid: this.#lastPid, startTime: `${this.#clock.monotonicMs()}`, bootId: `boot-${this.#boot}` };
    let resolve: (how: { exitCode?: number; signal?: string }) => void = () => undefined;
    const ended = new Promise<{ exitCode?: number; signal?: string }>((done) => {
      resolve = done;
    });
    const process: Running = {
      identity,
      term: new AbortController(),
      ended,
      end: (how) => {
        this.#running.delete(identity.pid);
        resolve(how);
      },
    };
    this.#running.set(identity.pid, process);
    return process;
  }
}
