import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { DormantBead } from "../domain/work-graph/index/dormant-bead.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { BadFile } from "./git-records.ts";
import { readCommitRecords, readRecordFiles, requireKnownFormat } from "./git-records.ts";
import type { CachedCommit } from "./record-cache.ts";
import { readCache } from "./record-cache.ts";
import type { TreeWriter } from "./tree-writer.ts";

export interface LoadedCommit {
  readonly records: readonly BeadRecord[];
  /** Closed ones that nobody has read yet. */
  readonly dormant: readonly DormantBead[];
  readonly bad: readonly BadFile[];
  /** Files that had to be read from git: what a new cache would save the next time. */
  readonly fromGit: number;
}

/** The records of a commit, from the cache and what changed since it was written; without a cache, all from git. */
export async function loadCommit(
  repository: Repository,
  trees: TreeWriter,
  commit: string,
  cache: { readonly files: Files; readonly directory: string },
): Promise<LoadedCommit> {
  await requireKnownFormat(repository, trees, commit);
  const cached = await readCache(cache.files, cache.directory);
  if (
    cached !== undefined &&
    (cached.commit === commit || (await repository.resolve(`${cached.commit}^{commit}`)) !== undefined)
  ) {
    const loaded = await loadFromCache(repository, trees, commit, cached);
    if (loaded !== undefined) return loaded;
  }
  const read = await readCommitRecords(repository, commit);
  return { ...read, dormant: [], fromGit: read.records.length };
}

async function loadFromCache(
  repository: Repository,
  trees: TreeWriter,
  commit: string,
  cached: CachedCommit,
): Promise<LoadedCommit | undefined> {
  if (cached.commit === commit) return { ...cached, bad: [], fromGit: 0 };
  const tree = (await repository.objects.readCommit(commit))?.tree;
  if (tree === undefined) return undefined;
  const changed = new Map<string, string>();
  for (const path of await repository.changedFiles(cached.commit, commit)) {
    const id = idOfPath(path);
    if (id !== undefined) changed.set(id, path);
  }
  const files: { readonly path: string; readonly blob: string }[] = [];
  for (const path of changed.values()) {
    const blob = await trees.find(tree, path);
    if (blob !== undefined) files.push({ path, blob });
  }
  const { records, bad } = await readRecordFiles(repository.objects, commit, files);
  const isUnchanged = ({ id }: { readonly id: string }): boolean => !changed.has(id);
  return {
    records: [...cached.records.filter(isUnchanged), ...records],
    dormant: cached.dormant.filter(isUnchanged),
    bad,
    fromGit: changed.size,
  };
}
