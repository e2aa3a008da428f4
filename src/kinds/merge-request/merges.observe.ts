import { queueOrder } from "../../domain/merge-queue/order.ts";
import { EMPTY_QUEUE, type QueueRecord } from "../../domain/merge-queue/queue-record.ts";
import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { approvedBy } from "../../work/approval.ts";
import { attemptsOf } from "../../work/hooking.ts";
import { readQueue, type RunningGate, runningGate } from "../../work/merge-queue.ts";
import { metaText } from "../../work/record-fields.ts";
import { targetHead } from "../../work/rig-target.ts";
import { MERGE } from "../../work/submission.ts";
import type { RigSpec, RigStatus } from "../rig/rig.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";

export type RigObject = TownObject<RigSpec, RigStatus>;

/** An open request, with what decides whether it can be stacked. */
export interface QueuedRequest {
  readonly id: string;
  readonly title: string;
  readonly bead: string;
  readonly beadClosed: boolean;
  readonly author: string;
  readonly head: string;
  /** How many approved it. */
  readonly approvals: number;
  /** How it would merge into the bare target; absent while a batch is under way on it. */
  readonly alone: AloneMerge | undefined;
}

export interface AloneMerge {
  /** Commit of it that is in the target already. */
  readonly landed: string | undefined;
  readonly conflicts: readonly string[];
  /** Tree of target + head; only usable without conflicts. */
  readonly tree: string;
  /** Why git could not tell; the others go on meanwhile. */
  readonly problem: string | undefined;
}

export interface Target {
  readonly branch: string;
  readonly commit: string;
  readonly tree: string;
}

export interface MergesObserved {
  readonly now: number;
  readonly suspended: boolean;
  readonly target: Target | undefined;
  readonly queue: QueueRecord;
  /** A gate that a former controller started. */
  readonly running: RunningGate | undefined;
  /** In queue order. */
  readonly requests: readonly QueuedRequest[];
  /** How many members of the batch, from its front, are in the target. */
  readonly landed: number;
}

const OPEN = { type: ["merge-request"], status: ["open", "in_progress"] } as const;

/** Looks at the queue; git is asked only when something is in it. */
export async function observeMerges(object: RigObject, ports: LoopPorts): Promise<MergesObserved> {
  const graph = ports.graphs.graph(object.metadata.name);
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const open = graph?.list(OPEN) ?? [];
  const idle: MergesObserved = {
    now: ports.clock.now(),
    suspended: object.spec.suspend || town?.spec.suspend === true,
    target: undefined,
    queue: graph === undefined ? EMPTY_QUEUE : readQueue(graph),
    running: graph === undefined ? undefined : runningGate(graph),
    requests: [],
    landed: 0,
  };
  const nothing = open.length === 0 && idle.queue.batch === undefined && idle.running === undefined;
  if (graph === undefined || nothing) return idle;
  const clone = await ports.git.open(ports.layout.clone(object.metadata.name));
  const target = clone === undefined ? undefined : await readTarget(clone, object.spec);
  if (clone === undefined || target === undefined) return idle;
  const { batch } = idle.queue;
  const ordered = queueOrder(open.map((record) => entryOf(record, graph, ports))).map(({ record }) => record);
  const undisturbed = batch?.base === target.commit;
  return {
    ...idle,
    target,
    landed: undisturbed ? 0 : await landedMembers(clone, target, idle.queue),
    requests: await Promise.all(
      ordered.map(async (record) => ({
        ...requestOf(record, graph),
        alone: undisturbed ? undefined : await aloneMerge(record, clone, target),
      })),
    ),
  };
}

async function readTarget(clone: Repository, spec: RigSpec): Promise<Target | undefined> {
  const branch = spec.branch ?? (await clone.defaultBranch());
  if (branch === undefined) return undefined;
  await fetchTarget(clone, branch, spec);
  const head = await targetHead(clone, spec, branch);
  const commit = head === undefined ? undefined : await clone.objects.readCommit(head);
  return commit === undefined ? undefined : { branch, commit: commit.id, tree: commit.tree };
}

/** A remote that nothing is pushed to may be out of reach: merges land on Town's own branch meanwhile. */
async function fetchTarget(clone: Repository, branch: string, spec: RigSpec): Promise<void> {
  try {
    await clone.fetch("origin", [`+refs/heads/${branch}:refs/remotes/origin/${branch}`], { timeoutMs: 120_000 });
  } catch (error) {
    const reason = error instanceof TownError ? error.reason : "";
    const optional = spec.url !== undefined && !spec.push.target;
    if (!optional || !["RemoteUnreachable", "RemoteAuthRequired"].includes(reason)) throw error;
  }
}

function entryOf(record: BeadRecord, graph: GraphReader, ports: LoopPorts) {
  const bead = graph.get(metaText(record, META.bead) ?? "");
  const [namespace, name] = (metaText(record, META.convoy) ?? "").split("/");
  const convoy =
    namespace === undefined || name === undefined ? undefined : ports.objects.get({ kind: "Convoy", namespace, name });
  const submittedMs = Date.parse(record.created_at);
  return {
    record,
    id: record.id,
    priority: record.priority,
    convoyMs: Date.parse(convoy?.metadata.creationTimestamp ?? bead?.created_at ?? record.created_at),
    submittedMs,
    retries: bead === undefined ? 0 : attemptsOf(bead),
  };
}

function requestOf(record: BeadRecord, graph: GraphReader): Omit<QueuedRequest, "alone"> {
  const id = metaText(record, META.bead) ?? "";
  const bead = graph.get(id);
  return {
    id: record.id,
    title: record.title,
    bead: id,
    beadClosed: bead === undefined || bead.status === "closed",
    author: metaText(record, MERGE.author) ?? "",
    head: metaText(record, MERGE.head) ?? "",
    approvals: approvedBy(record).length,
  };
}

/** Asked for all requests at once, which one git process answers. One that git cannot read does not hold up the others. */
async function aloneMerge(record: BeadRecord, clone: Repository, target: Target): Promise<AloneMerge> {
  const none = { landed: undefined, conflicts: [], tree: "", problem: undefined };
  try {
    const head = metaText(record, MERGE.head) ?? "";
    const built = metaText(record, MERGE.commit);
    const merge = await clone.mergeTree(target.commit, head);
    // Only what would change nothing, or was built to land, can have landed.
    const candidates = [built, merge.tree === target.tree ? head : undefined];
    for (const commit of candidates)
      if (commit !== undefined && (await clone.isAncestor(commit, target.commit)))
        return { ...none, ...merge, landed: commit };
    return { ...none, ...merge };
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return error.reason === "UnrelatedHistories"
      ? { ...none, conflicts: ["every file (it shares no history)"] }
      : { ...none, problem: error.message };
  }
}

/** The target moved: by landing members of the batch, or by somebody else, or both. */
async function landedMembers(clone: Repository, target: Target, { batch }: QueueRecord): Promise<number> {
  const members = batch?.members ?? [];
  for (let count = members.length; count > 0; count -= 1) {
    const commit = members[count - 1]?.commit ?? "";
    if (commit === target.commit || (await clone.isAncestor(commit, target.commit))) return count;
  }
  return 0;
}
