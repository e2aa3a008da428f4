import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { WaitingError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { agentRecord, taskBranch } from "../../work/agent-record.ts";
import { conversationsOf, endConversation } from "../../work/conversation.ts";
import { attemptsOf } from "../../work/hooking.ts";
import { keepTranscripts } from "../../work/kept-transcript.ts";
import { removeEndedBranches } from "../../work/task-branches.ts";
import { saveWork } from "../../work/rescue.ts";
import { pinRef, type SandboxFact, sandboxFact } from "../../work/sandbox-fact.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import { targetHead } from "../../work/rig-target.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { copySandboxFiles } from "./sandbox-files.ts";
import { takeReserve } from "./reserve/take-reserve.ts";
import { endSetUp } from "./sandbox-setup.ts";
import type { AgentObject } from "./agent.observe.ts";

const AUTHOR = { actor: "loop/workers" };

/** Repository that an agent's worktree belongs to: the rig's clone, or the town repository for agents of `hq`. */
export async function sandboxRepository(namespace: string, ports: LoopPorts): Promise<Repository> {
  const path = namespace === "hq" ? ports.layout.root : ports.layout.clone(namespace);
  const repository = await ports.git.open(path);
  if (repository === undefined) throw new WaitingError("CloneMissing", `there is no clone of ${namespace} yet`, 1_000);
  return repository;
}

export async function startCommit(repository: Repository, namespace: string, ports: LoopPorts): Promise<string> {
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const branch = rig?.spec.branch ?? (await repository.defaultBranch());
  const head =
    rig === undefined
      ? await townHead(repository, ports)
      : branch === undefined
        ? undefined
        : await targetHead(repository, rig.spec, branch);
  if (head === undefined)
    throw new WaitingError("NoTargetBranch", `${namespace} has no target branch with a commit yet`, 5_000);
  return head;
}

/** The branch that the town follows, whatever a person has checked out. */
async function townHead(repository: Repository, ports: LoopPorts): Promise<string | undefined> {
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const branch = town?.spec.sync.branch ?? (await repository.config("town.branch"));
  return repository.resolve(branch === undefined ? "HEAD" : `refs/heads/${branch}`);
}

/** Where an agent works. */
interface Place {
  readonly path: string;
  /** Full ref. */
  readonly branch: string;
}

/**
 * Makes the agent's worktree for its hook, or on the agent's own branch, adopting what is there.
 *
 * Guarantees: a head that leaves a branch is pinned first; an attempt that was begun keeps its branch as it is; an
 * attempt that was sent back starts at the current target; another agent's attempt goes on from that agent's branch. An
 * agent's own branch stays between tasks; it follows the target while it has nothing of its own.
 */
export async function ensureSandbox(
  object: AgentObject,
  place: Place,
  beadId: string | undefined,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const agent = object.metadata.name;
  const { path, branch } = place;
  const repository = await sandboxRepository(namespace, ports);
  const bead = beadId === undefined ? undefined : ports.graphs.graph(namespace)?.get(beadId);
  const isOwnBranch = branch === taskBranch(namespace, agent, undefined);
  const goesOn = isOwnBranch || bead === undefined || isUnderWay(bead, agent);
  await leaveFormerWork(object, { repository, path, branch, goesOn }, ports);
  if (isOwnBranch) await ensureOwnBranch(repository, place, object, ports);
  else {
    const base = bead === undefined ? undefined : await prepareBranch(repository, branch, bead, agent, ports);
    const start = base ?? (await repository.resolve(branch)) ?? (await startCommit(repository, namespace, ports));
    await makeWorktree(repository, { path, branch, commit: start }, { namespace, agent }, ports);
  }
  // The session that worked here is gone: a lock that it left would stop the next one.
  await repository.removeStaleLocks({ worktree: path });
  await copySandboxFiles(namespace, path, repository, ports);
  if (bead !== undefined && isOwnBranch) await noteOwnBranch(repository, bead, { agent, branch }, ports);
}

/** A worktree that is there is adopted; else one in reserve is taken, or a new one made. */
async function makeWorktree(
  repository: Repository,
  at: { readonly path: string; readonly branch: string; readonly commit: string },
  of: { readonly namespace: string; readonly agent: string },
  ports: LoopPorts,
): Promise<void> {
  const isThere = (await ports.files.stat(`${at.path}/.git`)) !== undefined;
  if (!isThere && (await takeReserve(repository, { ...at, ...of }, ports))) return;
  await repository.addWorktree(at);
}

/** The worktree on the agent's own branch, brought forward to the target where nothing of its own is in the way. */
async function ensureOwnBranch(
  repository: Repository,
  { path, branch }: Place,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const target = await startCommit(repository, object.metadata.namespace ?? "hq", ports);
  const standing = await repository.resolve(branch);
  const of = { namespace: object.metadata.namespace ?? "hq", agent: object.metadata.name };
  await makeWorktree(repository, { path, branch, commit: standing ?? target }, of, ports);
  if (standing !== undefined && standing !== target && (await repository.isAncestor(standing, target)))
    // Local changes keep it where it is; the agent sees the target by itself then.
    await repository.fastForwardWorktree(path, branch, standing, target);
}

/** Records where a bead's work begins on the agent's own branch, once an attempt. */
async function noteOwnBranch(
  repository: Repository,
  bead: BeadRecord,
  of: { readonly agent: string; readonly branch: string },
  ports: LoopPorts,
): Promise<void> {
  const fact = sandboxFact(bead);
  const attempt = attemptsOf(bead);
  if (fact !== undefined && fact.attempt === attempt && fact.branch === of.branch) return;
  // Work that was sent back begins where it did before.
  const base = fact?.branch === of.branch ? fact.base : await repository.resolve(of.branch);
  if (base === undefined) return;
  await ports.graphs
    .graphOf(bead.id)
    ?.transact(AUTHOR, (tx) =>
      tx.setMetadata(bead.id, { [META.sandbox]: { ...of, attempt, base } satisfies SandboxFact }),
    );
}

/** Whether the sandbox of the bead's present attempt was begun for this agent. */
function isUnderWay(bead: BeadRecord, agent: string): boolean {
  const fact = sandboxFact(bead);
  return fact !== undefined && fact.attempt === attemptsOf(bead) && fact.agent === agent;
}

/**
 * A worktree of another task, or of a former attempt at this one, is made safe and removed: its branch must not be moved
 * under files that would then count as changes.
 */
async function leaveFormerWork(
  object: AgentObject,
  at: { readonly repository: Repository; readonly path: string; readonly branch: string; readonly goesOn: boolean },
  ports: LoopPorts,
): Promise<void> {
  const standing = (await at.repository.worktrees()).find((worktree) => worktree.path === at.path);
  if (standing === undefined || (standing.branch === at.branch && at.goesOn)) return;
  const reason = standing.branch === at.branch ? "a new attempt begins" : "another task is on the hook";
  await removeSandbox(object, at.path, reason, ports);
}

async function prepareBranch(
  repository: Repository,
  branch: string,
  bead: BeadRecord,
  agent: string,
  ports: LoopPorts,
): Promise<string> {
  const namespace = bead.id;
  const fact = sandboxFact(bead);
  const attempt = attemptsOf(bead);
  const standing = await repository.resolve(branch);
  if (standing !== undefined && isUnderWay(bead, agent)) return standing;
  const graph = ports.graphs.graphOf(bead.id);
  if (graph === undefined) throw new WaitingError("RigNotReady", `no work graph holds ${namespace}`, 1_000);
  const target = await startCommit(repository, graph.namespace, ports);
  const handedOn = fact !== undefined && fact.attempt === attempt ? await repository.resolve(fact.branch) : undefined;
  const start = handedOn ?? target;
  if (standing !== undefined && standing !== start) {
    await repository.updateRefs([{ ref: pinRef(bead.id, standing), to: standing }], "town: keep the former attempt");
  }
  if (!(await repository.updateRefs([{ ref: branch, to: start, from: standing ?? null }], "town: begin attempt"))) {
    throw new WaitingError("BranchMoved", `${branch} moved while the sandbox was made`, 200);
  }
  const base = handedOn === undefined ? target : (fact?.base ?? target);
  await graph.transact(AUTHOR, (tx) =>
    tx.setMetadata(bead.id, { [META.sandbox]: { agent, attempt, base, branch } satisfies SandboxFact }),
  );
  return start;
}

/**
 * Removes a worktree after its work is safe: uncommitted files are committed to a rescue ref, and a head that is in no
 * target stays pinned. What was kept where is recorded as an Event.
 */
export async function removeSandbox(
  object: AgentObject,
  path: string,
  reason: string,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const agent = object.metadata.name;
  const repository = await sandboxRepository(namespace, ports);
  const about = { kind: "Agent", namespace, name: agent };
  const registered = (await repository.worktrees()).some((worktree) => worktree.path === path);
  if (!registered) {
    ports.events.record(about, {
      type: "Warning",
      reason: "SandboxUnknown",
      message: `${path} is no worktree of the clone of ${namespace}; it is left alone`,
    });
    return;
  }
  await endSetUp(namespace, agent, ports);
  const graph = ports.graphs.graph(namespace);
  const record = graph === undefined ? undefined : agentRecord(graph, agent);
  const conversations = record === undefined ? [] : conversationsOf(record);
  await keepTranscripts({ namespace, agent, directory: path, conversations }, ports);
  const author = { name: object.spec.identity, email: "rescue@town.invalid", timeMs: ports.clock.now() };
  const { head, rescue } = await saveWork(repository, path, { namespace, agent, author, reason });
  if (rescue !== undefined)
    ports.events.record(about, {
      type: "Warning",
      reason: "WorkRescued",
      message: `${rescue.files} uncommitted files of ${path} are kept in ${rescue.ref}`,
    });
  await repository.removeWorktree(path);
  if (graph !== undefined && namespace !== "hq") await removeEndedBranches(repository, graph, namespace);
  await ports.files.removeTree(sessionDirectory(namespace, agent, ports));
  await endHeldConversation(namespace, agent, ports);
  ports.events.record(about, {
    type: "Normal",
    reason: "SandboxRemoved",
    message: `${reason}; head ${head?.slice(0, 12) ?? "none"} stays pinned`,
  });
}

/** Directory of the agent's sessions' own files, outside of the worktree. */
export function sessionDirectory(namespace: string, agent: string, ports: Pick<LoopPorts, "layout">): string {
  return `${ports.layout.state}/sandboxes/${namespace}/${agent}.session`;
}

/** What was talked about is no more: the next session begins anew. */
async function endHeldConversation(namespace: string, agent: string, ports: LoopPorts): Promise<void> {
  const graph = ports.graphs.graph(namespace);
  const held = graph === undefined ? undefined : agentRecord(graph, agent);
  if (held === undefined || conversationsOf(held)[0]?.ended !== undefined || conversationsOf(held).length === 0) return;
  await graph?.transact(AUTHOR, (tx) => {
    const record = agentRecord(tx, agent);
    if (record !== undefined) endConversation(tx, record, "SandboxRemoved");
  });
}
