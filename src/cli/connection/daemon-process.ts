import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Start time of a process in each form that a daemon may have recorded: clock ticks since boot from /proc (field 22 of
 * `stat`, proc(5)), and the text of `ps -o lstart=` where there is no /proc. Empty when the process is gone.
 */
export function startTimesOf(pid: number): readonly string[] {
  const ticks = procStartTicks(pid);
  if (ticks !== undefined) return [ticks];
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: 5000,
      env: { ...process.env, LC_ALL: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return text === "" ? [] : [text, text.replace(/\s+/g, " ")];
  } catch {
    return [];
  }
}

/** A process with this pid exists (it may belong to someone else). */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A dead child that nobody has reaped yet answers signals but is gone. */
function isZombie(pid: number): boolean {
  return procStat(pid)?.[0] === "Z";
}

function procStartTicks(pid: number): string | undefined {
  return procStat(pid)?.[19];
}

/** Fields of /proc/PID/stat from the third (state) on; the name before them may hold spaces and parentheses. */
function procStat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
