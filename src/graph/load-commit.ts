import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { BeadTable } from "../domain/work-graph/index/bead-table.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import type { Files } from "../ports/files.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { CommitInfo, Repository } from "../ports/git.ts";
import type { CachedTexts } from "./cached-texts.ts";
import type { CachePosition, CommitHead } from "./commit-head.ts";
import type { BadFile } from "./git-records.ts";
import { headOf, readCommitRecords, readRecordFiles, requireKnownFormat } from "./git-records.ts";
import type { CachedCommit } from "./record-cache.ts";
import { readCache } from "./record-cache.ts";
import { standInFrom } from "./stand-in.ts";
import type { TreeWriter } from "./tree-writer.ts";

export interface LoadedCommit {
  readonly head: CommitHead;
  readonly records: readonly BeadRecord[];
  /** Those that nobody has read yet. */
  readonly table: BeadTable | undefined;
  /** Ids in the table that count no more. */
  readonly without: ReadonlySet<string>;
  readonly bad: readonly BadFile[];
  /** Records that were not in the table of the cache: what a new cache would save the next time. */
  readonly uncached: number;
  /** How far the cache goes; undefined when there was none. */
  readonly cache: CachePosition | undefined;
  /** The last commit that anything in the cache is of; undefined: there was no cache. */
  readonly last: CommitHead | undefined;
  /** Ids that were changed between the commit that the cache leads to and this one. */
  readonly changed: readonly string[];
  /** Where the records of the table lie. */
  readonly texts: CachedTexts | undefined;
}

interface CachePlace {
  readonly files: Files;
  readonly directory: string;
}

/**
 * The records of a commit, from the cache and what changed since it was written; without a cache, all from git. Git is not
 * asked for anything when the cache is of this commit.
 */
export async function loadCommit(
  repository: Repository,
  trees: TreeWriter,
  commit: string,
  { files, directory }: CachePlace,
): Promise<LoadedCommit> {
  const cached = await readCache(files, directory, commit, standInFrom(repository, commit));
  if (cached?.head.commit === commit) return { ...cached, bad: [], changed: [] };
  await requireKnownFormat(repository, trees, commit);
  const head = await headOf(repository, await requireCommit(repository, commit));
  if (cached !== undefined && (await repository.resolve(`${cached.head.commit}^{commit}`)) !== undefined)
    return changedSince(repository, trees, head, cached);
  await cached?.texts.close();
  return loadedFromGit({ head, ...(await readCommitRecords(repository, commit)) }, cached?.last);
}

/** A commit all of whose records were read from git's objects: no cache has any of them. */
export function loadedFromGit(
  { head, records, bad }: Pick<LoadedCommit, "head" | "records" | "bad">,
  last?: CommitHead,
): LoadedCommit {
  return {
    head,
    last,
    records,
    bad,
    table: undefined,
    without: new Set(),
    texts: undefined,
    cache: undefined,
    changed: [],
    uncached: records.length,
  };
}

/** Throws AdapterError `CommitMissing`: the ref is there, and what it names is not. */
export async function requireCommit(repository: Repository, commit: string): Promise<CommitInfo> {
  const info = await repository.objects.readCommit(commit);
  if (info !== undefined) return info;
  throw new AdapterError(
    "CommitMissing",
    `Cannot read commit ${commit} of the work branch: it is not in ${repository.path}.`,
    { hint: "Run `git fsck` there." },
  );
}

async function changedSince(
  repository: Repository,
  trees: TreeWriter,
  head: CommitHead,
  cached: CachedCommit,
): Promise<LoadedCommit> {
  const changed = new Map<string, string>();
  for (const path of await repository.changedFiles(cached.head.commit, head.commit)) {
    const id = idOfPath(path);
    if (id !== undefined) changed.set(id, path);
  }
  const files: { readonly path: string; readonly blob: string }[] = [];
  for (const path of changed.values()) {
    const blob = await trees.find(head.tree, path);
    if (blob !== undefined) files.push({ path, blob });
  }
  const { records, bad } = await readRecordFiles(repository.objects, head.commit, files);
  return {
    ...cached,
    head,
    records: [...cached.records.filter(({ id }) => !changed.has(id)), ...records],
    without: new Set([...cached.without, ...changed.keys()]),
    bad,
    uncached: cached.uncached + changed.size,
    changed: [...changed.keys()],
  };
}
