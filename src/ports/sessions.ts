/** What to run; everything an adapter needs, nothing it must look up. */
export interface SessionStart {
  /** Unique on the runtime, also the tmux session name: `<namespace>-<role>-<agent>`; no dots or colons. */
  readonly name: string;
  readonly namespace: string;
  /** Agent name and role, as labels of the session. */
  readonly agent: string;
  readonly role: string;
  /** Fencing token: rises at each start of this agent. */
  readonly generation: number;
  /** Bead on the hook at start, for the label. */
  readonly bead?: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** Added to a minimal base environment (PATH, HOME, TERM, LANG, USER, SHELL, TMPDIR). Never a secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Size of the terminal. Default 200x50. */
  readonly columns?: number;
  readonly rows?: number;
}

/** What a session is called, and whose it is; as its start said. */
export type SessionLabels = Pick<SessionStart, "name" | "namespace" | "agent" | "role" | "generation" | "bead">;

export interface ObservedSession extends SessionLabels {
  /** Exited: the program ended and its last screen is kept as evidence. */
  readonly state: "Running" | "Exited";
  /** 128 + n when signal n ended the program, as shells say. Absent for an Exited session whose end nobody could see. */
  readonly exitCode?: number;
  readonly exitSignal?: string;
  /** Exited without its terminal: the runtime, or its place there, was gone first. How it ended says nothing about it. */
  readonly terminalLost?: true;
  /** First process of the session (a shim); the program runs below it. */
  readonly pid?: number;
  readonly startedAtMs: number;
  readonly lastActivityMs?: number;
  /** Terminal title, set by many agents to show idle or busy. */
  readonly title?: string;
  readonly currentCommand?: string;
  /** A person scrolls: nothing may be typed. */
  readonly copyMode?: boolean;
}

/** One look at the runtime. */
export interface SessionsObservation {
  /**
   * `Complete`: the runtime answered and this is all there is. `ServerGone`: positive evidence that nothing of it lives
   * (no server process); `sessions` are then the Exited remains. `Unknown`: it did not answer; `sessions` is the last
   * complete list and must not be read as deaths.
   */
  readonly completeness: "Complete" | "ServerGone" | "Unknown";
  readonly sessions: readonly ObservedSession[];
  readonly observedAtMs: number;
  readonly message?: string;
}

/** The runtime that holds agents' programs: tmux, plain processes, or pods. */
export interface Sessions {
  readonly runtime: "tmux" | "process" | "memory";
  observe(): Promise<SessionsObservation>;
  /**
   * Adopt-or-create by name and generation: a running session of that generation is returned as it is; one of an older
   * generation is stopped first; an exited one is replaced. Throws AdapterError when the program cannot be started
   * (`SessionStartFailed`, `SessionNameInvalid`), a newer generation runs (`NewerGenerationRunning`), or the runtime does
   * not answer (`RuntimeNotAnswering`).
   */
  start(start: SessionStart): Promise<ObservedSession>;
  /** Ends the session's processes (SIGTERM, after `graceMs` SIGKILL) and removes it. Another generation: no-op. */
  stop(name: string, generation: number, options: { readonly graceMs: number }): Promise<void>;
  /** Last lines of its output, newest last; works for Exited too. Missing session: undefined. */
  capture(name: string, lines: number): Promise<string | undefined>;
  /**
   * Rings the doorbell: pastes a line and Enter. `Refused`, with nothing typed, when the generation differs, it exited,
   * or a person scrolls or has just typed in it.
   */
  type(name: string, generation: number, text: string): Promise<"Typed" | "Refused">;
  /** Told at each start, exit or loss the runtime notices by itself (edge; callers also observe). */
  subscribe(listener: () => void): () => void;
  /** Command a person runs to look at it: `["tmux","-L",…,"attach",…]`; undefined where that is not possible. */
  attachCommand(name: string): readonly string[] | undefined;
  /** Command that runs the runtime's own program with these arguments; undefined where there is none. */
  command(args: readonly string[]): readonly string[] | undefined;
  /**
   * Texts for whoever is attached: `town` for all, `sessions` by name for one each. Costs nothing while they stay the
   * same; does nothing where nobody can be attached.
   */
  showStatus(town: string, sessions: ReadonlyMap<string, string>): Promise<void>;
  close(): Promise<void>;
}
