import type { RefUpdate, Repository } from "../ports/git.ts";
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
