import { describe, expect, test } from "vitest";
import { ApiStatusError, TerminalError, TownError, WaitingError } from "../../src/errors/town-error.ts";
import { conditionOf } from "../../src/resource/condition.ts";
import type { PlannedEvent } from "../../src/resource/controller.ts";
import type { TownObject } from "../../src/resource/object-meta.ts";
import { failing } from "../../src/simulation/faults.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { checkStatus } from "../status-checker.ts";
import { turn } from "../turn.ts";
import {
  type GadgetController,
  gadgetKey,
  gadgets,
  gadgetTown,
  type GadgetTown,
  type MemoryWorkshop,
  planGadget,
  toolKey,
  writesOf,
} from "./gadget-town.ts";
import { fc, fuzzRuns } from "../property.ts";

const ready = (town: GadgetTown, name = "g") => {
  checkStatus(town.gadget(name));
  const condition = conditionOf(town.gadget(name)!, "Ready");
  return `${condition?.status} ${condition?.reason}`;
};

/** The gadgets loop with another observe: throws `error` while it returns one. */
function troubled(error: () => unknown, resyncMs = gadgets.resyncMs): GadgetController {
  return {
    ...gadgets,
    resyncMs,
    async observe(gadget, ports) {
      const thrown = error();
      if (thrown !== undefined) throw thrown;
      return gadgets.observe(gadget, ports);
    },
  };
}

