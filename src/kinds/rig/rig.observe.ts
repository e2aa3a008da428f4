import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import { conditionOf, READY } from "../../resource/condition.ts";
import { quantityBytes } from "../../resource/field.ts";
import { DECLARED_AGAIN_ANNOTATION } from "../../resource/held-annotation.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { rigSource } from "../../work/rig-target.ts";
import { readUnfinishedWork, type UnfinishedWork } from "../../work/unfinished-work.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { fetchDueMs, type FetchOutcome, fetchWhenDue } from "./rig-fetch.ts";
import { observePush, PUSHED, type PushFacts } from "./rig-push.ts";
import type { RigObject } from "./rig.schema.ts";
import { readSource, type RigSource, sourceProblem } from "./rig-source.ts";

export interface RigObserved {
  readonly now: number;
  readonly name: string;
  /** Where it is cloned from: absolute path or URL. */
  readonly source: string;
  /** Why the source cannot be used now; for URLs only a fetch tells. */
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
  readonly cloned: boolean;
  /** Origin of the clone, to notice that the manifest names another one now. */
  readonly origin: string | undefined;
  readonly fetch: FetchOutcome;
  readonly graphOpen: boolean;
  /** Path rigs: the checkout's beads live in this rig's store. */
  readonly bound: boolean;
  readonly branch: string | undefined;
  readonly head: string | undefined;
  readonly beads: number;
  readonly queue: number;
  readonly diskLow: boolean;
  readonly push: PushFacts | undefined;
  /** While the rig is removed. */
  readonly removal: Removal | undefined;
}

export interface Removal {
  /** Pools and sessions that are still there. */
  readonly waitsFor: readonly string[];
  /** Checkouts of agents; they go once nothing is on their hooks. */
  readonly sandboxes: readonly string[];
  readonly unfinished: UnfinishedWork;
  /** Its manifest is back: another object of the name follows, and all of it is that one's. */
  readonly declaredAgain: boolean;
  /** A person said that unfinished work may be left behind. */
  readonly abandoned: boolean;
}

/** Annotation by which `town rig remove --force` gives up what is unfinished. */
export const ABANDON_WORK = "runtime.town.dev/abandon-work";

/** Looks at the source, the clone, the target branch and the work graph of a rig; asks the remote when it is time. */
export async function observeRig(object: RigObject, ports: LoopPorts): Promise<RigObserved> {
  const name = object.metadata.name;
  const { spec } = object;
  const now = ports.clock.now();
  const source = rigSource(spec, ports.layout.root);
  const clone = await openClone(name, ports);
  const graph = ports.graphs.graph(name);
  const facts = {
    now,
    name,
    source,
    cloned: clone !== undefined,
    graphOpen: graph !== undefined,
    beads: graph?.size ?? 0,
    queue: graph?.list({ type: ["merge-request"], status: ["open", "in_progress"] }).length ?? 0,
    removal: object.metadata.deletionTimestamp === undefined ? undefined : await observeRemoval(object, clone, ports),
  };
  const dueMs = fetchDueMs(object);
  const found = await readSource(source, spec.url !== undefined, ports);
  const checkout = found.state === "Found" ? found.repository : undefined;
  const settled = await quietHead(object, clone, checkout);
  if (settled !== undefined && now < dueMs)
    return { ...facts, ...settled, origin: source, fetch: { state: "NotDue", dueMs }, ...QUIET };
  const closer = clone === undefined ? NO_CLONE : await lookAtClone(object, { source, clone, found }, ports);
  const problem = sourceProblem(source, found, ports.layout.clone(name));
  const bound = found.state === "Found" && found.boundTo === ports.layout.clone(name);
  return { ...facts, ...closer, problem, bound, diskLow: await isDiskLow(ports) };
}

const NO_CLONE = {
  origin: undefined,
  fetch: { state: "NotDue", dueMs: 0 } as const,
  branch: undefined,
  head: undefined,
  push: undefined,
};

