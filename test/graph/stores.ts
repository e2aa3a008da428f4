import { TownGraphs } from "../../src/graph/graph-host.ts";
import type { OpenGraphOptions } from "../../src/graph/open-graph.ts";
import type { Files } from "../../src/ports/files.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Processes } from "../../src/ports/processes.ts";
import type { GraphWorld } from "./graph-world.ts";

/** What stores ask of the machine they are on. */
export type GraphParts = Pick<OpenGraphOptions, "files" | "clock" | "random" | "processes">;

/** The stores of a town on this machine, shown to nobody. */
export function storesOf(world: GraphWorld): {
  readonly files: Files;
  readonly processes: Processes;
  readonly graphs: TownGraphs;
} {
  const { clock, random } = world;
  const files = world.disk.mount();
  const { processes } = world.machine.life();
  return { files, processes, graphs: unshownGraphs({ files, clock, random, processes }) };
}

/** The stores of a town that shows them to nobody. */
export function unshownGraphs(parts: GraphParts): TownGraphs {
  return new TownGraphs({
    ...parts,
    log: silentLog,
    project: () =>
      Promise.resolve({ refresh: () => undefined, settled: () => Promise.resolve(), end: () => Promise.resolve() }),
  });
}