describe("createEngine", () => {
  test("given a new object, when the engine runs, then the world is made so, status says so, and the finalizer came first", async () => {
    const town = await gadgetTown();
    const holders: boolean[] = [];
    const engine = town.engine([
      {
        ...gadgets,
        async execute(action, gadget, ports) {
          holders.push(
            gadget.metadata.finalizers?.includes("test.dev/parts") === true,
            town.gadget("g")?.metadata.finalizers?.includes("test.dev/parts") === true,
          );
          await gadgets.execute(action, gadget, ports);
        },
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 3);
    await engine.whenIdle();
    expect(await town.workshop.parts("g")).toEqual([0, 1, 2]);
    expect(holders).toEqual([true, true, true, true, true, true]);
    expect(ready(town)).toBe("True Reconciled");
    expect(town.gadget("g")?.status).toMatchObject({ parts: 3, observedGeneration: 1 });
    await engine.stop();
  });

  test("given a settled object, when reconciled again, then nothing is written, done, recorded or said", async () => {
    const town = await gadgetTown();
    const counted = writesOf(town.store);
    const lines: string[] = [];
    const say = (_fields: unknown, message: string) => void lines.push(message);
    const log = { debug: () => undefined, info: say, warn: say, error: say, child: () => log };
    const engine = town.engine([gadgets], { ports: { ...town.ports, objects: counted.objects, log } });
    engine.start();
    await town.declare("g", 2);
    await engine.whenIdle();
    const [version, writes, world, said] = [
      town.store.currentVersion(),
      counted.writes(),
      town.workshop.writes,
      lines.length,
    ];
    engine.poke("gadgets", gadgetKey("g"));
    await engine.whenIdle();
    await town.clock.advance(700_000);
    expect(town.metrics.counts.get("town_reconcile_total gadgets Settled")).toBeGreaterThanOrEqual(3);
    expect([town.store.currentVersion(), counted.writes(), town.workshop.writes, lines.length]).toEqual([
      version,
      writes,
      world,
      said,
    ]);
    expect(lines).toContain("action executed");
    await engine.stop();
  });

  test("given a change while it runs, when the engine rests, then the last version is the one in force", async () => {
    const town = await gadgetTown();
    const engine = town.engine();
    engine.start();
    await town.declare("g", 5);
    await engine.whenIdle();
    await town.declare("g", 2);
    await town.declare("g", 4);
    await engine.whenIdle();
    expect(await town.workshop.parts("g")).toEqual([0, 1, 2, 3]);
    expect(town.gadget("g")?.status).toMatchObject({ observedGeneration: 3 });
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given drift that no event tells of, when the resync time has passed, then it is repaired", async () => {
    const town = await gadgetTown();
    const engine = town.engine();
    engine.start();
    await town.declare("g", 2);
    await engine.whenIdle();
    await town.workshop.take("g", 1);
    await town.clock.advance(600_000);
    expect(await town.workshop.parts("g")).toEqual([0, 1]);
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given a deletion, when cleaned up, then the finalizer goes and the object with it, and not before", async () => {
    const town = await gadgetTown();
    let refuse = true;
    const engine = town.engine([
      {
        ...gadgets,
        async execute(action, gadget, ports) {
          if (action.do === "Take" && refuse) throw new Error("stuck");
          await gadgets.execute(action, gadget, ports);
        },
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 2);
    await engine.whenIdle();
    await town.store.withdraw(gadgetKey("g"));
    await engine.whenIdle();
    expect(town.gadget("g")?.metadata.deletionTimestamp).toBeDefined();
    expect(ready(town)).toBe("False ReconcileFailed");
    refuse = false;
    await town.clock.advance(5_000);
    expect(town.gadget("g")).toBeUndefined();
    expect(town.workshop.shelves.size).toBe(0);
    await engine.stop();
  });

  test("given a deletion that has nothing to do yet is not finished, when run, then the object stays, and says so", async () => {
    const town = await gadgetTown();
    let finalized = false;
    const engine = town.engine([
      {
        ...gadgets,
        plan: (gadget, parts) =>
          gadget.metadata.deletionTimestamp === undefined
            ? planGadget(gadget, parts)
            : { actions: [], finalized, requeueAfterMs: 1_000 },
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    await town.store.withdraw(gadgetKey("g"));
    await town.clock.advance(10_000);
    expect(ready(town)).toBe("False Terminating");
    finalized = true;
    await town.clock.advance(1_000);
    expect(town.gadget("g")).toBeUndefined();
    await engine.stop();
  });

  test("given an object that is replaced while it is run, when the run ends, then its status is not put on the new one", async () => {
    const town = await gadgetTown();
    let slow = true;
    const engine = town.engine([
      {
        ...gadgets,
        async observe(gadget, ports) {
          if (slow) await ports.clock.sleep(5_000);
          return gadgets.observe(gadget, ports);
        },
        plan: (gadget) => ({ actions: [], status: { seen: gadget.metadata.uid } }),
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 1);
    await turn();
    slow = false;
    await town.store.withdraw(gadgetKey("g"));
    const next = await town.declare("g", 1);
    const told: unknown[] = [];
    town.store.subscribe((event) => told.push(event.object.status?.["seen"]));
    await town.clock.advance(5_000);
    expect(told.filter((seen) => seen !== undefined)).toEqual([next.metadata.uid]);
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given a deleting object that holds no finalizer of the loop, when seen, then the loop leaves it alone", async () => {
    const town = await gadgetTown();
    await town.declare("g", 2);
    await town.store.setMetadata(gadgetKey("g"), { finalizers: ["test.dev/other"] });
    await town.store.withdraw(gadgetKey("g"));
    const engine = town.engine();
    engine.start();
    await engine.whenIdle();
    expect(town.workshop.writes).toBe(0);
    expect(town.gadget("g")?.status).toBeUndefined();
    await engine.stop();
  });

  test("given an object that is deleted before the first action, when its finalizer would be set, then nothing is done", async () => {
    const town = await gadgetTown();
    const setFinalizer = async (): Promise<void> => {
      await town.clock.sleep(10);
      await town.store.withdraw(gadgetKey("g"));
    };
    const engine = town.engine([gadgets], {
      ports: { ...town.ports, objects: { ...writesOf(town.store).objects, setFinalizer } },
    });
    engine.start();
    await town.declare("g", 2);
    await town.clock.advance(100);
    expect(town.gadget("g")).toBeUndefined();
    expect(town.workshop.writes).toBe(0);
    await engine.stop();
  });
});

describe("failures", () => {
  test.each([
    {
      because: "any error",
      error: () => new Error("no tmux"),
      reason: "Unknown ReconcileFailed",
      event: "Warning ReconcileFailed",
    },
    {
      because: "an error with a reason",
      error: () => new TownError("TmuxAway", "tmux is away", { hint: "Start it." }),
      reason: "Unknown TmuxAway",
      event: "Warning TmuxAway",
    },
    {
      because: "waiting",
      error: () => new WaitingError("RigNotReady", "the rig is not ready", 5_000),
      reason: "Unknown RigNotReady",
      event: "Normal RigNotReady",
    },
    {
      because: "a terminal error",
      error: () => new TerminalError("BadSpec", "cannot be"),
      reason: "False BadSpec",
      event: "Warning BadSpec",
    },
    {
      because: "something that is no error",
      error: () => "text",
      reason: "Unknown ReconcileFailed",
      event: "Warning ReconcileFailed",
    },
  ])("given $because while observing, when run, then status and an Event say so, and it ends well once the cause is gone", async ({
    error,
    reason,
    event,
  }) => {
    const town = await gadgetTown();
    let fail = true;
    const engine = town.engine([troubled(() => (fail ? error() : undefined))]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(ready(town)).toBe(reason);
    expect(town.reasons("g")).toEqual([event]);
    expect(town.workshop.writes).toBe(0);
    fail = false;
    await town.clock.advance(10_000);
    if (reason === "False BadSpec") {
      expect(ready(town)).toBe(reason);
      await town.declare("g", 2);
      await engine.whenIdle();
    }
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given an action that fails, when run, then later actions are not tried, status is written, and planned events are not told", async () => {
    const town = await gadgetTown();
    const engine = town.engine([
      {
        ...gadgets,
        plan: (gadget, parts) => ({
          ...planGadget(gadget, parts),
          events: [{ type: "Normal", reason: "Filled", message: "m" }],
        }),
        async execute(action, gadget, ports) {
          if (action.part === 1) throw new TownError("NoSuchPart", "part 1 is sold out");
          await gadgets.execute(action, gadget, ports);
        },
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 3);
    await engine.whenIdle();
    expect(await town.workshop.parts("g")).toEqual([0]);
    expect(ready(town)).toBe("False NoSuchPart");
    expect(conditionOf(town.gadget("g")!, "Ready")?.message).toBe("part 1 is sold out");
    expect(town.reasons("g")).toEqual(["Warning NoSuchPart"]);
    expect(town.gadget("g")?.status?.["parts"]).toBe(0);
    await engine.stop();
  });

  test("given a key that keeps failing, when time passes, then tries thin out to every five minutes, and its own status writes do not hurry it", async () => {
    const town = await gadgetTown();
    const tries: number[] = [];
    const engine = town.engine([
      troubled(() => {
        tries.push(town.clock.monotonicMs());
        return new Error(`try ${tries.length}`);
      }, 36_000_000),
    ]);
    engine.start();
    await town.declare("g", 1);
    await town.clock.advance(590_000);
    const gaps = tries.slice(1).map((at, index) => at - tries[index]!);
    expect(tries.length).toBeLessThanOrEqual(10);
    gaps.forEach((gap, index) => expect(gap).toBeGreaterThanOrEqual(Math.min(250_000, 1000 * 2 ** index) - 1));
    expect(town.metrics.counts.get("town_reconcile_errors_total gadgets")).toBe(tries.length);
    await engine.stop();
  });

  test("given a stalled object, when resync comes, then it is left alone; when poked, it is tried again", async () => {
    const town = await gadgetTown();
    let tries = 0;
    const engine = town.engine([
      troubled(() => {
        tries += 1;
        return new TerminalError("BadSpec", "cannot be");
      }),
    ]);
    engine.start();
    await town.declare("g", 1);
    await town.clock.advance(3_000_000);
    expect(tries).toBe(1);
    engine.poke("gadgets", gadgetKey("g"));
    await engine.whenIdle();
    expect(tries).toBe(2);
    await engine.stop();
  });

  test("given conflicts, when they pass soon, then nobody hears of them; when they stay, everybody does", async () => {
    const town = await gadgetTown();
    let left = 2;
    const engine = town.engine([
      troubled(() => (left-- > 0 ? new ApiStatusError(409, "Conflict", "changed meanwhile") : undefined)),
    ]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(town.gadget("g")?.status).toBeUndefined();
    await town.clock.advance(10_000);
    expect(ready(town)).toBe("True Reconciled");
    expect(town.reasons("g")).toEqual([]);
    left = 100;
    engine.poke("gadgets", gadgetKey("g"));
    await town.clock.advance(20_000);
    expect(ready(town)).toBe("Unknown Conflict");
    await engine.stop();
  });

  test("given a status write that fails, when retried, then status gets there", async () => {
    const town = await gadgetTown();
    const objects = failing(town.store, { methods: ["patchStatus"], at: 1 });
    const engine = town.engine([gadgets], { ports: { ...town.ports, objects } });
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(town.gadget("g")?.status).toBeUndefined();
    await town.clock.advance(2_000);
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given a loop that acts on and on, when time passes, then it is slowed down", async () => {
    const town = await gadgetTown();
    let runs = 0;
    const engine = town.engine([
      {
        ...gadgets,
        plan: () => ({ actions: [{ do: "Add", part: 0 }] }),
        execute: async () => void (runs += 1),
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(runs).toBe(6);
    await town.clock.advance(60_000);
    expect(runs).toBeLessThan(14);
    await engine.stop();
  });

  test("given a plan with actions and a time, when run, then it is looked at after that time and not at once", async () => {
    const town = await gadgetTown();
    let runs = 0;
    const engine = town.engine([
      {
        ...gadgets,
        plan: () => ({ actions: [{ do: "Add", part: 0 }], requeueAfterMs: 10_000 }),
        execute: async () => void (runs += 1),
      } satisfies GadgetController,
    ]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(runs).toBe(1);
    expect(ready(town)).toBe("Unknown Progressing");
    await town.clock.advance(10_000);
    expect(runs).toBe(2);
    await engine.stop();
  });
});

describe("status and events", () => {
  const stating = (conditions: () => readonly object[], events: readonly PlannedEvent[] = []): GadgetController => ({
    ...gadgets,
    ownedConditions: ["Ready", "Painted"],
    plan: () => ({ actions: [], conditions: conditions() as never, events, status: { kept: { b: 1 }, gone: null } }),
  });

  test("given owned conditions that come and go, when run, then they do so in status, foreign ones stay, times move with status only", async () => {
    const town = await gadgetTown();
    let conditions: object[] = [{ type: "Painted", status: "True", reason: "Red", message: "" }];
    await town.declare("g", 1);
    await town.store.patchStatus(gadgetKey("g"), {
      kept: { a: 1 },
      gone: "x",
      other: 7,
      conditions: [
        { type: "Foreign", status: "True", reason: "R", message: "", lastTransitionTime: "2020-01-01T00:00:00Z" },
      ],
    });
    const engine = town.engine([stating(() => conditions)]);
    engine.start();
    await engine.whenIdle();
    expect(town.gadget("g")?.status).toMatchObject({ kept: { b: 1 }, other: 7 });
    expect(town.gadget("g")?.status?.["kept"]).toEqual({ b: 1 });
    expect(town.gadget("g")?.status).not.toHaveProperty("gone");
    const first = conditionOf(town.gadget("g")!, "Painted");
    await town.clock.advance(5_000);
    conditions = [{ type: "Painted", status: "True", reason: "Blue", message: "" }];
    engine.poke("gadgets", gadgetKey("g"));
    await engine.whenIdle();
    expect(conditionOf(town.gadget("g")!, "Painted")).toMatchObject({
      reason: "Blue",
      lastTransitionTime: first?.lastTransitionTime,
    });
    conditions = [];
    engine.poke("gadgets", gadgetKey("g"));
    await engine.whenIdle();
    expect(conditionOf(town.gadget("g")!, "Painted")).toBeUndefined();
    expect(conditionOf(town.gadget("g")!, "Foreign")).toBeDefined();
    expect(town.reasons("g")).toEqual(["Normal Blue", "Normal Red"]);
    await engine.stop();
  });

  test("given planned events, when the run ends well, then they are recorded with the loop as actor", async () => {
    const town = await gadgetTown();
    const engine = town.engine([stating(() => [], [{ type: "Warning", reason: "Dusty", message: "dust" }])]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(town.reasons("g")).toEqual(["Warning Dusty"]);
    expect(town.store.list("Event")[0]).toMatchObject({ reportingComponent: "gadgets" });
    await engine.stop();
  });

  test("given a second loop on the kind, when it fails, then it shows beside the first one's Ready and goes when it works", async () => {
    const town = await gadgetTown();
    let fail = true;
    const engine = town.engine([
      gadgets,
      {
        ...gadgets,
        name: "polish",
        ownedConditions: ["Polished"],
        finalizer: undefined,
        plan: () => {
          if (fail) throw new TownError("NoCloth", "no cloth");
          return { actions: [], conditions: [{ type: "Polished", status: "True", reason: "Shiny", message: "" }] };
        },
      },
    ]);
    engine.start();
    await town.declare("g", 1);
    await engine.whenIdle();
    expect(ready(town)).toBe("True Reconciled");
    expect(conditionOf(town.gadget("g")!, "PolishFailing")).toMatchObject({ status: "True", reason: "NoCloth" });
    fail = false;
    await town.clock.advance(5_000);
    expect(conditionOf(town.gadget("g")!, "PolishFailing")).toBeUndefined();
    expect(conditionOf(town.gadget("g")!, "Polished")).toMatchObject({ status: "True" });
    expect(ready(town)).toBe("True Reconciled");
    await engine.stop();
  });
});

describe("watches", () => {
  const runsOf = async (watch: GadgetController["watches"][number]) => {
    const town = await gadgetTown();
    await town.declare("a", 0);
    await town.declare("b", 0);
    const runs: string[] = [];
    const engine = town.engine([
      {
        ...gadgets,
        watches: [watch],
        observe: async (gadget) => (runs.push(gadget.metadata.name), []),
      } satisfies GadgetController,
    ]);
    engine.start();
    await engine.whenIdle();
    runs.length = 0;
    return { town, runs, engine };
  };

  test("given a watch by owner, when an owned object changes, then its owner is run and nobody else", async () => {
    const { town, runs, engine } = await runsOf({ kind: "Tool", by: "Owner" });
    const owner = town.gadget("b")!;
    const ownerReferences = [
      { apiVersion: owner.apiVersion, kind: "Gadget", name: "b", uid: owner.metadata.uid, controller: true },
    ];
    await town.store.publish(toolKey("t"), { ownerReferences, spec: {}, status: {} });
    await engine.whenIdle();
    await town.store.publish(toolKey("t"), undefined);
    await engine.whenIdle();
    await town.store.publish(toolKey("u"), { spec: {}, status: {} });
    await engine.whenIdle();
    expect(runs).toEqual(["b", "b"]);
    await engine.stop();
  });

  test("given a cluster-wide owner, when a namespaced object of it changes, then the owner is run", async () => {
    const town = await gadgetTown();
    const hall = await town.store.declare(
      { kind: "Hall", name: "main" },
      { spec: {}, origin: { source: "hq", path: "m", line: 1, revision: "r" } },
    );
    let runs = 0;
    const engine = town.engine([
      {
        ...gadgets,
        kind: "Hall",
        watches: [{ kind: "Tool", by: "Owner" }],
        observe: async () => ((runs += 1), []),
        plan: () => ({ actions: [] }),
      } satisfies GadgetController,
    ]);
    engine.start();
    await engine.whenIdle();
    expect(runs).toBe(1);
    const ownerReferences = [
      { apiVersion: hall.apiVersion, kind: "Hall", name: "main", uid: hall.metadata.uid, controller: true },
    ];
    await town.store.publish(toolKey("t"), { ownerReferences, spec: {}, status: {} });
    await engine.whenIdle();
    expect(runs).toBe(2);
    await engine.stop();
  });

  test("given a watch that maps, when a tool changes, then the mapped keys are run, and a map that throws harms nobody", async () => {
    const { town, runs, engine } = await runsOf({
      kind: "Tool",
      by: "Map",
      keys: (tool) => {
        if (tool.metadata.name === "bad") throw new Error("bad tool");
        return [gadgetKey(tool.metadata.name)];
      },
    });
    await town.store.publish(toolKey("a"), { spec: {}, status: {} });
    await town.store.publish(toolKey("bad"), { spec: {}, status: {} });
    await town.store.publish(toolKey("none"), { spec: {}, status: {} });
    await engine.whenIdle();
    expect(runs).toEqual(["a"]);
    await engine.stop();
  });

  test("given a watch of all with an aspect, when a tool changes, then keys are run only if that aspect did", async () => {
    const aspect = (tool: TownObject): string => String(tool.spec["size"]);
    const { town, runs, engine } = await runsOf({ kind: "Tool", by: "All", aspect });
    const put = async (spec: Readonly<Record<string, unknown>> | undefined): Promise<number> => {
      runs.length = 0;
      await town.store.publish(toolKey("t"), spec === undefined ? undefined : { spec, status: {} });
      await town.clock.advance(1_000);
      return runs.length;
    };
    expect(await put({ size: 1 })).toBeGreaterThan(0);
    expect(await put({ size: 1, colour: "red" })).toBe(0);
    expect(await put({ size: 2, colour: "red" })).toBeGreaterThan(0);
    expect(await put(undefined)).toBeGreaterThan(0);
    await engine.stop();
  });

  test("given a watch of all, when tools change in a burst, then every key is run at once and once more after it", async () => {
    const { town, runs, engine } = await runsOf({ kind: "Tool", by: "All" });
    for (let i = 0; i < 30; i += 1) {
      await town.store.publish(toolKey(`t${i}`), { spec: {}, status: {} });
      await engine.whenIdle();
    }
    expect(runs).toEqual(["a", "b"]);
    await town.clock.advance(100);
    expect(runs).toEqual(["a", "b", "a", "b"]);
    await town.clock.advance(1_000);
    expect(runs).toHaveLength(4);
    await engine.stop();
  });
});

describe("running", () => {
  const waitingLoop = (name: string, signals: AbortSignal[] = []): GadgetController => ({
    ...gadgets,
    name,
    resyncMs: 36_000_000,
    async observe(_gadget, ports, signal) {
      if (signal !== undefined) signals.push(signal);
      await ports.clock.sleep(60_000, signal);
      return [];
    },
    plan: () => ({ actions: [] }),
  });

  test("given more keys than workers, when run, then at most that many are worked at once and all get their turn", async () => {
    const town = await gadgetTown();
    for (let i = 0; i < 10; i += 1) await town.declare(`g${i}`, 0);
    const engine = town.engine([waitingLoop("slow")], { workers: 3 });
    engine.start();
    await turn();
    expect(engine.loops()).toEqual([{ name: "slow", kind: "Gadget", state: "Running", depth: 7, busy: 3 }]);
    expect(engine.idle()).toBe(false);
    await town.clock.advance(240_000);
    expect(engine.idle()).toBe(true);
    for (let i = 0; i < 10; i += 1) expect(ready(town, `g${i}`)).toBe("True Reconciled");
    await engine.stop();
  });

  test("given a paused loop, when objects change, then it acts after it is resumed", async () => {
    const town = await gadgetTown();
    const engine = town.engine();
    engine.start();
    engine.pause("gadgets");
    await town.declare("g", 2);
    await engine.whenIdle();
    expect(town.workshop.writes).toBe(0);
    expect(engine.loops()[0]).toMatchObject({ state: "Paused", depth: 1 });
    engine.resume("gadgets");
    await engine.whenIdle();
    expect(town.workshop.writes).toBe(2);
    await engine.stop();
  });

  test("given a choice of loops, when run, then the others show as Disabled and do nothing; unknown names are refused", async () => {
    const town = await gadgetTown();
    const other = { ...gadgets, name: "other", ownedConditions: [] };
    const engine = town.engine([gadgets, other], { loops: ["other"] });
    expect(engine.loops().map(({ name, state }) => `${name} ${state}`)).toEqual(["gadgets Disabled", "other Running"]);
    expect(() => town.engine([gadgets], { loops: ["gadget"] })).toThrow(
      expect.objectContaining({ reason: "UnknownLoop", hint: "Loops are: gadgets." }),
    );
    expect(() => engine.pause("nope")).toThrow("no loop 'nope'");
    expect(() => town.engine([gadgets, gadgets])).toThrow("Two loops are named 'gadgets'");
    expect(() => town.engine([gadgets, { ...gadgets, name: "twin" }])).toThrow(
      "both own the condition Ready of Gadget",
    );
    engine.pause("gadgets");
    engine.start();
    expect(() => engine.start()).toThrow("started before");
    await engine.stop();
  });

  test("given running reconciles, when stopped, then they are drained; no key is taken any more and no timer is left", async () => {
    const town = await gadgetTown();
    await town.declare("a", 0);
    const engine = town.engine([waitingLoop("slow")]);
    engine.start();
    await turn();
    const stopping = engine.stop({ drainMs: 120_000 });
    await town.declare("b", 0);
    await town.clock.advance(60_000);
    expect(await stopping).toEqual([]);
    expect(ready(town, "a")).toBe("True Reconciled");
    expect(town.gadget("b")?.status).toBeUndefined();
    expect(engine.loops()[0]?.state).toBe("Stopped");
    await town.clock.settle();
    expect(town.clock.sleeping).toBe(0);
  });

  test("given a reconcile that outlasts the drain time, when stopped, then it is called off through its signal and writes no status", async () => {
    const town = await gadgetTown();
    await town.declare("a", 0);
    const signals: AbortSignal[] = [];
    const abort = new AbortController();
    const engine = town.engine([waitingLoop("slow", signals)]);
    engine.start(abort.signal);
    await turn();
    abort.abort();
    await town.clock.advance(10_000);
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    await town.clock.advance(2_000);
    expect(town.gadget("a")?.status).toBeUndefined();
    expect(engine.loops()[0]).toMatchObject({ state: "Stopped", busy: 0 });
  });

  test("given a reconcile that heeds no signal, when stopped, then stop ends all the same and names the key", async () => {
    const town = await gadgetTown();
    await town.declare("a", 0);
    const engine = town.engine([
      { ...gadgets, observe: () => new Promise<never>(() => undefined) } satisfies GadgetController,
    ]);
    engine.start();
    await turn();
    const stopping = engine.stop({ drainMs: 1_000 });
    await town.clock.advance(3_000);
    expect(await stopping).toEqual([gadgetKey("a")]);
  });

  test("given a reconcile that hangs, when its time is over, then it is called off, others go on, and its key is not run twice at once", async () => {
    const town = await gadgetTown();
    await town.declare("hangs", 0);
    let inside = 0;
    let most = 0;
    const engine = town.engine(
      [
        {
          ...gadgets,
          async observe(gadget, ports) {
            if (gadget.metadata.name !== "hangs") return [];
            inside += 1;
            most = Math.max(most, inside);
            await ports.clock.sleep(100_000);
            inside -= 1;
            throw new Error("came back at last");
          },
          plan: () => ({ actions: [] }),
        } satisfies GadgetController,
      ],
      { workers: 1, timeoutMs: 30_000 },
    );
    engine.start();
    await town.declare("fine", 0);
    await town.clock.advance(29_000);
    expect(town.gadget("fine")?.status).toBeUndefined();
    await town.clock.advance(2_000);
    expect(ready(town, "fine")).toBe("True Reconciled");
    expect(town.reasons("hangs")).toContain("Warning ReconcileTimedOut");
    engine.poke("gadgets", gadgetKey("hangs"));
    await town.clock.advance(40_000);
    expect(most).toBe(1);
    await town.clock.advance(40_000);
    expect(ready(town, "hangs")).toBe("Unknown ReconcileTimedOut");
    const stopped = engine.stop();
    await town.clock.advance(20_000);
    await stopped;
  });

  test("given an overdue run that came back, when more keys are there, then no more than the workers run at once", async () => {
    const town = await gadgetTown();
    let [inside, most] = [0, 0];
    const engine = town.engine(
      [
        {
          ...gadgets,
          resyncMs: 36_000_000,
          async observe(_gadget, ports) {
            inside += 1;
            most = Math.max(most, inside);
            await ports.clock.sleep(ports.clock.monotonicMs() < 1_000 ? 40_000 : 20_000);
            inside -= 1;
            return [];
          },
          plan: () => ({ actions: [] }),
        } satisfies GadgetController,
      ],
      { workers: 1, timeoutMs: 30_000 },
    );
    engine.start();
    for (let i = 0; i < 6; i += 1) await town.declare(`g${i}`, 0);
    await town.clock.advance(50_000);
    expect(most).toBe(2);
    most = 0;
    await town.clock.advance(600_000);
    expect(most).toBe(1);
    expect(engine.loops()[0]).toMatchObject({ depth: 0, busy: 0 });
    await engine.stop();
  });

  test("given runs that wait for nothing but take their time, when there are many, then others get a turn in between", async () => {
    const town = await gadgetTown();
    for (let i = 0; i < 100; i += 1) await town.declare(`g${i}`, 0);
    let [worked, turns] = [0, 0];
    const clock = {
      now: () => town.clock.now(),
      monotonicMs: () => town.clock.monotonicMs() + worked,
      sleep: (ms: number, signal?: AbortSignal) => {
        if (ms === 0) turns += 1;
        return town.clock.sleep(ms, signal);
      },
    };
    const loops = ["one", "two"].map(
      (name) =>
        ({
          ...gadgets,
          name,
          ownedConditions: [],
          observe: async () => ((worked += 1), []),
          plan: () => ({ actions: [] }),
        }) satisfies GadgetController,
    );
    const engine = town.engine(loops, { ports: { ...town.ports, clock } });
    engine.start();
    const idle = engine.whenIdle();
    await town.clock.advance(10);
    await idle;
    // The second loop also looks at what the first one wrote.
    expect(worked).toBeGreaterThanOrEqual(200);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(worked / 12));
    expect(turns).toBeLessThanOrEqual(Math.ceil(worked / 8));
    await engine.stop();
  });

  test("given an engine that never ran anything, when metrics are read, then its counters are there at 0", async () => {
    const town = await gadgetTown();
    town.engine();
    for (const result of ["Settled", "Acted", "Waiting", "Conflict", "Failed", "Stalled", "Void"])
      expect(town.metrics.counts.get(`town_reconcile_total gadgets ${result}`)).toBe(0);
    expect(town.metrics.counts.get("town_queue_depth gadgets")).toBe(0);
    expect(town.metrics.counts.get("town_reconcile_errors_total gadgets")).toBe(0);
  });

  test("given an idle engine with two thousand objects, when an hour passes, then it wakes a few times per resync, and every object was looked at each time", async () => {
    const town = await gadgetTown();
    for (let i = 0; i < 2_000; i += 1) await town.declare(`g${i}`, 0);
    let [sleeps, looks] = [0, 0];
    const clock = {
      now: () => town.clock.now(),
      monotonicMs: () => town.clock.monotonicMs(),
      sleep: (ms: number, signal?: AbortSignal) => {
        sleeps += 1;
        return town.clock.sleep(ms, signal);
      },
    };
    const engine = town.engine(
      [
        {
          ...gadgets,
          observe: async () => ((looks += 1), []),
          plan: () => ({ actions: [] }),
        } satisfies GadgetController,
      ],
      { ports: { ...town.ports, clock } },
    );
    engine.start();
    await engine.whenIdle();
    [sleeps, looks] = [0, 0];
    await town.clock.advance(3_600_000);
    expect(looks).toBe(12_000);
    expect(sleeps).toBeLessThan(6 * 60 + 20);
    await engine.stop();
  });
});

describe("properties", () => {
  /** Everything is as specified, statuses hold, and a further round of reconciles changes nothing. */
  async function expectSettled(town: GadgetTown, wanted: ReadonlyMap<string, number>): Promise<void> {
    for (const [name, parts] of wanted) {
      expect(await town.workshop.parts(name)).toEqual(Array.from({ length: parts }, (_, part) => part));
      expect(ready(town, name)).toBe("True Reconciled");
    }
    expect([...town.workshop.shelves.keys()].every((name) => wanted.has(name))).toBe(true);
    const [version, writes] = [town.store.currentVersion(), town.workshop.writes];
    const engine = town.engine();
    engine.start();
    await engine.whenIdle();
    await engine.stop();
    expect([town.store.currentVersion(), town.workshop.writes]).toEqual([version, writes]);
  }

  const history = fc.array(
    fc.record({
      name: fc.constantFrom("a", "b", "c"),
      parts: fc.integer({ min: -1, max: 4 }),
      waitMs: fc.integer({ min: 0, max: 3_000 }),
    }),
    { minLength: 1, maxLength: 8 },
  );

  async function play(
    town: GadgetTown,
    steps: readonly { readonly name: string; readonly parts: number; readonly waitMs: number }[],
  ): Promise<Map<string, number>> {
    const wanted = new Map<string, number>();
    for (const { name, parts, waitMs } of steps) {
      if (parts < 0) {
        await town.store.withdraw(gadgetKey(name));
        wanted.delete(name);
      } else {
        // A document that comes back while the old object is cleaned up makes a new object when that is gone.
        void town.declare(name, parts);
        wanted.set(name, parts);
      }
      await town.clock.advance(waitMs);
    }
    return wanted;
  }

  test("given the engine is killed before or after any effect, when a new one starts, then the end is the same and a second reconcile does nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom("Hang" as const, "HangAfter" as const)), {
          maxLength: 3,
        }),
        async (steps, kills) => {
          const town = await gadgetTown();
          const deaths = kills.map(([at, how]) => ({ at, how }));
          const live = (): void => {
            const death = deaths.shift();
            let dead = false;
            const die = (): void => {
              dead = true;
              live();
            };
            // One counter over all effects: any of them may be the last one of this life.
            let calls = 0;
            const guarded =
              <A extends unknown[]>(act: (...args: A) => Promise<void>) =>
              async (...args: A): Promise<void> => {
                if (dead) return new Promise<never>(() => undefined);
                calls += 1;
                const last = death !== undefined && calls === death.at;
                if (!last || death.how === "HangAfter") await act(...args);
                if (dead) return new Promise<never>(() => undefined);
                if (!last) return undefined;
                die();
                return new Promise<never>(() => undefined);
              };
            const { store, workshop } = town;
            const objects = {
              ...writesOf(store).objects,
              patchStatus: guarded((key, patch) => store.patchStatus(key, patch)) as typeof store.patchStatus,
              setFinalizer: guarded((key, finalizer, present) =>
                store.setFinalizer(key, finalizer, present),
              ) as typeof store.setFinalizer,
              subscribe: (listener: Parameters<typeof store.subscribe>[0]) =>
                store.subscribe((event) => (dead ? undefined : listener(event))),
            };
            const guardedShop = {
              parts: (name: string) => (dead ? new Promise<never>(() => undefined) : workshop.parts(name)),
              add: guarded((name: string, part: number) => workshop.add(name, part)),
              take: guarded((name: string, part: number) => workshop.take(name, part)),
            };
            town.engine([gadgets], { ports: { ...town.ports, objects, workshop: guardedShop } }).start();
          };
          live();
          const wanted = await play(town, steps);
          await town.clock.advance(700_000);
          await expectSettled(town, wanted);
        },
      ),
      { numRuns: fuzzRuns(120) },
    );
  });

  test("given a workshop and a store that fail at random, when they get well, then everything settles", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.integer(), async (steps, seed) => {
        const town = await gadgetTown();
        const random = seededRandom(seed);
        let sick = true;
        const sickly = { float: () => (sick ? random.float() : 1) };
        const fault = { probability: 0.3, random: { ...random, ...sickly } };
        const workshop = failing<MemoryWorkshop>(
          failing<MemoryWorkshop>(town.workshop, { methods: ["add", "take", "parts"], ...fault }),
          { methods: ["add", "take"], how: "LoseAnswer", ...fault },
        );
        const objects = failing(town.store, { methods: ["patchStatus", "setFinalizer"], ...fault });
        const engine = town.engine([gadgets], { ports: { ...town.ports, objects, workshop } });
        engine.start();
        const wanted = await play(town, steps);
        await town.clock.advance(60_000);
        sick = false;
        await town.clock.advance(900_000);
        await engine.stop();
        await expectSettled(town, wanted);
      }),
      { numRuns: fuzzRuns(80) },
    );
  });
});
