import type { CommitInfo, Repository } from "../ports/git.ts";

/** Commits looked at between two syncs. */
const MAX_COMMITS = 1_000;
const PLAIN_COMMITS = 20;

/** What lies between a revision that was applied and one that is to be. */
export interface CommitRange {
  /** Reachable from the new revision and not from the former one, oldest first; at most the newest 1,000. */
  readonly commits: readonly CommitInfo[];
  /** The former revision is in the history of the new one; false after a force-push. True where there was none. */
  readonly isForward: boolean;
}

/** Reads the commits after `from` (undefined, or gone from the repository: all) up to `to`. */
export async function commitsBetween(
  repository: Repository,
  from: string | undefined,
  to: string,
): Promise<CommitRange> {
  if (from === to) return { commits: [], isForward: true };
  const known = from === undefined ? undefined : await repository.resolve(from);
  const plain = known === undefined ? undefined : await plainRange(repository, known, to);
  if (plain !== undefined) return { commits: plain, isForward: true };
  const commits = await repository.log(known, to, MAX_COMMITS);
  // Where `from` is an ancestor of `to`, the last step down to it is in the range.
  const isForward =
    from === undefined || (known !== undefined && commits.some(({ parents }) => parents.includes(known)));
  return { commits, isForward };
}

/** The usual range: a few commits without merges on top of the former revision. It is read without starting a process. */
async function plainRange(
  repository: Repository,
  from: string,
  to: string,
): Promise<readonly CommitInfo[] | undefined> {
  const commits: CommitInfo[] = [];
  for (let id = to; commits.length < PLAIN_COMMITS; ) {
    const commit = await repository.objects.readCommit(id);
    const [parent, second] = commit?.parents ?? [];
    if (commit === undefined || parent === undefined || second !== undefined) return undefined;
    commits.push(commit);
    if (parent === from) return commits.toReversed();
    id = parent;
  }
  return undefined;
}

/** The commits of a range along first parents, oldest first: what was done on the branch itself. */
export function firstParents({ commits }: CommitRange): readonly CommitInfo[] {
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  const line: CommitInfo[] = [];
  for (let at = commits.at(-1); at !== undefined; at = byId.get(at.parents[0] ?? "")) line.push(at);
  return line.toReversed();
}

/** True when `text` names the commit: a full id, its first 7 or more characters, or either as `branch@sha1:id`. */
export function isRevision(commit: string, text: string | undefined): boolean {
  const id = text?.slice(text.lastIndexOf(":") + 1) ?? "";
  return id.length >= 7 && commit.startsWith(id);
}
