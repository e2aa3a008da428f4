import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom, type SeededRandom } from "../../src/simulation/seeded-random.ts";
import type { ChaosTown } from "./chaos-town.ts";
import { wrongAtTheEnd } from "./end-state.ts";
import { FAULTS } from "./faults.ts";
import { SessionWitness, sessionsOf } from "./session-witness.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** Faults by name and how often each, relative to the others. */
  readonly weights: Readonly<Record<string, number>>;
  /** Faults to do; after that the town is left alone. */
  readonly faults: number;
  /** Mean pause between two of them, ms. */
  readonly meanGapMs: number;
  /** How long the town may take to end its work once it is left alone, ms. */
  readonly limitMs: number;
  readonly told?: (text: string) => void;
}

export interface ChaosReport {
  readonly done: Readonly<Record<string, number>>;
  readonly controllerStarts: number;
  readonly elapsedMs: number;
  readonly looks: number;
  /** Empty when everything held. */
  readonly wrong: readonly string[];
}

/**
 * Brings the town up, hurts it as often as asked, leaves it alone until its convoy closed, and looks at what became of
 * it. When nothing but the controller was hurt, the sessions of the crew must be the very same ones all the way.
 */
export async function runChaos(town: ChaosTown, options: ChaosOptions): Promise<ChaosReport> {
  const random = seededRandom(options.seed);
  const startedMs = performance.now();
  const witness = new SessionWitness(town.sessionLabel, 250);
  const done: Record<string, number> = {};
  try {
    town.startController();
    const crew = await untilCrewRuns(town);
    for (let count = 0; count < options.faults; ) {
      await sleep(gapMs(random, options.meanGapMs));
      town.startController();
      const name = chosen(options.weights, random);
      const what = await FAULTS[name]?.(town, random);
      if (what === undefined) continue;
      count += 1;
      done[name] = (done[name] ?? 0) + 1;
      town.note(what);
      options.told?.(`${count}/${options.faults} ${what}; ${town.landed().length} landed`);
    }
    town.startController();
    town.note("left alone");
    const closed = await convoyCloses(town, options);
    const harmless = Object.keys(done).every((name) => name === "controller" || name === "pause" || name === "child");
    return {
      done,
      controllerStarts: town.controllerStarts,
      elapsedMs: performance.now() - startedMs,
      looks: witness.looks,
      wrong: [
        ...(closed ? [] : ["the convoy did not close in time"]),
        ...new Set(witness.doubled),
        ...(harmless ? lostCrew(crew, crewOf(town)) : []),
        ...wrongAtTheEnd(town),
      ],
    };
  } finally {
    witness.end();
  }
}

function crewOf(town: ChaosTown): ReadonlyMap<string, number> {
  return new Map(
    sessionsOf(town.sessionLabel)
      .filter(({ name }) => name.includes("-crew-"))
      .map(({ name, generation }) => [name, generation]),
  );
}

async function untilCrewRuns(town: ChaosTown): Promise<ReadonlyMap<string, number>> {
  await town.process.until("the crew runs", () => crewOf(town).size === town.options.crew);
  return crewOf(town);
}

function lostCrew(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...before].flatMap(([name, generation]) =>
    after.get(name) === generation
      ? []
      : [`${name} of generation ${generation} was lost: ${after.get(name) ?? "none"} runs`],
  );
}

/** Closed, and then long enough for the last sessions to end. */
async function convoyCloses(town: ChaosTown, options: ChaosOptions): Promise<boolean> {
  const deadlineMs = performance.now() + options.limitMs;
  let told = 0;
  while (performance.now() < deadlineMs) {
    const convoy = town.process.object("convoy", "hq", "work");
    const closed =
      convoy?.status?.conditions?.some(({ type, status }) => type === "Closed" && status === "True") === true;
    const leftOver = sessionsOf(town.sessionLabel).filter(({ name }) => !name.includes("-crew-")).length;
    if (closed && leftOver === 0 && crewOf(town).size === town.options.crew) return true;
    const landed = town.landed().length;
    if (landed !== told) options.told?.(`left alone; ${landed} of ${town.options.beads} landed`);
    told = landed;
    await sleep(1_000);
  }
  return false;
}

/** Between a tenth of the mean and several times of it, so that starts, too, are hit at every moment. */
function gapMs(random: SeededRandom, meanMs: number): number {
  return Math.min(meanMs * 5, -meanMs * Math.log(1 - random.float() * 0.999));
}

function chosen(weights: Readonly<Record<string, number>>, random: SeededRandom): string {
  const names = Object.keys(weights);
  let left = random.float() * names.reduce((sum, name) => sum + (weights[name] ?? 0), 0);
  for (const name of names) {
    left -= weights[name] ?? 0;
    if (left < 0) return name;
  }
  return names.at(-1) ?? "controller";
}
