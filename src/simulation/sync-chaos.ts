import { conditionOf } from "../resource/condition.ts";
import type { Caller } from "../resource/caller.ts";
import { broken } from "./invariant.ts";
import { LIBRARY, MAIN, pool, poolText, type SyncLife, type SyncWorld, TRUTH } from "./sync-world.ts";

const ROOTS = ["/one", "/two"] as const;
/** Written through the API only. */
const WRITTEN = ["w0", "w1", "w2"] as const;
/** Changed by a person with a clone only. */
const BY_HAND = ["h0", "h1"] as const;
/** Those of the further Source. */
const SHARED = ["l0", "l1", "l2"] as const;

export const FIRST_POOLS: Readonly<Record<string, number>> = Object.fromEntries(
  [...WRITTEN, ...BY_HAND].map((name) => [name, 1]),
);

const TOAST: Caller = {
  name: "api/polecats/toast",
  email: "ada@example.org",
  role: "agent",
  session: { namespace: "api", agent: "toast", generation: 1 },
};

export interface SyncChaosReport {
  readonly faults: readonly string[];
  /** Writes that were acknowledged. */
  readonly acknowledged: number;
  readonly refused: number;
}

/** What the run knows besides the world. */
interface Ledger {
  /** Counts up, so that every value is written once. */
  next: number;
  readonly acknowledged: { readonly name: string; readonly replicas: number }[];
  refused: number;
  readonly faults: string[];
}

/**
 * Writes through the API of both towns, commits of people to the remote and in the checkouts, force-pushes of the
 * Source, remotes that do not answer, killed controllers and lost journals; then quiet. Throws TownError `Invariant`.
 */
export async function runSyncChaos(world: SyncWorld, rounds: number): Promise<SyncChaosReport> {
  const random = world.random.fork("chaos");
  const ledger: Ledger = { next: 2, acknowledged: [], refused: 0, faults: [] };
  await world.commitTo(LIBRARY, Object.fromEntries(SHARED.map((name) => [`${name}.yaml`, poolText(name, 1)])));
  for (const root of ROOTS) await revive(world, root, false);
  await world.clock.advance(60_000);
  for (let round = 0; round < rounds; round += 1) {
    await act(world, ledger, random.below(12), random.pick(ROOTS));
    await world.clock.advance(1 + random.below(4_000));
    for (const root of ROOTS) {
      if (world.alive(root) === undefined && random.chance(0.5)) await revive(world, root, random.chance(0.3));
      requireNothingPruned(world, root);
    }
  }
  world.git.unreachable.clear();
  for (const root of ROOTS) {
    world.alive(root)?.life.dieAfter(Number.POSITIVE_INFINITY);
    if (world.alive(root) === undefined) await revive(world, root, false);
    await settleCheckout(world, root);
    await world.poke(root);
  }
  await world.clock.advance(300_000);
  const before = ledger.acknowledged.length;
  for (const root of ROOTS) {
    await write(world, ledger, root);
    await world.clock.advance(60_000);
  }
  if (ledger.acknowledged.length !== before + ROOTS.length) throw broken("a write in the quiet was not acknowledged");
  await world.clock.advance(60_000);
  await checkEnd(world, ledger);
  return { faults: ledger.faults, acknowledged: ledger.acknowledged.length, refused: ledger.refused };
}

async function act(world: SyncWorld, ledger: Ledger, what: number, root: (typeof ROOTS)[number]): Promise<void> {
  const { random } = world;
  const { faults } = ledger;
  if (what <= 2 || what > 8) return write(world, ledger, root);
  if (what === 3) {
    const name = random.pick(BY_HAND);
    await world.commitTo(TRUTH, { [`${name}.yaml`]: poolText(name, ledger.next) });
    ledger.next += 1;
  } else if (what === 4) {
    const orphan = random.chance(0.4);
    faults.push(orphan ? "library force-pushed" : "library changed");
    const texts = SHARED.map((name) => [`${name}.yaml`, poolText(name, random.below(9))] as const);
    await world.commitTo(LIBRARY, Object.fromEntries(texts), orphan);
  } else if (what === 5) {
    const path = random.pick([TRUTH, LIBRARY]);
    const answers = world.git.unreachable.delete(path);
    faults.push(`${path} ${answers ? "answers" : "does not answer"}`);
    if (!answers && random.chance(0.5)) world.git.unreachable.add(path);
  } else if (what === 6) {
    faults.push(`${root} killed`);
    world.kill(root);
  } else if (what === 7) {
    const calls = 1 + random.below(80);
    faults.push(`${root} dies after ${calls} calls`);
    world.alive(root)?.life.dieAfter(calls);
  } else if (random.chance(0.5)) {
    faults.push(`a commit in ${root} that is not pushed`);
    await world.git.writeFile(root, "notes.txt", `${ledger.next}\n`);
    await world.git.commit(root, "notes\n", { name: "Pat", email: "pat@example.org" });
  } else await settleCheckout(world, root);
}

