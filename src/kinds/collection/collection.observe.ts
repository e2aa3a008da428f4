import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGENT, agentRecord } from "../../work/agent-record.ts";
import { answeredEscalations } from "../../work/escalation.ts";
import { joinedOf } from "../../work/joined.ts";
import { type EndedBranch, endedBranches } from "../../work/task-branches.ts";
import { transcriptDirectory } from "../../work/kept-transcript.ts";
import { durationMs, quantityBytes } from "../../resource/field.ts";
import { isPluginToken, unusedToken } from "../../work/plugin-run.ts";
import type { TownSpec } from "../town/town.schema.ts";

export type TownHq = TownObject<
  TownSpec,
  { readonly collectionTime?: string; readonly sync?: { readonly status?: string } }
>;

type SessionObject = TownObject<{
  readonly agent: string;
  readonly runtimeName: string;
  readonly generation: number;
}>;

/** Something that nothing refers to any more, with what shows it. */
export type Orphan =
  | {
      readonly sort: "Worktree";
      readonly namespace: string;
      readonly path: string;
      readonly gone: boolean;
      readonly evidence: string;
    }
  | {
      readonly sort: "Session";
      readonly namespace: string;
      readonly agent: string;
      readonly runtimeName: string;
      readonly generation: number;
      readonly evidence: string;
    }
  | { readonly sort: "Token"; readonly namespace: string; readonly agent: string; readonly evidence: string }
  | {
      readonly sort: "Ref";
      readonly namespace: string;
      readonly ref: string;
      readonly commit: string;
      readonly evidence: string;
    }
  | {
      readonly sort: "Branch";
      readonly namespace: string;
      readonly branch: EndedBranch;
      readonly evidence: string;
    }
  | { readonly sort: "Escalation"; readonly namespace: string; readonly bead: string; readonly evidence: string }
  | { readonly sort: "Log" | "Transcript"; readonly path: string; readonly bytes: number; readonly evidence: string };

export type CollectionObserved =
  /** Too early for another look, or not everything was seen yet: nothing is judged. */
  | { readonly state: "NotDue"; readonly now: number; readonly dueMs: number }
  | { readonly state: "Looked"; readonly now: number; readonly orphans: readonly Orphan[] };

/** Between two looks. */
const INTERVAL_MS = 10 * 60_000;
/** Until manifests and sessions were seen completely: before that nothing absent is known to be gone. */
const UNTIL_COMPLETE_MS = 10_000;

/** Logs older than this go. */
const LOG_TTL_MS = 14 * 24 * 3_600_000;
/** All logs together, newest first, take no more than this. */
const LOG_CAP_BYTES = 1024 ** 3;

/** Looks for orphans of every sort, at intervals. Only what is open and was seen completely is judged. */
export async function observeCollection(object: TownHq, ports: LoopPorts): Promise<CollectionObserved> {
  const now = ports.clock.now();
  const { status, spec } = object;
  const last = status?.collectionTime === undefined ? 0 : Date.parse(status.collectionTime);
  if (last <= now && now < last + INTERVAL_MS) return { state: "NotDue", now, dueMs: last + INTERVAL_MS };
  const complete = status?.sync?.status === "Synced" && ports.view.ready && !ports.view.frozen && !spec.suspend;
  if (!complete) return { state: "NotDue", now, dueMs: now + UNTIL_COMPLETE_MS };
  const orphans: Orphan[] = [
    ...sessionsWithoutAgent(ports),
    ...(await tokensWithoutSession(ports)),
    ...(await staleLogs(ports, now)),
    ...(await staleTranscripts(object, ports, now)),
  ];
  for (const graph of ports.graphs.all()) {
    orphans.push(...escalationsOfNothing(graph));
    const path = graph.namespace === "hq" ? ports.layout.root : ports.layout.clone(graph.namespace);
    const repository = await ports.git.open(path);
    if (repository === undefined) continue;
    orphans.push(...(await worktreesWithoutAgent(graph, repository, ports)));
    if (graph.namespace !== "hq") orphans.push(...(await endedRefs(graph, repository)));
    if (graph.namespace !== "hq") orphans.push(...(await branchesOfMergedWork(graph, repository)));
  }
  return { state: "Looked", now, orphans };
}