/** Fetches when it is time, then reads what the clone has. A rig that is being removed asks no remote any more. */
async function lookAtClone(
  object: RigObject,
  at: { readonly source: string; readonly clone: Repository; readonly found: RigSource },
  ports: LoopPorts,
): Promise<Pick<RigObserved, "origin" | "fetch" | "branch" | "head" | "push">> {
  const { clone, source, found } = at;
  const { metadata, spec } = object;
  const now = ports.clock.now();
  const origin = await clone.config("remote.origin.url");
  const leaving = metadata.deletionTimestamp !== undefined;
  const usable = origin === source && sourceProblem(source, found, ports.layout.clone(metadata.name)) === undefined;
  const fetch = usable && !leaving ? await fetchWhenDue(object, clone, now) : { state: "NotDue" as const, dueMs: now };
  const branch = spec.branch ?? (await clone.defaultBranch());
  if (branch === undefined) return { origin, fetch, branch, head: undefined, push: undefined };
  const checkout = found.state === "Found" ? found.repository : undefined;
  return {
    origin,
    fetch,
    branch,
    head: await clone.resolve(`refs/remotes/origin/${branch}`),
    push: leaving ? undefined : await observePush(spec, { clone, branch, checkout }),
  };
}

const QUIET = { problem: undefined, bound: true, diskLow: false, push: undefined };

/**
 * Branch and head as they were found last, where nothing says that a closer look is needed: the rig is ready as
 * declared, and for a repository on this machine its branch stands where it was fetched.
 */
async function quietHead(
  object: RigObject,
  clone: Repository | undefined,
  checkout: Repository | undefined,
): Promise<{ readonly branch: string; readonly head: string } | undefined> {
  const { status, spec } = object;
  if (object.metadata.deletionTimestamp !== undefined || conditionOf(object, READY)?.status !== "True")
    return undefined;
  // A push that was begun is looked at until its end is seen.
  if (conditionOf(object, PUSHED)?.status === "Unknown") return undefined;
  if (clone === undefined || status?.branch === undefined) return undefined;
  const head = await clone.resolve(`refs/remotes/origin/${status.branch}`);
  if (head === undefined) return undefined;
  const there = spec.url === undefined ? await checkout?.resolve(`refs/heads/${status.branch}`) : head;
  return there === head ? { branch: status.branch, head } : undefined;
}

async function isDiskLow(ports: LoopPorts): Promise<boolean> {
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const floor = quantityBytes(town?.spec.capacity.diskFloor ?? "2Gi");
  return (await ports.files.freeBytes(ports.layout.root)) < floor;
}

async function observeRemoval(object: RigObject, clone: Repository | undefined, ports: LoopPorts): Promise<Removal> {
  const namespace = object.metadata.name;
  const pools = ports.objects.list("AgentPool", { namespace }).map((pool) => `AgentPool ${pool.metadata.name}`);
  const sessions = ports.objects
    .list("Session", { namespace })
    .filter((session) => (session.status as { readonly state?: string } | undefined)?.state === "Running")
    .map((session) => `session ${session.metadata.name}`);
  const refinery = ports.layout.refinery(namespace);
  const sandboxes = (await clone?.worktrees()) ?? [];
  return {
    waitsFor: [...pools, ...sessions],
    // The clone itself is in the list too; it is bare.
    sandboxes: sandboxes.map(({ path }) => path).filter((path) => path !== clone?.path && path !== refinery),
    unfinished: await readUnfinishedWork(object, ports.graphs.graph(namespace), clone),
    declaredAgain: object.metadata.annotations?.[DECLARED_AGAIN_ANNOTATION] !== undefined,
    abandoned: object.metadata.annotations?.[ABANDON_WORK] !== undefined,
  };
}

/** Town's clone of a rig, or undefined while it is not there. A damaged one is never taken for the repository around it. */
export async function openClone(
  rig: string,
  ports: Pick<LoopPorts, "files" | "git" | "layout">,
): Promise<Repository | undefined> {
  const path = ports.layout.clone(rig);
  if ((await ports.files.stat(path)) === undefined) return undefined;
  const repository = await ports.git.open(path);
  return repository?.commonDirectory === ((await ports.files.realPath(path)) ?? path) ? repository : undefined;
}
