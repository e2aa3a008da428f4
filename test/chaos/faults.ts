import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SeededRandom } from "../../src/simulation/seeded-random.ts";
import type { ChaosTown } from "./chaos-town.ts";
import { sessionsOf } from "./session-witness.ts";

/** Does one thing to a town; answers what, or undefined when there was nothing to do it to. */
export type Fault = (town: ChaosTown, random: SeededRandom) => Promise<string | undefined>;

/** What can go wrong on a machine, by name. Every victim is a process of this very town. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  controller: async (town, random) => {
    if (town.controllerPid === undefined) return undefined;
    await town.killController();
    await sleep(random.below(300));
    town.startController();
    return "controller killed";
  },
  session: async (town, random) => {
    const name = pick(panesOf(town), random)?.name;
    if (name === undefined) return undefined;
    town.tmux("kill-session", "-t", `=${name}`);
    return `tmux session ${name} killed`;
  },
  program: async (town, random) => {
    const pane = pick(panesOf(town), random);
    if (pane === undefined) return undefined;
    return killed(pane.pid) ? `first process of ${pane.name} killed` : undefined;
  },
  process: async (town, random) => {
    const session = pick(sessionsOf(town.sessionLabel), random);
    const pid = pick(session?.pids ?? [], random);
    return pid !== undefined && killed(pid) ? `process ${commandOf(pid)} of ${session?.name} killed` : undefined;
  },
  child: async (town, random) => {
    const pid = pick(childrenOf(town.controllerPid), random);
    return pid !== undefined && killed(pid) ? `child ${commandOf(pid)} of the controller killed` : undefined;
  },
  server: async (town) => {
    const pid = Number(town.tmux("display-message", "-p", "#{pid}").trim());
    return pid > 1 && killed(pid) ? "tmux server killed" : undefined;
  },
  pause: async (town, random) => {
    const pid = town.controllerPid;
    if (pid === undefined) return undefined;
    process.kill(pid, "SIGSTOP");
    await sleep(500 + random.below(2_000));
    process.kill(pid, "SIGCONT");
    return "controller held up";
  },
  silence: async (town, random) => {
    const pid = Number(town.tmux("display-message", "-p", "#{pid}").trim());
    if (!(pid > 1)) return undefined;
    process.kill(pid, "SIGSTOP");
    await sleep(500 + random.below(7_000));
    process.kill(pid, "SIGCONT");
    return "tmux server silent";
  },
  journal: async (town) => {
    rmSync(join(town.process.directory, ".git", "town", "store"), { recursive: true, force: true });
    return "journal removed";
  },
};

function pick<T>(from: readonly T[], random: SeededRandom): T | undefined {
  return from.length === 0 ? undefined : from[random.below(from.length)];
}

/** The living panes of agents. */
export function panesOf(town: ChaosTown): readonly { readonly name: string; readonly pid: number }[] {
  return town
    .tmux("list-panes", "-a", "-f", "#{&&:#{@town_name},#{==:#{pane_dead},0}}", "-F", "#{@town_name} #{pane_pid}")
    .split("\n")
    .flatMap((line) => {
      const [name = "", pid = ""] = line.split(" ");
      return Number(pid) > 1 ? [{ name, pid: Number(pid) }] : [];
    });
}

function killed(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}

function childrenOf(parent: number | undefined): readonly number[] {
  if (parent === undefined) return [];
  return readdirSync("/proc").flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "latin1");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === parent ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, 3).join(" ").slice(0, 60) || String(pid);
  } catch {
    return String(pid);
  }
}
