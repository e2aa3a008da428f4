import { describe, expect, it } from "vitest";
import { LOOP_PARTS, LoopSwitches } from "../../src/daemon/loop-switches.ts";
import { CONTROLLERS, KINDS } from "../../src/kinds/index.ts";
import { silentLog } from "../../src/ports/log.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { virtualClock } from "../turn.ts";

const HQ = { kind: "Town", name: "hq" } as const;
const registry = kindRegistry(KINDS);

async function townWith(loops: readonly string[] | undefined): Promise<Store> {
  const store = await createStore({ registry, clock: virtualClock(), random: seededRandom(1), log: silentLog });
  await declare(store, loops);
  return store;
}

async function declare(store: Store, loops: readonly string[] | undefined): Promise<void> {
  const spec = registry.get("Town")?.spec.parse(loops === undefined ? {} : { loops }) as Record<string, unknown>;
  await store.declare(HQ, { spec, origin: { source: "hq", path: "hq.yaml", line: 1, revision: "r" } });
}

/** Remembers what is switched on; everything is at first, as in the engine. */
function engineOf(names: readonly string[]) {
  const on = new Set(names);
  return {
    on,
    pause: (name: string): void => void on.delete(name),
    resume: (name: string): void => void on.add(name),
    loops: () => names.map((name) => ({ name, kind: "X", state: "Running" as const, depth: 0, busy: 0 })),
  };
}

const ALL = ["source", "sources", ...CONTROLLERS.map(({ name }) => name)];

describe("loops that are chosen", () => {
  it("given the controllers of this version, when sorted into loops, then each belongs to exactly one", () => {
    const sorted = Object.values(LOOP_PARTS).flat();
    expect(sorted.toSorted()).toEqual(ALL.toSorted());
  });

  it("given spec.loops, when it changes, then loops go off and on as it says, and the status tells", async () => {
    const store = await townWith(["workers", "convoys"]);
    const engine = engineOf(ALL);
    let collecting = true;
    const collection = { start: () => void (collecting = true), stop: () => void (collecting = false) };
    const end = new LoopSwitches({ engine, objects: store, collection, given: undefined }).follow();
    expect([...engine.on].toSorted()).toEqual([...LOOP_PARTS.workers, ...LOOP_PARTS.convoys].toSorted());
    expect(collecting).toBe(false);
    const states = () =>
      (store.get(HQ)?.status as { loops: { name: string; state: string }[] } | undefined)?.loops.map(
        ({ name, state }) => `${name} ${state}`,
      );
    expect(states()).toContain("merges Disabled");
    expect(states()).toContain("workers Running");
    await declare(store, undefined);
    expect([...engine.on].toSorted()).toEqual(ALL.toSorted());
    expect(collecting).toBe(true);
    expect(states()).toContain("merges Running");
    expect(states()).toContain("molecules NotServed");
    end();
    await declare(store, ["rigs"]);
    expect(engine.on.size).toBe(ALL.length);
  });

  it("given loops at the start, when spec.loops says otherwise, then those of the start stay", async () => {
    const store = await townWith(["merges"]);
    const engine = engineOf(ALL);
    const collection = { start: () => {}, stop: () => {} };
    new LoopSwitches({ engine, objects: store, collection, given: ["rigs"] }).follow();
    await declare(store, ["convoys"]);
    expect([...engine.on]).toEqual(["rigs"]);
  });

  it("given an unknown name at the start, when chosen, then it is refused with those there are", async () => {
    const store = await townWith(undefined);
    const collection = { start: () => {}, stop: () => {} };
    expect(() => new LoopSwitches({ engine: engineOf(ALL), objects: store, collection, given: ["worker"] })).toThrow(
      "'worker'",
    );
  });
});
