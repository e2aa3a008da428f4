import type { Clock } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Git } from "./git.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Events, Objects } from "./objects.ts";
import type { Processes } from "./processes.ts";
import type { Random } from "./random.ts";
import type { Sessions } from "./sessions.ts";
import type { WorkGraphs } from "./work-graph.ts";

/** Everything a loop may reach. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly git: Git;
  readonly processes: Processes;
  readonly sessions: Sessions;
  readonly graphs: WorkGraphs;
  readonly objects: Objects;
  readonly events: Events;
  readonly log: Log;
  readonly metrics: Metrics;
}
