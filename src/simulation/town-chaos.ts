import { TownError } from "../errors/town-error.ts";
import { conditionOf, READY } from "../resource/condition.ts";
import { agentRecord } from "../work/agent-record.ts";
import { usageOf } from "../work/ledger.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { META } from "../domain/work-graph/bead.ts";
import type { ObservedSession } from "../ports/sessions.ts";
import { broken } from "./invariant.ts";
import { checkMessages, type SimulatedFault } from "./message-chaos.ts";
import { RIG, type TownWorld } from "./town-world.ts";

export interface ChaosOptions {
  /** Mean virtual time between two faults, ms. */
  readonly meanGapMs: number;
  /** Faults stop after this virtual time; then the town must end its work. */
  readonly faultsUntilMs: number;
  /** Most virtual time for the whole run. */
  readonly limitMs: number;
  /** What ends the run. Default: the convoy is closed. */
  readonly until?: (town: TownWorld) => boolean;
  /** Further faults beside the usual ones. */
  readonly more?: readonly SimulatedFault[];
}

export interface ChaosReport {
  readonly faults: readonly string[];
  readonly virtualMs: number;
}

/**
 * Until the convoy closed, or what else ends it: crashes at random calls, killed sessions, a killed server, silence, lies, clock jumps, a full or
 * failing disk, slow and refused starts. Returns what was done.
 */
export async function runChaos(town: TownWorld, options: ChaosOptions): Promise<ChaosReport> {
  const random = town.random.fork("chaos");
  const faults: string[] = [];
  const faultsToDo = [...FAULTS, ...(options.more ?? [])];
  const began = town.clock.monotonicMs();
  const elapsed = (): number => town.clock.monotonicMs() - began;
  const isOver = options.until ?? convoyClosed;
  if (town.isDown) await up(town, faults);
  while (town.controller.life.dead || !isOver(town)) {
    if (elapsed() > options.limitMs)
      throw new TownError(
        "ChaosLimit",
        `it did not end within ${options.limitMs} ms of virtual time; not ready: ${notReady(town).join("; ")}; faults: ${faults.join(", ")}`,
      );
    await town.clock.advance(1 + random.below(2 * options.meanGapMs));
    if (town.controller.life.dead) await up(town, faults);
    if (elapsed() > options.faultsUntilMs) continue;
    const fault = faultsToDo[random.below(faultsToDo.length)];
    const what = await fault?.(town, random);
    if (what !== undefined) faults.push(what);
  }
  // A death that was planned and did not come is called off: what follows is to be looked at in peace.
  town.controller.life.dieAfter(Number.POSITIVE_INFINITY);
  return { faults, virtualMs: elapsed() };
}

/** What the town itself says that it waits for. */
function notReady(town: TownWorld): readonly string[] {
  const { store } = town.controller;
  return ["Town", "Rig", "AgentPool", "Agent", "Convoy"].flatMap((kind) =>
    store.list(kind).flatMap((object) => {
      const ready = conditionOf(object, READY);
      if (ready === undefined || ready.status === "True") return [];
      return [`${kind}/${object.metadata.name} ${ready.reason}: ${ready.message}`];
    }),
  );
}

const FAULTS: readonly SimulatedFault[] = [
  async (town, random) => {
    const calls = 1 + random.below(60);
    town.controller.life.dieAfter(calls);
    return `controller dies after ${calls} calls`;
  },
  async (town) => {
    town.controller.life.end();
    return "controller killed";
  },
  async (town) => {
    const name = (await runningSessions(town)).find((session) => session.role === "polecat")?.name;
    if (name === undefined) return undefined;
    town.sessions.kill(name);
    return `session ${name} killed`;
  },
  async (town) => {
    town.sessions.killServer();
    return "runtime's server killed";
  },
  async (town, random) => {
    town.sessions.setSilent(true);
    await town.clock.advance(random.below(8_000));
    town.sessions.setSilent(false);
    return "runtime silent";
  },
  async (town, random) => {
    // Shorter than it takes to believe it of one, or long and of all, which freezes.
    const sessions = await runningSessions(town);
    const hidden = random.below(2) === 0 ? sessions.slice(0, 1) : sessions;
    if (hidden.length === 0 || (hidden.length > 1 && hidden.length <= MASS)) return undefined;
    for (const { name } of hidden) town.sessions.setHidden(name, true);
    await town.clock.advance(hidden.length === 1 ? random.below(200) : random.below(9_000));
    for (const { name } of hidden) town.sessions.setHidden(name, false);
    return `probe left out ${hidden.length} sessions`;
  },
  async (town, random) => {
    const hours = random.below(9) - 4;
    town.clock.jumpWall(hours * 3_600_000 + random.below(60_000));
    return `clock jumped by ${hours} h`;
  },
  async (town, random) => {
    const code = random.below(2) === 0 ? "ENOSPC" : "EIO";
    const lift = town.disk.inject({ code, below: "/town/.git/town" });
    await town.clock.advance(random.below(4_000));
    lift();
    return `disk says ${code}`;
  },
  async (town, random) => {
    town.sessions.failStarts(1 + random.below(3));
    return "starts fail";
  },
];

/** Absences at once that count as many. */
const MASS = 3;

async function runningSessions(town: TownWorld): Promise<readonly ObservedSession[]> {
  return (await town.sessions.observe()).sessions.filter((session) => session.state === "Running");
}

