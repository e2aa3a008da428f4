import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { queueOrder } from "../../domain/merge-queue/order.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { ProcessIdentity } from "../../ports/processes.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { attemptsOf } from "../../work/hooking.ts";
import { MERGE } from "../../work/submission.ts";
import type { RigSpec, RigStatus } from "../rig/rig.schema.ts";
import { targetHead } from "../../work/rig-target.ts";
import type { TownSpec } from "../town/town.schema.ts";

export type RigObject = TownObject<RigSpec, RigStatus>;

export interface GateResult {
  readonly tree: string;
  readonly passed: boolean;
  readonly log: string;
  readonly summary: string;
}

/** The request at the head of the queue, with everything that decides its next step. */
export interface HeadRequest {
  readonly id: string;
  readonly title: string;
  readonly bead: string;
  readonly beadClosed: boolean;
  readonly author: string;
  readonly head: string;
  /** The head, or the commit built from it, is in the target already. */
  readonly landed: string | undefined;
  readonly conflicts: readonly string[];
  /** Tree of target + head. */
  readonly tree: string;
  /** Commit built for exactly this target, if it was recorded. */
  readonly commit: string | undefined;
  readonly gates: Readonly<Record<string, GateResult>>;
  /** A gate that a former controller started. */
  readonly running: (ProcessIdentity & { readonly gate: string }) | undefined;
  /** Why landing was held up when it was tried last. */
  readonly waiting: string | undefined;
}

export interface MergesObserved {
  readonly now: number;
  readonly ready: boolean;
  readonly suspended: boolean;
  readonly branch: string | undefined;
  readonly target: string | undefined;
  readonly head: HeadRequest | undefined;
}

const OPEN = { type: ["merge-request"], status: ["open", "in_progress"] } as const;

/** Looks at the queue; git is asked only when something is in it. */
export async function observeMerges(object: RigObject, ports: LoopPorts): Promise<MergesObserved> {
  const rig = object.metadata.name;
  const graph = ports.graphs.graph(rig);
  const now = ports.clock.now();
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const idle: MergesObserved = {
    now,
    ready: graph !== undefined,
    suspended: object.spec.suspend || town?.spec.suspend === true,
    branch: undefined,
    target: undefined,
    head: undefined,
  };
  const first =
    graph === undefined ? undefined : queueOrder(graph.list(OPEN).map((record) => entryOf(record, graph)))[0]?.record;
  if (graph === undefined || first === undefined) return idle;
  const clone = await ports.git.open(ports.layout.clone(rig));
  if (clone === undefined) return { ...idle, ready: false };
  const branch = object.spec.branch ?? (await clone.defaultBranch());
  if (branch === undefined) return { ...idle, ready: false };
  await fetchTarget(clone, branch, object.spec);
  const target = await targetHead(clone, object.spec, branch);
  if (target === undefined) return { ...idle, branch };
  return { ...idle, branch, target, head: await headRequest(first, { graph, clone, target }) };
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

function entryOf(record: BeadRecord, graph: GraphReader) {
  const bead = graph.get(String(record.metadata?.[META.bead]));
  const submittedMs = Date.parse(record.created_at);
  return {
    record,
    id: record.id,
    priority: record.priority,
    convoyAgeMs: bead === undefined ? submittedMs : Math.floor(Date.parse(bead.created_at) / 1000),
    submittedMs,
    retries: bead === undefined ? 0 : attemptsOf(bead),
  };
}

async function headRequest(
  record: BeadRecord,
  at: { readonly graph: GraphReader; readonly clone: Repository; readonly target: string },
): Promise<HeadRequest> {
  const meta = record.metadata ?? {};
  const head = String(meta[MERGE.head]);
  const bead = at.graph.get(String(meta[META.bead]));
  const recorded = text(meta[MERGE.commit]);
  const landed = await landedCommit(at.clone, at.target, [recorded, head]);
  const merge = landed === undefined ? await at.clone.mergeTree(at.target, head) : { tree: "", conflicts: [] };
  return {
    id: record.id,
    title: record.title,
    bead: String(meta[META.bead]),
    beadClosed: bead === undefined || bead.status === "closed",
    author: text(meta[MERGE.author]) ?? "",
    head,
    landed,
    conflicts: merge.conflicts,
    tree: merge.tree,
    commit:
      recorded !== undefined && meta[MERGE.base] === at.target && meta[MERGE.tree] === merge.tree
        ? recorded
        : undefined,
    gates: (meta[MERGE.gates] ?? {}) as Readonly<Record<string, GateResult>>,
    running: (meta[MERGE.running] ?? undefined) as HeadRequest["running"],
    waiting: meta[MERGE.state] === "Waiting" ? text(meta[MERGE.reason]) : undefined,
  };
}

async function landedCommit(
  clone: Repository,
  target: string,
  candidates: readonly (string | undefined)[],
): Promise<string | undefined> {
  for (const commit of candidates) if (commit !== undefined && (await clone.isAncestor(commit, target))) return commit;
  return undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
