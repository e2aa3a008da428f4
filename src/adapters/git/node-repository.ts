import { join } from "node:path";
import { branchName } from "../../domain/git/ref-name.ts";
import { AdapterError } from "../../errors/town-error.ts";
import type { CheckoutLock } from "../../ports/checkout.ts";
import type { CommitInfo, GitIdentity, RefUpdate, Repository, Worktree, WorktreeStatus } from "../../ports/git.ts";
import { statAt } from "./at-once.ts";
import { CheckoutLocks } from "./checkout-lock.ts";
import { FastForward } from "./fast-forward.ts";
import { filesAtOnce } from "./files-at-once.ts";
import type { OwnerProbe } from "./forward-lock.ts";
import type { GitCommand, GitRunOptions } from "./git-command.ts";
import { type MergedTree, MergeTrees } from "./merge-trees.ts";
import type { NodeGitObjects } from "./node-git-objects.ts";
import { ObjectReader } from "./object-reader.ts";
import { readPlainHead, readPlainRef } from "./plain-refs.ts";
import { RefTransactions } from "./ref-transactions.ts";
import { Remotes, type NetworkOptions, type PushUpdate } from "./remotes.ts";
import { RepositoryConfig } from "./repository-config.ts";
import { checkoutLocks, damagedRefs, refLocks, removeLocks } from "./stale-locks.ts";
import { WorktreeContents } from "./worktree-contents.ts";
import type { Worktrees } from "./worktrees.ts";

export interface NodeRepositoryOptions {
  readonly command: GitCommand;
  readonly objects: NodeGitObjects;
  readonly worktrees: Worktrees;
  readonly owners: OwnerProbe;
  readonly path: string;
  readonly commonDirectory: string;
  /** Where this checkout's HEAD is; the common directory for a bare or main one. */
  readonly gitDirectory: string;
  /** Refs and settings are where every git looks for them. */
  readonly isPlain: boolean;
  /** Files of settings for all repositories, where they are known. */
  readonly globalConfig: readonly string[] | undefined;
}

type RunOptions = Omit<GitRunOptions, "place" | "doing">;

/** `Repository` over the git program. */
export class NodeRepository implements Repository {
  readonly path: string;
  readonly commonDirectory: string;
  readonly objects: NodeGitObjects;
  readonly #command: GitCommand;
  /** Where this checkout's HEAD is; the common directory for a bare or main one. */
  readonly gitDirectory: string;
  readonly #isPlain: boolean;
  readonly #revisions: ObjectReader;
  readonly #refs: RefTransactions;
  readonly #remotes: Remotes;
  readonly #config: RepositoryConfig;
  readonly #merges: MergeTrees;
  readonly #worktrees: Worktrees;
  readonly #contents: WorktreeContents;
  readonly #forward: FastForward;
  readonly #checkouts: CheckoutLocks;

