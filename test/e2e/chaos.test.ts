import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { ChaosTown, type ChaosTownOptions } from "../chaos/chaos-town.ts";
import { FAULTS, panesOf } from "../chaos/faults.ts";
import { runChaos } from "../chaos/run-chaos.ts";
import { sessionsOf, SessionWitness } from "../chaos/session-witness.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { hasTmux } from "./town-process.ts";

// Short forms of `npm run chaos`, which does the same for as long as one likes.
describe.skipIf(!hasTmux() || process.platform !== "linux")("a town that is hurt", () => {
  let town: ChaosTown;
  const make = (options: Partial<ChaosTownOptions>): void => {
    town = new ChaosTown({ agents: 3, crew: 2, beads: 6, runtime: "Tmux", ...options });
  };
  afterEach(() => town.end());

  it("given a controller killed eight times under load, when it is left alone, then no session was lost or doubled and every bead ended once", async () => {
    make({ crew: 3 });
    const report = await runChaos(town, {
      seed: 3,
      weights: { controller: 1 },
      faults: 8,
      meanGapMs: 1_000,
      limitMs: 300_000,
    });
    expect(report.wrong).toEqual([]);
    expect(report.controllerStarts).toBeGreaterThan(8);
  });

  it("given everything killed at random, when it is left alone, then every bead ended once with its commits and authors", async () => {
    make({});
    const report = await runChaos(town, {
      seed: 5,
      weights: { controller: 1, session: 1, program: 1, process: 2, server: 1, journal: 1 },
      faults: 10,
      meanGapMs: 1_000,
      limitMs: 300_000,
    });
    expect(report.wrong).toEqual([]);
  });

  it("given 20 agents, when the tmux server is killed under them, then all come back by themselves, each once", async () => {
    make({ crew: 20, beads: 0, provider: "idle" });
    const { process: hurt } = town;
    const witness = new SessionWitness(hurt.tmuxLabel, 100);
    const generations = (): readonly number[] => sessionsOf(hurt.tmuxLabel).map(({ generation }) => generation);
    try {
      town.startController();
      await hurt.until("20 run", () => generations().length === 20);
      expect(await FAULTS["server"]?.(town, seededRandom(1))).toBeDefined();
      await hurt.until("20 of the second generation run", () =>
        [20].includes(generations().filter((generation) => generation === 2).length),
      );
      await hurt.until("their panes are there", () => panesOf(town).length === 20);
      expect(generations()).toHaveLength(20);
      expect(witness.doubled).toEqual([]);
      expect(hurt.object("town", undefined, "hq")?.status).toMatchObject({ runtime: "Answering", sessions: 20 });
    } finally {
      witness.end();
    }
  });

  it("given a list that leaves out every session, and a server that says nothing, when time goes by, then nothing is touched and the town says so", async () => {
    make({ crew: 6, beads: 0, provider: "idle" });
    const { process: hurt } = town;
    const living = (): string =>
      sessionsOf(hurt.tmuxLabel)
        .map(({ name, generation, pids }) => `${name}.${generation}:${Math.min(...pids)}`)
        .toSorted()
        .join(" ");
    const runtime = (): unknown => hurt.object("town", undefined, "hq")?.status?.["runtime"];
    town.startController();
    await hurt.until("six run", () => panesOf(town).length === 6);
    await hurt.until("they are seen", () => hurt.object("town", undefined, "hq")?.status?.["sessions"] === 6);
    const before = living();
    const names = panesOf(town).map(({ name }) => name);
    for (const name of names) town.tmux("set-option", "-pu", "-t", `=${name}:`, "@town_name");
    await sleep(6_000);
    expect(living()).toBe(before);
    for (const name of names) town.tmux("set-option", "-p", "-t", `=${name}:`, "@town_name", name);
    const server = Number(town.tmux("display-message", "-p", "#{pid}").trim());
    process.kill(server, "SIGSTOP");
    try {
      await hurt.until("the silence is shown", () => runtime() === "NotAnswering");
      expect(hurt.run("status").stdout).toContain("runtime NotAnswering");
    } finally {
      process.kill(server, "SIGCONT");
    }
    await hurt.until("it answers again", () => runtime() === "Answering");
    expect(living()).toBe(before);
  });
});
