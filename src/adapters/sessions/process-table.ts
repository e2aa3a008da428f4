import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { AdapterError } from "../../errors/town-error.ts";

const run = promisify(execFile);

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Process session (setsid); undefined where the system does not tell. */
  readonly session: number | undefined;
  readonly zombie: boolean;
  /** As the system reports it; opaque, compared for equality. */
  readonly startTime: string;
}

/** A process that cannot be confused with a later one of the same pid. */
export interface ProcessStamp {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
}

/** `proc` reads /proc without forking; `ps` runs the POSIX command (macOS; Linux tests it by this switch). */
export type ProcessSource = "proc" | "ps";

/** What runs on this machine now. */
export class ProcessTable {
  readonly #source: ProcessSource;
  #bootId: Promise<string> | undefined;
  #running: Promise<ReadonlyMap<number, ProcessRow>> | undefined;

  constructor(source: ProcessSource = process.platform === "linux" ? "proc" : "ps") {
    this.#source = source;
  }

  /** All processes. Callers that ask at the same time share one look. */
  snapshot(): Promise<ReadonlyMap<number, ProcessRow>> {
    this.#running ??= Promise.resolve()
      .then(() => (this.#source === "proc" ? rowsFromProc() : rowsFromPs([])))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Undefined when there is no such process, or only a zombie of it. */
  async row(pid: number): Promise<ProcessRow | undefined> {
    const row = this.#source === "proc" ? rowFromProc(pid) : (await rowsFromPs(["-p", String(pid)])).get(pid);
    return row === undefined || row.zombie ? undefined : row;
  }

  async stamp(pid: number): Promise<ProcessStamp | undefined> {
    const row = await this.row(pid);
    return row === undefined ? undefined : { pid, startTime: row.startTime, bootId: await this.bootId() };
  }

  /** Whether that very process lives. */
  async lives(stamp: ProcessStamp): Promise<boolean> {
    if (stamp.bootId !== (await this.bootId())) return false;
    return (await this.row(stamp.pid))?.startTime === stamp.startTime;
  }

  /** Changes at each boot of the machine. */
  bootId(): Promise<string> {
    this.#bootId ??=
      this.#source === "proc"
        ? Promise.resolve(readProc("sys/kernel/random/boot_id")?.trim() ?? "")
        : bootIdFromSystem();
    return this.#bootId;
  }

  /** Value of a variable in the environment a process of this user was started with; undefined where it cannot be read. */
  variable(pid: number, name: string): string | undefined {
    if (this.#source !== "proc") return undefined;
    const entry = readProc(`${pid}/environ`)
      ?.split("\0")
      .find((each) => each.startsWith(`${name}=`));
    return entry?.slice(name.length + 1);
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    // The process ended meanwhile or belongs to somebody else: both mean "not ours to see".
    return undefined;
  }
}

function rowsFromProc(): ReadonlyMap<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const row = rowFromProc(Number(name));
    if (row !== undefined) rows.set(row.pid, row);
  }
  return rows;
}

/** Fields of /proc/PID/stat after the command, which may itself hold spaces and parentheses: proc(5). */
function rowFromProc(pid: number): ProcessRow | undefined {
  const stat = readProc(`${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    zombie: fields[0] === "Z" || fields[0] === "X",
    startTime: fields[19] ?? "",
  };
}

async function rowsFromPs(selection: readonly string[]): Promise<ReadonlyMap<number, ProcessRow>> {
  const args = ["-o", "pid=,ppid=,pgid=,stat=,lstart=", ...(selection.length === 0 ? ["-ax"] : selection)];
  const rows = new Map<number, ProcessRow>();
  for (const line of (await psOutput(args)).split("\n")) {
    const [pid, parent, group, state, ...start] = line.trim().split(/\s+/);
    if (pid === undefined || pid === "" || state === undefined) continue;
    rows.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: undefined,
      zombie: state.startsWith("Z"),
      startTime: start.join(" "),
    });
  }
  return rows;
}

async function psOutput(args: readonly string[]): Promise<string> {
  try {
    const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
    return (await run("ps", [...args], { env, timeout: 10_000, maxBuffer: 16 << 20 })).stdout;
  } catch (error) {
    // ps exits with 1 and prints nothing when no process matches; a time-out or a missing ps is another matter.
    if (error instanceof Error && "code" in error && error.code === 1) return "";
    throw new AdapterError("ProcessTableUnreadable", "Cannot list processes: `ps` failed", { cause: error });
  }
}

async function bootIdFromSystem(): Promise<string> {
  const linux = readProc("sys/kernel/random/boot_id");
  if (linux !== undefined) return linux.trim();
  const { stdout } = await run("sysctl", ["-n", "kern.boottime"], { timeout: 10_000 });
  return /sec = (\d+)/.exec(stdout)?.[1] ?? stdout.trim();
}
