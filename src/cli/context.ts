import type { Api } from "./connection/api.ts";

/** The three standard streams of one invocation. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly inIsTerminal: boolean;
  /** Columns of the terminal on stdout; undefined when it is none. */
  readonly columns: number | undefined;
  /** Everything on stdin. */
  readStdin(): Promise<string>;
}

/** Running other programs. */
export interface Programs {
  /**
   * Inherits the terminal; resolves with the exit code (128 + signal number when a signal ended it). With `forwardSignals`, SIGINT and
   * SIGTERM to this process reach the program and do not end this process.
   */
  run(
    command: readonly string[],
    options?: { readonly env?: Environment; readonly cwd?: string; readonly forwardSignals?: boolean },
  ): Promise<number>;
  /** Runs a program without the terminal and keeps what it prints, up to 64 MiB. Throws when it cannot start. */
  output(command: readonly string[], options: { readonly cwd: string }): Promise<ProgramOutput>;
  /** Starts a program that outlives this process, output appended to `logPath`. Throws when it cannot start. */
  startDetached(
    command: readonly string[],
    options: { readonly env: Environment; readonly cwd: string; readonly logPath: string },
  ): Detached;
}

export interface ProgramOutput {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Detached {
  readonly pid: number;
  /** Undefined while it runs. */
  exitCode(): number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything a command may use of the process it runs in. */
export interface CommandContext {
  readonly streams: Streams;
  readonly programs: Programs;
  readonly env: Environment;
  readonly cwd: string;
  /** Directory of the built daemon (`main.js`) and of the bundles (`bin/`). */
  readonly distDirectory: string;
  /** `-C DIR`. */
  readonly townOption: string | undefined;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects with AbortError when the invocation is interrupted. */
  sleep(ms: number): Promise<void>;
  /** A name for one request of this process, so that it can be made again as the same one. Absent: none is made again. */
  readonly requestId?: () => string;
  /** The API of the town in question. Throws CliError (exit 6) with what to run when there is none. */
  api(): Api;
}

export type FlagValue = string | boolean | number | readonly string[];

/** A parsed command line. */
export interface CommandInput {
  readonly args: readonly string[];
  /** By camelCase name; a flag that was not given and has no default is absent. */
  readonly flags: Readonly<Record<string, FlagValue>>;
}

export interface FlagSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** `boolean` takes no value, `list` may be repeated, `optional` may stand with or without a value. */
  readonly type: "boolean" | "string" | "number" | "list" | "optional";
  /** Name of the value in help, as `NAME`. */
  readonly value?: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly default?: string | boolean | number;
  /** A second long name that means the same. */
  readonly alias?: string;
}

export type CommandGroup =
  | "resources"
  | "gitops"
  | "town"
  | "rigs"
  | "work"
  | "dispatch"
  | "merging"
  | "workflows"
  | "agents"
  | "talk";

/** One command as the program declares it; `run` is loaded when it is chosen. */
export interface CommandSpec {
  /** `get`, or `mail send` for a command of a group. */
  readonly name: string;
  readonly group: CommandGroup;
  readonly summary: string;
  /** Positional arguments in commander's grammar: `<name>`, `[name]`, `[names...]`. Default none. */
  readonly positionals?: string;
  readonly flags: readonly FlagSpec[];
  readonly examples?: readonly string[];
  readonly aliases?: readonly string[];
  /** Verb of the daemon behind it: left out of the overview when a running daemon does not serve it. */
  readonly servedBy?: string;
  run(input: CommandInput, context: CommandContext): Promise<number>;
}

export function textFlag(input: CommandInput, name: string): string | undefined {
  const value = input.flags[name];
  return typeof value === "string" ? value : undefined;
}

export function numberFlag(input: CommandInput, name: string): number | undefined {
  const value = input.flags[name];
  return typeof value === "number" ? value : undefined;
}

/** True when the flag was given or defaults to true. */
export function isSet(input: CommandInput, name: string): boolean {
  return input.flags[name] === true;
}

export function listFlag(input: CommandInput, name: string): readonly string[] {
  const value = input.flags[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}
