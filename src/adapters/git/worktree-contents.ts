import { join } from "node:path";
import { plainName } from "../../domain/git/commit-object.ts";
import { AdapterError } from "../../errors/town-error.ts";
import type { GitIdentity, WorktreeStatus } from "../../ports/git.ts";
import { exists } from "./disk.ts";
import type { GitCommand, GitResult, GitRunOptions } from "./git-command.ts";
import { runMarked } from "./git-marks.ts";
import { operationInProgress, parseStatus } from "./worktree-status.ts";
import type { PresentWorktree } from "./worktrees.ts";

/** What is in a checkout: reading it, committing it, replacing it. Works on the checkout's own git directory and never looks for another. */
export class WorktreeContents {
  readonly #command: GitCommand;

  constructor(command: GitCommand) {
    this.#command = command;
  }

  async status(worktree: PresentWorktree): Promise<WorktreeStatus> {
    const args = [
      "status",
      "--porcelain=v2",
      "--branch",
      "-z",
      "--no-renames",
      "--no-ahead-behind",
      "--untracked-files=all",
      "--ignore-submodules=none",
    ];
    const { stdout } = await this.#run(worktree, args, "read the status of", { timeoutMs: 300_000 });
    const status = parseStatus(stdout.toString("utf8").split("\0"));
    return { ...status, inProgress: await operationInProgress(worktree.gitDirectory) };
  }

  /** Detaches at `commit`, gives up whatever was in progress, and removes what is not part of it (ignored files stay). */
  async reset(worktree: PresentWorktree, commit: string): Promise<void> {
    const has = (file: string) => exists(join(worktree.gitDirectory, file));
    if ((await has("rebase-merge")) || (await has("rebase-apply")))
      await this.#change(worktree, ["rebase", "--quit"], "end the rebase in");
    if (await has("sequencer")) await this.#change(worktree, ["cherry-pick", "--quit"], "end the cherry-pick in");
    if (await has("BISECT_LOG")) await this.#change(worktree, ["bisect", "reset", commit], "end the bisect in");
    const long = { timeoutMs: 1_800_000 };
    await this.#change(
      worktree,
      ["checkout", "--force", "--detach", "--quiet", commit, "--"],
      `check out ${commit} in`,
      long,
    );
    await this.#change(worktree, ["reset", "--hard", "--quiet"], "reset", long);
    // Twice forced: repositories that someone made inside go too.
    await this.#change(worktree, ["clean", "-ffdq"], "clean", long);
  }

  async commitAll(
    worktree: PresentWorktree,
    message: string,
    author: GitIdentity,
    committer: GitIdentity,
  ): Promise<string | undefined> {
    await this.#change(worktree, ["add", "--all"], "stage the files of", { timeoutMs: 1_800_000 });
    if (!(await this.#somethingStaged(worktree))) return undefined;
    await this.#change(
      worktree,
      ["commit", "--quiet", "--no-verify", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-"],
      "commit in",
      {
        input: message.endsWith("\n") ? message : `${message}\n`,
        env: { ...identityVariables("AUTHOR", author), ...identityVariables("COMMITTER", committer) },
        timeoutMs: 300_000,
      },
    );
    const { stdout } = await this.#run(worktree, ["rev-parse", "--verify", "HEAD"], "read the new commit of");
    return stdout.toString("utf8").trim();
  }

  /** A merge is concluded even if its tree is the same. */
  async #somethingStaged(worktree: PresentWorktree): Promise<boolean> {
    if (await exists(join(worktree.gitDirectory, "MERGE_HEAD"))) return true;
    const head = await this.#run(worktree, ["rev-parse", "--verify", "--quiet", "HEAD"], "read HEAD of", {
      answers: [0, 1],
    });
    if (head.exitCode === 0) {
      const diff = await this.#run(worktree, ["diff-index", "--cached", "--quiet", "HEAD", "--"], "compare", {
        answers: [0, 1],
      });
      return diff.exitCode === 1;
    }
    const staged = await this.#run(worktree, ["ls-files", "--cached", "-z"], "list the files of", { maxBytes: 1 });
    return staged.stdout.length > 0;
  }

  async #run(
    worktree: PresentWorktree,
    args: readonly string[],
    doing: string,
    options: RunOptions = {},
  ): Promise<GitResult> {
    return unlessRemoved(this.#command.run(args, { ...whereOf(worktree, doing), ...options }));
  }

  async #change(
    worktree: PresentWorktree,
    args: readonly string[],
    doing: string,
    options: RunOptions = {},
  ): Promise<GitResult> {
    return unlessRemoved(
      runMarked(this.#command, worktree.gitDirectory, args, { ...whereOf(worktree, doing), ...options }),
    );
  }
}

type RunOptions = Omit<GitRunOptions, "place" | "doing">;

function whereOf(worktree: PresentWorktree, doing: string): Pick<GitRunOptions, "place" | "doing"> {
  return {
    place: { gitDirectory: worktree.gitDirectory, worktree: worktree.path },
    doing: `${doing} worktree ${worktree.path}`,
  };
}

/** A checkout that is removed under our hands is missing, as one that was never there. */
async function unlessRemoved(run: Promise<GitResult>): Promise<GitResult> {
  try {
    return await run;
  } catch (error) {
    if (!(error instanceof AdapterError) || error.reason !== "DirectoryMissing") throw error;
    throw new AdapterError("WorktreeMissing", error.message, { cause: error });
  }
}

function identityVariables(role: "AUTHOR" | "COMMITTER", identity: GitIdentity): Record<string, string> {
  const email = identity.email.replace(/[<>\s]/g, "");
  const name = plainName(identity.name) || plainName(email) || "unknown";
  const date =
    identity.timeMs === undefined ? {} : { [`GIT_${role}_DATE`]: `@${Math.floor(identity.timeMs / 1000)} +0000` };
  return { [`GIT_${role}_NAME`]: name, [`GIT_${role}_EMAIL`]: email, ...date };
}
