import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { withFields } from "../domain/work-graph/record/facts.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import type { LoadedCommit } from "./load-commit.ts";
import type { LocalState } from "./local-state.ts";
import { readLocalState } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
import { clonedBranch, flushedRef } from "./paths.ts";
import type { BesideBranch } from "./replay.ts";
import { replay } from "./replay.ts";
import { refValue } from "./salvage.ts";
import type { SetAsideItem } from "./set-aside.ts";
import { setAside } from "./set-aside.ts";
import { putBeyond } from "./put-beyond.ts";
import type { Damage } from "./sound-commit.ts";
import { loadSound, movedBack } from "./sound-commit.ts";
import { readIdentity } from "./store-identity.ts";
import type { TreeWriter } from "./tree-writer.ts";
import { fingerprint } from "./wal-record.ts";
import { Wal } from "./wal.ts";
import { WispHistory } from "./wisp-history.ts";

export interface RecoveryOptions {
  readonly repository: Repository;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly branch: string;
  /** Empty; filled with what is found. */
  readonly index: GraphIndex;
  readonly trees: TreeWriter;
  readonly random: Random;
  readonly readOnly: boolean;
}

/** What a store finds of its former lives. */
export interface Recovered {
  readonly wal: Wal;
  readonly pin: string | undefined;
  /** Tip of the branch; where it is not `base`, somebody else moved it. */
  readonly tip: string | undefined;
  /** The commit that was loaded. */
  readonly base: LoadedCommit | undefined;
  /** What git had lost; `files`: what else than records the next commit must bring back. */
  readonly damage: (Damage & { readonly files: ReadonlyMap<string, string> }) | undefined;
  /** What the refs of the store were moved back behind. */
  readonly former: Awaited<ReturnType<typeof movedBack>>;
  readonly dirty: ReadonlySet<string>;
  readonly events: readonly HistoryEntry[];
  readonly requests: ReadonlyMap<string, unknown>;
  readonly beside: BesideBranch;
  readonly lastSeq: number;
  /** Last seq of each log but the current one. */
  readonly otherLogs: ReadonlyMap<string, number>;
  /** What could not be read, by where it was. */
  readonly problems: Readonly<Record<"log" | "branch" | "wisps", readonly SetAsideItem[]>>;
}

/** Loads the last commit this store wrote, its wisps, and on top what its logs hold beyond both. */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { repository, files, paths, index } = options;
  const identity = await readIdentity(files, paths, options.random, repository.commonDirectory, options.readOnly);
  const pin = await repository.resolve(flushedRef);
  const tip = await branchTip(repository, options.branch, pin);
  const places = { ...options, ...identity, pin, tip };
  const { loaded, damage } = await loadSound(places);
  const former = damage === undefined ? await movedBack(places, loaded) : undefined;
  if (loaded?.table !== undefined) index.loadTable(loaded.table, loaded.without);
  index.load(loaded?.records ?? []);
  const local = await readLocalState(files, paths.local);
  const beside = loadLocal(index, local);
  const positions = new Map(Object.entries(loaded?.head.positions ?? {}));
  const replayed = await replayLogs(options, identity.logs, {
    positions,
    local,
    beside,
    lenient: damage?.isBehind === true,
  });
  const beyond =
    damage === undefined
      ? undefined
      : await putBeyond({ ...options, ...identity, baseTree: loaded?.head.tree, damage, events: replayed.events });
  return {
    ...replayed,
    ...(beyond === undefined ? {} : { events: beyond.events, dirty: new Set([...replayed.dirty, ...beyond.ids]) }),
    damage: beyond === undefined || damage === undefined ? undefined : { ...damage, files: beyond.files },
    former,
    beside,
    pin,
    tip,
    base: loaded,
    problems: {
      log: replayed.problems,
      branch: (loaded?.bad ?? []).map(({ path, commit, problem, text }) => ({
        place: `${path}@${commit}`,
        problem,
        text,
      })),
      wisps: local.damaged.map((text) => ({ place: paths.local, problem: "the line is damaged", text })),
    },
  };
}

