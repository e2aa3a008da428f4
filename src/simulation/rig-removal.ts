import { openGraph } from "../graph/open-graph.ts";
import { silentLog } from "../ports/log.ts";
import { conditionOf, READY } from "../resource/condition.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { broken } from "./invariant.ts";
import { seededRandom } from "./seeded-random.ts";
import { checkNothingLost, convoyClosed, runChaos } from "./town-chaos.ts";
import { RIG, TOWN, type TownWorld } from "./town-world.ts";

const KEY: ObjectKey = { kind: "Rig", name: "api" };
const HQ: ObjectKey = { kind: "Town", name: "hq" };
const NAMESPACED = ["AgentPool", "Agent", "Session", "Sandbox", "Bead", "MergeRequest", "Message", "Molecule"] as const;
const LIMIT_MS = 3_600_000;

export interface RemovalOptions {
  /** How long agents work before their rig is removed, ms. */
  readonly workedMs: number;
  /** How long nobody allows to prune, ms. */
  readonly heldMs: number;
  /** How long faults go on after each change, ms. */
  readonly faultsMs: number;
  /** Manifests of the rig and of its pools, by path below `manifests/`; they go and come back. */
  readonly files: Readonly<Record<string, string>>;
  /** Where work is unfinished, a person brings the manifests back instead of giving it up. */
  readonly regrets: boolean;
}

export interface RemovalReport {
  readonly faults: readonly string[];
  /** How it ended: nothing was unfinished, a person gave it up, or brought the manifests back. */
  readonly end: "Finished" | "Abandoned" | "Regretted";
}

/**
 * A rig is removed while agents work in it, and declared again. Without `allow-prune` nothing is removed; then the removal
 * waits for unfinished work until a person gives it up; what the rig was is kept, and declared again it has all of it, and
 * the convoy ends. Throws TownError `Invariant`.
 */
export async function runRigRemoval(town: TownWorld, options: RemovalOptions): Promise<RemovalReport> {
  const { files, faultsMs } = options;
  const faults: string[] = [];
  const chaos = async (until: (town: TownWorld) => boolean): Promise<void> => {
    const report = await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: faultsMs, limitMs: LIMIT_MS, until });
    faults.push(...report.faults);
  };
  const began = town.clock.monotonicMs();
  await chaos(() => town.clock.monotonicMs() - began >= options.workedMs);
  await town.commit(Object.fromEntries(Object.keys(files).map((path) => [path, undefined])));
  await chaos(isHeld);
  const before = await checkHeld(town, options.heldMs);
  await say(town, HQ, { "runtime.town.dev/allow-prune": (await headOf(town)) ?? "" });
  await chaos((world) => rigOf(world) === undefined || isWaiting(world));
  const isUnfinished = rigOf(town) !== undefined;
  if (isUnfinished) await checkWaiting(town);
  if (isUnfinished && options.regrets) {
    await town.commit(files);
    await chaos(convoyClosed);
    requireAll(before, idsIn(town), "the rig that was kept");
    return { faults, end: "Regretted" };
  }
  if (isUnfinished) {
    await say(town, KEY, { "runtime.town.dev/abandon-work": "2026-01-01T00:00:00Z" });
    await chaos((world) => rigOf(world) === undefined);
  }
  await town.clock.advance(60_000);
  const kept = await checkPutAway(town);
  requireAll(before, kept, "the store that was put away");
  await town.commit(files);
  await chaos((world) => world.controller.ports.graphs.graph("api") !== undefined);
  requireAll(kept, idsIn(town), "the rig that was declared again");
  await chaos(convoyClosed);
  return { faults, end: isUnfinished ? "Abandoned" : "Finished" };
}

function rigOf(town: TownWorld): ReturnType<TownWorld["controller"]["store"]["get"]> {
  return town.controller.store.get(KEY);
}

async function headOf(town: TownWorld): Promise<string | undefined> {
  return (await town.git.open(TOWN))?.resolve("refs/heads/main");
}

