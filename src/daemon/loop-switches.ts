import type { Engine } from "../engine/engine.ts";
import { TerminalError } from "../errors/town-error.ts";
import { LOOPS, type TownSpec } from "../kinds/town/town.schema.ts";
import type { Objects } from "../ports/objects.ts";

type LoopName = (typeof LOOPS)[number];

/** The controllers that a loop of the design is made of; an empty list is one that this version does not have. */
export const LOOP_PARTS: Readonly<Record<LoopName, readonly string[]>> = {
  source: ["source", "sources"],
  rigs: ["rigs"],
  workers: ["workers", "agents", "reserves", "usage", "providers"],
  hooks: ["hooks"],
  molecules: [],
  convoys: ["convoys"],
  merges: ["merges"],
  patrols: ["patrols", "plugins"],
  messages: [],
  // Beside the store's own, which follows what loses its owner at once.
  collection: ["collection"],
};

export interface LoopSwitchesOptions {
  readonly engine: Pick<Engine, "pause" | "resume" | "loops">;
  readonly objects: Objects;
  readonly collection: { start(): void; stop(): void };
  /** Names given at the start, which win over the Town's `spec.loops`. */
  readonly given: readonly string[] | undefined;
}

const HQ = { kind: "Town", name: "hq" } as const;

/**
 * Runs the loops that were chosen and no others: those given at the start, else the Town's `spec.loops`, which is followed
 * as it changes. A loop that is switched off finishes what it is doing; switched on it looks at everything it missed.
 */
export class LoopSwitches {
  readonly #options: LoopSwitchesOptions;
  readonly #given: ReadonlySet<LoopName> | undefined;
  #applied: string | undefined;

  /** Throws TerminalError `UnknownLoop`. */
  constructor(options: LoopSwitchesOptions) {
    this.#options = options;
    this.#given = options.given === undefined ? undefined : new Set(options.given.map(loopName));
  }

  /** Applies what is chosen now, then at each change. Returns the function that ends it. */
  follow(): () => void {
    this.#apply();
    return this.#options.objects.subscribe(({ object }) => {
      if (object.kind === HQ.kind) this.#apply();
    });
  }

  /** Whether a loop is chosen now. */
  runs(name: LoopName): boolean {
    return this.#chosen().has(name);
  }

  #chosen(): ReadonlySet<LoopName> {
    const spec = this.#options.objects.get(HQ)?.spec as TownSpec | undefined;
    return this.#given ?? new Set(spec?.loops ?? LOOPS);
  }

  #apply(): void {
    const { engine, objects, collection } = this.#options;
    const chosen = this.#chosen();
    const states = LOOPS.map((name) => ({ name, state: stateOf(name, chosen) }));
    const text = JSON.stringify(states);
    if (text === this.#applied) return;
    this.#applied = text;
    const known = new Set(engine.loops().map((loop) => loop.name));
    for (const { name, state } of states) {
      for (const part of LOOP_PARTS[name].filter((each) => known.has(each)))
        if (state === "Running") engine.resume(part);
        else engine.pause(part);
    }
    if (chosen.has("collection")) collection.start();
    else collection.stop();
    void objects.patchStatus(HQ, { loops: states });
  }
}

function stateOf(name: LoopName, chosen: ReadonlySet<LoopName>): "Running" | "Disabled" | "NotServed" {
  if (!chosen.has(name)) return "Disabled";
  return LOOP_PARTS[name].length === 0 ? "NotServed" : "Running";
}

function loopName(name: string): LoopName {
  const found = LOOPS.find((each) => each === name);
  if (found !== undefined) return found;
  throw new TerminalError("UnknownLoop", `Cannot run the loop '${name}': there is none of that name.`, {
    hint: `loops are: ${LOOPS.join(", ")}`,
  });
}
