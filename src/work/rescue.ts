import type { GitIdentity, Repository } from "../ports/git.ts";
import { pinRef } from "./sandbox-fact.ts";

export interface SavedWork {
  /** Commit that holds everything that was in the worktree; undefined: it had no commit at all. */
  readonly head: string | undefined;
  /** Ref of what was not committed, and how many files that were. */
  readonly rescue: { readonly ref: string; readonly files: number } | undefined;
}

/**
 * Makes what is in a worktree safe before it is removed: uncommitted files (ignored ones apart) become a commit under
 * `refs/town/rescue/`, and the head stays pinned for ever. Nobody may work in the worktree any more: locks that a killed
 * git left are removed.
 */
export async function saveWork(
  repository: Repository,
  path: string,
  of: { readonly namespace: string; readonly agent: string; readonly author: GitIdentity; readonly reason: string },
): Promise<SavedWork> {
  await repository.removeStaleLocks({ worktree: path });
  const status = await repository.worktreeStatus(path);
  const files = status.changed.length + status.untracked.length;
  const message = `town: rescue of ${of.author.name}\n\nUncommitted when the sandbox was removed: ${of.reason}.`;
  const rescued = files === 0 ? undefined : await repository.commitAll(path, message, of.author, of.author);
  const ref = `refs/town/rescue/${of.namespace}/${of.agent}/${rescued ?? ""}`;
  if (rescued !== undefined) await repository.updateRefs([{ ref, to: rescued }], "town: rescue");
  const head = rescued ?? status.head;
  if (head !== undefined)
    await repository.updateRefs(
      [{ ref: pinRef(beadOfBranch(status.branch) ?? of.agent, head), to: head }],
      "town: sandbox removed",
    );
  return { head, rescue: rescued === undefined ? undefined : { ref, files } };
}

function beadOfBranch(branch: string | undefined): string | undefined {
  const last = branch?.split("/").at(-1);
  return last === "home" ? undefined : last;
}
