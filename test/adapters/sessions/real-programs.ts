import { execFileSync } from "node:child_process";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Behaviour } from "../../ports/sessions.contract.ts";

export const pause = (ms: number): Promise<void> => systemClock.sleep(ms);

/** Collects what was logged at warn and error. */
export function listeningLog(): Log & { readonly heard: string[] } {
  const heard: string[] = [];
  const log: Log & { readonly heard: string[] } = {
    heard,
    debug() {},
    info() {},
    warn: (_, message) => void heard.push(message),
    error: (_, message) => void heard.push(message),
    child: () => log,
  };
  return log;
}

/** Shell programs that behave as the contract asks. */
export function shellArgv(behaviour: Behaviour): readonly string[] {
  switch (behaviour.does) {
    case "Sleep":
      return ["sleep", "600"];
    case "Exit":
      return ["sh", "-c", `exit ${behaviour.code}`];
    case "Print":
      return ["sh", "-c", 'printf "%s\\n" "$@"', "sh", ...behaviour.lines];
    case "IgnoreTerm":
      return ["sh", "-c", 'trap "" TERM HUP; while :; do sleep 1; done'];
    case "Echo":
      return ["sh", "-c", 'stty -echo 2>/dev/null; echo ready; while read -r line; do echo "got:$line"; done'];
    default:
      return behaviour satisfies never;
  }
}

/** Pids of the innermost processes below a session's first one, once its program runs: those that are no shell of the shim. */
export async function programsBelow(pid: number): Promise<readonly number[]> {
  return until(`a program below process ${pid}`, () => {
    const rows = execFileSync("ps", ["-axo", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
    const all = rows
      .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
      .map((match) => ({ pid: Number(match?.[1]), parent: Number(match?.[2]), args: match?.[3] ?? "" }));
    const below = (parent: number): readonly number[] =>
      all
        .filter((each) => each.parent === parent)
        .flatMap((each) => (/\/shims\/|output-log|^dd /.test(each.args) ? below(each.pid) : [each.pid]));
    const found = below(pid);
    return found.length > 0 && found;
  });
}

export function alive(pid: number): boolean {
  const state = execFileSync("sh", ["-c", `ps -o stat= -p ${pid} || true`], { encoding: "utf8" }).trim();
  return state !== "" && !state.startsWith("Z");
}

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await pause(15);
  }
}
