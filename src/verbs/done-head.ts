import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { OperationInProgress } from "../ports/checkout.ts";
import type { Repository, WorktreeStatus } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import { sandboxFact } from "../work/sandbox-fact.ts";
import type { AgentSession } from "./agent-session.ts";
import { listed } from "./sandbox-place.ts";
import { counted } from "../domain/text/counted.ts";

/**
 * The commit that is handed in: HEAD of the worktree, which must stand on the task's branch with everything committed,
 * wherever in it the command is run. `commitAll` commits what is open. Throws 409 with the next command: `NoSandbox`,
 * `WorkInProgress`, `DetachedHead`, `OtherBranch`, `UncommittedWork`, `NothingToSubmit`.
 */
export async function committedHead(
  session: AgentSession,
  bead: BeadRecord,
  repository: Repository,
  commitAll: boolean,
  ports: LoopPorts,
): Promise<string> {
  if ((await ports.files.stat(`${session.sandbox}/.git`)) === undefined)
    throw new ApiStatusError(409, "NoSandbox", `${session.identity} has no worktree at ${session.sandbox}`, {
      hint: `git worktree list shows where you are; else: town done --outcome Question --reason "…"`,
    });
  const status = await repository.worktreeStatus(session.sandbox);
  refuseInProgress(session, status);
  await refuseOtherBranch(session, bead, repository, status);
  const open = [...status.changed, ...status.untracked];
  if (open.length > 0 && !commitAll)
    throw new ApiStatusError(
      409,
      "UncommittedWork",
      `not committed: ${counted(open.length, "file")} (${listed(open)})`,
      {
        hint: "git add -A && git commit, then: town done; or all at once: town done --commit-all",
      },
    );
  if (open.length > 0) {
    const email = bead.owner ?? "overseer@town.invalid";
    const author = { name: session.identity, email, timeMs: ports.clock.now() };
    const message = `${bead.title}\n\nTown-Bead: ${bead.id}\nTown-Agent: ${session.identity}\n`;
    await repository.commitAll(session.sandbox, message, author, author);
  }
  const head = open.length > 0 ? (await repository.worktreeStatus(session.sandbox)).head : status.head;
  if (head === undefined)
    throw new ApiStatusError(409, "NothingToSubmit", `${session.sandbox} has no commit`, {
      hint: 'commit your change, or: town done --outcome NoChange --reason "…"',
    });
  return head;
}

/** What would be left behind by ending the work without handing it in; undefined when nothing would. */
export async function unsubmitted(
  session: AgentSession,
  bead: BeadRecord,
  repository: Repository,
  ports: LoopPorts,
): Promise<string | undefined> {
  if ((await ports.files.stat(`${session.sandbox}/.git`)) === undefined) return undefined;
  const { head, changed, untracked } = await repository.worktreeStatus(session.sandbox);
  const open = [...changed, ...untracked];
  if (open.length > 0) return `${counted(open.length, "file")} not committed (${listed(open)})`;
  const base = sandboxFact(bead)?.base;
  if (head === undefined || base === undefined || head === base) return undefined;
  const commits = await repository.log(base, head, 100);
  return commits.length === 0 ? undefined : `${counted(commits.length, "commit")} since ${base.slice(0, 12)}`;
}

/** How each ends; git refuses much else until then. */
const ENDS: Readonly<Record<OperationInProgress, string>> = {
  Merge: "git merge --continue (or --abort)",
  Rebase: "git rebase --continue (or --abort)",
  CherryPick: "git cherry-pick --continue (or --abort)",
  Bisect: "git bisect reset",
};

function refuseInProgress(session: AgentSession, { inProgress }: WorktreeStatus): void {
  if (inProgress === undefined) return;
  throw new ApiStatusError(409, "WorkInProgress", `a ${inProgress} is in progress in ${session.sandbox}`, {
    hint: `${ENDS[inProgress]}, then: town done`,
  });
}

/** Commits made beside the task's branch are not lost, but they are not what this bead is about until they are on it. */
async function refuseOtherBranch(
  session: AgentSession,
  bead: BeadRecord,
  repository: Repository,
  status: WorktreeStatus,
): Promise<void> {
  const branch = sandboxFact(bead)?.branch;
  if (branch === undefined || status.branch === branch) return;
  const short = branch.replace("refs/heads/", "");
  const tip = await repository.resolve(branch);
  const isAhead = tip !== undefined && status.head !== undefined && (await repository.isAncestor(tip, status.head));
  // Moving the branch is safe only where nothing on it would be left behind.
  const hint = isAhead ? `git switch -C ${short}` : `git switch ${short} && git merge ${status.head ?? "COMMIT"}`;
  const where = status.branch?.replace("refs/heads/", "");
  throw new ApiStatusError(
    409,
    where === undefined ? "DetachedHead" : "OtherBranch",
    where === undefined
      ? `${session.sandbox} stands on no branch; the work on ${bead.id} belongs on ${short}`
      : `${session.sandbox} stands on ${where}; the work on ${bead.id} belongs on ${short}`,
    { hint: `${hint}, then: town done` },
  );
}