/** A PATCH through a town's API; what becomes of it is noted when it is answered. */
async function write(world: SyncWorld, ledger: Ledger, root: string): Promise<void> {
  const living = world.alive(root);
  const name = world.random.pick(WRITTEN);
  const before = living?.store.get(pool(name));
  if (living === undefined || before === undefined) return;
  const replicas = ledger.next;
  ledger.next += 1;
  void living.desired.commits
    .write({
      // Agents write, too: what came through the API of one town is not held back by the other.
      caller: world.random.chance(0.4) ? TOAST : { name: "Ada", email: "ada@example.org", role: "admin" },
      key: pool(name),
      before,
      after: { ...before, spec: { ...before.spec, replicas: replicas % 200 } },
      stated: { spec: { replicas: replicas % 200 } },
      dryRun: false,
    })
    .then(
      () => ledger.acknowledged.push({ name, replicas: replicas % 200 }),
      () => (ledger.refused += 1),
    );
}

/** What a person does about commits that were not pushed: here they go, and the checkout is at the remote's commit. */
async function settleCheckout(world: SyncWorld, root: string): Promise<void> {
  const repository = await world.repository(root);
  const [local, remote] = [await repository.resolve(MAIN), await (await world.repository(TRUTH)).resolve(MAIN)];
  if (remote === undefined || local === remote || world.git.unreachable.has(TRUTH)) return;
  await world.git.removeFile(root, "notes.txt");
  await repository.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"]);
  await repository.updateRefs([{ ref: MAIN, to: remote }], "reset");
  for (const { path, id } of await repository.listFiles(MAIN, ""))
    await world.git.writeFile(root, path, (await repository.objects.readBlob(id)) ?? "");
  await world.stage(root, ["notes.txt"]);
}

async function revive(world: SyncWorld, root: string, forget: boolean): Promise<void> {
  let outcome: unknown;
  void world.start(root, forget).then(
    () => (outcome = "Up"),
    (error: unknown) => (outcome = error),
  );
  await world.clock.runUntil(() => outcome !== undefined, 120_000);
  if (outcome !== "Up") throw outcome;
}

/** No document of these was ever removed: whatever could not be read or reached, they are there. */
function requireNothingPruned(world: SyncWorld, root: string): void {
  const { store, desired } = world.alive(root) ?? {};
  if (store === undefined || desired?.sync.last === undefined) return;
  const wanted = desired.further.last("library")?.revision === undefined ? [] : SHARED;
  for (const name of [...WRITTEN, ...BY_HAND, ...wanted]) {
    const object = store.get(pool(name));
    if (object === undefined || object.metadata.deletionTimestamp !== undefined)
      throw broken(`${root} lost ${name}: ${JSON.stringify(desired.sync.last)}`);
  }
}

async function checkEnd(world: SyncWorld, ledger: Ledger): Promise<void> {
  const truth = await world.repository(TRUTH);
  const tip = (await truth.resolve(MAIN)) ?? "";
  const library = (await (await world.repository(LIBRARY)).resolve(MAIN)) ?? "";
  await checkAcknowledged(world, ledger, tip);
  for (const root of ROOTS) {
    const living = world.alive(root);
    if (living === undefined) throw broken(`${root} died in the quiet`);
    requireReady(living, root);
    for (const [names, path, commit] of [
      [[...WRITTEN, ...BY_HAND], TRUTH, tip],
      [SHARED, LIBRARY, library],
    ] as const)
      for (const name of names) {
        const text = await world.textAt(path, commit, `${name}.yaml`);
        const shown = Number(living.store.get(pool(name))?.spec["replicas"]);
        if (text !== poolText(name, shown))
          throw broken(`${root} shows ${name} with ${shown}, git says ${text ?? "none"}`);
      }
    const repository = await world.repository(root);
    if ((await repository.resolve(MAIN)) !== tip) throw broken(`${root} does not follow`);
    const { changed, untracked } = await repository.worktreeStatus(root);
    if (changed.length + untracked.length > 0)
      throw broken(`${root} has changes: ${[...changed, ...untracked].join()}`);
    await requireAtRest(world, living, root);
  }
}

/** Every acknowledged value is in the history of the truth. */
async function checkAcknowledged(world: SyncWorld, ledger: Ledger, tip: string): Promise<void> {
  const { objects } = await world.repository(TRUTH);
  const seen = new Set<string>();
  for (let at: string | undefined = tip; at !== undefined; at = (await objects.readCommit(at))?.parents[0])
    for (const name of WRITTEN) seen.add((await world.textAt(TRUTH, at, `${name}.yaml`)) ?? "");
  const lost = ledger.acknowledged.find(({ name, replicas }) => !seen.has(poolText(name, replicas)));
  if (lost !== undefined) throw broken(`the write of ${lost.name} to ${lost.replicas} was acknowledged and is lost`);
}

function requireReady({ store }: SyncLife, root: string): void {
  for (const [kind, name] of [
    ["Town", "hq"],
    ["Source", "library"],
  ] as const) {
    const object = store.get({ kind, name });
    const ready = object === undefined ? undefined : conditionOf(object, "Ready");
    if (ready?.status !== "True") throw broken(`${root}: ${kind} is not ready: ${ready?.message ?? "it is not there"}`);
  }
}

/** A second reconcile does nothing to what is declared. */
async function requireAtRest(world: SyncWorld, { store }: SyncLife, root: string): Promise<void> {
  const versions = (): string =>
    JSON.stringify(store.list("AgentPool").map(({ metadata }) => metadata.resourceVersion));
  const before = versions();
  await world.clock.advance(120_000);
  if (versions() !== before) throw broken(`${root} does not come to rest`);
}
