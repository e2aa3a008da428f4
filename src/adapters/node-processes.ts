import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AdapterError, messageOf } from "../errors/town-error.ts";
import { fileError } from "../ports/file-error.ts";
import type { ProcessIdentity, Processes, RunOptions, RunResult } from "../ports/processes.ts";
import { codeOf } from "./error-code.ts";
import { OutputTail } from "./output-tail.ts";
import { type IdentitySource, type ProcessTable, processTable, signal } from "./process-identity.ts";
import { programPath } from "./program-path.ts";

export interface NodeProcessesOptions {
  /** Default: `proc` on Linux, else `ps`. */
  readonly identity?: IdentitySource;
}

/** How long a process group may take over SIGTERM after a timeout or an abort, before SIGKILL. */
const KILL_GRACE_MS = 5000;
/** How long output pipes may stay open after the group is dead (a process that left the group may hold them). */
const DRAIN_MS = 1000;
const POLL_MS = 25;

/**
 * Runs the program behind a gate: it starts only after the line on descriptor 3, so it cannot begin, let alone end,
 * before its identity is recorded, and if we die first the read fails and it never runs. `exec` keeps pid and start time.
 */
const GATE = "read -r go <&3 || exit 125; exec 3<&-; ";

/** The machine's processes. Every run leads a process group, and nothing of the group outlives the run. */
export function createNodeProcesses(options: NodeProcessesOptions = {}): Processes {
  const table = processTable(options.identity ?? (process.platform === "linux" ? "proc" : "ps"));
  let self: Promise<ProcessIdentity> | undefined;
  return {
    run: (command, args, runOptions) => run(table, [command, ...args], runOptions),
    probe: (identity) => table.probe(identity),
    identify: (pid) => table.identify(pid),
    self: () => {
      self ??= identifySelf(table);
      return self;
    },
    terminate: (identity, graceMs) => terminate(table, identity, graceMs),
  };
}

async function identifySelf(table: ProcessTable): Promise<ProcessIdentity> {
  const identity = await table.identify(process.pid);
  if (identity !== undefined) return identity;
  throw new AdapterError("OwnIdentityUnknown", `Cannot tell when process ${process.pid} (this one) started.`, {
    hint: "Check that /proc is mounted or that ps works.",
  });
}

async function run(
  table: ProcessTable,
  [command = "", ...args]: readonly string[],
  options: RunOptions,
): Promise<RunResult> {
  const startedMs = performance.now();
  const program = await programPath(command, { cwd: options.cwd, path: options.env["PATH"] });
  if (options.signal?.aborted === true) return { timedOut: false, aborted: true, output: "", durationMs: 0 };
  const log = await openLog(options.logPath);
  try {
    const child = startChild([program, ...args], options, log);
    const tail = new OutputTail(child.stdout);
    await startedOrThrow(child, command);
    const ending = once(child, "exit");
    const drained = once(child, "close");
    const guard = new RunGuard(child.pid ?? 0, options);
    try {
      await openGate(table, child, options);
      feed(child.stdin, options.input ?? "");
      const [exitCode, signalName] = (await ending) as [number | null, string | null];
      await guard.endGroup();
      await Promise.race([drained, sleep(DRAIN_MS, undefined, { ref: false })]);
      const how = exitCode === null ? { signal: signalName ?? "SIGKILL" } : { exitCode };
      return {
        ...how,
        timedOut: guard.timedOut,
        aborted: guard.aborted,
        output: tail.text(),
        durationMs: performance.now() - startedMs,
      };
    } finally {
      guard.release();
      child.stdout?.destroy();
    }
  } finally {
    await log?.close();
  }
}

async function openLog(path: string | undefined): Promise<FileHandle | undefined> {
  if (path === undefined) return undefined;
  try {
    return await open(path, "a");
  } catch (error) {
    throw fileError("open the log", path, codeOf(error), error);
  }
}

