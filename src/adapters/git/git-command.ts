import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { AdapterError } from "../../errors/town-error.ts";
import { gitEnvironment, gitOptions, withoutCredentials } from "./git-environment.ts";
import { Slots } from "./mutex.ts";

/** Where a command works: an explicit git directory (and checkout), or a directory in which git looks for one. */
export interface GitPlace {
  readonly gitDirectory?: string;
  readonly worktree?: string;
  readonly cwd?: string;
}

export interface GitRunOptions {
  readonly place: GitPlace;
  /** What is tried, for the error: "fetch origin into /clones/api.git". */
  readonly doing: string;
  readonly input?: string | Uint8Array;
  /** Default 60 s. The whole process group gets SIGTERM, and SIGKILL 2 s later. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers and not failures. Default: 0. */
  readonly answers?: readonly number[];
  /** Stop reading (and end git) after this many bytes of output. Default: read all. */
  readonly maxBytes?: number;
  /** Without the settings of every call: for reading the configuration itself. */
  readonly asConfigured?: boolean;
  /** Told the process id once it runs. */
  readonly started?: (pid: number) => void;
  /** Waits for others more than it works (a remote): not counted against the processes that may run at once. */
  readonly network?: boolean;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Output was longer than `maxBytes`. */
  readonly cut: boolean;
}

export interface GitCommandOptions {
  /** Default `git` from PATH. */
  readonly program?: string;
  /** Default: that of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Commands that may run at once; others wait their turn. Default: four times the number of cores, at least 8. */
  readonly processes?: number;
  /** Done before the first process, and again while it fails; what it throws is what the caller gets. */
  readonly check?: (command: GitCommand) => Promise<void>;
}

/** Runs git without a shell, with a clean environment, in a process group of its own, always with a time limit. */
export class GitCommand {
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #slots: Slots;
  readonly #check: (command: GitCommand) => Promise<void>;

  constructor(options: GitCommandOptions = {}) {
    this.#program = options.program ?? "git";
    this.#slots = new Slots(options.processes ?? Math.max(8, 4 * availableParallelism()));
    this.#environment = gitEnvironment(options.environment ?? process.env);
    this.#check = options.check ?? (() => Promise.resolve());
  }

  /** That git can be used at all; for who starts a process. */
  ready(): Promise<void> {
    return this.#check(this);
  }

  /** What a command says while the caller waits, as far as it gets; for readers that cannot be answered later. */
  runAtOnce(args: readonly string[], options: Pick<GitRunOptions, "place" | "input" | "timeoutMs">): Buffer {
    const { place, input = "", timeoutMs = 60_000 } = options;
    const { stdout } = spawnSync(this.#program, [...gitOptions, ...placeOptions(place), ...args], {
      cwd: place.cwd ?? place.worktree ?? place.gitDirectory,
      env: this.#environment,
      input,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: Number.POSITIVE_INFINITY,
    });
    return stdout ?? Buffer.alloc(0);
  }

  /** Starts a git process; the caller owns it, and has waited for `ready`. */
  start(
    args: readonly string[],
    place: GitPlace,
    { env, asConfigured = false }: Pick<GitRunOptions, "env" | "asConfigured"> = {},
  ): ChildProcess {
    return spawn(this.#program, [...(asConfigured ? [] : gitOptions), ...placeOptions(place), ...args], {
      cwd: place.cwd ?? place.worktree ?? place.gitDirectory,
      env: { ...this.#environment, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      // Ctrl-C in the daemon's terminal must not kill git half-way, and no program below git may ask on that terminal.
      detached: true,
    });
  }

  /** Output of a command that succeeds; other exits than `answers`, time-outs and aborts throw AdapterError. */
  async run(args: readonly string[], options: GitRunOptions): Promise<GitResult> {
    await this.ready();
    return options.network === true ? this.#run(args, options) : this.#slots.run(() => this.#run(args, options));
  }

  /** As `run`, of a git that may be too old for all the rest. */
  runUnchecked(args: readonly string[], options: GitRunOptions): Promise<GitResult> {
    return this.#run(args, options);
  }

  async #run(args: readonly string[], options: GitRunOptions): Promise<GitResult> {
    if (options.signal?.aborted === true) throw stopped("GitAborted", options, "it was cancelled");
    const child = this.start(args, options.place, options);
    if (child.pid !== undefined) options.started?.(child.pid);
    const run = new RunningGit(child, options);
    const result = await run.result();
    if (run.stoppedBy !== undefined) throw stopped(run.stoppedBy, options, run.why);
    if (!result.cut && !(options.answers ?? [0]).includes(result.exitCode))
      throw gitFailure(args, options.doing, result);
    return result;
  }

  async text(args: readonly string[], options: GitRunOptions): Promise<string> {
    const { stdout } = await this.run(args, options);
    return stdout.toString("utf8").replace(/\n$/, "");
  }

  /** Items of a NUL-separated output. */
  async list(args: readonly string[], options: GitRunOptions): Promise<string[]> {
    const { stdout } = await this.run(args, options);
    return stdout.toString("utf8").split("\0").slice(0, -1);
  }
}

