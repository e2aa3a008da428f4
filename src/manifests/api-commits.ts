import { hashText } from "../domain/work-graph/record/canonical.ts";
import type { CommitInfo, RefUpdate, Repository } from "../ports/git.ts";
import type { Caller } from "../resource/caller.ts";
import { REFLOG } from "./reflog.ts";

/**
 * Commits of agents that came through the API are told from those they make with git by a ref each, which moves in the
 * same transaction as the branch. A ref goes once its commit was applied.
 */
const RECORDS = "refs/town/api-commits/";

/** Trailer of a commit message that names the agent whose work it is. */
const AGENT_TRAILER = /^Town-Agent:[ \t]*(\S.*)$/m;

/** The ref update that records a commit of the API; none for people, whose commits are never held. */
export function recordOf(caller: Caller, commit: string): readonly RefUpdate[] {
  return caller.role === "agent" || caller.session !== undefined ? [{ ref: `${RECORDS}${commit}`, to: commit }] : [];
}

/** Ids of the commits of agents that came through the API and were not applied yet. */
export async function recordedCommits(repository: Repository): Promise<ReadonlySet<string>> {
  return new Set((await repository.listRefs(RECORDS)).values());
}

export async function forgetRecords(repository: Repository, commits: readonly string[]): Promise<void> {
  if (commits.length === 0) return;
  await repository.updateRefs(
    commits.map((commit) => ({ ref: `${RECORDS}${commit}`, to: null })),
    REFLOG,
  );
}

/** The agent that a commit names as its own in a trailer. */
export function agentTrailer(message: string): string | undefined {
  return AGENT_TRAILER.exec(message)?.[1]?.trim();
}

/** Trailer of an agent's commit that came through the API of some town. */
const SEAL = "Town-Api-Commit";

/** A commit as far as its seal speaks of it. */
type Sealed = Pick<CommitInfo, "tree" | "parents" | "author" | "message">;

/**
 * The message of an agent's commit with a trailer that says it came through the API; people's stay as they are. Where a
 * remote is the truth of several towns, the others have no record of it. The trailer fits this commit alone, so that an agent
 * who writes its messages after those in the log does not pass with it. Like the records it stops mistakes, not malice.
 */
export function sealedMessage(caller: Caller, commit: Sealed): string {
  if (recordOf(caller, "").length === 0) return commit.message;
  const gap = /\n\n(?:[A-Za-z-]+: .*\n)+$/.test(commit.message) ? "" : "\n";
  return `${commit.message}${gap}${SEAL}: ${sealOf(commit)}\n`;
}

/** Whether a commit has the seal of a town's API, and is what it was when it got it. */
export function isSealed(commit: Sealed): boolean {
  const found = new RegExp(`\\n?${SEAL}: ([0-9a-z]+)\\n*$`).exec(commit.message);
  if (found === null) return false;
  return sealOf({ ...commit, message: commit.message.slice(0, found.index) }) === found[1];
}

function sealOf({ tree, parents, author, message }: Sealed): string {
  return hashText([tree, ...parents, author.name, message.trimEnd()].join("\n"));
}
