import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkTown, convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import { RIG, TownWorld } from "../../src/simulation/town-world.ts";
import { virtualClock } from "../turn.ts";

function builtin(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../manifests/builtin/${path}`, import.meta.url)), "utf8");
}

const BUILTINS = {
  "polecat.yaml": builtin("roles/polecat.yaml"),
  "crew.yaml": builtin("roles/crew.yaml"),
  "shell.yaml": `${builtin("providers/shell.yaml").trimEnd()}\n  usage: { format: Codex }\n`,
};

export function manifests(crew: number): Record<string, string> {
  return {
    "rig.yaml": `apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: { name: api }\nspec:\n  path: ${RIG}\n  merge: { gates: [{ name: test, command: check }] }\n`,
    "polecats.yaml":
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: polecats, namespace: api }\nspec: { role: polecat, provider: shell, replicas: 3 }\n",
    "crew.yaml": crewPool(crew),
    "convoy.yaml": `apiVersion: town.dev/v1alpha1
kind: Convoy
metadata: { name: work, namespace: hq }
spec:
  owner: owner@example.org
  items:
    - { name: one, rig: api, title: One, description: "write one.txt 1" }
    - { name: two, rig: api, title: Two, description: "first: write two.txt BAD\\nwrite two-b.txt 2" }
    - { name: three, rig: api, title: Three, description: "write three.txt 3" }
    - { name: four, rig: api, title: Four, description: "write one.txt 4", dependsOn: [one] }
    - { name: five, rig: api, title: Five, description: "write five.txt 5", dependsOn: [two, four] }
`,
  };
}

export function crewPool(replicas: number): string {
  return `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: crew, namespace: api }\nspec: { role: crew, provider: shell, replicas: ${replicas} }\n`;
}

export async function world(seed: number | string): Promise<TownWorld> {
  return TownWorld.make({
    seed,
    clock: virtualClock(),
    manifests: manifests(1),
    project: { "README.md": "project\n" },
    builtins: BUILTINS,
    gate: async (read) => ((await read("two.txt")) ?? "").trim() !== "BAD",
  });
}

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 12) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

describe("the simulated town", () => {
  it("given a convoy, when nothing goes wrong, then it closes and everything holds", async () => {
    const town = await world(1);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 600_000);
    await checkTown(town);
  });

  it.each(SEEDS)("given seed %i, when everything is killed again and again, then it still ends right", async (seed) => {
    const town = await world(seed);
    await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 120_000, limitMs: 3_600_000 });
    await checkTown(town);
  });

  it("given a settled town, when time goes by, then nothing is done", async () => {
    const town = await world(2);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 600_000);
    await town.clock.advance(60_000);
    const version = town.controller.store.currentVersion();
    const worked = town.worked.length;
    await town.clock.advance(3_600_000);
    expect(town.worked.length).toBe(worked);
    expect(Number(town.controller.store.currentVersion()) - Number(version)).toBeLessThan(200);
  });

  it("given a persistent pool, when replicas change in a commit, then sessions follow", async () => {
    const town = await world(3);
    await town.start();
    const crew = async (): Promise<number> =>
      (await town.sessions.observe()).sessions.filter(
        (session) => session.role === "crew" && session.state === "Running",
      ).length;
    await town.clock.advance(5_000);
    expect(await crew()).toBe(1);
    await town.commit({ "crew.yaml": crewPool(4) });
    await town.clock.advance(5_000);
    expect(await crew()).toBe(4);
    await town.commit({ "crew.yaml": crewPool(2) });
    await town.clock.advance(10_000);
    expect(await crew()).toBe(2);
    await town.commit({ "crew.yaml": undefined });
    await town.clock.advance(20_000);
    expect(await crew()).toBe(0);
  });
});
