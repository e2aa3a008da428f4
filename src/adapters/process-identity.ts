import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ProcessIdentity } from "../ports/processes.ts";
import { codeOf } from "./error-code.ts";

/**
 * How identities are told: `proc` reads /proc (Linux), `ps` asks the ps program (macOS and the rest). Identities of the
 * two kinds do not compare.
 */
export type IdentitySource = "proc" | "ps";

export type Presence = "Alive" | "Dead" | "Unknown";

/** Field 22 of /proc/<pid>/stat, counted after the command, which may itself hold spaces and parentheses (proc(5)). */
const START_TIME_AFTER_COMMAND = 19;
/** ps derives the start from the clock and may be off by a second between calls. */
const PS_TOLERANCE_MS = 2000;
const PS_TIMEOUT_MS = 5000;

export interface ProcessTable {
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  /** Unknown whenever the evidence does not say: a slow ps, another user's process, a hidden /proc. */
  probe(identity: ProcessIdentity): Promise<Presence>;
}

export function processTable(source: IdentitySource): ProcessTable {
  const startTimeOf = source === "proc" ? startTimeFromProc : startTimeFromPs;
  const same = source === "proc" ? (a: string, b: string): boolean => a === b : samePsTime;
  let boot: Promise<string> | undefined;
  const bootId = (): Promise<string> => {
    boot ??= readBootId();
    return boot;
  };
  return {
    identify: async (pid) => {
      const startTime = await startTimeOf(pid);
      return startTime === undefined || startTime === "Unknown"
        ? undefined
        : { pid, startTime, bootId: await bootId() };
    },
    probe: async (identity) => {
      if (identity.bootId !== (await bootId())) return "Dead";
      const found = await startTimeOf(identity.pid);
      if (found === "Unknown") return "Unknown";
      return found !== undefined && same(found, identity.startTime) ? "Alive" : "Dead";
    },
  };
}

export type Signalled = "Sent" | "Gone" | "Refused";

/** Sends a signal (0: only asks) to a process, or to a group with a negative id. */
export function signal(pid: number, name: NodeJS.Signals | 0): Signalled {
  try {
    process.kill(pid, name);
    return "Sent";
  } catch (error) {
    return codeOf(error) === "ESRCH" ? "Gone" : "Refused";
  }
}

/** Undefined: there is no such process, or it is a zombie, which does nothing any more. */
async function startTimeFromProc(pid: number): Promise<string | undefined> {
  let text: string;
  try {
    // The kernel answers from memory: a detour over the thread pool would cost several times as much.
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    // Missing for lack of a process, or because /proc is mounted with hidepid: only the kernel's own answer counts.
    return signal(pid, 0) === "Gone" ? undefined : "Unknown";
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return state === "Z" || state === "X" ? undefined : (fields[START_TIME_AFTER_COMMAND] ?? "Unknown");
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  if (signal(pid, 0) === "Gone") return undefined;
  const answer = await outputOf("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  if (answer === undefined) return signal(pid, 0) === "Gone" ? undefined : "Unknown";
  const [, state, started] = /^\s*(\S+)\s+(.+?)\s*$/.exec(answer) ?? [];
  if (state === undefined || started === undefined) return "Unknown";
  return state.startsWith("Z") ? undefined : started;
}

function samePsTime(a: string, b: string): boolean {
  return a === b || Math.abs(Date.parse(`${a} UTC`) - Date.parse(`${b} UTC`)) <= PS_TOLERANCE_MS;
}

/** The boot: Linux's boot_id, else macOS's boot session, else the time of boot (which moves when the clock is set). */
async function readBootId(): Promise<string> {
  const linux = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => undefined);
  if (linux !== undefined) return linux.trim();
  const session = await outputOf("sysctl", ["-n", "kern.bootsessionuuid"]);
  if (session !== undefined && session.trim() !== "") return session.trim();
  const time = /sec = (\d+)/.exec((await outputOf("sysctl", ["-n", "kern.boottime"])) ?? "");
  return time?.[1] ?? "unknown-boot";
}

/** Output of a program in a fixed language and time zone; undefined when it fails or is slow. */
function outputOf(command: string, args: readonly string[]): Promise<string | undefined> {
  const env = { PATH: `${process.env["PATH"] ?? ""}:/bin:/usr/bin:/sbin:/usr/sbin`, LC_ALL: "C", TZ: "UTC" };
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout: PS_TIMEOUT_MS, killSignal: "SIGKILL" }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
}
