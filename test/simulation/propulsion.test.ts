import { describe, expect, it } from "vitest";
import { guest, GUESTS } from "../../src/simulation/guests.ts";
import { LIMITS } from "../../src/simulation/limits.ts";
import { LETTERS, unheard } from "../../src/simulation/message-chaos.ts";
import type { SimMisbehaviour } from "../../src/simulation/sim-agent.ts";
import { checkTown, convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import type { TownWorld } from "../../src/simulation/town-world.ts";
import { BUILTINS, manifests, world } from "./sample-world.ts";

/** Roles that are reminded soon and restarted as often as it takes. */
const IMPATIENT = Object.fromEntries(
  Object.entries(BUILTINS).map(([name, text]) => [
    name,
    name === "shell.yaml"
      ? text
      : `${text.trimEnd()}\n  propulsion: { acknowledge: 10s, idle: 20s, busyLimit: 1m, reminders: 2, restarts: 20 }\n`,
  ]),
);
const WRONG: readonly SimMisbehaviour[] = ["Ignore", "Deaf", "SlowStart", "Hang", "Stall"];

async function hostileWorld(seed: number | string): Promise<TownWorld> {
  const town = await world(seed, undefined, {
    builtins: IMPATIENT,
    misbehaviour: (random) => (random.below(2) === 0 ? "None" : (WRONG[random.below(WRONG.length)] ?? "None")),
  });
  town.answersLost = 0.05;
  town.typingLost = 0.2;
  town.hooksKilled = 0.1;
  return town;
}

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 6) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

describe("agents in the simulated town", () => {
  it.each(
    SEEDS,
  )("given seed %i, when agents ignore, stall and hang, probes lie, hooks are killed, and answers and doorbells get lost, then it still ends right", async (seed) => {
    const town = await hostileWorld(`hostile ${seed}`);
    await runChaos(town, {
      meanGapMs: 3_000,
      faultsUntilMs: 240_000,
      limitMs: 9 * 3_600_000,
      more: [...LETTERS, GUESTS, LIMITS],
    });
    await checkTown(town);
    // Who is there all the time hears of everything, if only in its next session.
    town.answersLost = 0;
    town.hooksKilled = 0;
    const crew = new Set(
      town.controller.store.list("Agent", { labels: { "town.dev/role": "crew" } }).map((agent) => agent.metadata.name),
    );
    for (let hours = 0; unheard(town, crew).length > 0 && hours < 12; hours += 1) {
      await town.clock.advance(3_600_000);
    }
    expect(unheard(town, crew)).toEqual([]);
  }, 120_000);

  it.each([
    "Deaf",
    "Stall",
  ] as const)("given agents that go on only when their doorbell rings (%s), when left alone with the usual clocks, then the work ends", async (misbehaviour) => {
    const town = await world(1, undefined, { misbehaviour: () => misbehaviour });
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 2 * 3_600_000);
    await checkTown(town);
    expect(town.sessions.launches).toBeLessThan(10);
  });

  it.each([
    ["", 5],
    [" Try again in 5 hours.", 5],
    [" Try again in 5 hours.", 0.5],
  ])("given all agents at a limit that says '%s' and lasts %i hours, when it is over, then all go on by themselves, and nothing was spent on it", async (time, hours) => {
    const town = await world(1);
    town.limit = { untilMs: town.clock.monotonicMs() + hours * 3_600_000, told: `You've hit your usage limit.${time}` };
    await town.start();
    await town.clock.advance(hours * 3_600_000);
    expect(town.worked).toEqual([]);
    const escalations = (): readonly unknown[] =>
      town.controller.ports.graphs.graph("api")?.list({ type: ["escalation"] }) ?? [];
    expect(escalations()).toEqual([]);
    const provider = { kind: "Provider", name: "shell" } as const;
    // Somebody had it lifted, and says so.
    if (hours < 5) {
      expect(town.controller.store.get(provider)?.status?.["hold"]).toBeDefined();
      const at = new Date(town.clock.now()).toISOString();
      await town.controller.store.annotateRuntime(provider, { "runtime.town.dev/reconcile-requested-at": at });
    }
    await town.clock.runUntil(() => convoyClosed(town), 3_600_000);
    await checkTown(town);
    expect(town.sessions.launches).toBeLessThan(10);
    expect(escalations()).toEqual([]);
    await town.clock.advance(120_000);
    expect(town.controller.store.get(provider)?.status?.["hold"]).toBeUndefined();
  });

  it("given an agent that ignores everything, when all was tried, then a person is asked once, with its last screen", async () => {
    const town = await world(1, undefined, { misbehaviour: () => "Ignore" });
    await town.start();
    await town.clock.advance(3_600_000);
    const stalled = town.controller.store
      .list("Agent", { namespace: "api" })
      .filter((agent) => agent.status?.["state"] === "Stalled");
    const asked = town.controller.ports.graphs.graph("api")?.list({ type: ["escalation"] }) ?? [];
    expect(stalled.length).toBeGreaterThan(0);
    expect(asked.length).toBe(stalled.length);
    expect(new Set(asked.map((record) => record.metadata?.["town.bead"])).size).toBe(asked.length);
    const launches = town.sessions.launches;
    await town.clock.advance(2 * 3_600_000);
    expect(town.sessions.launches).toBe(launches);
  });

  it("given a runtime whose server is killed every few seconds, however its programs end by that, then nobody is taken for a crash loop", async () => {
    const town = await world(1);
    await town.start();
    for (let kills = 0; kills < 30; kills += 1) {
      await town.clock.advance(2_000 + 100 * kills);
      town.sessions.killServer();
    }
    const failures = town.controller.store.list("Agent").map((agent) => agent.status?.["failures"]);
    expect(new Set(failures)).toEqual(new Set([0]));
    await town.clock.runUntil(() => convoyClosed(town), 3_600_000);
    await checkTown(town);
  });

  it.each([
    "Leaves",
    "Vanishes",
  ] as const)("given a person's program that joined, took work and %s, when hours pass, then others end that work, and nothing of it is lost", async (parting) => {
    const files = manifests(1);
    const pool = files["polecats.yaml"]?.replace("replicas: 3", "replicas: 1") ?? "";
    const town = await world(3, { ...files, "polecats.yaml": pool });
    await town.start();
    await town.clock.advance(1_000);
    // Long enough to begin, too short to end it.
    const agent = await guest(town, "pat", 1_500, parting);
    expect(agent).toBe("api/crew/pat");
    const held = (): readonly string[] =>
      (
        town.controller.ports.graphs
          .graph("api")
          ?.list({ assignee: "api/crew/pat", status: ["hooked", "in_progress"] }) ?? []
      ).map(({ id }) => id);
    expect(held()).toHaveLength(1);
    await town.clock.advance(600_000);
    expect(held()).toHaveLength(parting === "Vanishes" ? 1 : 0);
    await town.clock.runUntil(() => convoyClosed(town), 6 * 3_600_000);
    await checkTown(town);
    expect(town.controller.store.get({ kind: "Sandbox", namespace: "api", name: "pat" })).toBeUndefined();
  }, 60_000);
});
