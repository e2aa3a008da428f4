import { describe, expect, it } from "vitest";
import { FIRST_POOLS, runSyncChaos } from "../../src/simulation/sync-chaos.ts";
import { SyncWorld } from "../../src/simulation/sync-world.ts";
import { virtualClock } from "../turn.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 10) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

describe("two towns on one remote with a further Source", () => {
  it.each(
    SEEDS,
  )("given seed %i, when remotes vanish, histories are rewritten and controllers die, then no acknowledged write is lost, nothing is pruned for being out of reach, and both end right", async (seed) => {
    const world = await SyncWorld.make({ seed, clock: virtualClock(1_900_000_000_000) }, FIRST_POOLS);
    const { acknowledged, faults } = await runSyncChaos(world, 60);
    expect(acknowledged, faults.join("; ")).toBeGreaterThan(0);
  });
});
