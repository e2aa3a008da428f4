import { basename, dirname } from "node:path";
import { branchName, refNameProblem } from "../../domain/git/ref-name.ts";
import { AdapterError } from "../../errors/town-error.ts";
import { withoutCredentials } from "./git-environment.ts";
import { gitFailure, type GitCommand, type GitPlace, type GitResult } from "./git-command.ts";
import { KeyedMutex } from "./mutex.ts";

export interface PushUpdate {
  readonly from: string | null;
  readonly ref: string;
  readonly expect: string | null;
}

export interface NetworkOptions {
  /** Default 10 minutes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fetch and push of one repository, one at a time per remote. Never asks for credentials: what git cannot answer fails. */
export class Remotes {
  readonly #command: GitCommand;
  readonly #gitDirectory: string;
  readonly #place: GitPlace;
  readonly #mutex = new KeyedMutex();

  constructor(command: GitCommand, gitDirectory: string) {
    this.#command = command;
    this.#gitDirectory = gitDirectory;
    // A remote may be a path, relative to where `git fetch` is run by hand: the top of the worktree.
    this.#place = basename(gitDirectory) === ".git" ? { gitDirectory, cwd: dirname(gitDirectory) } : { gitDirectory };
  }

  async fetch(
    remote: string,
    refspecs: readonly string[],
    options: NetworkOptions & { readonly prune?: boolean } = {},
  ): Promise<void> {
    await this.#mutex.run(remote, async () => {
      // With an empty refmap, refs that were not asked for do not move along.
      const specs =
        refspecs.length === 0
          ? []
          : ["--refmap=", ...(options.prune === true ? ["--prune"] : []), "--", remote, ...refspecs];
      const all = specs.length > 0 ? specs : [...(options.prune === true ? ["--prune"] : []), "--", remote];
      const args = [
        "fetch",
        "--quiet",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        ...all,
      ];
      const result = await this.#network(args, remote, "fetch from", options);
      if (result.exitCode !== 0)
        throw failure(args, `fetch from ${remote} into ${this.#gitDirectory}`, result, "FetchFailed");
      await this.#adoptRemoteHead(remote, options);
    });
  }

  /** All or nothing when there are several. */
  async push(
    remote: string,
    updates: readonly PushUpdate[],
    options: NetworkOptions & { readonly refused?: (said: string) => void } = {},
  ): Promise<"Pushed" | "Rejected"> {
    if (updates.length === 0) return "Pushed";
    requireSound(updates);
    const leases = updates.map(({ ref, expect }) => `--force-with-lease=${ref}:${expect ?? ""}`);
    const specs = updates.map(({ from, ref }) => `${from ?? ""}:${ref}`);
    const atomic = updates.length > 1 ? ["--atomic"] : [];
    // A mirror pushes everything or nothing.
    const noMirror = /^[\w-]+$/.test(remote) ? ["-c", `remote.${remote}.mirror=false`] : [];
    const args = [
      "push",
      "--porcelain",
      "--no-verify",
      "--no-follow-tags",
      "--recurse-submodules=no",
      ...atomic,
      ...leases,
      "--",
      remote,
      ...specs,
    ];
    return this.#mutex.run(remote, async () => {
      const result = await this.#network([...noMirror, ...args], remote, "push to", options);
      if (result.exitCode === 0) return "Pushed";
      const refusals = refusalsIn(result.stdout.toString("utf8"));
      if (refusals.length > 0) {
        options.refused?.(withoutCredentials([...refusals, ...remoteWords(result.stderr)].join("; ")));
        return "Rejected";
      }
      throw failure(args, `push to ${remote} from ${this.#gitDirectory}`, result, "PushFailed");
    });
  }

  /** A clone of an empty repository learns the default branch once there is one. */
  async #adoptRemoteHead(remote: string, options: NetworkOptions): Promise<void> {
    const place = this.#place;
    const branches = await this.#command.text(["for-each-ref", "--format=%(refname)", `refs/remotes/${remote}/`], {
      place,
      doing: `read the branches of ${remote}`,
    });
    const names = branches.split("\n").filter((name) => name !== "");
    if (names.length === 0 || names.includes(`refs/remotes/${remote}/HEAD`)) return;
    // A detached HEAD at the remote names no branch; that is no failure of the fetch.
    await this.#network(["remote", "set-head", remote, "--auto"], remote, "ask for the default branch of", options);
  }

  #network(args: readonly string[], remote: string, verb: string, options: NetworkOptions): Promise<GitResult> {
    return this.#command.run(args, {
      place: this.#place,
      doing: `${verb} ${remote} (${this.#gitDirectory})`,
      timeoutMs: options.timeoutMs ?? 600_000,
      signal: options.signal,
      network: true,
      answers: [0, 1, 128],
    });
  }
}

function requireSound(updates: readonly PushUpdate[]): void {
  for (const { from, ref, expect } of updates) {
    const problem = refNameProblem(ref);
    if (problem !== undefined) throw new AdapterError("InvalidRefName", `Cannot push to '${ref}': it ${problem}.`);
    for (const id of [from, expect]) {
      if (id !== null && !/^[0-9a-f]{40,64}$/.test(id))
        throw new AdapterError("InvalidRefUpdate", `Cannot push ${branchName(ref)}: '${id}' is no commit id.`);
    }
  }
}

/** What the remote (or the lease) refused, in the lines of `push --porcelain`; a remote that broke down did not. */
function refusalsIn(output: string): readonly string[] {
  const lines = output.split("\n").filter((line) => line.startsWith("!") && !line.includes("[remote failure]"));
  return lines.map((line) => line.split("\t").at(-1) ?? line);
}

/** What hooks of the remote say. */
function remoteWords(stderr: string): readonly string[] {
  const words = stderr.split("\n").map((line) => /^remote:\s*(.*?)\s*$/.exec(line)?.[1] ?? "");
  return words.filter((line) => line !== "").slice(0, 5);
}

const unreachable = "Look at its address (git remote -v) and the network. What is here stays; try again.";
const answered = /couldn't find remote ref|\[rejected\]|refusing to fetch|would clobber|src refspec/;

function failure(
  args: readonly string[],
  doing: string,
  result: GitResult,
  reason: "FetchFailed" | "PushFailed",
): AdapterError {
  const reached = answered.test(result.stderr) || result.exitCode !== 128;
  const error = gitFailure(args, doing, result, reached ? reason : "RemoteUnreachable");
  const { exitCode } = result;
  if (
    !/terminal prompts disabled|Authentication failed|Permission denied|could not read (Username|Password)/.test(
      result.stderr,
    )
  )
    return reached || error.hint !== undefined
      ? error
      : new AdapterError("RemoteUnreachable", error.message, { cause: error, exitCode, hint: unreachable });
  const hint =
    "Give git credentials that work without a prompt (a credential helper, an ssh agent, or a token in the git configuration).";
  return new AdapterError("RemoteAuthRequired", error.message, { cause: error, exitCode, hint });
}
