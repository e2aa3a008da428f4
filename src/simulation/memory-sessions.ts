import { type ExitStatus, exitStatusOfSignalName } from "../domain/sessions/exit-status.ts";
import { newerGeneration, requireSessionName } from "../domain/sessions/start-refusals.ts";
import { Turns } from "../domain/sessions/turns.ts";
import { AdapterError, messageOf } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ObservedSession, Sessions, SessionsObservation, SessionStart } from "../ports/sessions.ts";

/** What a simulated program sees of its terminal. */
export interface MemoryProgramContext {
  readonly start: SessionStart;
  /** Aborts when the session is asked to end (reason `SIGTERM`) or is killed; a killed program must do nothing more. */
  readonly signal: AbortSignal;
  readonly print: (text: string) => void;
  /** Ends the session with this code at once, whatever the program's promise does later. */
  readonly exit: (code: number) => void;
  /** Next line typed into the session; undefined once the session is ending. */
  readonly readLine: () => Promise<string | undefined>;
  readonly setTitle: (title: string) => void;
}

/** A program: resolves with its exit code; a rejection is exit code 1 with the error on the screen. */
export type MemoryProgram = (context: MemoryProgramContext) => Promise<number>;

export interface MemorySessionsOptions {
  readonly clock: Clock;
  /** Program of a start; undefined makes the start fail as an unknown command would. */
  readonly resolve: (start: SessionStart) => MemoryProgram | undefined;
  /** How long a start takes. Default 0. */
  readonly startDelayMs?: (start: SessionStart) => number;
  /** Asked for each line: true loses it on the way, although typing it looks well. Default: never. */
  readonly losesTyping?: () => boolean;
}

interface Entry {
  readonly start: SessionStart;
  readonly pid: number;
  readonly startedAtMs: number;
  lastActivityMs: number;
  title: string;
  output: string;
  copyMode: boolean;
  exited: ExitStatus | undefined;
  terminalLost: boolean;
  readonly ending: AbortController;
  readonly ended: Promise<void>;
  readonly end: (status: ExitStatus) => void;
  readonly typed: string[];
  readonly readers: ((line: string | undefined) => void)[];
}

const SCROLLBACK_CHARACTERS = 200_000;

/**
 * The in-memory twin of Sessions: programs are async functions, time is the given clock. It outlives its controllers:
 * `connect()` gives each controller a handle of its own, as a new daemon connects to the tmux server of the last one.
 * Its other methods are the world acting on the runtime: kills, silence, lies.
 */
export class MemorySessions implements Sessions {
  readonly runtime = "memory";
  readonly #options: MemorySessionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #turns = new Turns();
  readonly #listeners = new Set<() => void>();
  readonly #hidden = new Set<string>();
  /** What a person who is attached would read. */
  shown: { readonly town: string; readonly sessions: ReadonlyMap<string, string> } | undefined;
  #last: readonly ObservedSession[] = [];
  #server: "Up" | "Gone" = "Up";
  #silent = false;
  #failures = 0;
  #nextPid = 1000;
  #starts = 0;

  constructor(options: MemorySessionsOptions) {
    this.#options = options;
  }

  /** A handle of its own for one controller; closing it ends only its subscriptions. */
  connect(): Sessions {
    const unsubscribes = new Set<() => void>();
    const live = { closed: false };
    const open = (): this => {
      if (live.closed)
        throw new AdapterError("SessionsClosed", "Cannot use the session runtime: this handle was closed");
      return this;
    };
    return {
      runtime: "memory",
      observe: async () => open().observe(),
      start: async (start) => open().start(start),
      stop: async (name, generation, options) => open().stop(name, generation, options),
      capture: async (name, lines) => open().capture(name, lines),
      type: async (name, generation, text) => open().type(name, generation, text),
      subscribe: (listener) => {
        const unsubscribe = open().subscribe(() => listener());
        unsubscribes.add(unsubscribe);
        return unsubscribe;
      },
      attachCommand: () => undefined,
      command: () => undefined,
      showStatus: async (town, sessions) => open().showStatus(town, sessions),
      close: async () => {
        live.closed = true;
        for (const unsubscribe of unsubscribes) unsubscribe();
      },
    };
  }

