import { readFileSync } from "node:fs";
import { codeOf } from "../error-code.ts";

/**
 * Whether a process with that pid runs. Where there is `/proc`, one that has ended and was never collected (orphans in a
 * container without an init) counts as ended; elsewhere the system collects them.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
  try {
    // `pid (name) state …`; the name may hold anything.
    return !/^\s[ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, ""));
  } catch {
    return true;
  }
}
