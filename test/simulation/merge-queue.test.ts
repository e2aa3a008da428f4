import { describe, expect, it } from "vitest";
import { conditionOf } from "../../src/resource/condition.ts";
import { BREAKS, checkQueueAtRest, PUSHES } from "../../src/simulation/queue-chaos.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { checkTown, convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import type { TownWorld, TownWorldOptions } from "../../src/simulation/town-world.ts";
import { BUILTINS, world } from "./sample-world.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 4) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);
const MINUTE_MS = 60_000;

/** What an item's agent writes; `first`: in its first attempt only. */
type Item = { readonly text: string; readonly first?: string };

function convoyOf(items: readonly Item[], merge = ""): Record<string, string> {
  const lines = items.map(({ text, first }, index) => {
    const path = `file-${index}.txt`;
    const writes =
      first === undefined ? `write ${path} ${text}` : `first: write ${path} ${first}\\nwrite extra-${index}.txt x`;
    return `    - { name: i${index}, rig: api, title: Item ${index}, description: "${writes}" }`;
  });
  return {
    "rig.yaml": `apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: { name: api }\nspec:\n  path: /project\n  merge: { maxAttempts: 20, ${merge}gates: [{ name: test, command: check }] }\n`,
    "polecats.yaml":
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: polecats, namespace: api }\nspec: { role: polecat, provider: shell, replicas: 12 }\n",
    "convoy.yaml": `apiVersion: town.dev/v1alpha1\nkind: Convoy\nmetadata: { name: work, namespace: hq }\nspec:\n  owner: owner@example.org\n  items:\n${lines.join("\n")}\n`,
  };
}

const ITEMS: readonly Item[] = Array.from({ length: 12 }, (_, index) => ({
  text: String(index),
  ...(index === 2 || index === 7 ? { first: "BAD" } : {}),
  ...(index === 4 || index === 9 ? { first: "HALF" } : {}),
}));

/** Red with BAD anywhere, with both halves of what goes together badly, and on a broken target. */
const gate: TownWorldOptions["gate"] = async (read) => {
  const texts = await Promise.all(ITEMS.map(async (_, index) => ((await read(`file-${index}.txt`)) ?? "").trim()));
  const halves = texts.filter((text) => text === "HALF").length;
  return !texts.includes("BAD") && halves < 2 && (await read(BREAKS)) === undefined;
};

function queueWorld(seed: number, more: Partial<TownWorldOptions> = {}, merge = ""): Promise<TownWorld> {
  return world(seed, convoyOf(ITEMS, merge), { builtins: BUILTINS, gate, gateMs: 20_000, ...more });
}

function mergedRounds(town: TownWorld): number {
  return town.git.reflog("/project", "refs/heads/main").length - 1;
}

describe("the simulated merge queue", () => {
  it("given twelve requests with culprits among them, when nothing else goes wrong, then batches land, culprits go back once, and it takes fewer runs than one each", async () => {
    const town = await queueWorld(1);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 60 * MINUTE_MS);
    await checkTown(town);
    await checkQueueAtRest(town);
    expect(mergedRounds(town)).toBeLessThan(ITEMS.length);
    const rejected = town.controller.ports.graphs
      .graph("api")
      ?.list({ type: ["merge-request"] })
      .filter(({ close_reason }) => String(close_reason).startsWith("Rejected"));
    expect(rejected?.length).toBe(3);
    const serial = await queueWorld(1, {}, "maxBatch: 1, ");
    await serial.start();
    await serial.clock.runUntil(() => convoyClosed(serial), 60 * MINUTE_MS);
    await checkTown(serial);
    expect(mergedRounds(serial)).toBe(ITEMS.length);
    expect(town.gateRuns).toBeLessThan(serial.gateRuns);
  });

  it.each(
    SEEDS,
  )("given seed %i, when the controller dies anywhere, the target moves and breaks, and the gate is flaky, then all is merged by tested trees", async (seed) => {
    const flaky = seededRandom(`flaky ${seed}`);
    const town = await queueWorld(seed, {
      gate: async (read) => flaky.float() > 0.1 && (await gate(read)),
      gateMs: 5_000,
    });
    await runChaos(town, { meanGapMs: 3_000, faultsUntilMs: 240_000, limitMs: 6 * 3_600_000, more: PUSHES });
    await checkTown(town);
    await checkQueueAtRest(town);
  });

  it("given a target that a person broke, when work comes, then nobody is blamed, the rig says so, and it goes on once it is mended", async () => {
    const town = await queueWorld(3);
    await town.start();
    await town.push({ [BREAKS]: "yes\n" });
    const broken = () => {
      const rig = town.controller.store.get({ kind: "Rig", name: "api" });
      return rig === undefined ? undefined : conditionOf(rig, "TargetBroken");
    };
    await town.clock.runUntil(() => broken()?.status === "True", 30 * MINUTE_MS);
    await town.clock.advance(20 * MINUTE_MS);
    expect(broken()?.message).toContain("fails gate test without any change");
    const requests = town.controller.store.list("MergeRequest");
    expect(requests.filter(({ status }) => status?.["state"] === "Rejected")).toEqual([]);
    expect(requests.map(({ status }) => status?.["state"])).toContain("Waiting");
    const runs = town.gateRuns;
    await town.clock.advance(30 * MINUTE_MS);
    expect(town.gateRuns - runs).toBeLessThanOrEqual(4);
    await town.push({ [BREAKS]: undefined });
    await town.clock.runUntil(() => convoyClosed(town), 120 * MINUTE_MS);
    await checkTown(town);
    await checkQueueAtRest(town);
    expect(broken()).toBeUndefined();
  });

  it("given a settled queue, when time goes by, then no gate runs and nothing is recorded", async () => {
    const town = await queueWorld(4);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 60 * MINUTE_MS);
    await town.clock.advance(MINUTE_MS);
    const runs = town.gateRuns;
    const version = Number(town.controller.store.currentVersion());
    await town.clock.advance(60 * MINUTE_MS);
    expect(town.gateRuns).toBe(runs);
    expect(Number(town.controller.store.currentVersion()) - version).toBeLessThan(200);
  });
});