/** Tip of the branch, also one that is lost; in a fresh clone that of the branch it came with. */
async function branchTip(repository: Repository, branch: string, pin: string | undefined): Promise<string | undefined> {
  if (pin !== undefined) return refValue(repository, branch);
  return (await repository.resolve(branch)) ?? repository.resolve(clonedBranch(branch));
}

function loadLocal(index: GraphIndex, local: LocalState): BesideBranch {
  // A wisp that became a real bead is on the branch, and that is newer.
  const wisps = local.wisps.filter(({ record }) => index.stored(record.id) === undefined);
  index.load(
    wisps.map(({ record }) => record),
    new Map(wisps.map(({ record, rev }) => [record.id, rev])),
  );
  index.raiseRevsLater(() => local.revs());
  const wispHistory = new WispHistory();
  for (const { history } of wisps) wispHistory.add(history);
  const leaseWritten = new Map<string, BeadRecord>();
  for (const [id, lease] of local.leases) {
    const record = index.stored(id);
    // It changed on the branch since: that is newer.
    if (record === undefined || fingerprint(record) !== lease.of) continue;
    leaseWritten.set(id, record);
    index.put(id, withFields(record, { heartbeat_at: lease.from, lease_expires_at: lease.to }), index.revOf(id));
  }
  return { wispHistory, leaseWritten };
}

interface ReplayedLogs extends Pick<Recovered, "wal" | "dirty" | "events" | "requests" | "lastSeq" | "otherLogs"> {
  readonly problems: readonly SetAsideItem[];
}

interface ReplayState {
  readonly positions: ReadonlyMap<string, number>;
  readonly local: LocalState;
  readonly beside: BesideBranch;
  readonly lenient: boolean;
}

/** Replays the logs of this store, oldest first; the last one is the one that is written. */
async function replayLogs(
  { files, paths, index, readOnly }: RecoveryOptions,
  logs: readonly string[],
  { positions, local, beside, lenient }: ReplayState,
): Promise<ReplayedLogs> {
  const dirty = new Set<string>();
  const events: HistoryEntry[] = [];
  const requests = new Map(local.requests);
  const problems: SetAsideItem[] = [];
  const otherLogs = new Map<string, number>();
  let wal: Wal | undefined;
  let lastSeq = 0;
  for (const id of logs) {
    const contained = { branch: positions.get(id) ?? 0, local: local.logs.get(id) ?? 0 };
    const opened = await Wal.open(files, paths.wal, id, readOnly ? contained : undefined);
    const replayed = replay(index, opened.entries, contained, beside, { lenient });
    wal = opened.wal;
    if (id !== logs.at(-1)) otherLogs.set(id, replayed.lastSeq);
    lastSeq = Math.max(lastSeq, replayed.lastSeq);
    for (const bead of replayed.dirty) dirty.add(bead);
    for (const event of replayed.events) events.push(event);
    for (const [request, answer] of replayed.requests) requests.set(request, answer);
    for (const { file, line, text } of opened.damaged)
      problems.push({ place: `${file}:${line}`, problem: "the line is damaged", text });
    for (const record of replayed.refused) {
      problems.push({
        place: `log ${id}, seq ${record.s}`,
        problem: "it was made on another state than the one that is here",
        text: JSON.stringify(record),
      });
    }
  }
  return { wal: wal as Wal, dirty, events, requests, lastSeq, otherLogs, problems };
}

/** Keeps what could not be read, for a person. */
export async function keepProblems(files: Files, directory: string, { problems }: Recovered, log: Log): Promise<void> {
  const tell = log.error.bind(log);
  for (const kind of ["log", "branch", "wisps"] as const) await setAside(files, directory, kind, problems[kind], tell);
}
