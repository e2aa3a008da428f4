import { z } from "zod";
import { createEngine, type Engine, type EngineOptions } from "../../src/engine/engine.ts";
import type { EnginePorts } from "../../src/engine/engine-ports.ts";
import { type Metrics, noMetrics } from "../../src/ports/metrics.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Objects } from "../../src/ports/objects.ts";
import { type Controller, type Plan, runnable, type RunnableController } from "../../src/resource/controller.ts";
import { defineKind } from "../../src/resource/kind-definition.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { ObjectKey, TownObject } from "../../src/resource/object-meta.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { virtualClock } from "../turn.ts";

/** A made-up kind: a Gadget wants `parts` parts in the workshop. */
export type Gadget = TownObject<{ readonly parts: number }>;

const anything = z.record(z.string(), z.unknown());
const kind = (name: string, truth: "Desired" | "Observed", scope: "Namespaced" | "Cluster" = "Namespaced") =>
  defineKind({
    group: "test.dev",
    kind: name,
    plural: `${name.toLowerCase()}s`,
    scope,
    truth,
    description: name,
    spec: anything,
    status: anything,
    columns: [],
  });

/** The world outside: which parts lie in the workshop for which gadget. */
export interface Workshop {
  parts(gadget: string): Promise<readonly number[]>;
  add(gadget: string, part: number): Promise<void>;
  take(gadget: string, part: number): Promise<void>;
}

export class MemoryWorkshop implements Workshop {
  readonly shelves = new Map<string, Set<number>>();
  writes = 0;
  async parts(gadget: string): Promise<readonly number[]> {
    return [...(this.shelves.get(gadget) ?? [])].sort((a, b) => a - b);
  }
  async add(gadget: string, part: number): Promise<void> {
    this.writes += 1;
    this.shelves.set(gadget, new Set([...(this.shelves.get(gadget) ?? []), part]));
  }
  async take(gadget: string, part: number): Promise<void> {
    this.writes += 1;
    this.shelves.get(gadget)?.delete(part);
    if (this.shelves.get(gadget)?.size === 0) this.shelves.delete(gadget);
  }
}

export interface GadgetPorts extends EnginePorts {
  readonly workshop: Workshop;
}

type Action = { readonly do: "Add" | "Take"; readonly part: number };
export type GadgetController = Controller<readonly number[], Action, GadgetPorts, Gadget>;

export function planGadget(gadget: Gadget, parts: readonly number[]): Plan<Action> {
  const wanted = gadget.metadata.deletionTimestamp === undefined ? gadget.spec.parts : 0;
  const missing = Array.from({ length: wanted }, (_, part) => part).filter((part) => !parts.includes(part));
  const actions: Action[] = [
    ...parts.filter((part) => part >= wanted).map((part) => ({ do: "Take" as const, part })),
    ...missing.map((part) => ({ do: "Add" as const, part })),
  ];
  return { actions, status: { parts: parts.length }, finalized: parts.length === 0 };
}

export const gadgets: GadgetController = {
  name: "gadgets",
  kind: "Gadget",
  watches: [],
  resyncMs: 600_000,
  finalizer: "test.dev/parts",
  ownedConditions: ["Ready"],
  observe: (gadget, { workshop }) => workshop.parts(gadget.metadata.name),
  plan: planGadget,
  async execute(action, gadget, { workshop }) {
    await (action.do === "Add"
      ? workshop.add(gadget.metadata.name, action.part)
      : workshop.take(gadget.metadata.name, action.part));
  },
};

export const gadgetKey = (name: string): ObjectKey => ({ kind: "Gadget", namespace: "api", name });
export const toolKey = (name: string): ObjectKey => ({ kind: "Tool", namespace: "api", name });

/** A store with Gadgets (desired) and Tools (observed), a workshop, and engines that come and go. */
export async function gadgetTown() {
  const clock = virtualClock();
  const random = seededRandom("gadgets");
  const store = await createStore({
    registry: kindRegistry([kind("Gadget", "Desired"), kind("Tool", "Observed"), kind("Hall", "Desired", "Cluster")]),
    clock,
    random,
  });
  const workshop = new MemoryWorkshop();
  const metrics = countingMetrics();
  const ports: GadgetPorts = { clock, random, objects: store, events: store, log: silentLog, metrics, workshop };
  return {
    clock,
    store,
    workshop,
    metrics,
    ports,
    declare: (name: string, parts: number, more: object = {}) =>
      store.declare(gadgetKey(name), {
        spec: { parts },
        origin: { source: "hq", path: "m.yaml", line: 1, revision: "r" },
        ...more,
      }),
    engine: (controllers: readonly unknown[] = [gadgets], more: Partial<EngineOptions<GadgetPorts>> = {}): Engine =>
      createEngine({
        ports,
        ...more,
        controllers: (controllers as readonly GadgetController[]).map((controller) =>
          runnable(controller),
        ) as RunnableController<GadgetPorts>[],
      }),
    gadget: (name: string): Gadget | undefined => store.get(gadgetKey(name)) as Gadget | undefined,
    /** Reasons of the Events about a gadget, sorted. */
    reasons: (name: string): string[] => reasonsAbout(store, name),
  };
}

export type GadgetTown = Awaited<ReturnType<typeof gadgetTown>>;

function reasonsAbout(store: Store, name: string): string[] {
  return store
    .list("Event")
    .map(
      (event) =>
        event as unknown as {
          readonly involvedObject: { readonly name: string };
          readonly type: string;
          readonly reason: string;
        },
    )
    .filter((event) => event.involvedObject.name === name)
    .map((event) => `${event.type} ${event.reason}`)
    .sort();
}

export function countingMetrics(): Metrics & { readonly counts: Map<string, number> } {
  const counts = new Map<string, number>();
  return {
    ...noMetrics,
    counts,
    count: (name, labels, by = 1) => {
      const id = `${name} ${Object.values(labels).join(" ")}`;
      counts.set(id, (counts.get(id) ?? 0) + by);
    },
    gauge: (name, labels, value) => void counts.set(`${name} ${Object.values(labels).join(" ")}`, value),
  };
}

/** The same objects, counting the writes of loops. */
export function writesOf(objects: Objects): { readonly objects: Objects; readonly writes: () => number } {
  let writes = 0;
  const count = <T>(written: T): T => {
    writes += 1;
    return written;
  };
  return {
    objects: {
      get: (key) => objects.get(key),
      list: (name, options) => objects.list(name, options),
      subscribe: (listener) => objects.subscribe(listener),
      patchStatus: (key, patch) => count(objects.patchStatus(key, patch)),
      setFinalizer: (key, finalizer, present) => count(objects.setFinalizer(key, finalizer, present)),
      delete: (key, options) => count(objects.delete(key, options)),
      publish: (key, object) => count(objects.publish(key, object)),
    },
    writes: () => writes,
  };
}