  constructor(options: NodeRepositoryOptions) {
    const { command, objects, worktrees, owners, path, commonDirectory, gitDirectory } = options;
    this.#isPlain = options.isPlain;
    this.path = path;
    this.commonDirectory = commonDirectory;
    this.objects = objects;
    this.#command = command;
    this.gitDirectory = gitDirectory;
    // HEAD differs between worktrees, so each has a reader of its own.
    this.#revisions = gitDirectory === commonDirectory ? objects.reader : new ObjectReader(command, { gitDirectory });
    this.#refs = new RefTransactions({ command, gitDirectory, commonDirectory });
    this.#remotes = new Remotes(command, commonDirectory);
    this.#config = new RepositoryConfig(command, commonDirectory, options.isPlain ? options.globalConfig : undefined);
    this.#merges = new MergeTrees(command, commonDirectory);
    this.#worktrees = worktrees;
    this.#contents = new WorktreeContents(command);
    this.#forward = new FastForward({ command, owners, refs: this.#refs, status: (one) => this.#contents.status(one) });
    const hash = objects.emptyTree.length === 64 ? "sha256" : "sha1";
    this.#checkouts = new CheckoutLocks({
      command,
      commonDirectory,
      opened: { path, gitDirectory },
      owners,
      hash,
      worktrees: () => worktrees.list(),
    });
  }

  async resolve(revision: string): Promise<string | undefined> {
    if (revision === "" || /[\n\0]/.test(revision)) return undefined;
    const plain = this.#isPlain ? readPlainRef(this.commonDirectory, revision) : undefined;
    if (plain !== undefined) return plain ?? undefined;
    // Refs name only what is on disk already; an id may be that of an object that is not.
    if (/^[0-9a-f]{40}/.test(revision)) await this.objects.sync();
    try {
      const reader = sharedRevision.test(revision) ? this.objects.reader : this.#revisions;
      return (await reader.info(`${revision}^{commit}`))?.id;
    } catch (error) {
      // Some malformed revisions (`x@{upstream}` of a branch without one) end the process that is asked.
      if (error instanceof AdapterError && error.reason === "GitProcessEnded") return this.#resolveAlone(revision);
      throw error;
    }
  }

  async headBranch(): Promise<string | undefined> {
    return this.#symbolic("HEAD");
  }

  async defaultBranch(): Promise<string | undefined> {
    const origin = await this.#symbolic("refs/remotes/origin/HEAD");
    if (origin !== undefined) return origin.slice("refs/remotes/origin/".length);
    const head = await this.headBranch();
    return head === undefined ? undefined : branchName(head);
  }

  async updateRefs(updates: readonly RefUpdate[], reason: string): Promise<boolean> {
    await this.objects.sync();
    return this.#refs.update(updates, reason);
  }

  async forgetLost(refs: readonly string[]): Promise<void> {
    const logged = refs.filter((ref) => statAt(join(this.commonDirectory, "logs", ref))?.isFile() === true);
    if (logged.length === 0) return;
    const keep = ["--expire=never", "--expire-unreachable=never"];
    await this.#run(["reflog", "expire", "--stale-fix", "--rewrite", ...keep, ...logged], "mend the logs of refs");
  }

  async listRefs(
    prefix: string,
    { mergedInto }: { readonly mergedInto?: string } = {},
  ): Promise<ReadonlyMap<string, string>> {
    const format = "--format=%(objectname) %(refname) %(symref)";
    const pattern = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const merged = mergedInto === undefined ? [] : (await this.#commits(mergedInto)).map((id) => `--merged=${id}`);
    const text = await this.#text(
      ["for-each-ref", format, ...merged, ...(pattern === "" ? [] : [pattern])],
      "list refs",
    );
    const found = new Map<string, string>();
    for (const line of text.split("\n")) {
      const [id = "", ref = "", symbolic = ""] = line.split(" ");
      if (ref !== "" && ref.startsWith(prefix) && symbolic === "") found.set(ref, id);
    }
    return found;
  }

  configs(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#config.readAll(keys);
  }

  config(key: string): Promise<string | undefined> {
    return this.#config.read(key);
  }

  setConfig(key: string, value: string | null): Promise<void> {
    return this.#config.write(key, value);
  }

  fetch(
    remote: string,
    refspecs: readonly string[],
    options: NetworkOptions & { readonly prune?: boolean } = {},
  ): Promise<void> {
    return this.#remotes.fetch(remote, refspecs, options);
  }

  async push(
    remote: string,
    updates: readonly PushUpdate[],
    options: NetworkOptions & { readonly refused?: (said: string) => void } = {},
  ): Promise<"Pushed" | "Rejected"> {
    await this.objects.sync();
    return this.#remotes.push(remote, updates, options);
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    const ids = await this.#commits(ancestor, descendant);
    const { exitCode } = await this.#run(["merge-base", "--is-ancestor", ...ids], "compare commits", {
      answers: [0, 1],
    });
    return exitCode === 0;
  }

  async mergeBase(a: string, b: string): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#run(["merge-base", ...(await this.#commits(a, b))], "find a merge base", {
      answers: [0, 1],
    });
    return exitCode === 0 ? stdout.toString("utf8").trim() : undefined;
  }

  async mergeTree(ours: string, theirs: string): Promise<MergedTree> {
    const [left = "", right = ""] = await this.#commits(ours, theirs);
    return this.#merges.merge(left, right);
  }

  async log(from: string | undefined, to: string, limit: number): Promise<readonly CommitInfo[]> {
    const [end = ""] = await this.#commits(to);
    const hidden = from === undefined ? [] : (await this.#commits(from)).map((id) => `^${id}`);
    const text = await this.#text(
      ["rev-list", "--topo-order", "--reverse", `--max-count=${Math.max(0, Math.floor(limit))}`, end, ...hidden],
      "list commits",
    );
    const ids = text.split("\n").filter((id) => id !== "");
    const commits = await Promise.all(ids.map((id) => this.objects.readCommit(id)));
    return commits.filter((commit) => commit !== undefined);
  }

  async changedFiles(from: string, to: string): Promise<readonly string[]> {
    const trees = [await this.#tree(from), await this.#tree(to)];
    return (
      await this.#list(["diff-tree", "-r", "-z", "--name-only", "--no-renames", ...trees], "compare trees")
    ).sort();
  }

  async diff(from: string, to: string, maxBytes: number): Promise<string> {
    const trees = [await this.#tree(from), await this.#tree(to)];
    const shape = ["--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "-U3", "-M"];
    const { stdout, cut } = await this.#run(["diff-tree", "-p", "-r", ...shape, ...trees], "compare trees", {
      maxBytes,
    });
    if (!cut) return stdout.toString("utf8");
    return `${wholeCharacters(stdout.subarray(0, maxBytes))}\n[diff cut at ${maxBytes} bytes]\n`;
  }

  async listFiles(
    revision: string,
    directory: string,
  ): Promise<readonly { readonly path: string; readonly id: string; readonly mode: string }[]> {
    const below = directory === "" || directory === "." ? [] : ["--", `${directory.replace(/\/+$/, "")}/`];
    const lines = await this.#list(
      ["ls-tree", "-r", "-z", "--full-tree", await this.#tree(revision), ...below],
      "list files",
    );
    return lines.map((line) => {
      const tab = line.indexOf("\t");
      const [mode = "", , id = ""] = line.slice(0, tab).split(" ");
      return { path: line.slice(tab + 1), id, mode };
    });
  }

  filesAtOnce(commit: string, paths?: readonly string[]): ReadonlyMap<string, string> {
    return filesAtOnce(this.#command, this.gitDirectory, commit, paths);
  }

  worktrees(): Promise<readonly Worktree[]> {
    return this.#worktrees.list();
  }

  async addWorktree(options: {
    readonly path: string;
    readonly commit: string;
    readonly branch?: string;
  }): Promise<void> {
    const [commit = ""] = await this.#commits(options.commit);
    await this.#worktrees.add(options.path, commit, options.branch);
  }

  async moveWorktree(options: {
    readonly from: string;
    readonly to: string;
    readonly commit: string;
    readonly branch: string;
  }): Promise<"Moved" | "Missing"> {
    const [commit = ""] = await this.#commits(options.commit);
    return this.#worktrees.move({ ...options, commit });
  }

  removeWorktree(path: string): Promise<void> {
    return this.#worktrees.remove(path);
  }

  async worktreeStatus(path: string): Promise<WorktreeStatus> {
    return this.#contents.status(await this.#worktrees.present(path));
  }

  async resetWorktree(path: string, commit: string): Promise<void> {
    const worktree = await this.#worktrees.present(path);
    const [id = ""] = await this.#commits(commit);
    await this.#contents.reset(worktree, id);
  }

  async commitAll(
    path: string,
    message: string,
    author: GitIdentity,
    committer: GitIdentity,
  ): Promise<string | undefined> {
    return this.#contents.commitAll(await this.#worktrees.present(path), message, author, committer);
  }

  async fastForwardWorktree(
    path: string,
    branch: string,
    from: string,
    to: string,
  ): Promise<"Done" | "Dirty" | "Moved"> {
    const worktree = await this.#worktrees.present(path);
    const [old = "", next = ""] = await this.#commits(from, to);
    if (!(await this.isAncestor(old, next))) {
      throw new AdapterError(
        "NotFastForward",
        `Cannot move ${branch} from ${from} to ${to}: the second does not descend from the first.`,
      );
    }
    return this.#forward.move(worktree, branch, old, next);
  }

  async lockCheckout(branch: string): Promise<CheckoutLock> {
    const lock = await this.#checkouts.lock(branch);
    if (lock.state !== "Busy") return lock;
    // It may be held by a fast-forward that was killed, which only that knows how to end.
    const recovered = await this.#forward.recover(await this.#worktrees.present(lock.path));
    return recovered ? this.#checkouts.lock(branch) : lock;
  }

  async removeStaleLocks(options: {
    readonly refs?: readonly string[];
    readonly worktree?: string;
  }): Promise<readonly string[]> {
    const { refs = [] } = options;
    const locks = [...(await refLocks(this.commonDirectory, refs)), ...(await damagedRefs(this.commonDirectory, refs))];
    if (options.worktree !== undefined) {
      const worktree = await this.#worktrees.present(options.worktree);
      await this.#forward.recover(worktree);
      locks.push(...(await checkoutLocks(worktree)));
    }
    return removeLocks(locks);
  }

  /** Whether it was opened in a linked worktree. */
  get linked(): boolean {
    return this.gitDirectory !== this.commonDirectory;
  }

  /** Ends the processes that serve this repository; they start again when needed. */
  async close(): Promise<void> {
    await this.objects.sync();
    await Promise.all([this.#refs.close(), this.#revisions.service.close(), this.objects.close()]);
  }

  async #resolveAlone(revision: string): Promise<string | undefined> {
    const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
    const { exitCode, stdout } = await this.#run(args, `resolve '${revision}'`, { answers: [0, 1, 128] });
    const id = stdout.toString("utf8").trim().split("\n").at(-1) ?? "";
    return exitCode === 0 && /^[0-9a-f]{40,64}$/.test(id) ? id : undefined;
  }

  async #symbolic(ref: string): Promise<string | undefined> {
    const directory = ref === "HEAD" ? this.gitDirectory : this.commonDirectory;
    const plain = this.#isPlain ? readPlainHead(directory, ref) : undefined;
    if (plain !== undefined) return plain ?? undefined;
    const { exitCode, stdout } = await this.#run(["symbolic-ref", "--quiet", ref], `read ${ref}`, { answers: [0, 1] });
    return exitCode === 0 ? stdout.toString("utf8").trim() : undefined;
  }

  async #commits(...revisions: string[]): Promise<string[]> {
    const ids: string[] = [];
    for (const revision of revisions) ids.push(required(await this.resolve(revision), revision, this.commonDirectory));
    return ids;
  }

  /** Id of the tree that a commit, tag or tree id names. */
  async #tree(revision: string): Promise<string> {
    if (revision === this.objects.emptyTree) return revision;
    const commit = await this.resolve(revision);
    const tree = commit === undefined ? undefined : (await this.objects.readCommit(commit))?.tree;
    if (tree !== undefined) return tree;
    const named = /^[0-9a-f]{40,64}$/.test(revision) ? await this.objects.reader.info(revision) : undefined;
    return required(named?.type === "tree" ? named.id : undefined, revision, this.commonDirectory);
  }

  async #run(args: readonly string[], doing: string, options: RunOptions = {}) {
    return this.#command.run(args, {
      place: { gitDirectory: this.gitDirectory },
      doing: `${doing} in ${this.commonDirectory}`,
      ...options,
    });
  }

  async #text(args: readonly string[], doing: string): Promise<string> {
    return (await this.#run(args, doing)).stdout.toString("utf8");
  }

  async #list(args: readonly string[], doing: string): Promise<string[]> {
    return (await this.#text(args, doing)).split("\0").slice(0, -1);
  }
}

/** Names the same commit in every worktree. */
const sharedRevision = /^([0-9a-f]{40}([0-9a-f]{24})?|refs\/(heads|tags|remotes|town)\/.*)$/;

function required(id: string | undefined, revision: string, where: string): string {
  if (id !== undefined) return id;
  throw new AdapterError("RevisionNotFound", `Cannot find commit '${revision}' in ${where}.`);
}

/** Text of bytes that may have been cut inside a character. */
function wholeCharacters(bytes: Buffer): string {
  return bytes.toString("utf8").replace(/\ufffd+$/, "");
}
