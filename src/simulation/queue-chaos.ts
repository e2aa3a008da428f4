import { readQueue, runningGate } from "../work/merge-queue.ts";
import { broken } from "./invariant.ts";
import type { SimulatedFault } from "./message-chaos.ts";
import type { TownWorld } from "./town-world.ts";

/** File that makes every tree it is in fail the gates of `queueGate`. */
export const BREAKS = "broken.txt";

/** People commit to the target meanwhile: something harmless, or what breaks it, mended some minutes later. */
export const PUSHES: readonly SimulatedFault[] = [
  async (town, random) => {
    await town.push({ [`by-hand-${random.below(5)}.txt`]: `${random.below(1_000)}\n` });
    return "a person pushed";
  },
  async (town, random) => {
    await town.push({ [BREAKS]: "yes\n" });
    await town.clock.advance(30_000 + random.below(600_000));
    await town.push({ [BREAKS]: undefined });
    return "a person broke the target for a while";
  },
];

/**
 * Once everything ended: no request is open, no batch or gate is recorded as under way, and nothing that was built is
 * kept. Throws TownError `Invariant`.
 */
export async function checkQueueAtRest(town: TownWorld): Promise<void> {
  const graph = town.controller.ports.graphs.graph("api");
  if (graph === undefined) throw broken("the work graph is not open");
  const open = graph.list({ type: ["merge-request"], status: ["open", "in_progress"] });
  if (open.length > 0) throw broken(`${open.map(({ id }) => id).join(", ")} are still open`);
  if (readQueue(graph).batch !== undefined) throw broken("a batch is left");
  if (runningGate(graph) !== undefined) throw broken("a gate is left");
  const unended = graph
    .list({ type: ["merge-request"] })
    .filter(({ close_reason }) => !/^(Merged|Rejected|Superseded)\b/.test(String(close_reason)));
  if (unended.length > 0) throw broken(`${unended[0]?.id} ended otherwise`);
}