  async observe(): Promise<SessionsObservation> {
    const observedAtMs = this.#options.clock.now();
    if (this.#silent)
      return { completeness: "Unknown", sessions: this.#last, observedAtMs, message: "the runtime did not answer" };
    const visible = [...this.#entries.values()].filter((entry) => !this.#hidden.has(entry.start.name));
    this.#last = visible.map(observed).sort((a, b) => (a.name < b.name ? -1 : 1));
    if (this.#server === "Up") return { completeness: "Complete", sessions: this.#last, observedAtMs };
    return { completeness: "ServerGone", sessions: this.#last, observedAtMs, message: "the runtime's server is gone" };
  }

  async start(start: SessionStart): Promise<ObservedSession> {
    requireSessionName(start.name);
    return this.#turns.take(start.name, async () => {
      this.#mustAnswer(`start session ${start.name}`);
      const known = this.#entries.get(start.name);
      if (known !== undefined && known.exited === undefined) {
        if (known.start.generation === start.generation) return observed(known);
        if (known.start.generation > start.generation) throw newerGeneration(start, known.start.generation);
        await this.#end(known, 5_000);
      }
      const delay = this.#options.startDelayMs?.(start) ?? 0;
      if (delay > 0) await this.#options.clock.sleep(delay);
      const program = this.#options.resolve(start);
      if (this.#failures > 0 || program === undefined) {
        this.#failures = Math.max(0, this.#failures - 1);
        throw new AdapterError(
          "SessionStartFailed",
          `Cannot start session ${start.name}: ${start.argv[0] ?? "no command"} could not be run`,
        );
      }
      return observed(this.#launch(start, program));
    });
  }

  async stop(name: string, generation: number, options: { readonly graceMs: number }): Promise<void> {
    await this.#turns.take(name, async () => {
      this.#mustAnswer(`stop session ${name}`);
      const entry = this.#entries.get(name);
      if (entry === undefined || entry.start.generation !== generation) return;
      await this.#end(entry, options.graceMs);
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
    });
  }

  async capture(name: string, lines: number): Promise<string | undefined> {
    this.#mustAnswer(`capture session ${name}`);
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const all = entry.output.replace(/\n$/, "").split("\n");
    return all.slice(-lines).join("\n");
  }

  async type(name: string, generation: number, text: string): Promise<"Typed" | "Refused"> {
    this.#mustAnswer(`type into session ${name}`);
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.start.generation !== generation) return "Refused";
    if (entry.exited !== undefined || entry.ending.signal.aborted || entry.copyMode) return "Refused";
    if (this.#options.losesTyping?.() === true) return "Typed";
    const reader = entry.readers.shift();
    if (reader === undefined) entry.typed.push(text);
    else reader(text);
    return "Typed";
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  attachCommand(): undefined {
    return undefined;
  }

  command(): undefined {
    return undefined;
  }

  async showStatus(town: string, sessions: ReadonlyMap<string, string>): Promise<void> {
    this.#mustAnswer("show a status");
    this.shown = { town, sessions };
  }

  /** Closing the runtime itself ends no program, as a daemon's exit does not; use `killServer` for that. */
  async close(): Promise<void> {
    this.#listeners.clear();
  }

  /** Ends a program from outside, as `kill -SIGNAL` would; it stays as Exited. */
  kill(name: string, signal = "SIGKILL"): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.exited !== undefined) return;
    entry.end(exitStatusOfSignalName(signal));
  }

  /** Every program is hung up; they stay as Exited, and observations say ServerGone until the next start. */
  killServer(): void {
    this.#server = "Gone";
    for (const entry of this.#entries.values()) {
      if (entry.exited !== undefined) continue;
      entry.terminalLost = true;
      // Programs that lose their terminal end in ways of their own.
      entry.end(entry.start.generation % 2 === 1 ? exitStatusOfSignalName("SIGHUP") : { exitCode: 1 });
    }
    this.#notify();
  }

  /** While silent nothing is answered: observations are Unknown, everything else fails. */
  setSilent(silent: boolean): void {
    this.#silent = silent;
  }

  /** A lying probe: the session is left out of complete observations though it lives. */
  setHidden(name: string, hidden: boolean): void {
    if (hidden) this.#hidden.add(name);
    else this.#hidden.delete(name);
  }

  /** A person scrolls in it: typing is refused. */
  setCopyMode(name: string, copyMode: boolean): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) entry.copyMode = copyMode;
  }

  /** The next `count` starts fail. */
  failStarts(count: number): void {
    this.#failures = count;
  }

  /** Programs launched since the beginning: adopting does not count. */
  get launches(): number {
    return this.#starts;
  }

  #launch(start: SessionStart, program: MemoryProgram): Entry {
    this.#server = "Up";
    this.#starts += 1;
    const entry = this.#newEntry(start);
    this.#entries.set(start.name, entry);
    const context: MemoryProgramContext = {
      start,
      signal: entry.ending.signal,
      print: (text) => {
        if (entry.exited !== undefined) return;
        entry.output = (entry.output + text).slice(-SCROLLBACK_CHARACTERS);
        entry.lastActivityMs = this.#options.clock.now();
      },
      exit: (code) => entry.end({ exitCode: code }),
      readLine: () => readLine(entry),
      setTitle: (title) => {
        entry.title = title;
      },
    };
    Promise.resolve()
      .then(() => program(context))
      .then(
        (exitCode) => entry.end({ exitCode }),
        (error: unknown) => {
          context.print(`${messageOf(error)}\n`);
          entry.end({ exitCode: 1 });
        },
      );
    this.#notify();
    return entry;
  }

  #newEntry(start: SessionStart): Entry {
    let settle: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const now = this.#options.clock.now();
    const entry: Entry = {
      start,
      pid: this.#nextPid++,
      startedAtMs: now,
      lastActivityMs: now,
      title: "",
      output: "",
      copyMode: false,
      exited: undefined,
      terminalLost: false,
      ending: new AbortController(),
      ended,
      typed: [],
      readers: [],
      end: (status) => {
        if (entry.exited !== undefined) return;
        entry.exited = status;
        entry.ending.abort(status.exitSignal ?? "exit");
        for (const reader of entry.readers.splice(0)) reader(undefined);
        settle();
        this.#notify();
      },
    };
    return entry;
  }

  async #end(entry: Entry, graceMs: number): Promise<void> {
    if (entry.exited !== undefined) return;
    entry.ending.abort("SIGTERM");
    for (const reader of entry.readers.splice(0)) reader(undefined);
    const over = new AbortController();
    await Promise.race([entry.ended, this.#options.clock.sleep(graceMs, over.signal)]);
    over.abort();
    entry.end(exitStatusOfSignalName("SIGKILL"));
  }

  #mustAnswer(what: string): void {
    if (this.#silent) throw new AdapterError("RuntimeNotAnswering", `Cannot ${what}: the runtime did not answer`);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}

function readLine(entry: Entry): Promise<string | undefined> {
  if (entry.ending.signal.aborted) return Promise.resolve(undefined);
  const line = entry.typed.shift();
  if (line !== undefined) return Promise.resolve(line);
  return new Promise((resolve) => entry.readers.push(resolve));
}

function observed(entry: Entry): ObservedSession {
  const { start, exited } = entry;
  return {
    name: start.name,
    namespace: start.namespace,
    agent: start.agent,
    role: start.role,
    generation: start.generation,
    ...(start.bead === undefined ? {} : { bead: start.bead }),
    state: exited === undefined ? "Running" : "Exited",
    ...exited,
    ...(entry.terminalLost ? { terminalLost: true as const } : {}),
    pid: entry.pid,
    startedAtMs: entry.startedAtMs,
    lastActivityMs: entry.lastActivityMs,
    title: entry.title,
    currentCommand: start.argv[0] ?? "",
    copyMode: entry.copyMode,
  };
}