/** A controller is started again until one lives through its start. */
async function up(town: TownWorld, faults: string[]): Promise<void> {
  const starting = town.start().then(
    () => "Up" as const,
    (error: unknown) => error,
  );
  let outcome: unknown;
  void starting.then((value) => {
    outcome = value;
  });
  await town.clock.runUntil(() => outcome !== undefined, 120_000);
  if (outcome !== "Up") throw outcome;
  faults.push("controller started");
}

export function convoyClosed(town: TownWorld): boolean {
  const convoy = town.controller.store.get({ kind: "Convoy", namespace: "hq", name: "work" });
  return convoy !== undefined && conditionOf(convoy, "Closed")?.status === "True";
}

/** What must hold whatever happened. Throws TownError `Invariant` with what is broken. */
export async function checkTown(town: TownWorld): Promise<void> {
  const graph = town.controller.ports.graphs.graph("api");
  if (graph === undefined) throw broken("the work graph is not open");
  const items = graph
    .list()
    .filter(
      (record) =>
        typeof record.metadata?.[META.key] === "string" && String(record.metadata[META.key]).startsWith("convoy/"),
    );
  const convoy = town.controller.store.get({ kind: "Convoy", namespace: "hq", name: "work" });
  const declared = (convoy?.spec["items"] as readonly unknown[] | undefined)?.length;
  if (items.length !== declared) throw broken(`there are ${items.length} beads for ${declared} items`);
  for (const bead of items) {
    if (bead.status !== "closed" || !String(bead.close_reason).startsWith("Merged in "))
      throw broken(`${bead.id} is ${bead.status}: ${String(bead.close_reason)}`);
    const merged = graph
      .list({ type: ["merge-request"], metadata: { [META.bead]: bead.id } })
      .filter((request) => String(request.close_reason).startsWith("Merged"));
    if (merged.length !== 1) throw broken(`${bead.id} was merged ${merged.length} times`);
  }
  await checkTarget(
    town,
    items.map((bead) => bead.id),
  );
  checkStepsInOrder(town);
  checkMessages(town);
  await checkNothingLost(town);
  await checkUsage(town, graph);
}

const USAGE_WITHIN_MS = 30 * 60_000;

/** What the programs wrote down is counted, all of it and once. */
async function checkUsage(town: TownWorld, graph: GraphReader): Promise<void> {
  const counted = (): string =>
    [...town.used.keys()]
      .toSorted()
      .map((name) => `${name} ${usageOf(agentRecord(graph, name)).output}`)
      .join(", ");
  const written = [...town.used]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, tokens]) => `${name} ${tokens}`)
    .join(", ");
  await town.clock.runUntil(() => counted() === written, USAGE_WITHIN_MS).catch(() => undefined);
  if (counted() !== written) throw broken(`programs wrote down ${written}; counted were ${counted()}`);
}

/** The target moved from tested tree to tested tree, and each bead's merge is in it once. */
export async function checkTarget(town: TownWorld, beads: readonly string[], path = RIG): Promise<void> {
  const project = await town.git.open(path);
  const head = await project?.resolve("refs/heads/main");
  if (project === undefined || head === undefined) throw broken("the project has no main");
  // The first commit is the project as it was found.
  for (const id of town.git.reflog(path, "refs/heads/main").slice(1)) {
    const tree = (await project.objects.readCommit(id))?.tree ?? "";
    if (!town.pushed.has(id) && !town.passedTrees.has(tree))
      throw broken(`main had the tree of ${id}, which never passed the gate`);
  }
  const landed: string[] = [];
  for (let commit = await project.objects.readCommit(head); commit !== undefined; ) {
    const bead = /^Merge ([^:]+):/.exec(commit.message)?.[1];
    if (bead !== undefined) {
      landed.push(bead);
    }
    const parent = commit.parents[0];
    commit = parent === undefined ? undefined : await project.objects.readCommit(parent);
  }
  if (landed.toSorted().join() !== beads.toSorted().join()) throw broken(`main has the merges ${landed.join(", ")}`);
}

/**
 * Generations only rise, and whoever was replaced at a bead never works on it again: no two live generations act on one
 * hook.
 */
export function checkStepsInOrder(town: TownWorld): void {
  const newest = new Map<string, number>();
  const holders = new Map<string, readonly string[]>();
  for (const { namespace, agent: name, generation, bead } of town.worked) {
    const agent = `${namespace}/${name}`;
    const former = newest.get(agent) ?? 0;
    if (generation < former) throw broken(`${agent} worked with generation ${generation} after ${former}`);
    newest.set(agent, generation);
    const all = holders.get(bead) ?? [];
    const holder = `${agent}@${generation}`;
    if (all.at(-1) === holder) continue;
    if (all.includes(holder)) throw broken(`${holder} worked on ${bead} again after ${all.at(-1)}`);
    holders.set(bead, [...all, holder]);
  }
}

/** Every commit an agent made is in the target or under a ref that keeps it. */
export async function checkNothingLost(
  town: TownWorld,
  path = town.controller.ports.layout.clone("api"),
): Promise<void> {
  const clone = await town.git.open(path);
  if (clone === undefined) throw broken("the clone is gone");
  const kept = [...(await clone.listRefs("refs/")).values()];
  for (const commit of town.committed) {
    const safe = await Promise.all(kept.map((head) => clone.isAncestor(commit, head)));
    if (!safe.includes(true)) throw broken(`the commit ${commit} of an agent is under no ref any more`);
  }
}
