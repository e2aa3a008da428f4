import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { AdapterError } from "../../errors/town-error.ts";
import type { IdentitySource } from "../process-identity.ts";

const run = promisify(execFile);

/** What one process has used so far. */
export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Process session (setsid); undefined where the system does not tell. */
  readonly session: number | undefined;
  /** Time on processors since its start, ms. */
  readonly cpuMs: number;
  /** Resident memory. */
  readonly memoryBytes: number;
}

/** Every process, in one pass: /proc without forking, or one run of `ps`. Throws AdapterError `ProcessListUnreadable`. */
export async function readProcessTimes(source: IdentitySource): Promise<ReadonlyMap<number, ProcessTimes>> {
  const rows = source === "proc" ? timesFromProc() : await timesFromPs();
  return new Map(rows.map((row) => [row.pid, row]));
}

/** Linux counts processor time in hundredths of a second for everybody, whatever its own clock (USER_HZ, proc(5)). */
const TICK_MS = 10;
let page: number | undefined;

function timesFromProc(): readonly ProcessTimes[] {
  page ??= pageBytes();
  const pageSize = page;
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const stat = readText(`/proc/${name}/stat`);
    if (stat === undefined) return [];
    // After the command, which may itself hold spaces and parentheses; state is field 3 (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (number: number): number => Number(fields[number - 3]);
    return [
      {
        pid: Number(name),
        parent: field(4),
        group: field(5),
        session: field(6),
        cpuMs: (field(14) + field(15)) * TICK_MS,
        memoryBytes: field(24) * pageSize,
      },
    ];
  });
}

/** The kernel says it in /proc/self/smaps; 4 KiB where that cannot be read. */
function pageBytes(): number {
  const kib = /^KernelPageSize:\s+(\d+) kB$/m.exec(readText("/proc/self/smaps") ?? "")?.[1];
  return Number(kib ?? 4) * 1024;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // The process ended meanwhile, or belongs to somebody else.
    return undefined;
  }
}

async function timesFromPs(): Promise<readonly ProcessTimes[]> {
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" };
  const options = { env, timeout: 10_000, maxBuffer: 16 << 20 };
  const { stdout } = await run("ps", ["-ax", "-o", "pid=,ppid=,pgid=,time=,rss="], options).catch((cause: unknown) => {
    throw new AdapterError("ProcessListUnreadable", "Cannot list processes: `ps` failed", { cause });
  });
  return stdout.split("\n").flatMap((line) => {
    const [pid, parent, group, time, kib] = line.trim().split(/\s+/);
    if (pid === undefined || pid === "" || time === undefined) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        group: Number(group),
        session: undefined,
        cpuMs: cpuTimeMs(time),
        memoryBytes: Number(kib) * 1024,
      },
    ];
  });
}

/** `1-02:03:04` (Linux) or `123:45.67` (macOS, BSD) as milliseconds. */
export function cpuTimeMs(text: string): number {
  const [clock = "", days = "0"] = text.split("-").toReversed();
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1_000);
}
