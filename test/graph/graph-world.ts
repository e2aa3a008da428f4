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
    const graph = await openGraph({
      repository: await repository(path),
      files,
      clock,
      random,
      processes: life.processes,
      log: silentLog,
      namespace: "api",
      prefix: "api",
      ...options,
    });
    return { graph, files, kill: () => life.endLife() };
  };
  return { clock, disk, git, machine, random, open, repository };
}

export const alice = { actor: "alice" } as const;
export const bob = { actor: "bob" } as const;
