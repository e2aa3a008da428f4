import { describe, expect, test } from "vitest";
import { recordPath } from "../../src/domain/work-graph/ids/record-path.ts";
import { sameJson } from "../../src/domain/work-graph/record/canonical.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { OpenGraphOptions } from "../../src/graph/open-graph.ts";
import { TreeWriter } from "../../src/graph/tree-writer.ts";
import type { Repository } from "../../src/ports/git.ts";
import type { GraphTransaction } from "../../src/ports/work-graph.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { BRANCH, commitByHand } from "./by-hand.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";

type Step = {
  readonly flush?: true;
  /** Edits a bead with plain git. */
  readonly edit?: { readonly id: string; readonly title: string };
  readonly author?: typeof alice | typeof bob;
  readonly work?: (tx: GraphTransaction) => unknown;
};

// Small segments, so that closing and removing them is part of every run.
const options: Partial<OpenGraphOptions> = { segmentBytes: 2_000, flushIntervalMs: 3_600_000, isBrief: true };

const script: readonly Step[] = [
  { work: (tx) => tx.create({ id: "api-1", title: "one", description: "d".repeat(900) }) },
  { work: (tx) => tx.create({ id: "api-2", title: "two", dependsOn: [{ id: "api-1" }] }) },
  { work: (tx) => tx.create({ id: "api-wisp-1", title: "wisp", ephemeral: true }) },
  { flush: true },
  { author: bob, work: (tx) => tx.claim("api-1", "bob") },
  { work: (tx) => tx.comment("api-2", "c".repeat(900)) },
  // Written to the log, and never to the branch.
  { author: bob, work: (tx) => tx.renewLease("api-1", 4 * 3_600_000) },
  { flush: true },
  { work: (tx) => tx.update("api-wisp-1", { title: "a wisp changed" }) },
  {
    author: bob,
    work: (tx) => [tx.close("api-1"), tx.create({ id: "api-3", title: "three", description: "e".repeat(900) })],
  },
  { work: (tx) => tx.update("api-wisp-1", { ephemeral: null }) },
  { work: (tx) => tx.create({ id: "api-wisp-2", title: "second wisp", ephemeral: true }) },
  { flush: true },
  { work: (tx) => tx.delete("api-3", "not needed") },
  { work: (tx) => tx.delete("api-wisp-2") },
  { flush: true },
  { work: (tx) => tx.reopen("api-1", { reason: "again" }) },
  { flush: true },
  { work: (tx) => tx.update("api-2", { priority: 0 }) },
  { edit: { id: "api-2", title: "edited with git" } },
  { flush: true },
  { work: (tx) => tx.create({ id: "api-4", title: "four" }) },
];

interface Progress {
  /** Steps that were answered. */
  done: number;
}

function stateOf(graph: GitGraph): unknown {
  return graph.list().map((record) => ({ record, rev: graph.revOf(record.id) }));
}

async function editWithGit(
  repository: Repository,
  edit: { readonly id: string; readonly title: string },
): Promise<void> {
  const tip = (await repository.resolve(BRANCH)) ?? "";
  const info = await repository.objects.readCommit(tip);
  const trees = new TreeWriter(repository.objects);
  const path = recordPath(edit.id);
  const text = (await repository.objects.readBlob((await trees.find(info?.tree ?? "", path)) ?? "")) ?? "";
  const edited = text.replace(/"title":"[^"]*"/, `"title":"${edit.title}"`);
  await commitByHand(repository, { [path]: edited }, info?.committer.timeMs ?? 0);
}

async function play(
  graph: GitGraph,
  world: GraphWorld,
  progress: Progress,
  seen: (graph: GitGraph) => Promise<void>,
): Promise<void> {
  for (const step of script) {
    await world.clock.sleep(10);
    if (step.flush === true) await graph.flush();
    else if (step.edit !== undefined) await editWithGit(await world.repository("/repo"), step.edit);
    else await graph.transact(step.author ?? alice, (tx) => step.work?.(tx));
    progress.done++;
    await seen(graph);
  }
}

async function eventsOf(graph: GitGraph): Promise<unknown> {
  const all: string[] = [];
  for (const id of ["api-1", "api-2", "api-3", "api-4", "api-wisp-1"]) {
    for (const { event, actor } of await graph.history(id)) all.push(`${id} ${event} ${actor}`);
  }
  return all.sort();
}

