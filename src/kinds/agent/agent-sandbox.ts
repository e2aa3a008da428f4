import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { TownError, WaitingError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import { durationMs } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { agentRecord, taskBranch } from "../../work/agent-record.ts";
import { conversationsOf, endConversation } from "../../work/conversation.ts";
import { attemptsOf } from "../../work/hooking.ts";
import { pinRef, type SandboxFact, sandboxFact } from "../../work/sandbox-fact.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import { targetHead } from "../../work/rig-target.ts";
import type { AgentObject } from "./agent.observe.ts";

const AUTHOR = { actor: "loop/workers" };

/** Repository that an agent's worktree belongs to: the rig's clone, or the town repository for agents of `hq`. */
export async function sandboxRepository(namespace: string, ports: LoopPorts): Promise<Repository> {
  const path = namespace === "hq" ? ports.layout.root : ports.layout.clone(namespace);
  const repository = await ports.git.open(path);
  if (repository === undefined) throw new WaitingError("CloneMissing", `there is no clone of ${namespace} yet`, 1_000);
  return repository;
}

async function startCommit(repository: Repository, namespace: string, ports: LoopPorts): Promise<string> {
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const branch = rig?.spec.branch ?? (await repository.defaultBranch());
  const head =
    rig === undefined
      ? await repository.resolve("HEAD")
      : branch === undefined
        ? undefined
        : await targetHead(repository, rig.spec, branch);
  if (head === undefined)
    throw new WaitingError("NoTargetBranch", `${namespace} has no target branch with a commit yet`, 5_000);
  return head;
}

/**
 * Makes the agent's worktree for its hook (or its home branch), adopting what is there.
 *
 * Guarantees: a head that leaves a branch is pinned first; an attempt that was begun keeps its branch as it is; an
 * attempt that was sent back starts at the current target; another agent's attempt goes on from that agent's branch.
 */
export async function ensureSandbox(
  object: AgentObject,
  path: string,
  beadId: string | undefined,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const agent = object.metadata.name;
  const repository = await sandboxRepository(namespace, ports);
  const branch = taskBranch(namespace, agent, beadId);
  const graph = ports.graphs.graph(namespace);
  const bead = beadId === undefined ? undefined : graph?.get(beadId);
  await leaveOtherBranch(repository, path, branch, object, ports);
  const base = bead === undefined ? undefined : await prepareBranch(repository, branch, bead, agent, ports);
  const start = base ?? (await repository.resolve(branch)) ?? (await startCommit(repository, namespace, ports));
  await repository.addWorktree({ path, branch, commit: start });
  await setUpOnce(object, path, branch, ports);
}

/** A worktree that stands on another branch is made safe and removed. */
async function leaveOtherBranch(
  repository: Repository,
  path: string,
  branch: string,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const standing = (await repository.worktrees()).find((worktree) => worktree.path === path);
  if (standing !== undefined && standing.branch !== branch)
    await removeSandbox(object, path, "another task is on the hook", ports);
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
  if (fact !== undefined && fact.attempt === attempt && fact.agent === agent && standing !== undefined) return standing;
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

/** Runs the rig's set-up command in a new sandbox; a marker outside the worktree tells that it was done. */
async function setUpOnce(object: AgentObject, path: string, branch: string, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const setup = rig?.spec.setup;
  if (setup === undefined) return;
  const marker = setUpMarker(namespace, object.metadata.name, ports);
  const mark = `${JSON.stringify({ version: 1, branch, command: setup.command })}\n`;
  if ((await ports.files.readText(marker)) === mark) return;
  const logPath = `${ports.layout.state}/log/setup-${namespace}-${object.metadata.name}.log`;
  await ports.files.makeDirectory(`${ports.layout.state}/log`);
  await ports.files.makeDirectory(marker.slice(0, marker.lastIndexOf("/")));
  const result = await ports.processes.run("/bin/sh", ["-c", setup.command], {
    cwd: path,
    env: { PATH: ports.sessionPath, HOME: ports.layout.state, LANG: "C.UTF-8" },
    timeoutMs: durationMs(setup.timeout),
    logPath,
  });
  if (result.exitCode !== 0) {
    const how = result.timedOut
      ? `did not end within ${setup.timeout}`
      : `ended with ${result.exitCode ?? result.signal ?? "no exit code"}`;
    throw new TownError("SetupFailed", `set-up of the sandbox of ${object.spec.identity} ${how}`, {
      hint: `see ${logPath}; the command is spec.setup.command of Rig ${namespace}`,
    });
  }
  await ports.files.writeAtomic(marker, mark);
}

function setUpMarker(namespace: string, agent: string, ports: LoopPorts): string {
  return `${ports.layout.state}/sandboxes/${namespace}/${agent}.json`;
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
  const status = await repository.worktreeStatus(path);
  let head = status.head;
  if (status.changed.length + status.untracked.length > 0) {
    const author = { name: object.spec.identity, email: "rescue@town.invalid", timeMs: ports.clock.now() };
    const rescued = await repository.commitAll(
      path,
      `town: rescue of ${object.spec.identity}\n\nUncommitted when the sandbox was removed: ${reason}.`,
      author,
      author,
    );
    if (rescued !== undefined) {
      head = rescued;
      const ref = `refs/town/rescue/${namespace}/${agent}/${rescued}`;
      await repository.updateRefs([{ ref, to: rescued }], "town: rescue");
      ports.events.record(about, {
        type: "Warning",
        reason: "WorkRescued",
        message: `${status.changed.length + status.untracked.length} uncommitted files of ${path} are kept in ${ref}`,
      });
    }
  }
  if (head !== undefined)
    await repository.updateRefs(
      [{ ref: pinRef(beadOfBranch(status.branch) ?? agent, head), to: head }],
      "town: sandbox removed",
    );
  await repository.removeWorktree(path);
  await ports.files.remove(setUpMarker(namespace, agent, ports));
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

function beadOfBranch(branch: string | undefined): string | undefined {
  const last = branch?.split("/").at(-1);
  return last === "home" ? undefined : last;
}
