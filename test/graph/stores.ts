import { TownGraphs } from "../../src/graph/graph-host.ts";
import type { Files } from "../../src/ports/files.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Processes } from "../../src/ports/processes.ts";
import type { GraphWorld } from "./graph-world.ts";

/** The stores of a town on this machine, shown to nobody. */
export function storesOf(world: GraphWorld): {
  readonly files: Files;
  readonly processes: Processes;
  readonly graphs: TownGraphs;
} {
  const { clock, random } = world;
  const files = world.disk.mount();
  const { processes } = world.machine.life();
  const graphs = new TownGraphs({
    files,
    clock,
    random,
    processes,
    log: silentLog,
    project: () => Promise.resolve({ settled: () => Promise.resolve(), end: () => Promise.resolve() }),
  });
  return { files, processes, graphs };
}
