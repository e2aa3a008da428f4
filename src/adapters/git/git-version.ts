import { AdapterError } from "../../errors/town-error.ts";
import type { GitCommand } from "./git-command.ts";

/** `git merge-tree --write-tree` came with 2.38. */
const required = [2, 38] as const;

/** Throws GitTooOld (or GitMissing) with what to do about it. */
export async function requireGitVersion(command: GitCommand): Promise<void> {
  const { stdout } = await command.runUnchecked(["version"], { place: { cwd: "/" }, doing: "find out git's version" });
  const text = stdout.toString("utf8");
  const match = /git version (\d+)\.(\d+)/.exec(text);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major > required[0] || (major === required[0] && minor >= required[1])) return;
  throw new AdapterError(
    "GitTooOld",
    `Cannot work with ${text.trim() || "this git"}: Town needs git ${required.join(".")} or newer.`,
    {
      hint: "Install a newer git and make sure that it is the first `git` on the PATH.",
    },
  );
}
