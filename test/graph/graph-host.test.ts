import { describe, expect, test } from "vitest";
import { DormantBead } from "../../src/domain/work-graph/index/dormant-bead.ts";
import { TownGraphs } from "../../src/graph/graph-host.ts";
import { silentLog } from "../../src/ports/log.ts";
import { alice, graphWorld } from "./graph-world.ts";

describe("the stores of a town", () => {
  test("given a store with closed beads, when it was opened and shown, then these sleep again and are as they were shown", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    await graph.transact(alice, (tx) => {
      for (let i = 0; i < 40; i++) tx.create({ id: `api-${i}`, title: `bead ${i}` });
      for (let i = 0; i < 30; i++) tx.close(`api-${i}`, { reason: "done" });
    });
    await graph.close();
    // What was still in the log becomes part of the cache.
    await (await world.open()).graph.close();
    const { clock, random } = world;
    const shown: unknown[] = [];
    const graphs = new TownGraphs({
      files: world.disk.mount(),
      clock,
      random,
      processes: world.machine.life().processes,
      log: silentLog,
      project: (opened) => {
        shown.push(...opened.list());
        return Promise.resolve({ refresh: () => {}, settled: () => Promise.resolve(), end: () => Promise.resolve() });
      },
    });
    const opened = await graphs.open("api", await world.repository(), { prefix: "api", branch: "town/work" });
    expect(shown).toHaveLength(40);
    const asleep = opened.sketches().filter((bead) => bead instanceof DormantBead);
    expect(asleep.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => "closed"));
    expect(opened.list()).toEqual(shown);
    await graphs.closeAll();
  });
});
