import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Kills something of the town every `everyMs` with SIGKILL: the controller, or the program of a random agent. A killed
 * controller is started again by `restart`, as a person or a service manager would.
 */
export function startKilling(
  town: string,
  everyMs: number,
  restart: () => Promise<unknown>,
  say: (what: string) => void,
): { stop(): Promise<void> } {
  const ending = new AbortController();
  const run = async (): Promise<void> => {
    for (let round = 0; !ending.signal.aborted; round += 1) {
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (ending.signal.aborted) return;
      const agents = agentProcesses(town);
      const workers = agents.filter(({ agent }) => agent.includes("/polecats/"));
      const candidates = workers.length > 0 ? workers : agents;
      const victim = candidates[Math.floor(Math.random() * candidates.length)];
      if (round % 3 !== 2 && victim !== undefined) {
        if (kill(victim.pid)) say(`killed    ${victim.agent} (pid ${victim.pid})`);
        continue;
      }
      const pid = daemonPid(town);
      if (pid === undefined || !kill(pid)) continue;
      say(`killed    the controller (pid ${pid})`);
      await restart();
    }
  };
  const running = run();
  return {
    async stop() {
      ending.abort();
      await running;
    },
  };
}

function daemonPid(town: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(town, ".git", "town", "endpoint.json"), "utf8")) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Agents' programs of this town: their environment names its state directory. Found by their working directory. */
function agentProcesses(town: string): readonly { readonly pid: number; readonly agent: string }[] {
  const table = execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" });
  return table.split("\n").flatMap((row) => {
    const [, pid, args] = /^\s*(\d+)\s+(.*)$/.exec(row) ?? [];
    if (pid === undefined || args === undefined || !args.includes("shell-agent/main.js")) return [];
    const cwd = workingDirectory(pid);
    const agent = cwd?.startsWith(`${town}/rigs/`) === true ? cwd.slice(town.length + 6) : undefined;
    return agent === undefined ? [] : [{ pid: Number(pid), agent }];
  });
}

function workingDirectory(pid: string): string | undefined {
  try {
    if (process.platform === "linux")
      return execFileSync("readlink", [`/proc/${pid}/cwd`], { encoding: "utf8" }).trim();
    return /^n(.*)$/m.exec(execFileSync("lsof", ["-a", "-d", "cwd", "-p", pid, "-Fn"], { encoding: "utf8" }))?.[1];
  } catch {
    return undefined;
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
