import { describe, expect, it } from "vitest";
import { batchStep, failedGates } from "../../../src/domain/merge-queue/batch-step.ts";
import {
  EMPTY_QUEUE,
  type Gate,
  type GateRun,
  outcomeOf,
  type QueueRecord,
  windowOf,
  withBatch,
  withCulprit,
  withLanded,
  withOutcome,
} from "../../../src/domain/merge-queue/queue-record.ts";
import { fc, fuzzRuns } from "../../property.ts";

const GATES: readonly Gate[] = [
  { name: "lint", command: "lint", required: true },
  { name: "test", command: "test", required: true },
  { name: "hint", command: "hint", required: false },
];
const TEST: readonly Gate[] = GATES.slice(1, 2);
const NOW = 1_000_000;

/** Which gate fails on a tree: the oracle. A tree is the list of the requests that are in it. */
type Fails = (gate: string, members: readonly number[]) => boolean;

interface World {
  readonly gates: readonly Gate[];
  readonly fails: Fails;
  readonly maxBatch: number;
  /** Whether the nth run (from 0) of a gate on a tree fails for no reason. */
  readonly flakes?: (tree: string, run: number) => boolean;
  readonly startsFlaky?: boolean;
  /** After so many runs each fails, whatever the tree; the game ends once the base is found to be broken. */
  readonly breaksAfter?: number;
  readonly baseKnown?: boolean;
}

interface End {
  readonly landed: readonly number[];
  readonly sentBack: readonly number[];
  readonly runs: readonly string[];
  /** What the target was moved to. */
  readonly targets: readonly string[];
  readonly passed: ReadonlySet<string>;
  readonly queue: QueueRecord;
}

/** The test gate failed on a tree in this round. */
const withFailure = (queue: QueueRecord, tree: string): QueueRecord =>
  withOutcome(queue, {
    tree,
    gate: "test",
    command: "test",
    passed: false,
    round: queue.round,
    atMs: NOW,
    summary: "exit code 1",
  });

const treeOf = (members: readonly number[]): string => `t:${members.join(",")}`;

/** Plays a queue to its end; everything it knows goes through text between any two steps. */
function play(count: number, world: World): End {
  let queue: QueueRecord = { ...EMPTY_QUEUE, ...(world.startsFlaky === true ? { flaky: { test: NOW } } : {}) };
  let open = Array.from({ length: count }, (_, index) => index + 1);
  let landed: number[] = [];
  const sentBack: number[] = [];
  const runs: string[] = [];
  const targets: string[] = [];
  const passed = new Set<string>();
  const times = new Map<string, number>();
  const run = (gate: Gate, members: readonly number[]): GateRun => {
    const tree = treeOf(members);
    const key = `${gate.name} ${tree}`;
    const nth = times.get(key) ?? 0;
    times.set(key, nth + 1);
    runs.push(key);
    const broken = runs.length > (world.breaksAfter ?? Number.POSITIVE_INFINITY);
    const fine = !broken && !world.fails(gate.name, members) && world.flakes?.(tree, nth) !== true;
    if (fine) passed.add(key);
    return {
      tree,
      gate: gate.name,
      command: gate.command,
      passed: fine,
      round: queue.round,
      atMs: NOW,
      summary: fine ? "passed" : "exit code 1",
    };
  };
  if (world.baseKnown !== false) for (const gate of world.gates) queue = withOutcome(queue, run(gate, []));
  runs.length = 0;
  for (let step = 0; open.length > 0; step += 1) {
    if (step > 2_000) throw new Error("it does not end");
    queue = JSON.parse(JSON.stringify(queue)) as QueueRecord;
    const { batch } = queue;
    if (batch === undefined) {
      const chosen = open.slice(0, windowOf(queue, world.maxBatch));
      const members = chosen.map((request, index) => ({
        request: String(request),
        head: String(request),
        commit: `c${request}`,
        tree: treeOf([...landed, ...chosen.slice(0, index + 1)]),
      }));
      queue = withBatch(queue, { base: "b", baseTree: treeOf(landed), members }, []);
      continue;
    }
    const numbers = batch.members.map(({ request }) => Number(request));
    const next = batchStep(queue, batch, world.gates, NOW);
    if (next.do === "Run") queue = withOutcome(queue, run(next.gate, [...landed, ...numbers.slice(0, next.place)]));
    else if (next.do === "Land") {
      landed = [...landed, ...numbers.slice(0, next.count)];
      open = open.filter((each) => !landed.includes(each));
      targets.push(treeOf(landed));
      queue = withLanded(queue, next.count, world.maxBatch);
    } else if (next.do === "Reject") {
      const culprit = numbers[0] ?? 0;
      sentBack.push(culprit);
      open = open.filter((each) => each !== culprit);
      queue = withCulprit(queue, world.maxBatch);
    } else if (world.breaksAfter !== undefined) break;
    else throw new Error(`the base fails ${next.gate.name}`);
  }
  return { landed, sentBack, runs, targets, passed, queue };
}

