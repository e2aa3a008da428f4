import { describe, expect, it } from "vitest";
import { runRigRemoval } from "../../src/simulation/rig-removal.ts";
import { checkTown } from "../../src/simulation/town-chaos.ts";
import { manifests, world } from "./sample-world.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 6) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

const all = manifests(1);
const files = Object.fromEntries(["rig.yaml", "polecats.yaml", "crew.yaml"].map((path) => [path, all[path] ?? ""]));

describe("a rig that is removed while agents work in it", () => {
  it("given no faults, when removed and declared again, then nothing is lost and its work ends", async () => {
    const town = await world(1);
    await runRigRemoval(town, { workedMs: 20_000, heldMs: 60_000, faultsMs: 0, regrets: false, files });
    await checkTown(town);
  });

  it.each(SEEDS)("given seed %i and everything killed meanwhile, then nothing is lost either", async (seed) => {
    const town = await world(`removal ${seed}`);
    const random = town.random.fork("removal");
    const workedMs = 2_000 + random.below(20_000);
    const heldMs = random.below(3_000);
    const regrets = random.chance(0.4);
    const { faults } = await runRigRemoval(town, { workedMs, heldMs, faultsMs: 30_000, regrets, files });
    expect(faults.length).toBeGreaterThan(3);
    await checkTown(town);
  });
});
