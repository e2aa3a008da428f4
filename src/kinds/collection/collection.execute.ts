import type { LoopPorts } from "../../ports/loop-ports.ts";
import { endAnsweredEscalations } from "../../work/escalation.ts";
import { saveWork } from "../../work/rescue.ts";
import { removeEndedBranch } from "../../work/task-branches.ts";
import type { Orphan } from "./collection.observe.ts";
import type { CollectionAction } from "./collection.plan.ts";
import type { LooseObjects } from "./loose-objects.ts";

const ACTOR = "loop/collection";
const GRACE_MS = 3_000;
/** Less than a run of a loop may take. */
const PACK_TIMEOUT_MS = 8 * 60_000;

export async function executeCollection(action: CollectionAction, _town: unknown, ports: LoopPorts): Promise<void> {
  if (action.do === "ScanOwners") return ports.collectOwned();
  if (action.do === "Pack") return pack(action.objects, ports);
  const kept = await remove(action.orphan, ports);
  ports.events.record(
    { kind: "Town", name: "hq" },
    {
      type: "Normal",
      reason: `Orphan${action.orphan.sort}Removed`,
      message: `${nameOf(action.orphan)}: ${action.orphan.evidence}${kept === undefined ? "" : `; ${kept}`}`,
      actor: ACTOR,
    },
  );
}

/** What cannot be packed is only larger than it need be. */
async function pack({ namespace, path, count }: LooseObjects, ports: LoopPorts): Promise<void> {
  const repository = await ports.git.open(path);
  try {
    if ((await repository?.objects.packAll({ timeoutMs: PACK_TIMEOUT_MS })) !== true) return;
  } catch (err) {
    ports.log.warn({ err, repository: path }, "cannot pack a repository");
    return;
  }
  const about = namespace === "hq" ? { kind: "Town", name: "hq" } : { kind: "Rig", name: namespace };
  const message = `packed about ${count} loose objects of ${path}`;
  ports.events.record(about, { type: "Normal", reason: "RepositoryPacked", message, actor: ACTOR });
}

/** Removes it; says where work that was in it is now. */
async function remove(orphan: Orphan, ports: LoopPorts): Promise<string | undefined> {
  switch (orphan.sort) {
    case "Worktree":
      return removeWorktree(orphan, ports);
    case "Session":
      await ports.sessions.stop(orphan.runtimeName, orphan.generation, { graceMs: GRACE_MS });
      await ports.tokens.revoke(orphan.namespace, orphan.agent);
      await ports.view.note(orphan.runtimeName, undefined);
      return undefined;
    case "Token":
      await ports.tokens.revoke(orphan.namespace, orphan.agent);
      return undefined;
    case "Ref": {
      const repository = await ports.git.open(ports.layout.clone(orphan.namespace));
      await repository?.updateRefs([{ ref: orphan.ref, to: null, from: orphan.commit }], "town: collected");
      return undefined;
    }
    case "Branch": {
      const repository = await ports.git.open(ports.layout.clone(orphan.namespace));
      if (repository !== undefined) await removeEndedBranch(repository, orphan.branch);
      return undefined;
    }
    case "Escalation":
      await ports.graphs
        .graph(orphan.namespace)
        ?.transact({ actor: ACTOR }, (tx) => endAnsweredEscalations(tx, orphan.bead));
      return undefined;
    case "Pins": {
      const repository = await ports.git.open(ports.layout.clone(orphan.namespace));
      const updates = orphan.pins.map(({ ref, commit }) => ({ ref, to: null, from: commit }));
      await repository?.updateRefs(updates, "town: collected");
      return undefined;
    }
    case "Log":
    case "Transcript":
      for (const path of orphan.paths) await ports.files.remove(path);
      return undefined;
    default:
      return orphan satisfies never;
  }
}

async function removeWorktree(
  orphan: Extract<Orphan, { sort: "Worktree" }>,
  ports: LoopPorts,
): Promise<string | undefined> {
  const { namespace, path } = orphan;
  const repository = await ports.git.open(namespace === "hq" ? ports.layout.root : ports.layout.clone(namespace));
  if (repository === undefined) return undefined;
  if (orphan.gone) {
    await repository.removeWorktree(path);
    return undefined;
  }
  const agent = path.slice(path.lastIndexOf("/") + 1);
  const author = { name: `${namespace}/${agent}`, email: "rescue@town.invalid", timeMs: ports.clock.now() };
  const saved = await saveWork(repository, path, { namespace, agent, author, reason: orphan.evidence });
  await repository.removeWorktree(path);
  const rescue =
    saved.rescue === undefined ? "" : `${saved.rescue.files} uncommitted files are kept in ${saved.rescue.ref}, `;
  return `${rescue}head ${saved.head?.slice(0, 12) ?? "none"} stays pinned`;
}

function nameOf(orphan: Orphan): string {
  switch (orphan.sort) {
    case "Worktree":
      return orphan.path;
    case "Log":
    case "Transcript":
      return severalOf(orphan.paths);
    case "Pins":
      return `${severalOf(orphan.pins.map(({ ref }) => ref))} of ${orphan.namespace}`;
    case "Session":
      return orphan.runtimeName;
    case "Token":
      return `token of ${orphan.namespace}/${orphan.agent}`;
    case "Ref":
      return `${orphan.ref} of ${orphan.namespace}`;
    case "Escalation":
      return `escalation about ${orphan.bead}`;
    case "Branch":
      return `${orphan.branch.ref} of ${orphan.namespace}`;
    default:
      return orphan satisfies never;
  }
}

function severalOf(names: readonly string[]): string {
  const [first = "", ...more] = names;
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}
