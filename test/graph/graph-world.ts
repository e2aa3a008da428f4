import { silentLog } from "../../src/ports/log.ts";
import type { Files } from "../../src/ports/files.ts";
import type { Repository } from "../../src/ports/git.ts";
import { openGraph, type OpenGraphOptions } from "../../src/graph/open-graph.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { MemoryMachine } from "../../src/simulation/memory-processes.ts";
import { seededRandom, type SeededRandom } from "../../src/simulation/seeded-random.ts";
import type { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { virtualClock } from "../turn.ts";

/** One simulated machine with a clock, a disk, processes and git. */
export interface GraphWorld {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly git: MemoryGit;
  readonly machine: MemoryMachine;
  readonly random: SeededRandom;
  /** Opens the store of a repository as a process of its own. */
  open(path?: string, options?: Partial<OpenGraphOptions>): Promise<OpenedGraph>;
  repository(path?: string): Promise<Repository>;
}

export interface OpenedGraph {
  readonly graph: GitGraph;
  readonly files: Files;
  /** kill -9 of the process that has it open. */
  kill(this: void): void;
}

export async function graphWorld(seed: number | string = 1): Promise<GraphWorld> {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock });
  const git = new MemoryGit({ clock, files: disk.mount() });
  const machine = new MemoryMachine({ clock });
  const random = seededRandom(seed);
  const repository = async (path = "/repo"): Promise<Repository> => {
    await disk.mount().makeDirectory(path);
    return git.init(path, { bare: true, branch: "main" });
  };
  const open = async (path?: string, options: Partial<OpenGraphOptions> = {}): Promise<OpenedGraph> => {
    const life = machine.life();
    const files = options.files ?? disk.mount();
    let alive = true;
    const graph = await openGraph({
      repository: mortal(await repository(path), () => alive),
      files: mortal(files, () => alive),
      clock,
      random,
      processes: life.processes,
      log: silentLog,
      namespace: "api",
      prefix: "api",
      ...options,
    });
    const kill = (): void => {
      alive = false;
      life.endLife();
    };
    return { graph, files, kill };
  };
  return { clock, disk, git, machine, random, open, repository };
}

/** A port of a process: once it is dead, calls neither begin nor answer. */
export function mortal<T extends object>(port: T, alive: () => boolean): T {
  const never = new Promise<never>(() => undefined);
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (value !== null && typeof value === "object") return mortal(value, alive);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (!alive()) return never;
        const answer: unknown = (value as (...all: unknown[]) => unknown).apply(target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.then(
          (result: unknown) => (alive() ? result : never),
          (error: unknown) => (alive() ? Promise.reject(error as Error) : never),
        );
      };
    },
  });
}

export const alice = { actor: "alice" } as const;
export const bob = { actor: "bob" } as const;
