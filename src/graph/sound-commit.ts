import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { compareVersions } from "../domain/work-graph/record/stamp.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { CommitHead } from "./commit-head.ts";
import { logPositions, positionsAt } from "./git-records.ts";
import type { LoadedCommit } from "./load-commit.ts";
import { loadCommit, loadedFromGit, requireCommit } from "./load-commit.ts";
import type { StorePaths } from "./paths.ts";
import { flushedRef } from "./paths.ts";
import { loggedRecords } from "./logged-records.ts";
import { isTextLost } from "./lost-texts.ts";
import { readCache } from "./record-cache.ts";
import type { Salvage } from "./salvage.ts";
import { refValue, salvage } from "./salvage.ts";
import { isLoss } from "./survey.ts";
import type { TreeWriter } from "./tree-writer.ts";

export interface CommitPlaces {
  readonly repository: Repository;
  readonly branch: string;
  readonly files: Files;
  readonly paths: StorePaths;
  readonly trees: TreeWriter;
  readonly logId: string;
  readonly logs: readonly string[];
  readonly pin: string | undefined;
  readonly tip: string | undefined;
  readonly readOnly: boolean;
}

/** The commit that a store starts from, with nothing missing in it. */
export interface SoundCommit {
  readonly loaded: LoadedCommit | undefined;
  /** What had to be done about objects that were missing. */
  readonly damage: Damage | undefined;
}

export interface Damage extends Salvage {
  /** The commit that was loaded is not the one that the refs named. */
  readonly isBehind: boolean;
  /** What is known beyond the commit that was loaded, besides the log: from the cache and what remains of lost commits. */
  readonly records: readonly BeadRecord[];
}

/**
 * Loads the commit that this store wrote last. Where git has lost something of it, it is made again from cache and log; what
 * cannot be made again is left, and the latest commit that is whole is loaded instead.
 */
export async function loadSound(places: CommitPlaces): Promise<SoundCommit> {
  const { files, paths } = places;
  const loaded = await loadOwn(places);
  const isSuspected =
    !places.readOnly &&
    (await files.stat(paths.suspicion)) !== undefined &&
    // Else it is looked at when that is over.
    !(await places.repository.objects.isCollected());
  if ("loss" in loaded || isSuspected) {
    const repaired = await repair(places);
    if (repaired !== undefined) {
      if (!("loss" in loaded)) await loaded.commit?.texts?.close();
      return repaired;
    }
  }
  if ("loss" in loaded) throw loaded.loss;
  return { loaded: loaded.commit, damage: undefined };
}

async function loadOwn(
  places: CommitPlaces,
): Promise<{ readonly commit: LoadedCommit | undefined } | { readonly loss: unknown }> {
  const { repository, files, trees, paths, readOnly } = places;
  try {
    const base = await ownCommit(places);
    // A store that had commits does not begin anew because its refs are gone.
    if (base === undefined && (await hadCommits(places))) return { loss: new Error("the refs of the store are gone") };
    if (base === undefined) return { commit: undefined };
    // The cache may know a commit that git has lost, and nothing must be built on that.
    if (!readOnly) await requireCommit(repository, base);
    // What others put on the branch is taken in on top.
    if (places.tip !== undefined && places.tip !== base) await requireCommit(repository, places.tip);
    return { commit: await loadCommit(repository, trees, base, { files, directory: paths.cache }) };
  } catch (error) {
    if (isLoss(error)) return { loss: error };
    throw error;
  }
}

async function hadCommits({ files, paths }: CommitPlaces): Promise<boolean> {
  const cached = await readCache(files, paths.cache, "");
  await cached?.texts.close();
  return cached !== undefined;
}

/** Undefined when nothing is missing after all. */
async function repair(places: CommitPlaces): Promise<SoundCommit | undefined> {
  const { repository, logId, tip, readOnly } = places;
  const cached = await cachedRecords(places, places.pin ?? tip ?? "");
  const refs = await Promise.all([flushedRef, places.branch].map((ref) => refValue(repository, ref)));
  const suspects = [...refs, tip].filter((commit) => commit !== undefined);
  const salvaged = await salvage({
    repository,
    logId,
    suspects,
    known: latestLast([...cached, ...(await loggedRecords(places.files, places.paths.wal, places.logs))]),
    writes: !readOnly,
  });
  if (salvaged === undefined) return undefined;
  if (salvaged.broken.size === 0 && suspects.length > 0) {
    const again = await loadOwn(places);
    if ("loss" in again) throw again.loss;
    return { loaded: again.commit, damage: { ...salvaged, records: [], isBehind: false } };
  }
  const remains = salvaged.remains.flatMap(({ records }) => records);
  const { base } = salvaged;
  return {
    loaded: base?.head === undefined ? undefined : loadedFromGit({ ...base, head: base.head }),
    damage: { ...salvaged, records: latestLast([...cached, ...remains]), isBehind: true },
  };
}

function latestLast(records: readonly BeadRecord[]): readonly BeadRecord[] {
  return [...records].sort(compareVersions);
}

/**
 * The commit that this store wrote last, as its cache tells, where its refs were moved back behind it by hand, with what the
 * cache has of it: git may have thrown it away since.
 */
export async function movedBack(
  places: CommitPlaces,
  loaded: LoadedCommit | undefined,
): Promise<{ readonly commit: string; readonly records: readonly BeadRecord[] } | undefined> {
  const former = loaded?.last;
  const position = (head: CommitHead | undefined): number => head?.positions[places.logId] ?? 0;
  if (former === undefined || position(former) <= position(loaded?.head)) return undefined;
  // A store that is written while this one is opened for reading goes on, too.
  if ((await places.repository.resolve(flushedRef)) !== places.pin) return undefined;
  return { commit: former.commit, records: await cachedRecords(places, "") };
}

/** What the cache has, towards a commit: a version of a record is good evidence of that record. */
async function cachedRecords({ files, paths }: CommitPlaces, wanted: string): Promise<readonly BeadRecord[]> {
  const cached = await readCache(files, paths.cache, wanted);
  if (cached === undefined) return [];
  const { table, without, texts } = cached;
  const records = [...cached.records];
  for (let row = 0; row < table.rows; row++) {
    if (without.has(table.id(row))) continue;
    try {
      records.push(table.record(row));
    } catch (error) {
      // A cache that is damaged too: the rest of the evidence must do.
      if (!isTextLost(error)) throw error;
    }
  }
  await texts.close();
  return records;
}

/**
 * The commit to start from: the pin, or a commit of ours that was put on the branch just before the pin could follow. Without
 * a pin, what is on the branch.
 */
async function ownCommit({ repository, pin, tip, logId }: CommitPlaces): Promise<string | undefined> {
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
