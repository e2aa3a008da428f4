import { join } from "node:path";
import type { Worktree, WorktreeStatus } from "../../ports/git.ts";
import { exists } from "./disk.ts";

/** Reads `git status --porcelain=v2 --branch -z` (https://git-scm.com/docs/git-status, made without rename detection). */
export function parseStatus(output: readonly string[]): Omit<WorktreeStatus, "inProgress"> {
  const changed: string[] = [];
  const untracked: string[] = [];
  let head: string | undefined;
  let branch: string | undefined;
  for (const line of output) {
    if (line.startsWith("# branch.oid "))
      head = line.endsWith("(initial)") ? undefined : line.slice("# branch.oid ".length);
    else if (line.startsWith("# branch.head "))
      branch = line.endsWith(" (detached)") ? undefined : `refs/heads/${line.slice("# branch.head ".length)}`;
    else if (line.startsWith("? ")) untracked.push(line.slice(2));
    else if (line.startsWith("1 ")) changed.push(afterFields(line, 8));
    else if (line.startsWith("u ")) changed.push(afterFields(line, 10));
  }
  return { head, branch, changed: changed.sort(), untracked: untracked.sort() };
}

function afterFields(line: string, count: number): string {
  let at = 0;
  for (let i = 0; i < count; i++) at = line.indexOf(" ", at) + 1;
  return line.slice(at);
}

/** What a git directory's state files say is under way. */
export async function operationInProgress(gitDirectory: string): Promise<WorktreeStatus["inProgress"]> {
  for (const [file, operation] of stateFiles) if (await exists(join(gitDirectory, file))) return operation;
  return undefined;
}

/** A rebase that stopped has a CHERRY_PICK_HEAD too, so it is looked for first. A revert is a cherry-pick backwards. */
const stateFiles = [
  ["rebase-merge", "Rebase"],
  ["rebase-apply", "Rebase"],
  ["MERGE_HEAD", "Merge"],
  ["CHERRY_PICK_HEAD", "CherryPick"],
  ["REVERT_HEAD", "CherryPick"],
  ["sequencer", "CherryPick"],
  ["BISECT_LOG", "Bisect"],
] as const;

/** Reads `git worktree list --porcelain -z`; a bare repository's own entry is left out. */
export function parseWorktrees(output: readonly string[]): Worktree[] {
  const found: Worktree[] = [];
  let fields = new Map<string, string>();
  for (const line of [...output, ""]) {
    if (line !== "") {
      const space = line.indexOf(" ");
      fields.set(space < 0 ? line : line.slice(0, space), space < 0 ? "" : line.slice(space + 1));
      continue;
    }
    const path = fields.get("worktree");
    if (path !== undefined && !fields.has("bare")) {
      const head = fields.get("HEAD");
      const unborn = head === undefined || /^0+$/.test(head);
      found.push({
        path,
        head: unborn ? undefined : head,
        branch: fields.get("branch"),
        prunable: fields.has("prunable"),
      });
    }
    fields = new Map();
  }
  return found;
}
