import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { prefixOf } from "../domain/work-graph/ids/parse-id.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { GitIdentity, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import { BranchWriter } from "./branch-writer.ts";
import type { GitGraphParts } from "./git-graph.ts";
import { GitGraph } from "./git-graph.ts";
import { defaultBranch, flushedRef, storePaths } from "./paths.ts";
import { reportLoss } from "./heal.ts";
import type { Recovered } from "./recovery.ts";
import { keepProblems, recover } from "./recovery.ts";
import type { StoreLock } from "./store-lock.ts";
import { takeStoreLock } from "./store-lock.ts";
import { configuredStatuses } from "./configured-statuses.ts";
import { settingsAt } from "./settings-file.ts";
import { StoreSettings } from "./store-settings.ts";
import { isLoss } from "./survey.ts";
import { TreeWriter } from "./tree-writer.ts";

export interface OpenGraphOptions {
  readonly repository: Repository;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly log: Log;
  /** Default: the prefix. */
  readonly namespace?: string;
  /** Of ids; or that of most of the beads there are, and where there are none, `orElse`. */
  readonly prefix: string | { readonly orElse: string };
  /** Full ref name. Default `refs/heads/town/work`. */
  readonly branch?: string;
  /** No lock, no writes; sees what was on disk when it was opened. Default false. */
  readonly readOnly?: boolean;
  /** Default: Beads' and those of the setting `status.custom` of the store. */
  readonly statuses?: StatusBook;
  /** Beads of other stores; `workGraphs` sets it for stores it holds. */
  readonly foreign?: ForeignBeads;
  /**
   * This process ends soon: its lock says so, and leases it renews are written to the log. Default false: renewals are kept in
   * memory.
   */
  readonly isBrief?: boolean;
  /** How long to wait for a living process that holds the store, ms. Default 5000. */
  readonly lockTimeoutMs?: number;
  /** Changes reach the branch after this time at the latest, ms. Default 1000. */
  readonly flushIntervalMs?: number;
  /** ... or when so many records wait. Default 500. */
  readonly flushRecords?: number;
  /** Log segments of this size are closed and, once the branch has them, removed, bytes. Default 4 MiB. */
  readonly segmentBytes?: number;
  /** Committer of the branch. Default town <town@localhost>. */
  readonly committer?: Omit<GitIdentity, "timeMs">;
  /** Address of who made a change, for the author of its commit. Default: the committer's. */
  readonly emailOf?: (actor: string) => string | undefined;
}

/**
 * Opens the work graph of a repository: the last commit this store wrote, its log on top, then whatever others put on the
 * branch meanwhile. Throws WaitingError `StoreLocked`, TownError `FormatTooNew` or AdapterError.
 */
