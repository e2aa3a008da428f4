import type { ObservedSession } from "../../src/ports/sessions.ts";
import { conditionOf } from "../../src/resource/condition.ts";
import { describe, expect, it } from "vitest";
import { checkGraphsWhole, LOSSES } from "../../src/simulation/lost-objects.ts";
import type { SimulatedFault } from "../../src/simulation/message-chaos.ts";
import { checkTown, convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import type { TownWorld } from "../../src/simulation/town-world.ts";
import { crewPool, world } from "./sample-world.ts";

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

  it.each(
    SEEDS.slice(0, 4),
  )("given seed %i and a git that loses objects of the work graphs, when everything is killed as well, then nothing is missing in the end", async (seed) => {
    const town = await world(seed);
    let losses = 0;
    const counted = LOSSES.map(
      (loss): SimulatedFault =>
        async (...of) => {
          const what = await loss(...of);
          losses += what === undefined ? 0 : 1;
          return what;
        },
    );
    const more = [...counted, ...counted, ...counted];
    const until = (world: TownWorld): boolean => convoyClosed(world) && losses > 0;
    await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 120_000, limitMs: 3_600_000, more, until });
    await checkGraphsWhole(town);
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

  it("given six sessions that a lying probe leaves out, when time goes by, then nothing is touched, the town says Frozen, and it thaws by itself", async () => {
    const town = await world(4);
    await town.start();
    await town.commit({ "crew.yaml": crewPool(6) });
    await town.clock.advance(20_000);
    const runtime = (): unknown =>
      (town.controller.store.get({ kind: "Town", name: "hq" })?.status as { runtime?: string } | undefined)?.runtime;
    const crew = async (): Promise<readonly ObservedSession[]> =>
      (await town.sessions.observe()).sessions.filter((session) => session.role === "crew");
    const before = await crew();
    const { launches } = town.sessions;
    expect(before).toHaveLength(6);
    for (const { name } of before) town.sessions.setHidden(name, true);
    await town.clock.advance(8_000);
    expect(runtime()).toBe("Frozen");
    expect(town.sessions.launches).toBe(launches);
    for (const { name } of before) town.sessions.setHidden(name, false);
    await town.clock.advance(12_000);
    expect(runtime()).toBe("Answering");
    expect(town.sessions.launches).toBe(launches);
    expect((await crew()).map(({ name, generation, state }) => `${name} ${generation} ${state}`)).toEqual(
      before.map(({ name, generation }) => `${name} ${generation} Running`),
    );
    for (const agent of town.controller.store.list("Agent"))
      if (agent.spec["role"] === "crew")
        expect(conditionOf(agent, "Ready")).toMatchObject({ status: "True", reason: "Idle" });
  });

  it.each(
    SEEDS.slice(0, 4),
  )("given seed %i and contexts that fill up, when everything is killed as well, then it still ends right", async (seed) => {
    const town = await world(seed, undefined, { fullContexts: 6 });
    await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 120_000, limitMs: 3_600_000 });
    await checkTown(town);
  });

  it("given agents whose context fills up, when they hand off, then the next goes on, nothing counts as a failure, and all ends right", async () => {
    let handoffs = 0;
    for (const seed of [11, 12, 13]) {
      const town = await world(seed, undefined, { fullContexts: 8 });
      await town.start();
      await town.clock.runUntil(() => convoyClosed(town), 600_000);
      await checkTown(town);
      handoffs += town.handoffs;
      const ended = town.controller.store
        .list("Event")
        .filter((event) => "reason" in event && event.reason === "SessionHandedOff");
      expect(ended.length).toBe(town.handoffs);
      for (const agent of town.controller.store.list("Agent"))
        expect([agent.status?.["failures"], agent.status?.["kills"]]).toEqual([0, 0]);
    }
    expect(handoffs).toBeGreaterThan(2);
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