function idsIn(town: TownWorld): ReadonlySet<string> {
  const graph = town.controller.ports.graphs.graph("api");
  return new Set(
    graph
      ?.list()
      .filter(({ ephemeral }) => ephemeral !== true)
      .map(({ id }) => id),
  );
}

function requireAll(before: ReadonlySet<string>, after: ReadonlySet<string>, where: string): void {
  const missing = [...before].filter((id) => !after.has(id));
  if (missing.length > 0) throw broken(`${where} lacks ${missing.join(", ")}`);
}

function isHeld(town: TownWorld): boolean {
  const hq = town.controller.store.get(HQ);
  return hq !== undefined && conditionOf(hq, READY)?.reason === "PruneHeld";
}

/** Nobody works on what is left: it waits for a person. */
function isWaiting(town: TownWorld): boolean {
  const rig = rigOf(town);
  return rig !== undefined && conditionOf(rig, READY)?.reason === "UnfinishedWork";
}

/** Nothing of a rig is removed before a person says so. Returns its beads. */
async function checkHeld(town: TownWorld, heldMs: number): Promise<ReadonlySet<string>> {
  await town.clock.advance(heldMs);
  const rig = rigOf(town);
  if (rig === undefined || rig.metadata.deletionTimestamp !== undefined)
    throw broken("a rig was removed though nobody allowed to prune it");
  return idsIn(town);
}

/** What is unfinished stays as it is for as long as nobody gives it up. */
async function checkWaiting(town: TownWorld): Promise<void> {
  const beads = idsIn(town);
  await town.clock.advance(1_800_000);
  if (!isWaiting(town)) throw broken("a rig with unfinished work went on without a person");
  requireAll(beads, idsIn(town), "the rig that waits");
  await checkNothingLost(town);
}

/** A person sets runtime annotations; again while the controller dies under it. */
async function say(town: TownWorld, key: ObjectKey, annotations: Readonly<Record<string, string>>): Promise<void> {
  let outcome: unknown = "Waiting";
  void town.controller.store.annotateRuntime(key, annotations).then(
    () => (outcome = "Done"),
    (error: unknown) => (outcome = error),
  );
  await town.clock.runUntil(() => outcome !== "Waiting", 60_000);
  if (outcome !== "Done") throw outcome;
}

/** Nothing of the rig is left but its clone, which has everything. Returns the beads in it. */
async function checkPutAway(town: TownWorld): Promise<ReadonlySet<string>> {
  const { store, ports } = town.controller;
  for (const kind of NAMESPACED)
    for (const { metadata } of store.list(kind, { namespace: "api" }))
      throw broken(`${kind} ${metadata.name} outlived its rig`);
  const running = (await town.sessions.observe()).sessions.filter(
    ({ namespace, state }) => namespace === "api" && state === "Running",
  );
  if (running.length > 0) throw broken(`the session ${running[0]?.name} outlived its rig`);
  const files = town.disk.mount();
  if ((await files.stat(ports.layout.clone("api"))) !== undefined) throw broken("the clone is still in its place");
  const removed = `${ports.layout.state}/rigs/removed`;
  const [name, ...more] = await files.list(removed);
  if (name === undefined || more.length > 0) throw broken(`put away are ${[name, ...more].join(", ")}`);
  const path = `${removed}/${name}`;
  const project = await town.git.open(RIG);
  if ((await project?.config("town.store")) !== undefined) throw broken("the project is still bound to the town");
  await checkNothingLost(town, path);
  const repository = await town.git.open(path);
  if (repository === undefined) throw broken(`${path} is no repository`);
  const worktrees = (await repository.worktrees()).filter((worktree) => worktree.path !== repository.path);
  if (worktrees.length > 0) throw broken(`the sandbox ${worktrees[0]?.path} outlived its rig`);
  const { processes } = town.machine.life();
  const graph = await openGraph({
    repository,
    files,
    processes,
    clock: town.clock,
    random: seededRandom("put away"),
    log: silentLog,
    namespace: "api",
    prefix: "api",
    readOnly: true,
  });
  const ids = new Set(
    graph
      .list()
      .filter(({ ephemeral }) => ephemeral !== true)
      .map(({ id }) => id),
  );
  await graph.close();
  return ids;
}