const size = fc.integer({ min: 1, max: 20 });

function has(...culprits: readonly number[]): Fails {
  return (gate, members) => gate === "test" && members.some((each) => culprits.includes(each));
}

describe("a batch", () => {
  it("given only good requests, when played, then one run of each gate lands them all in one move", () => {
    fc.assert(
      fc.property(size, (n) => {
        const end = play(n, { gates: GATES, fails: () => false, maxBatch: 20 });
        expect(end.landed).toHaveLength(n);
        expect(end.targets).toHaveLength(1);
        expect(end.runs).toHaveLength(3);
      }),
    );
  });

  it("given one culprit among n, when played, then it takes at most 1 + 2·log2(n) runs, it is found, and the others land", () => {
    fc.assert(
      fc.property(size, fc.nat(), (n, at) => {
        const culprit = 1 + (at % n);
        const end = play(n, { gates: TEST, fails: has(culprit), maxBatch: 20 });
        expect(end.sentBack).toEqual([culprit]);
        expect(end.landed).toHaveLength(n - 1);
        expect(end.runs.length).toBeLessThanOrEqual(1 + 2 * Math.log2(n));
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  it("given any culprits of any gate, when played, then just they go back, and the target moves to tested trees only", () => {
    fc.assert(
      fc.property(
        size,
        fc.uniqueArray(fc.integer({ min: 1, max: 20 })),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (n, all, maxBatch, baseKnown) => {
          const culprits = all.filter((each) => each <= n);
          const fails: Fails = (gate, members) =>
            members.some((each) => culprits.includes(each) && (each % 2 === 0 ? gate === "lint" : gate === "test"));
          const end = play(n, { gates: GATES, fails, maxBatch, baseKnown });
          expect(new Set(end.sentBack)).toEqual(new Set(culprits));
          expect(end.sentBack).toHaveLength(culprits.length);
          expect(end.landed).toHaveLength(n - culprits.length);
          for (const tree of end.targets)
            for (const gate of GATES) if (gate.required) expect(end.passed).toContain(`${gate.name} ${tree}`);
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });

  it("given two requests that break only together, when played, then the later one goes back and all others land", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), fc.nat(), (n, a, b) => {
        const first = 1 + (a % (n - 1));
        const second = first + 1 + (b % (n - first));
        const fails: Fails = (_, members) => members.includes(first) && members.includes(second);
        const end = play(n, { gates: TEST, fails, maxBatch: 20 });
        expect(end.sentBack).toEqual([second]);
        expect(end.landed).toHaveLength(n - 1);
        expect(end.runs.length).toBeLessThanOrEqual(1 + 2 * Math.log2(n));
      }),
    );
  });

  it("given a gate that is known to be flaky, when it fails now and then, then no innocent goes back, and every culprit does", () => {
    fc.assert(
      fc.property(size, fc.uniqueArray(fc.integer({ min: 1, max: 20 })), fc.integer(), (n, all, salt) => {
        const culprits = all.filter((each) => each <= n);
        const flakes = (tree: string, run: number): boolean => run % 2 === 0 && (tree.length * 31 + salt) % 3 === 0;
        const end = play(n, { gates: TEST, fails: has(...culprits), maxBatch: 8, flakes, startsFlaky: true });
        expect(new Set(end.sentBack)).toEqual(new Set(culprits));
        expect(end.sentBack).toHaveLength(culprits.length);
        expect(end.landed).toHaveLength(n - culprits.length);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  it("given a tree that fails and then passes, when noted, then its gate is known to be flaky and fails only when it fails twice", () => {
    const tree = "t:1";
    const [gate] = TEST as [Gate];
    const note = (queue: QueueRecord, passed: boolean): QueueRecord =>
      withOutcome(queue, { tree, gate: gate.name, command: gate.command, passed, round: 1, atMs: NOW, summary: "" });
    const once = note(EMPTY_QUEUE, false);
    expect(failedGates(once, tree, TEST, NOW)).toHaveLength(1);
    const mixed = note(note(once, true), false);
    expect(mixed.flaky).toEqual({ test: NOW });
    expect(failedGates(mixed, tree, TEST, NOW)).toHaveLength(0);
    expect(failedGates(note(mixed, false), tree, TEST, NOW)).toHaveLength(1);
    expect(outcomeOf(mixed, tree, { ...gate, command: "another" })).toBeUndefined();
  });

  it("given a machine on which every gate begins to fail, when played, then one request is blamed at most", () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 20 }), fc.nat(8), (n, maxBatch, good) => {
        const world = { gates: TEST, maxBatch, baseKnown: false, breaksAfter: good };
        const end = play(n, { ...world, fails: () => false });
        expect(end.sentBack.length).toBeLessThanOrEqual(1);
        expect(end.landed.length + end.sentBack.length).toBeLessThanOrEqual(n);
      }),
    );
  });

  it("given a broken base, when the batch is red, then nobody is blamed", () => {
    let queue = withBatch(
      EMPTY_QUEUE,
      { base: "b", baseTree: "t:", members: [{ request: "1", head: "1", commit: "c1", tree: "t:1" }] },
      [],
    );
    const step = () => batchStep(queue, queue.batch as NonNullable<QueueRecord["batch"]>, TEST, NOW);
    const fail = (tree: string): void => {
      queue = withFailure(queue, tree);
    };
    expect(step()).toMatchObject({ do: "Run", place: 1 });
    fail("t:1");
    expect(step()).toMatchObject({ do: "Run", place: 0 });
    fail("t:");
    expect(step()).toMatchObject({ do: "BaseFails" });
    expect(failedGates(queue, "t:", TEST, NOW)).toHaveLength(1);
  });

  it("given a gate that only some members concern, when played, then it runs for those alone, and the bare base is asked before one is blamed", () => {
    const member = (request: string, untouched: readonly string[]) => ({
      request,
      head: request,
      commit: `c${request}`,
      tree: `t:${request}`,
      untouched,
    });
    const play = (members: readonly ReturnType<typeof member>[], failed: readonly string[]) => {
      let queue = withBatch(EMPTY_QUEUE, { base: "b", baseTree: "t:", members }, []);
      for (const tree of failed) queue = withFailure(queue, tree);
      return batchStep(queue, queue.batch as NonNullable<QueueRecord["batch"]>, TEST, NOW);
    };
    const free = member("1", ["test"]);
    expect(play([free, member("2", ["test"])], [])).toEqual({ do: "Land", count: 2 });
    expect(play([free, member("2", [])], [])).toMatchObject({ do: "Run", place: 2 });
    expect(play([free, member("2", [])], ["t:2"])).toEqual({ do: "Land", count: 1 });
    expect(play([member("2", [])], ["t:2"])).toMatchObject({ do: "Run", place: 0 });
  });

  it("given culprits, when found, then batches get smaller, and larger again while all is well", () => {
    const { queue } = play(8, { gates: TEST, fails: has(2), maxBatch: 8 });
    expect(windowOf(queue, 8)).toBeLessThan(8);
    expect(windowOf({ ...queue, window: 50 }, 8)).toBe(8);
    const grown = play(1, { gates: TEST, fails: () => false, maxBatch: 8 });
    expect(windowOf(grown.queue, 8)).toBe(8);
  });
});