export async function openGraph(options: OpenGraphOptions): Promise<GitGraph> {
  const { repository, files } = options;
  const paths = storePaths(repository.commonDirectory);
  const readOnly = options.readOnly === true;
  let lock: StoreLock | undefined;
  if (!readOnly) {
    await files.makeDirectory(paths.root, { mode: 0o700 });
    lock = await takeStoreLock(paths.lock, options, options.lockTimeoutMs ?? 5_000, {
      isBrief: options.isBrief === true,
    });
  }
  try {
    return await load(options, lock);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

async function load(options: OpenGraphOptions, lock: StoreLock | undefined): Promise<GitGraph> {
  const { repository, files, log, clock, random } = options;
  const paths = storePaths(repository.commonDirectory);
  const branch = options.branch ?? defaultBranch;
  if (lock !== undefined) await repository.removeStaleLocks({ refs: [branch, flushedRef] });
  const settings = await StoreSettings.open(files, paths.settings, { writes: lock !== undefined });
  const index = new GraphIndex({
    statuses: options.statuses ?? configuredStatuses(settings, log),
    ...(options.foreign === undefined ? {} : { foreign: options.foreign }),
  });
  const trees = new TreeWriter(repository.objects);
  const recovered = await recover({
    repository,
    files,
    paths,
    branch,
    index,
    trees,
    random,
    readOnly: lock === undefined,
  });
  if (lock !== undefined) await keepProblems(files, paths.setAside, recovered, log);
  const { wal, base, pin, otherLogs } = recovered;
  const committer = options.committer ?? { name: "town", email: "town@localhost" };
  const writer = new BranchWriter({
    repository,
    trees,
    branch,
    logId: wal.id,
    now: () => clock.now(),
    committer,
    emailOf: options.emailOf,
  });
  if (base !== undefined) writer.start(base.head, pin);
  if (base !== undefined && settings.isNewToBranch) {
    await settings.takeIn(new Map(), await settingsAt(repository, trees, base.head.tree));
    if (options.statuses === undefined) index.useStatuses(configuredStatuses(settings, log));
  }
  for (const [id, seq] of otherLogs) writer.contains(id, seq);
  const journal = lock === undefined ? undefined : wal;
  const prefix =
    typeof options.prefix === "string" ? options.prefix : (commonPrefix(index.beads()) ?? options.prefix.orElse);
  const graph = new GitGraph(
    {
      namespace: options.namespace ?? prefix,
      prefix,
      index,
      clock,
      random,
      log,
      journal,
      lastSeq: recovered.lastSeq,
      requests: recovered.requests,
      ...recovered.beside,
      logRenewals: options.isBrief === true,
    },
    {
      ...limitsOf(options),
      repository,
      files,
      paths,
      branch,
      settings,
      writer,
      lock,
      wal,
      otherLogs,
      loaded: base,
    },
  );
  graph.resume({ ids: recovered.dirty, events: recovered.events });
  await catchUp(graph, recovered, options);
  if (lock !== undefined) await settleSuspicion(graph, options, paths.suspicion);
  return graph;
}

/** So many beads tell what most are like. */
const prefixSample = 500;

function commonPrefix(beads: Iterable<Pick<BeadRecord, "id">>): string | undefined {
  const counts = new Map<string, number>();
  let seen = 0;
  for (const { id } of beads) {
    const prefix = prefixOf(id);
    if (prefix !== undefined) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    if (++seen === prefixSample) break;
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Takes in what others put on the branch. */
async function catchUp(
  graph: GitGraph,
  { damage, tip, base, former }: Recovered,
  { log }: OpenGraphOptions,
): Promise<void> {
  if (damage !== undefined) await replaceLost(graph, damage, log);
  if (tip !== undefined && tip !== base?.head.commit && damage?.broken.has(tip) !== true)
    await absorbTip(graph, tip, log);
  if (former !== undefined) await goForward(graph, former, log);
}

/** Where git has lost something of it, what is left is taken in; who only reads does without. */
async function absorbTip(graph: GitGraph, tip: string, log: Log): Promise<void> {
  const absorb = (): Promise<unknown> => graph.absorb(tip);
  try {
    await (graph.canWrite ? graph.losses.guard(absorb) : absorb());
  } catch (error) {
    if (!isLoss(error)) throw error;
    log.error(
      { namespace: graph.namespace, branch: graph.branch, commit: tip, err: error },
      "commit on the branch of the work graph cannot be read, it is left out",
    );
  }
}

/** The refs were moved back by hand: what they left behind is merged, as that of a clone is, or taken from the cache. */
async function goForward(graph: GitGraph, former: NonNullable<Recovered["former"]>, log: Log): Promise<void> {
  const { namespace, branch } = graph;
  log.error({ namespace, branch, commit: former.commit }, "work branch was moved back, what it had is taken in again");
  try {
    await graph.absorb(former.commit);
  } catch (error) {
    if (!isLoss(error)) throw error;
    await graph.losses.takeLater(former.records);
  }
}

/** What could be read is in memory; the branch follows at once where it can, else with the next flush. */
async function replaceLost(graph: GitGraph, damage: NonNullable<Recovered["damage"]>, log: Log): Promise<void> {
  reportLoss(log, damage, { namespace: graph.namespace, branch: graph.branch });
  if (!damage.isBehind) return;
  await graph.losses.replace({ tips: damage.broken, files: damage.files });
  await graph.follow();
}

/** Objects written while somebody collected garbage were looked for when the graph was loaded, unless he still does. */
async function settleSuspicion(
  graph: GitGraph,
  { files, repository, isBrief }: OpenGraphOptions,
  path: string,
): Promise<void> {
  if ((await files.stat(path)) === undefined) return;
  if (!(await repository.objects.isCollected())) await files.remove(path);
  else if (isBrief !== true) graph.losses.watch();
}

function limitsOf(options: OpenGraphOptions): Pick<GitGraphParts, "flushIntervalMs" | "flushRecords" | "segmentBytes"> {
  return {
    flushIntervalMs: options.flushIntervalMs ?? 1_000,
    flushRecords: options.flushRecords ?? 500,
    segmentBytes: options.segmentBytes ?? 4 * 1024 * 1024,
  };
}
