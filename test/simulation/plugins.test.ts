import { describe, expect, it } from "vitest";
import type { ProcessIdentity } from "../../src/ports/processes.ts";
import { runsOf } from "../../src/work/plugin-run.ts";
import { checkTown, runChaos } from "../../src/simulation/town-chaos.ts";
import { manifests, world } from "./sample-world.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 4) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

describe("plugins of the simulated town", () => {
  it.each(
    SEEDS,
  )("given seed %i, when everything is killed again and again, then no plugin runs beside itself, and what was interrupted is repeated", async (seed) => {
    const plugin = (name: string, spec: string) =>
      `apiVersion: town.dev/v1alpha1\nkind: Plugin\nmetadata: { name: ${name}, namespace: api }\nspec: ${spec}\n`;
    const town = await world(seed, {
      ...manifests(1),
      "errand.yaml": plugin("errand", "{ gate: { cooldown: 20s }, run: { exec: [errand] } }"),
      "ask.yaml": plugin(
        "ask",
        '{ gate: { cooldown: 30s }, run: { prompt: "write ask.txt 1" }, role: crew, timeout: 10m }',
      ),
    });
    const started: ProcessIdentity[] = [];
    const beside: string[] = [];
    town.machine.install("errand", async (run) => {
      const others = town.machine.running.filter(({ pid }) => started.some((former) => former.pid === pid));
      if (others.length > 0) beside.push(`${run.identity.pid} beside ${others.map(({ pid }) => pid).join(", ")}`);
      started.push(run.identity);
      await run.clock.sleep(4_000);
      run.print("done\n");
      return 0;
    });
    await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 120_000, limitMs: 3_600_000 });
    await checkTown(town);
    await town.clock.advance(400_000);
    const graph = town.controller.ports.graphs.graph("api");
    if (graph === undefined) throw new Error("the work graph is not open");
    const errands = runsOf(graph, "api/errand");
    const asked = runsOf(graph, "api/ask");
    expect(beside).toEqual([]);
    for (const runs of [errands, asked]) {
      expect(runs.length).toBeGreaterThan(1);
      expect(runs.filter(({ isOpen }) => isOpen).length).toBeLessThan(2);
      expect(new Set(runs.map(({ fact }) => `${fact.slot} ${fact.attempt}`)).size).toBe(runs.length);
      expect(runs.filter(({ isOpen }) => !isOpen)[0]?.fact.result).toBe("Succeeded");
    }
    expect(started.length).toBeGreaterThanOrEqual(errands.filter(({ fact }) => fact.result === "Succeeded").length);
  });
});