function startChild(argv: readonly string[], options: RunOptions, log: FileHandle | undefined): ChildProcess {
  const gated = options.started !== undefined;
  // One pipe for both streams keeps them in order.
  const script = `${gated ? GATE : ""}exec "$@"${log === undefined ? " 2>&1" : ""}`;
  const [file, ...args] = gated || log === undefined ? ["/bin/sh", "-c", script, "town", ...argv] : argv;
  const output = log?.fd ?? "pipe";
  const stdio: StdioOptions = [
    options.input === undefined ? "ignore" : "pipe",
    output,
    log?.fd ?? "ignore",
    ...(gated ? (["pipe"] as const) : []),
  ];
  return spawn(file ?? "", args, { cwd: options.cwd, env: options.env, detached: true, stdio });
}

async function startedOrThrow(child: ChildProcess, command: string): Promise<void> {
  if (child.pid !== undefined) return;
  const [error] = (await once(child, "error")) as [NodeJS.ErrnoException];
  throw new AdapterError("CommandNotStarted", `Cannot run ${command}: ${messageOf(error)}.`, {
    code: error.code,
    cause: error,
  });
}

/** Tells `started` who runs, then lets it run. When that cannot be recorded the group is killed and the error passed on. */
async function openGate(table: ProcessTable, child: ChildProcess, options: RunOptions): Promise<void> {
  if (options.started === undefined) return;
  const pid = child.pid ?? 0;
  try {
    const identity = await table.identify(pid);
    if (identity === undefined)
      throw new AdapterError("IdentityUnknown", `Cannot tell when process ${pid} started, so it was not let run.`);
    await options.started(identity);
  } catch (error) {
    signal(-pid, "SIGKILL");
    throw error;
  }
  feed(child.stdio[3] as Writable, "go\n");
}

function feed(stream: Writable | null, text: string): void {
  // The reader may end before it has read everything: that is its right.
  stream?.on("error", () => undefined);
  stream?.end(text);
}

/** Ends a run's group at its time limit, at an abort, and after its leader. */
class RunGuard {
  timedOut = false;
  aborted = false;
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  #kill: NodeJS.Timeout | undefined;
  readonly #abort = (): void => {
    if (this.timedOut) return;
    this.aborted = true;
    this.#stop();
  };

  constructor(pid: number, options: RunOptions) {
    this.#pid = pid;
    this.#signal = options.signal;
    this.#timer = setTimeout(
      () => {
        if (this.aborted) return;
        this.timedOut = true;
        this.#stop();
      },
      Math.min(options.timeoutMs, 2 ** 31 - 1),
    );
    options.signal?.addEventListener("abort", this.#abort, { once: true });
    if (options.signal?.aborted === true) this.#abort();
  }

  /** What the leader left behind in its group gets the same treatment. */
  async endGroup(): Promise<void> {
    this.release();
    await endGroup(this.#pid, KILL_GRACE_MS);
  }

  release(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#kill);
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  #stop(): void {
    signal(-this.#pid, "SIGTERM");
    this.#kill = setTimeout(() => signal(-this.#pid, "SIGKILL"), KILL_GRACE_MS);
  }
}

async function terminate(table: ProcessTable, identity: ProcessIdentity, graceMs: number): Promise<void> {
  if ((await table.probe(identity)) !== "Alive") return;
  const group = signal(-identity.pid, 0) === "Gone" ? identity.pid : -identity.pid;
  if (signal(group, "SIGTERM") === "Refused") {
    throw new AdapterError("ProcessNotOurs", `Cannot end process ${identity.pid}: it belongs to another user.`, {
      code: "EPERM",
    });
  }
  const end = performance.now() + graceMs;
  while ((await table.probe(identity)) === "Alive" && performance.now() < end) await sleep(POLL_MS);
  signal(group, "SIGKILL");
  const killed = performance.now() + KILL_GRACE_MS;
  while ((await table.probe(identity)) === "Alive" && performance.now() < killed) await sleep(POLL_MS);
}

/** SIGTERM, then SIGKILL, for what is left of a group whose leader is gone. */
async function endGroup(pid: number, graceMs: number): Promise<void> {
  if (signal(-pid, "SIGTERM") !== "Sent") return;
  const end = performance.now() + graceMs;
  while (performance.now() < end) {
    await sleep(POLL_MS);
    if (signal(-pid, 0) !== "Sent") return;
  }
  signal(-pid, "SIGKILL");
}
