import type { CommitInfo, Repository } from "../ports/git.ts";
import { logPositions } from "./git-records.ts";

/** So far back a checkout may be. */
const longestWay = 10_000;

/** What a person did to the logs of the work branch, which only stores write. */
export interface TouchedLogs {
  /**
   * The commit whose logs they are: where the person's checkout was. git puts the whole tree of a checkout that is behind on a
   * branch that went on meanwhile, and seems to take back all that was done since. Undefined: they are nobody's.
   */
  readonly from: string | undefined;
}

/** Whether the commits of a person at the end of a branch have other logs than what they build on. Undefined: no. */
export async function touchedLogs({ objects }: Repository, commit: string): Promise<TouchedLogs | undefined> {
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
  if (logs === (await logsOf(at))) return undefined;
  for (let step = 0; logs !== undefined && at !== undefined && step < longestWay; step++, at = await before(at))
    if ((await logsOf(at)) === logs) return { from: at.id };
  return { from: undefined };
}
