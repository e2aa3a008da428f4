import type { CommitInfo, Repository } from "../ports/git.ts";
import { logPositions } from "./git-records.ts";

/** So far back a checkout may be. */
const longestWay = 10_000;

/**
 * The commit that a person's checkout of the work branch was at when it was committed from, where that is behind the parent of
 * the commit: git puts the whole tree of such a checkout on a branch that went on meanwhile, and seems to take back all that
 * was done since. Its logs tell, since they only grow. Undefined: it is not behind, or no person's.
 */
export async function checkoutBehind({ objects }: Repository, commit: string): Promise<string | undefined> {
  const before = async ({ parents: [parent] }: CommitInfo): Promise<CommitInfo | undefined> =>
    parent === undefined ? undefined : objects.readCommit(parent);
  const logsOf = async ({ tree }: CommitInfo): Promise<string | undefined> =>
    (await objects.readTree(tree)).find(({ name }) => name === "log")?.id;
  const theirs = await objects.readCommit(commit);
  let at = theirs;
  while (at !== undefined && logPositions(at).size === 0) {
    if (at.parents.length > 1) return undefined;
    at = await before(at);
  }
  if (theirs === undefined || at === undefined || at === theirs) return undefined;
  const logs = await logsOf(theirs);
  if (logs === undefined || logs === (await logsOf(at))) return undefined;
  for (let step = 0; at !== undefined && step < longestWay; step++, at = await before(at))
    if ((await logsOf(at)) === logs) return at.id;
  return undefined;
}
