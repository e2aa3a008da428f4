import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { AGENT, agentRecord } from "../../work/agent-record.ts";
import { answeredEscalations } from "../../work/escalation.ts";
import { joinedOf } from "../../work/joined.ts";
import { type EndedBranch, endedBranches } from "../../work/task-branches.ts";
import { type LandedPin, landedPins } from "../../work/landed-pins.ts";
import { targetHead } from "../../work/rig-target.ts";
import { isPluginToken, unusedToken } from "../../work/plugin-run.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { type LooseObjects, looseObjects } from "./loose-objects.ts";
import { type StaleFiles, staleLogs, staleTranscripts } from "./stale-files.ts";

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
  | {
      readonly sort: "Pins";
      readonly namespace: string;
      readonly pins: readonly LandedPin[];
      readonly evidence: string;
    }
  | StaleFiles;

export type CollectionObserved =
  /** Too early for another look, or not everything was seen yet: nothing is judged. */
  | { readonly state: "NotDue"; readonly now: number; readonly dueMs: number }
  | {
      readonly state: "Looked";
      readonly now: number;
      readonly orphans: readonly Orphan[];
      readonly loose: readonly LooseObjects[];
    };

/** Between two looks. */
const INTERVAL_MS = 10 * 60_000;
/** Until manifests and sessions were seen completely: before that nothing absent is known to be gone. */
const UNTIL_COMPLETE_MS = 10_000;

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
    ...(await staleTranscripts(spec, ports, now)),
  ];
  for (const graph of ports.graphs.all()) {
    orphans.push(...escalationsOfNothing(graph));
    const path = graph.namespace === "hq" ? ports.layout.root : ports.layout.clone(graph.namespace);
    const repository = await ports.git.open(path);
    if (repository === undefined) continue;
    orphans.push(...(await worktreesWithoutAgent(graph, repository, ports)));
    if (graph.namespace === "hq") continue;
    orphans.push(...(await endedRefs(graph, repository)));
    orphans.push(...(await branchesOfMergedWork(graph, repository)));
    orphans.push(...(await pinsOfLandedWork(graph, repository, ports)));
  }
  return { state: "Looked", now, orphans, loose: await looseObjects(ports) };
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

/** In one look: each is a file that git removes. */
const MOST_PINS = 1_000;

async function pinsOfLandedWork(graph: WorkGraph, repository: Repository, ports: LoopPorts): Promise<Orphan[]> {
  const { namespace } = graph;
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  if (rig === undefined) return [];
  const branch = rig.spec.branch ?? (await repository.defaultBranch());
  const target = branch === undefined ? undefined : await targetHead(repository, rig.spec, branch);
  const pins = (
    await landedPins(repository, graph, { target, now: ports.clock.now() }).catch((err: unknown) => {
      // A commit that git has lost keeps it from comparing any: the others wait, and nothing is lost by that.
      ports.log.warn({ err, rig: namespace }, "cannot tell which pinned heads have landed");
      return [];
    })
  ).slice(0, MOST_PINS);
  const evidence = `their beads are closed, and ${branch} has had the work for a day or more`;
  return pins.length === 0 ? [] : [{ sort: "Pins", namespace, pins, evidence }];
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
