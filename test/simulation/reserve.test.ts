import { describe, expect, it } from "vitest";
import { checkTown, convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import { RIG, type TownWorld } from "../../src/simulation/town-world.ts";
import { manifests, world } from "./sample-world.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 3) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

/** The sample with a set-up that takes as long as all the work, and two sandboxes in reserve. */
async function prepared(seed: number, failures = 0): Promise<TownWorld> {
  const files = {
    ...manifests(1),
    "rig.yaml": `apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: { name: api }\nspec:\n  path: ${RIG}\n  setup: { command: set-up, reserve: 2, inputs: [deps.lock] }\n  merge: { gates: [{ name: test, command: check }] }\n`,
  };
  return world(seed, files, {
    project: { "README.md": "project\n", ".gitignore": "/made\n", "deps.lock": "1\n" },
    setUp: (random) => (random.float() < failures ? 1 : 0),
  });
}

const taken = (town: TownWorld): number =>
  town.controller.store.list("Event").filter((event) => "reason" in event && event.reason === "ReserveTaken").length;

const ready = (town: TownWorld): unknown =>
  (town.controller.store.get({ kind: "Rig", name: "api" })?.status as { reserve?: number } | undefined)?.reserve;

describe("sandboxes in reserve, simulated", () => {
  it("given a slow set-up, when work comes and goes, then agents take what is ready, and it is made up", async () => {
    const town = await prepared(1);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 1_800_000);
    await checkTown(town);
    expect(taken(town)).toBeGreaterThan(0);
    expect(town.unprepared).toEqual([]);
    await town.clock.runUntil(() => ready(town) === 2, 600_000);
    const { store } = town.controller;
    await town.clock.advance(120_000);
    const before = Number(store.currentVersion());
    await town.clock.advance(3_600_000);
    expect(Number(store.currentVersion()) - before).toBeLessThan(200);
  });

  it.each(
    SEEDS,
  )("given seed %i and set-ups that fail, when everything is killed again and again, then no session starts where none had ended, and all ends right", async (seed) => {
    const town = await prepared(seed, 0.2);
    await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 120_000, limitMs: 7_200_000 });
    await checkTown(town);
    expect(town.unprepared).toEqual([]);
    await town.clock.runUntil(() => ready(town) === 2, 3_600_000);
  });
});
