import { describe, expect, it } from "vitest";
import { conditionOf, READY } from "../../src/resource/condition.ts";
import { convoyClosed } from "../../src/simulation/town-chaos.ts";
import type { TownWorld } from "../../src/simulation/town-world.ts";
import { manifests, world } from "./sample-world.ts";

const DAY_MS = 24 * 3_600_000;
const POOL = { kind: "AgentPool", namespace: "api", name: "polecats" };

function reasonOf(town: TownWorld, key: { kind: string; namespace?: string; name: string }): string | undefined {
  const object = town.controller.store.get(key);
  return object === undefined ? undefined : conditionOf(object, READY)?.reason;
}

/** Beads that are not merged yet. */
function open(town: TownWorld): number {
  const graph = town.controller.ports.graphs.graph("api");
  return graph?.list({ type: ["task"], status: ["open", "hooked", "in_progress"] }).length ?? 0;
}

describe("budgets", () => {
  it("given a town's budget for the day, when it is spent, then nothing is claimed until the next day, and it still ends", async () => {
    const town = await world(3, {
      ...manifests(0),
      "town.yaml":
        "apiVersion: town.dev/v1alpha1\nkind: Town\nmetadata: { name: hq }\nspec: { budget: { daily: { tokens: 300 } } }\n",
    });
    await town.start();
    await town.clock.runUntil(() => reasonOf(town, POOL) === "BudgetSpent", 600_000);
    await town.clock.advance(120_000);
    const worked = town.worked.length;
    expect(open(town)).toBeGreaterThan(0);
    await town.clock.advance(1_800_000);
    expect(town.worked).toHaveLength(worked);
    for (let day = 0; day < 10 && !convoyClosed(town); day += 1) {
      town.clock.jumpWall(DAY_MS);
      await town.clock.advance(180_000);
    }
    expect(convoyClosed(town)).toBe(true);
    expect(town.worked.length).toBeGreaterThan(worked);
  });

  it("given a convoy's budget, when it is spent, then it starts no further items and says what to change", async () => {
    const all = manifests(0);
    const town = await world(4, {
      ...all,
      "convoy.yaml": (all["convoy.yaml"] ?? "").replace("  items:", "  budget: { total: { tokens: 300 } }\n  items:"),
    });
    await town.start();
    const convoy = { kind: "Convoy", namespace: "hq", name: "work" };
    await town.clock.runUntil(() => reasonOf(town, convoy) === "BudgetSpent", 600_000);
    await town.clock.advance(120_000);
    const worked = town.worked.length;
    await town.clock.advance(1_800_000);
    expect([town.worked.length, open(town) > 0]).toEqual([worked, true]);
    expect(town.controller.store.get(convoy)?.status).toMatchObject({
      conditions: expect.arrayContaining([
        expect.objectContaining({ message: expect.stringContaining("spec.budget.total") as string }),
      ]) as unknown,
    });
  });
});
