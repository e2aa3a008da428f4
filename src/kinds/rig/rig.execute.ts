import { TerminalError, WaitingError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import { openClone } from "./rig.observe.ts";
import type { RigObject } from "./rig.schema.ts";
import type { RigAction } from "./rig.plan.ts";
import { pushTarget } from "./rig-push.ts";

const AUTHOR = { actor: "loop/rigs" };
const CLONE_TIMEOUT_MS = 30 * 60_000;
const CANDIDATE = "refs/town/candidate/";

export async function executeRig(action: RigAction, object: RigObject, ports: LoopPorts): Promise<void> {
  const name = object.metadata.name;
  switch (action.do) {
    case "Clone":
      return clone(name, action.source, ports);
    case "FollowSource":
      return followSource(name, action, ports);
    case "OpenGraph":
      await ports.graphHost.open(name, await mustOpen(name, ports), { prefix: action.prefix, branch: action.branch });
      return;
    case "Bind":
      if ((await ports.graphHost.bindCheckout(name, await checkoutAt(action.source, ports))) === "Bound")
        record(name, ports, "CheckoutBound", `beads of ${action.source} live in this rig's store now`);
      return;
    case "PushTarget": {
      const checkout = object.spec.path === undefined ? undefined : await checkoutOf(object, ports);
      const pushed = await pushTarget(object.spec, {
        clone: await mustOpen(name, ports),
        branch: action.branch,
        checkout,
      });
      if (pushed) record(name, ports, "TargetPushed", `pushed ${action.branch}`);
      return;
    }
    case "SyncWork":
      return syncWork(name, action.remote, ports);
    case "ReleaseWork":
      return releaseWork(name, ports);
    case "Unbind":
      await ports.graphHost.unbindCheckout(name, await checkoutAt(action.source, ports), ports.layout.clone(name));
      return;
    case "CloseGraph":
      await ports.graphHost.close(name);
      return;
    case "PutAway":
      return putAway(name, ports);
    default:
      return action satisfies never;
  }
}

function record(name: string, ports: LoopPorts, reason: string, message: string): void {
  ports.events.record({ kind: "Rig", name }, { type: "Normal", reason, message, actor: AUTHOR.actor });
}

async function mustOpen(name: string, ports: LoopPorts): Promise<Repository> {
  const found = await openClone(name, ports);
  if (found === undefined) throw new WaitingError("CloneMissing", `rig ${name} has no clone yet`, 1_000);
  return found;
}

async function checkoutAt(path: string, ports: LoopPorts): Promise<Repository> {
  const found = await ports.git.open(path);
  if (found === undefined) throw new WaitingError("RepositoryNotFound", `there is no repository at ${path}`, 10_000);
  return found;
}

function checkoutOf(object: RigObject, ports: LoopPorts): Promise<Repository> {
  const path = object.spec.path ?? "";
  return checkoutAt(path.startsWith("/") ? path : `${ports.layout.root}/${path}`, ports);
}

/** The clone that a removal put away comes back with its work graph; else a new one is made. */
async function clone(name: string, source: string, ports: LoopPorts): Promise<void> {
  const path = ports.layout.clone(name);
  const former = await putAwayClone(name, source, ports);
  if (former !== undefined && (await ports.files.stat(path)) === undefined) {
    await ports.files.rename(former, path);
    return record(name, ports, "CloneTakenBack", `the clone that was put away at ${former} is used again`);
  }
  await ports.git.cloneBare(source, path, { timeoutMs: CLONE_TIMEOUT_MS });
  record(name, ports, "Cloned", `cloned ${source}`);
}

function putAwayDirectory(ports: LoopPorts): string {
  return `${ports.layout.state}/rigs/removed`;
}

/** Newest clone of the same source that was put away under this name. */
async function putAwayClone(name: string, source: string, ports: LoopPorts): Promise<string | undefined> {
  const directory = putAwayDirectory(ports);
  const names = (await ports.files.list(directory)).filter((entry) => entry.replace(/-\d+\.git$/, "") === name);
  for (const entry of names.toReversed()) {
    const path = `${directory}/${entry}`;
    const repository = await ports.git.open(path);
    if (repository?.commonDirectory === path && (await repository.config("remote.origin.url")) === source) return path;
  }
  return undefined;
}

/** The clone holds the work graph and every pinned head, so it is kept, out of the way. */
async function putAway(name: string, ports: LoopPorts): Promise<void> {
  const path = ports.layout.clone(name);
  const repository = await openClone(name, ports);
  const refinery = ports.layout.refinery(name);
  if (repository !== undefined && (await ports.files.stat(`${refinery}/.git`)) !== undefined)
    await repository.removeWorktree(refinery);
  await ports.files.makeDirectory(putAwayDirectory(ports));
  const kept = `${putAwayDirectory(ports)}/${name}-${ports.clock.now()}.git`;
  await ports.files.rename(path, kept);
  record(name, ports, "RigRemoved", `the repository is as before; clone and work graph are kept at ${kept}`);
}

/**
 * Points the clone at another place after making sure that the history it knows is there too: a repository that moved is
 * followed, another repository is not, since the work graph and every branch belong to the old one.
 */
async function followSource(
  name: string,
  action: Extract<RigAction, { do: "FollowSource" }>,
  ports: LoopPorts,
): Promise<void> {
  const repository = await mustOpen(name, ports);
  const former = await repository.config("remote.origin.url");
  await repository.fetch(action.source, [`+refs/heads/*:${CANDIDATE}*`], { prune: true, timeoutMs: CLONE_TIMEOUT_MS });
  const candidates = await repository.listRefs(CANDIDATE);
  try {
    if (action.head !== undefined && !(await isRelated(repository, action.head, [...candidates.values()])))
      throw new TerminalError(
        "SourceUnrelated",
        `the clone of rig ${name} follows ${former ?? "no repository"}; ${action.source} has no history in common with it`,
        { hint: "give the other repository a rig of its own, or change it back" },
      );
  } finally {
    await repository.updateRefs(
      [...candidates.keys()].map((ref) => ({ ref, to: null })),
      "town: looked at another source",
    );
  }
  await repository.setConfig("remote.origin.url", action.source);
  record(name, ports, "SourceFollowed", `the repository moved from ${former ?? "nowhere"} to ${action.source}`);
}

async function isRelated(repository: Repository, head: string, others: readonly string[]): Promise<boolean> {
  for (const other of others) if ((await repository.mergeBase(head, other)) !== undefined) return true;
  return false;
}

async function syncWork(name: string, remote: string, ports: LoopPorts): Promise<void> {
  for (const bead of await ports.graphHost.exchange(name, remote))
    ports.events.record(
      { kind: "Bead", namespace: name, name: bead },
      {
        type: "Warning",
        reason: "ClaimLost",
        message: `somebody else claimed it first at ${remote}; work on it here must stop`,
        actor: AUTHOR.actor,
      },
    );
}

async function releaseWork(name: string, ports: LoopPorts): Promise<void> {
  const graph = ports.graphs.graph(name);
  const released = await graph?.transact(AUTHOR, (tx) => {
    const held = tx.list({ status: ["hooked", "in_progress"] }).filter((bead) => bead.assignee !== undefined);
    for (const bead of held) tx.release(bead.id, { reason: `rig ${name} is removed` });
    return held.map((bead) => bead.id);
  });
  if (released !== undefined && released.length > 0)
    record(name, ports, "WorkAbandoned", `given back unfinished: ${released.join(", ")}`);
}
