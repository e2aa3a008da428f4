import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { TownError } from "../errors/town-error.ts";
import { runProgram, type ScriptResult } from "./run-script.ts";

/** The agent's git worktree. */
export class Worktree {
  readonly #cwd: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    this.#cwd = cwd;
    // Nobody is there to unlock a key or to write a message in an editor.
    this.#env = { ...env, GIT_TERMINAL_PROMPT: "0", GIT_EDITOR: "true" };
  }

  async head(): Promise<string> {
    return (await this.#git("rev-parse", "--verify", "-q", "HEAD")).trim();
  }

  /** Commits everything that changed; false when nothing did. */
  async commitAll(message: string): Promise<boolean> {
    await this.#git("add", "-A");
    const staged = await this.#run(["diff", "--cached", "--quiet"]);
    if (staged.exitCode === 0) return false;
    await this.#git("-c", "commit.gpgsign=false", "commit", "-q", "-m", message);
    return true;
  }

  /** Throws away what was done since `head`, ignored files excepted. */
  async backTo(head: string): Promise<void> {
    await this.#git("reset", "-q", "--hard", head);
    await this.#git("clean", "-q", "-fd");
  }

  /**
   * A directory of this program about this worktree: in its git directory, so outside the worktree and gone with it.
   * Created when missing.
   */
  async ownDirectory(): Promise<string> {
    const path = resolve(this.#cwd, (await this.#git("rev-parse", "--git-path", "town-shell-agent")).trim());
    await mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  async #git(...args: readonly string[]): Promise<string> {
    const { exitCode, tail } = await this.#run(args);
    if (exitCode === 0) return tail;
    throw new TownError(
      "GitFailed",
      `git ${args.join(" ").slice(0, 80)} in ${this.#cwd} ended with ${exitCode}: ${tail.trim()}`,
    );
  }

  #run(args: readonly string[]): Promise<ScriptResult> {
    return runProgram("git", args, { cwd: this.#cwd, env: this.#env, print: () => {} });
  }
}