function placeOptions({ gitDirectory, worktree }: GitPlace): readonly string[] {
  return [
    ...(gitDirectory === undefined ? [] : [`--git-dir=${gitDirectory}`]),
    ...(worktree === undefined ? [] : [`--work-tree=${worktree}`]),
  ];
}

class RunningGit {
  stoppedBy: "GitTimedOut" | "GitAborted" | undefined;
  why = "";
  readonly #child: ChildProcess;
  readonly #options: GitRunOptions;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(child: ChildProcess, options: GitRunOptions) {
    this.#child = child;
    this.#options = options;
  }

  async result(): Promise<GitResult> {
    const { signal, timeoutMs = 60_000 } = this.#options;
    const abort = () => this.#stop("GitAborted", "it was cancelled");
    signal?.addEventListener("abort", abort, { once: true });
    this.#timers.push(setTimeout(() => this.#stop("GitTimedOut", `git took longer than ${timeoutMs} ms`), timeoutMs));
    try {
      return await this.#collect();
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#timers.forEach(clearTimeout);
    }
  }

  #collect(): Promise<GitResult> {
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    let bytes = 0;
    let cut = false;
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      if (bytes <= maxBytes) out.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes && !cut) {
        cut = true;
        signalGroup(this.#child, "SIGTERM");
      }
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => errors.length < 64 && errors.push(chunk));
    // git may end before it has read its input; its exit code tells.
    this.#child.stdin?.on("error", () => {});
    this.#child.stdin?.end(this.#options.input ?? "");
    return new Promise((resolve, reject) => {
      this.#child.once("error", (error) => reject(startFailure(error, this.#options)));
      this.#child.once("close", (code) =>
        resolve({
          exitCode: code ?? -1,
          stdout: Buffer.concat(out),
          stderr: Buffer.concat(errors).toString("utf8"),
          cut,
        }),
      );
    });
  }

  #stop(reason: "GitTimedOut" | "GitAborted", why: string): void {
    this.stoppedBy ??= reason;
    this.why = why;
    // SIGTERM lets git remove its lock files.
    signalGroup(this.#child, "SIGTERM");
    this.#timers.push(setTimeout(() => signalGroup(this.#child, "SIGKILL"), 2000));
  }
}

export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

/** The error for a git that ended with an exit code that is no answer. */
export function gitFailure(
  args: readonly string[],
  doing: string,
  result: Pick<GitResult, "exitCode" | "stderr">,
  reason = "GitFailed",
): AdapterError {
  const lines = result.stderr.split("\n").map((line) => line.trim());
  const said = lines
    .filter((line) => line !== "")
    .slice(-5)
    .join("; ");
  const end = result.exitCode < 0 ? "was killed" : `exited with ${result.exitCode}`;
  const message = withoutCredentials(`Cannot ${doing}: git ${args[0]} ${end}: ${said}`);
  const { exitCode } = result;
  const lock = /Unable to create '([^']+\.lock)'/.exec(result.stderr)?.[1];
  if (lock === undefined) return new AdapterError(reason, message, { exitCode });
  const hint = `If no git process runs there, a killed one left ${lock} behind: remove that file.`;
  return new AdapterError("GitLocked", message, { exitCode, hint });
}

/** The error for a git that could not be started. */
export function startFailure(error: Error, options: Pick<GitRunOptions, "place" | "doing">): AdapterError {
  const code = "code" in error ? String(error.code) : undefined;
  const directory = options.place.cwd ?? options.place.worktree ?? options.place.gitDirectory;
  const because = { cause: error, code };
  if (code === "ENOENT" && directory !== undefined && !existsSync(directory)) {
    return stopped("DirectoryMissing", options, `${directory} does not exist`, because);
  }
  if (code !== "ENOENT") return stopped("GitFailed", options, "git could not be started", because);
  const hint = "Install git 2.38 or newer and make sure that `git` is on the PATH.";
  return stopped("GitMissing", options, "git could not be found", { ...because, hint });
}

function stopped(
  reason: string,
  options: Pick<GitRunOptions, "doing">,
  why: string,
  more: ConstructorParameters<typeof AdapterError>[2] = {},
): AdapterError {
  return new AdapterError(reason, withoutCredentials(`Cannot ${options.doing}: ${why}.`), more);
}
