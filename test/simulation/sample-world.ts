import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RIG, TownWorld, type TownWorldOptions } from "../../src/simulation/town-world.ts";
import { virtualClock } from "../turn.ts";

function builtin(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../manifests/builtin/${path}`, import.meta.url)), "utf8");
}

export const BUILTINS = {
  "polecat.yaml": builtin("roles/polecat.yaml"),
  "crew.yaml": builtin("roles/crew.yaml"),
  "shell.yaml": `${builtin("providers/shell.yaml").trimEnd()}\n  usage: { format: Codex }\n  patterns: { rateLimited: "You've hit your usage limit" }\n`,
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

export async function world(
  seed: number | string,
  files = manifests(1),
  more: Partial<TownWorldOptions> = {},
): Promise<TownWorld> {
  return TownWorld.make({
    seed,
    clock: virtualClock(),
    manifests: files,
    project: { "README.md": "project\n" },
    builtins: BUILTINS,
    gate: async (read) => ((await read("two.txt")) ?? "").trim() !== "BAD",
    ...more,
  });
}
