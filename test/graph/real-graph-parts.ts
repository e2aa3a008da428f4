import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { openGraph, type OpenGraphOptions } from "../../src/graph/open-graph.ts";
import type { Repository } from "../../src/ports/git.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { GraphParts } from "./stores.ts";

/** What a store asks of the machine it is on, as a process of its own has it. */
export function realGraphParts(): GraphParts {
  return { files: createNodeFiles(), clock: systemClock, random: nodeRandom, processes: createNodeProcesses() };
}

/** Opens the store of a repository on disk, in namespace and with prefix `api`, silent. */
export function openRealGraph(repository: Repository, options: Partial<OpenGraphOptions> = {}): Promise<GitGraph> {
  return openGraph({ ...realGraphParts(), repository, log: silentLog, namespace: "api", prefix: "api", ...options });
}
