import { TownError } from "../errors/town-error.ts";
import type { Repository } from "../ports/git.ts";
import type { CheckoutBinding } from "../ports/loop-ports.ts";
import type { GitGraph } from "./git-graph.ts";
import type { OpenGraphOptions } from "./open-graph.ts";
import { openGraph } from "./open-graph.ts";
import { defaultBranch, storeKey, storePaths } from "./paths.ts";
import { StoreSettings } from "./store-settings.ts";

type BindingPorts = Pick<OpenGraphOptions, "files" | "clock" | "random" | "processes" | "log">;

/** In the configuration of the store: taking in a checkout's beads was begun and is not finished. */
const adoptingKey = "town.adopting";
/** In the configuration of the store: the checkout had beads of its own, which it gets back when it is let go. */
const adoptedKey = "town.adopted";

const ownLockTimeoutMs = 10_000;
const fetchTimeoutMs = 120_000;
const actor = "loop/rigs";

/**
 * Makes a checkout follow the store of a rig: `town.store` in its git config, and everything that the checkout's own store
 * held (branch, log, wisps, settings) taken into the rig's. Repeat it as often as you like: nothing happens then, and a
 * binding that was interrupted is finished.
 *
 * Guarantees: the checkout follows the store before its own beads are read under its lock, so a command that runs meanwhile
 * either is taken in or goes to the rig's store. Throws TownError `BoundElsewhere`, WaitingError `StoreLocked`.
 */
export async function bindCheckout(
  graph: GitGraph,
  checkout: Repository,
  ports: BindingPorts,
): Promise<CheckoutBinding> {
  const store = graph.repository;
  const bound = await checkout.config(storeKey);
  if (bound !== undefined && bound !== store.commonDirectory) throw boundElsewhere(checkout, bound);
  if (bound !== undefined && (await store.config(adoptingKey)) === undefined) return "AlreadyBound";
  await store.setConfig(adoptingKey, "true");
  await checkout.setConfig(storeKey, store.commonDirectory);
  await takeIn(graph, checkout, ports);
  await store.setConfig(adoptingKey, null);
  return "Bound";
}

/**
 * Lets a checkout go that follows the store at `store`: its git config is as before. Beads of its own that it had when it
 * was bound are given back as they are now, with those that came since; a repository that had none gets none. Without
 * `graph` (the store is gone or broken) only the configuration is restored. A checkout that follows another store is left
 * as it is.
 */
export async function unbindCheckout(
  graph: GitGraph | undefined,
  checkout: Repository,
  store: string,
  ports: BindingPorts,
): Promise<CheckoutBinding> {
  if ((await checkout.config(storeKey)) !== (graph?.repository.commonDirectory ?? store)) return "NotBound";
  if (graph !== undefined && (await graph.repository.config(adoptedKey)) !== undefined)
    await giveBack(graph, checkout, ports);
  await checkout.setConfig(storeKey, null);
  return "Unbound";
}

async function takeIn(graph: GitGraph, checkout: Repository, ports: BindingPorts): Promise<void> {
  const paths = storePaths(checkout.commonDirectory);
  if ((await ports.files.stat(paths.identity)) !== undefined) await emptyOwnStore(graph, checkout, ports);
  await inheritSettings(graph, paths.settings, ports);
  if ((await checkout.resolve(defaultBranch)) === undefined) return;
  await graph.repository.setConfig(adoptedKey, "true");
  await absorbFrom(graph, checkout.commonDirectory, defaultBranch);
  await graph.flush();
}

/** Brings the log of a checkout's own store onto its branch, and moves its wisps. */
async function emptyOwnStore(graph: GitGraph, checkout: Repository, ports: BindingPorts): Promise<void> {
  const own = await openOwnStore(graph, checkout, ports);
  try {
    const records = own.storedRecords();
    if (records.length === 0) return;
    const wisps = records.filter(({ ephemeral }) => ephemeral === true);
    if (wisps.length < records.length) await own.flush();
    await graph.replaceRecords({ actor }, (here, put) => {
      for (const wisp of wisps) if (here(wisp.id) === undefined) put(wisp);
    });
    await own.transact({ actor }, (tx) => {
      for (const { id } of wisps) tx.delete(id);
    });
  } finally {
    await own.close();
  }
}

async function inheritSettings(graph: GitGraph, ownSettings: string, { files }: BindingPorts): Promise<void> {
  const own = (await StoreSettings.open(files, ownSettings, { writes: false })).values;
  const missing = Object.entries(own).filter(([key]) => graph.settings[key] === undefined);
  if (missing.length > 0) await graph.changeSettings(Object.fromEntries(missing));
}

async function giveBack(graph: GitGraph, checkout: Repository, ports: BindingPorts): Promise<void> {
  await graph.flush();
  const own = await openOwnStore(graph, checkout, ports);
  try {
    await absorbFrom(own, graph.repository.commonDirectory, graph.branch);
    await own.flush();
  } finally {
    await own.close();
  }
}

function openOwnStore(graph: GitGraph, checkout: Repository, ports: BindingPorts): Promise<GitGraph> {
  const { namespace, prefix } = graph;
  return openGraph({ ...ports, repository: checkout, namespace, prefix, lockTimeoutMs: ownLockTimeoutMs });
}

/** Merges the branch of a repository on this machine; the ref that fetching needs is gone afterwards. */
async function absorbFrom(graph: GitGraph, source: string, branch: string): Promise<void> {
  const { repository } = graph;
  const ref = "refs/town/adoption";
  await repository.fetch(source, [`+${branch}:${ref}`], { timeoutMs: fetchTimeoutMs });
  const tip = await repository.resolve(ref);
  if (tip !== undefined) await graph.absorb(tip);
  await graph.flush();
  await repository.updateRefs([{ ref, to: null }], "town: beads taken in");
}

function boundElsewhere(checkout: Repository, store: string): TownError {
  return new TownError(
    "BoundElsewhere",
    `Cannot take in the beads of ${checkout.path}: it follows another store, ${store}.`,
    {
      hint: `Remove the rig there first (town rig remove). If that town is gone: git -C ${checkout.path} config --unset ${storeKey}`,
    },
  );
}
