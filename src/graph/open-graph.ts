import { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { ForeignBeads } from "../domain/work-graph/index/foreign-beads.ts";
import { standardStatuses } from "../domain/work-graph/record/statuses.ts";
import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { GitIdentity, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import { BranchWriter } from "./branch-writer.ts";
import { GitGraph } from "./git-graph.ts";
import { logPositions, positionsAt } from "./git-records.ts";
import type { BadFile } from "./git-records.ts";
import { loadCommit } from "./load-commit.ts";
import { readLocalState } from "./local-state.ts";
import type { LocalState } from "./local-state.ts";
import { defaultBranch, flushedRef, storePaths } from "./paths.ts";
import { replay } from "./replay.ts";
import { setAside } from "./set-aside.ts";
import { readIdentity } from "./store-identity.ts";
import type { StoreLock } from "./store-lock.ts";
import { takeStoreLock } from "./store-lock.ts";
import { TreeWriter } from "./tree-writer.ts";
import { Wal } from "./wal.ts";

export interface OpenGraphOptions {
  readonly repository: Repository;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly log: Log;
  readonly namespace: string;
  readonly prefix: string;
  /** Full ref name. Default `refs/heads/town/work`. */
  readonly branch?: string;
  /** No lock, no writes; sees what was on disk when it was opened. Default false. */
  readonly readOnly?: boolean;
  /** Default: Beads' statuses. */
  readonly statuses?: StatusBook;
  /** Beads of other stores; `workGraphs` sets it for stores it holds. */
  readonly foreign?: ForeignBeads;
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
    lock = await takeStoreLock(paths.lock, options, options.lockTimeoutMs ?? 5_000);
  }
  try {
    return await load(options, lock);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

async function load(options: OpenGraphOptions, lock: StoreLock | undefined): Promise<GitGraph> {
  const { repository, files, log } = options;
  const paths = storePaths(repository.commonDirectory);
  const branch = options.branch ?? defaultBranch;
  const statuses = options.statuses ?? standardStatuses;
  const index = new GraphIndex({ statuses, ...(options.foreign === undefined ? {} : { foreign: options.foreign }) });
  const identity = await readIdentity(files, paths, options.random, repository.commonDirectory, lock === undefined);
  const pin = await repository.resolve(flushedRef);
  const tip = await repository.resolve(branch);
  const base = await ownCommit(repository, pin, tip, identity.logId);
  const trees = new TreeWriter(repository.objects);
  const loaded =
    base === undefined ? undefined : await loadCommit(repository, trees, base, { files, directory: paths.cache });
  index.load(loaded?.records ?? []);
  const positions = base === undefined ? new Map<string, number>() : await positionsAt(repository, base);
  const local = await readLocalState(files, paths.local);
  loadWisps(index, local);
  const recovered = await recover(options, index, identity.logs, positions, local);
  if (lock !== undefined) await keepBadFiles(options, paths.setAside, loaded?.bad ?? [], recovered, local);

  const writer = new BranchWriter({
    repository,
    trees,
    branch,
    logId: identity.logId,
    now: () => options.clock.now(),
    committer: options.committer ?? { name: "town", email: "town@localhost" },
  });
  if (base !== undefined) await writer.adopt(base, pin);
  const graph = new GitGraph(
    {
      namespace: options.namespace,
      prefix: options.prefix,
      index,
      clock: options.clock,
      random: options.random,
      log,
      journal: lock === undefined ? undefined : recovered.wal,
      lastSeq: recovered.lastSeq,
      requests: recovered.requests,
    },
    {
      repository,
      files,
      paths,
      branch,
      writer,
      lock,
      wal: recovered.wal,
      flushIntervalMs: options.flushIntervalMs ?? 1_000,
      flushRecords: options.flushRecords ?? 500,
      loadedFromGit: loaded?.fromGit ?? 0,
      segmentBytes: options.segmentBytes ?? 4 * 1024 * 1024,
      otherLogs: identity.logs.filter((id) => id !== identity.logId),
    },
  );
  graph.resume({ ids: recovered.dirty, events: recovered.events });
  if (tip !== undefined && tip !== base) await graph.absorb(tip);
  return graph;
}

/**
 * The commit to start from: the pin, or a commit of ours that was put on the branch just before the pin could follow. Without
 * a pin, what is on the branch.
 */
async function ownCommit(
  repository: Repository,
  pin: string | undefined,
  tip: string | undefined,
  logId: string,
): Promise<string | undefined> {
  if (pin === undefined || tip === undefined || pin === tip) return pin ?? tip;
  const pinned = (await positionsAt(repository, pin)).get(logId) ?? 0;
  if (((await positionsAt(repository, tip)).get(logId) ?? 0) <= pinned || !(await repository.isAncestor(pin, tip)))
    return pin;
  let own = pin;
  let seq = pinned;
  for (const commit of await repository.log(pin, tip, 10_000)) {
    const position = logPositions(commit).get(logId) ?? 0;
    if (position <= seq) continue;
    own = commit.id;
    seq = position;
  }
  return own;
}

function loadWisps(index: GraphIndex, local: LocalState): void {
  // A wisp that became a real bead is on the branch, and that is newer.
  const wisps = local.wisps.filter(({ record }) => index.stored(record.id) === undefined);
  index.load(
    wisps.map(({ record }) => record),
    new Map(wisps.map(({ record, rev }) => [record.id, rev])),
  );
  for (const [id, rev] of local.revs) index.raiseRev(id, rev);
}

interface Recovered {
  readonly wal: Wal;
  readonly dirty: ReadonlySet<string>;
  readonly events: ReturnType<typeof replay>["events"];
  readonly requests: ReadonlyMap<string, unknown>;
  readonly lastSeq: number;
  readonly problems: readonly { readonly place: string; readonly problem: string; readonly text: string }[];
}

/** Replays the logs of this store, oldest first; the last one is the one that is written. */
async function recover(
  options: OpenGraphOptions,
  index: GraphIndex,
  logs: readonly string[],
  positions: ReadonlyMap<string, number>,
  local: LocalState,
): Promise<Recovered> {
  const directory = storePaths(options.repository.commonDirectory).wal;
  const dirty = new Set<string>();
  const events: Recovered["events"][number][] = [];
  const requests = new Map(local.requests);
  const problems: Recovered["problems"][number][] = [];
  let wal: Wal | undefined;
  let lastSeq = 0;
  for (const id of logs) {
    const opened = await Wal.open(options.files, directory, id);
    const replayed = replay(index, opened.entries, { branch: positions.get(id) ?? 0, local: local.logs.get(id) ?? 0 });
    wal = opened.wal;
    lastSeq = Math.max(lastSeq, replayed.lastSeq);
    for (const bead of replayed.dirty) dirty.add(bead);
    events.push(...replayed.events);
    for (const [request, answer] of replayed.requests) requests.set(request, answer);
    for (const { file, line, text } of opened.damaged)
      problems.push({ place: `${file}:${line}`, problem: "the line is damaged", text });
    for (const record of replayed.refused)
      problems.push({
        place: `log ${id}, seq ${record.s}`,
        problem: "it was made on another state than the one that is here",
        text: JSON.stringify(record),
      });
  }
  return { wal: wal as Wal, dirty, events, requests, lastSeq, problems };
}

async function keepBadFiles(
  options: OpenGraphOptions,
  directory: string,
  bad: readonly BadFile[],
  recovered: Recovered,
  local: LocalState,
): Promise<void> {
  const { files, log } = options;
  await setAside(files, directory, "log", recovered.problems, log);
  await setAside(
    files,
    directory,
    "branch",
    bad.map(({ path, commit, problem, text }) => ({ place: `${path}@${commit}`, problem, text })),
    log,
  );
  await setAside(
    files,
    directory,
    "wisps",
    local.damaged.map((text) => ({ place: "wisps.jsonl", problem: "the line is damaged", text })),
    log,
  );
}