/** An open graph that has no such agent, or a namespace that no manifest declares. */
function missingAgent(namespace: string, agent: string, ports: LoopPorts): string | undefined {
  const graph = ports.graphs.graph(namespace);
  if (graph !== undefined)
    return agentRecord(graph, agent) === undefined ? `${namespace} has no agent ${agent}` : undefined;
  const declared = namespace === "hq" || ports.objects.get({ kind: "Rig", name: namespace }) !== undefined;
  return declared ? undefined : `there is no rig ${namespace}`;
}

function sessionsWithoutAgent(ports: LoopPorts): Orphan[] {
  return (ports.objects.list("Session") as readonly SessionObject[]).flatMap((session) => {
    const { agent, runtimeName, generation } = session.spec;
    const namespace = session.metadata.namespace ?? "hq";
    const evidence = missingAgent(namespace, agent, ports);
    return evidence === undefined
      ? []
      : [{ sort: "Session" as const, namespace, agent, runtimeName, generation, evidence }];
  });
}

/** Of beads that were closed, deleted or set free by a hand that did not end them, too. */
function escalationsOfNothing(graph: WorkGraph): Orphan[] {
  const { namespace } = graph;
  const beads = new Map(answeredEscalations(graph).map(({ about, because }) => [about, because]));
  return [...beads].map(([bead, evidence]) => ({ sort: "Escalation", namespace, bead, evidence }));
}

/** Tokens whose session ended without anybody taking note; one that may still be used is left. */
async function tokensWithoutSession(ports: LoopPorts): Promise<Orphan[]> {
  return (await ports.tokens.held()).flatMap(({ namespace, agent, generation }) => {
    if (isPluginToken(agent)) {
      const evidence = unusedToken(ports.graphs.graph(namespace), agent);
      return evidence === undefined ? [] : [{ sort: "Token" as const, namespace, agent, evidence }];
    }
    const missing = missingAgent(namespace, agent, ports);
    if (missing !== undefined) return [{ sort: "Token" as const, namespace, agent, evidence: missing }];
    const graph = ports.graphs.graph(namespace);
    const record = graph === undefined ? undefined : agentRecord(graph, agent);
    const role = record?.metadata?.[AGENT.role];
    // A program that a person started has no session here; the workers loop takes note when it is gone.
    if (typeof role !== "string" || joinedOf(record)?.generation === generation) return [];
    const sight = ports.view.sight(`${namespace}-${role}-${agent}`);
    return sight.state === "Absent"
      ? [{ sort: "Token" as const, namespace, agent, evidence: `no session of generation ${generation} is left` }]
      : [];
  });
}

/** Checkouts where sandboxes are, of agents that never were or under another role's name; and records of deleted ones. */
async function worktreesWithoutAgent(graph: WorkGraph, repository: Repository, ports: LoopPorts): Promise<Orphan[]> {
  const { namespace } = graph;
  const base = `${ports.layout.root}/rigs/${namespace}/`;
  const refinery = ports.layout.refinery(namespace);
  const found: Orphan[] = [];
  for (const { path, prunable } of await repository.worktrees()) {
    const isOwn = [ports.layout.reserve(namespace), ports.layout.plugins(namespace)].some((own) =>
      path.startsWith(`${own}/`),
    );
    if (!path.startsWith(base) || path === refinery || isOwn) continue;
    const agent = path.slice(path.lastIndexOf("/") + 1);
    const missing = agentRecord(graph, agent) === undefined;
    if (prunable && (await ports.files.stat(path.slice(0, path.lastIndexOf("/")))) !== undefined)
      found.push({ sort: "Worktree", namespace, path, gone: true, evidence: `${path} was deleted` });
    else if (!prunable && missing)
      found.push({ sort: "Worktree", namespace, path, gone: false, evidence: `${namespace} has no agent ${agent}` });
  }
  return found;
}

