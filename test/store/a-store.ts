import type { Log } from "../../src/ports/log.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { createStore, type Store, type StoreOptions } from "../../src/store/store.ts";
import { KINDS } from "../server/widget-town.ts";

export const ORIGIN = { source: "hq", path: "manifests/a.yaml", line: 1, revision: "r1" };
export const STATE = "/town/state";

export const widgetKey = (name: string): ObjectKey => ({ kind: "Widget", namespace: "api", name });
export const choreKey = (name: string): ObjectKey => ({ kind: "Chore", namespace: "api", name });
export const sessionKey = (name: string): ObjectKey => ({ kind: "Session", namespace: "api", name });

/** A log that keeps its messages. */
export function keptLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const add = (level: string) => (_fields: unknown, message: string) => void lines.push(`${level} ${message}`);
  const log: Log & { readonly lines: string[] } = {
    lines,
    debug: add("debug"),
    info: add("info"),
    warn: add("warn"),
    error: add("error"),
    child: () => log,
  };
  return log;
}

/** A disk and a clock on which stores can live one after the other. */
export function aWorld() {
  const clock = new VirtualClock({ turn: () => new Promise((done) => setImmediate(done)) });
  const disk = new MemoryDisk({ clock });
  let lives = 0;
  return {
    clock,
    disk,
    open: (more: Partial<StoreOptions> = {}): Promise<Store> => {
      lives += 1;
      return createStore({
        registry: kindRegistry(KINDS),
        clock,
        random: seededRandom(`life ${lives}`),
        persistence: { files: disk.mount(), directory: STATE },
        ...more,
      });
    },
  };
}

/** A store without a disk. */
export function aStore(more: Partial<StoreOptions> = {}): Promise<Store> {
  const { clock } = aWorld();
  return createStore({ registry: kindRegistry(KINDS), clock, random: seededRandom("store"), ...more });
}

export const declared = (
  store: Store,
  name: string,
  spec: Readonly<Record<string, unknown>> = { role: "x" },
  more: object = {},
) => store.declare(widgetKey(name), { spec, origin: ORIGIN, ...more });
