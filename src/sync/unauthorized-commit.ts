import type { CommitInfo, Repository } from "../ports/git.ts";
import { agentTrailer, isSealed, recordedCommits } from "../manifests/api-commits.ts";
import { type CommitRange, firstParents, isRevision } from "../manifests/commit-range.ts";
import type { Standing } from "./sync-result.ts";

/** Which commits are looked at, and what lets them pass. */
export interface AuthorCheck {
  readonly range: CommitRange;
  /** Folder of the manifests: other paths may be changed by anybody. */
  readonly directory: string;
  /** Whether a commit author's name is that of an agent. */
  readonly isAgent: (author: string) => boolean;
  /** Revision (7 or more characters) up to which a person approved. */
  readonly approve: string | undefined;
  /** The branch is a remote's, to which other towns write as well: what came through their API says so itself. */
  readonly isShared: boolean;
}

export interface HeldCommit {
  /** Newest commit before the held one; undefined: there is none in the range. */
  readonly before: string | undefined;
  readonly standing: Standing;
}

export interface AuthorVerdict {
  readonly held: HeldCommit | undefined;
  /** Commits of the API in the range that need no record once they are applied. */
  readonly recorded: readonly string[];
}

/**
 * Looks for the first commit on the branch that an agent made with git instead of through the API and that changes
 * manifests. A merge is judged by who made it: a person who merges an agent's branch has approved it.
 */
export async function checkAuthors(repository: Repository, check: AuthorCheck): Promise<AuthorVerdict> {
  const line = firstParents(check.range);
  const approvedTo = line.findLastIndex(({ id }) => isRevision(id, check.approve));
  const suspects = line.filter((commit) => agentOf(commit, check.isAgent) !== undefined);
  if (suspects.length === 0) return { held: undefined, recorded: [] };
  const records = await recordedCommits(repository);
  for (const [index, commit] of line.entries()) {
    if (index <= approvedTo || !suspects.includes(commit) || records.has(commit.id)) continue;
    if (check.isShared && isSealed(commit)) continue;
    const files = await manifestsChanged(repository, commit, check.directory);
    if (files.length === 0) continue;
    const before = line[index - 1]?.id;
    const passed = line.slice(0, index).flatMap(({ id }) => (records.has(id) ? [id] : []));
    return {
      held: { before, standing: standingOf(commit, agentOf(commit, check.isAgent) ?? "", files) },
      recorded: passed,
    };
  }
  return { held: undefined, recorded: suspects.flatMap(({ id }) => (records.has(id) ? [id] : [])) };
}

function agentOf({ author, message }: CommitInfo, isAgent: AuthorCheck["isAgent"]): string | undefined {
  return agentTrailer(message) ?? (isAgent(author.name) ? author.name : undefined);
}

async function manifestsChanged(
  repository: Repository,
  commit: CommitInfo,
  directory: string,
): Promise<readonly string[]> {
  const from = commit.parents[0] ?? repository.objects.emptyTree;
  const changed = await repository.changedFiles(from, commit.id);
  return changed.filter((path) => directory === "" || path.startsWith(`${directory}/`));
}

function standingOf(commit: CommitInfo, agent: string, files: readonly string[]): Standing {
  const short = commit.id.slice(0, 12);
  const more = files.length > 1 ? ` and ${files.length - 1} more` : "";
  return {
    status: "OutOfSync",
    reason: "UnauthorizedCommit",
    message: `commit ${short} by agent ${agent} changes ${files[0] ?? ""}${more} and did not come through the API; it and what follows is held`,
    hint: `See it with \`git show ${short}\`, then \`town reconcile --approve=${short}\`, or \`git revert ${short}\` and approve the revert.`,
  };
}