async function branchesOfMergedWork(graph: WorkGraph, repository: Repository): Promise<Orphan[]> {
  return (await endedBranches(repository, graph, graph.namespace)).map((branch) => ({
    sort: "Branch",
    namespace: graph.namespace,
    branch,
    evidence: `${branch.bead} is merged`,
  }));
}

const BUILT = "refs/town/merge/";

/** Commits that were built to be tested, of merge requests that ended: whatever landed is in the target. */
async function endedRefs(graph: WorkGraph, repository: Repository): Promise<Orphan[]> {
  const found: Orphan[] = [];
  for (const [ref, commit] of await repository.listRefs(BUILT)) {
    const request = graph.get(ref.slice(BUILT.length));
    if (request !== undefined && request.status !== "closed") continue;
    const evidence = request === undefined ? "its merge request is gone" : `${request.id} is closed`;
    found.push({ sort: "Ref", namespace: graph.namespace, ref, commit, evidence });
  }
  return found;
}

/** Logs of gates, set-ups and sessions that are old, or beyond what all of them may take. The controller's own stays. */
async function staleLogs(ports: LoopPorts, now: number): Promise<Orphan[]> {
  const running = new Set(
    (ports.objects.list("Session") as readonly SessionObject[]).map(
      ({ spec }) => `${spec.runtimeName}.${spec.generation}.log`,
    ),
  );
  const logs: KeptFile[] = [];
  for (const directory of [`${ports.layout.state}/log`, `${ports.layout.state}/sessions/logs`])
    for (const path of await filesBelow(directory, ports, 3)) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      if (!/\.log(\.1)?$/.test(name) || name.startsWith("daemon.log") || running.has(name.replace(/\.1$/, "")))
        continue;
      const stat = await ports.files.stat(path);
      if (stat !== undefined) logs.push({ path, bytes: stat.size, modifiedMs: stat.modifiedMs });
    }
  return stale(logs, { ttlMs: LOG_TTL_MS, ttl: "14 days", capBytes: LOG_CAP_BYTES, cap: "1 GiB" }, now).map((each) => ({
    sort: "Log" as const,
    ...each,
  }));
}

/** Copies of conversations, which nobody writes to any more. */
async function staleTranscripts({ spec }: TownHq, ports: LoopPorts, now: number): Promise<Orphan[]> {
  const { ttl, maxSize } = spec.transcripts;
  const kept: KeptFile[] = [];
  for (const path of await filesBelow(transcriptDirectory(ports), ports, 3)) {
    const stat = await ports.files.stat(path);
    if (stat !== undefined) kept.push({ path, bytes: stat.size, modifiedMs: stat.modifiedMs });
  }
  const limits = { ttlMs: durationMs(ttl), ttl, capBytes: quantityBytes(maxSize), cap: maxSize };
  return stale(kept, limits, now).map((each) => ({ sort: "Transcript" as const, ...each }));
}

interface KeptFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Those that are too old, and the oldest of those that take too much together. */
function stale(
  files: readonly KeptFile[],
  limits: { readonly ttlMs: number; readonly ttl: string; readonly capBytes: number; readonly cap: string },
  now: number,
): readonly { readonly path: string; readonly bytes: number; readonly evidence: string }[] {
  let total = 0;
  return files
    .toSorted((a, b) => b.modifiedMs - a.modifiedMs || (a.path < b.path ? -1 : 1))
    .flatMap(({ path, bytes, modifiedMs }) => {
      total += bytes;
      if (now - modifiedMs > limits.ttlMs) return [{ path, bytes, evidence: `not written for ${limits.ttl}` }];
      return total > limits.capBytes ? [{ path, bytes, evidence: `newer ones take ${limits.cap} already` }] : [];
    });
}

async function filesBelow(directory: string, ports: LoopPorts, depth: number): Promise<string[]> {
  const found: string[] = [];
  for (const name of await ports.files.list(directory)) {
    const path = `${directory}/${name}`;
    const kind = (await ports.files.stat(path))?.kind;
    if (kind === "File") found.push(path);
    else if (kind === "Directory" && depth > 1) found.push(...(await filesBelow(path, ports, depth - 1)));
  }
  return found;
}