/** The states a run goes through when nothing strikes. */
async function reference(): Promise<{ readonly states: unknown[]; readonly events: unknown[] }> {
  const world = await graphWorld("kill");
  const { graph } = await world.open("/repo", options);
  const states = [stateOf(graph)];
  const events = [await eventsOf(graph)];
  const run = play(graph, world, { done: 0 }, async () => {
    states.push(stateOf(graph));
    events.push(await eventsOf(graph));
  });
  await world.clock.advance(1_000);
  await run;
  return { states, events };
}

type Death = "Kill" | "PowerLoss" | "TornPowerLoss";

/** Runs the script and ends everything at the `at`th step of disk or git. False when there is no such step. */
async function runUntilDeath(
  at: number,
  death: Death,
): Promise<{ readonly world: GraphWorld; readonly done: number; readonly died: boolean }> {
  const world = await graphWorld("kill");
  let steps = 0;
  let died = false;
  const die = (): void => {
    died = true;
    if (death === "Kill") world.disk.kill();
    else {
      const random = seededRandom(at);
      world.disk.crash(death === "TornPowerLoss" ? random : undefined);
      world.git.crash(death === "TornPowerLoss" ? () => random.chance(0.5) : undefined);
    }
  };
  const plain = await world.repository("/repo");
  const files = world.disk.mount();
  world.disk.onStep = () => {
    if (++steps === at) die();
  };
  const repository = mortal(plain, async (method, proceed, args) => {
    if (died) return new Promise<never>(() => undefined);
    if (++steps !== at) return proceed(args);
    // Between the two refs of one update: git moves them one after the other.
    if (method === "updateRefs") await proceed([(args[0] as readonly unknown[]).slice(0, 1), args[1]]);
    die();
    return new Promise<never>(() => undefined);
  });
  const progress = { done: 0 };
  const life = { process: undefined as undefined | (() => void) };
  void world.open("/repo", { ...options, files, repository }).then(({ graph, kill }) => {
    life.process = kill;
    return play(graph, world, progress, async () => undefined);
  });
  await world.clock.advance(1_000);
  world.disk.onStep = undefined;
  for (const { pid } of world.machine.running) world.machine.kill(pid);
  return { world, done: progress.done, died };
}

/** A repository whose calls that change something can be the last. */
function mortal(
  repository: Repository,
  around: (
    method: string,
    proceed: (args: readonly unknown[]) => Promise<unknown>,
    args: readonly unknown[],
  ) => Promise<unknown>,
): Repository {
  const deadly = new Set(["updateRefs", "writeBlob", "writeTree", "writeCommit", "sync"]);
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(inner, name) {
        const value: unknown = Reflect.get(inner, name, inner);
        if (name === "objects") return wrap(value as object);
        if (typeof value !== "function") return value;
        const call = (args: readonly unknown[]): Promise<unknown> =>
          (value as (...all: unknown[]) => Promise<unknown>).apply(inner, [...args]);
        return deadly.has(String(name))
          ? (...args: unknown[]) => around(String(name), call, args)
          : (...args: unknown[]) => call(args);
      },
    });
  return wrap(repository);
}

describe.each(["Kill", "PowerLoss", "TornPowerLoss"] as const)("a store that dies by %s", (death) => {
  test("given death at any write, when opened again, then everything acknowledged is there once and nothing is half", async () => {
    const { states, events } = await reference();
    let at = 1;
    for (; ; at++) {
      const { world, done, died } = await runUntilDeath(at, death);
      if (!died) break;
      const again = await world.open("/repo", options);
      const state = stateOf(again.graph);
      const index = [done, done + 1].find((i) => sameJson(states[i], state));
      expect(index, `death at step ${at} after ${done} answers: ${JSON.stringify(state)}`).toBeDefined();
      expect(await eventsOf(again.graph), `events after death at step ${at}`).toEqual(events[index ?? 0]);
      await again.graph.flush();
      await again.graph.close();
      const third = await world.open("/repo", options);
      expect(stateOf(third.graph), `second start after death at step ${at}`).toEqual(state);
      expect(await eventsOf(third.graph)).toEqual(events[index ?? 0]);
      await third.graph.transact(alice, (tx) => tx.create({ title: "life goes on" }));
      await third.graph.close();
    }
    // Guards the test itself: every write of the script was struck once.
    expect(at).toBeGreaterThan(60);
  }, 60_000);
});
