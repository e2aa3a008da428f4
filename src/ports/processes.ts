/** What makes a process the same one: a pid alone is reused. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system reports it; opaque text, compared for equality. */
  readonly startTime: string;
  /** Boot id of the machine; opaque text. */
  readonly bootId: string;
}

export interface RunOptions {
  readonly cwd: string;
  /** Complete environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** stdout and stderr go here, in order, appended. Absent: returned as `output` (last 64 KiB kept). */
  readonly logPath?: string;
  readonly input?: string;
  /** Told once the process runs, before it can end: record it to find an orphan again. */
  readonly started?: (identity: ProcessIdentity) => Promise<void>;
}

export interface RunResult {
  /** Absent when a signal ended it or it could not start. */
  readonly exitCode?: number;
  readonly signal?: string;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly output: string;
  readonly durationMs: number;
}

/** Other programs, each in its own process group which is ended as a whole. */
export interface Processes {
  run(command: string, args: readonly string[], options: RunOptions): Promise<RunResult>;
  /** Alive with that identity, gone, or not to be told. */
  probe(identity: ProcessIdentity): Promise<"Alive" | "Dead" | "Unknown">;
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  /** This process. */
  self(): Promise<ProcessIdentity>;
  /** Ends the process group of that identity: SIGTERM, after `graceMs` SIGKILL. Does nothing unless the identity matches. */
  terminate(identity: ProcessIdentity, graceMs: number): Promise<void>;
}
