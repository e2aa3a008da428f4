import { availableParallelism } from "node:os";
import { join } from "node:path";
import { AdapterError } from "../../errors/town-error.ts";
import type { Git, Repository } from "../../ports/git.ts";
import { makePath } from "../make-path.ts";
import { realPathAt, statAt } from "./at-once.ts";
import { cloneInto, type CloneOptions } from "./clone.ts";
import { ownersByPid, type OwnerProbe } from "./forward-lock.ts";
import { canonicalPath, gitDirectoryOf } from "./git-directory.ts";
import { GitCommand, gitFailure, type GitCommandOptions } from "./git-command.ts";
import { requireGitVersion } from "./git-version.ts";
import { KnownGit } from "./known-git.ts";
import { KeyedMutex, Slots } from "./mutex.ts";
import { globalConfigFiles } from "./plain-config.ts";
import { discoverPlain, type Discovered } from "./plain-repository.ts";
import { NodeGitObjects } from "./node-git-objects.ts";
import { NodeRepository } from "./node-repository.ts";
import { TreeCaches } from "./tree-cache.ts";
import { Worktrees } from "./worktrees.ts";

export interface NodeGitOptions extends GitCommandOptions {
  /** Tells whether the holder of a lock still lives. Default: by pid alone. */
  readonly owners?: OwnerProbe;
  /** Checkouts that write files at the same time. Default: the number of cores. */
  readonly checkouts?: number;
  /** Directory in which to remember between processes that git is new enough. Default: each process asks it once. */
  readonly remembersIn?: string | undefined;
}

interface Opened {
  readonly repository: NodeRepository;
  /** A repository that was deleted and made again is another one. */
  readonly birth: string;
}

/**
 * `Git` over the git program (>= 2.38, checked once). One `NodeRepository` per checkout and one object store per
 * repository are kept and shared, so that opening often is cheap and starts no processes.
 */
export class NodeGit implements Git {
  readonly #command: GitCommand;
  readonly #owners: OwnerProbe;
  readonly #checkouts: Slots;
  readonly #mutex = new KeyedMutex();
  readonly #trees = new TreeCaches();
  readonly #opened = new Map<string, Opened>();
  readonly #shared = new Map<
    string,
    { readonly objects: NodeGitObjects; readonly worktrees: Worktrees; readonly birth: string }
  >();
  readonly #configFiles: readonly string[] | undefined;
  readonly #known: KnownGit | undefined;
  #version: Promise<void> | undefined;

  constructor(options: NodeGitOptions = {}) {
    // A repository that is opened by its files may be all that is wanted, so this waits for the first process.
    this.#command = new GitCommand({ ...options, check: (command) => this.#requireVersion(command) });
    this.#configFiles = globalConfigFiles(options.environment ?? process.env, options.program);
    const { remembersIn, program, environment = process.env } = options;
    if (remembersIn !== undefined && program === undefined) this.#known = new KnownGit(remembersIn, environment);
    this.#owners = options.owners ?? ownersByPid;
    this.#checkouts = new Slots(options.checkouts ?? availableParallelism());
  }

  async open(path: string): Promise<Repository | undefined> {
    const place = realPathAt(path);
    if (place === undefined) return undefined;
    const known = await this.#stillOpen(place);
    if (known !== undefined) return known;
    const found = discoverPlain(place, this.#configFiles) ?? (await this.#discover(place));
    return found === undefined ? undefined : this.#mutex.run(found.commonDirectory, () => this.#repository(found));
  }

  async init(path: string, options: { readonly bare: boolean; readonly branch: string }): Promise<Repository> {
    await makePath(path);
    const bare = options.bare ? ["--bare"] : [];
    await this.#command.run(["init", "--quiet", ...bare, `--initial-branch=${options.branch}`, "--", path], {
      place: { cwd: path },
      doing: `make a repository at ${path}`,
    });
    return this.#mustOpen(path);
  }

  async cloneBare(url: string, path: string, options: CloneOptions = {}): Promise<Repository> {
    const place = await canonicalPath(path);
    await this.#mutex.run(place, () => cloneInto(this.#command, url, place, options));
    return this.#mustOpen(place);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ repository }) => repository.close()));
    await Promise.all([...this.#shared.values()].map(({ objects }) => objects.close()));
  }

  async #mustOpen(path: string): Promise<Repository> {
    const repository = await this.open(path);
    if (repository !== undefined) return repository;
    throw new AdapterError("NotARepository", `Cannot open ${path}: git made a repository there and does not find it.`);
  }

  /** The repository opened at exactly this place before, if it is still the one there: no process is needed then. */
  async #stillOpen(place: string): Promise<Repository | undefined> {
    for (const [key, { repository, birth }] of this.#opened) {
      const { path, commonDirectory, gitDirectory } = repository;
      if (path !== place || birthOf(commonDirectory) !== birth) continue;
      const own = path === gitDirectory ? path : await gitDirectoryOf(path);
      if (own === undefined || (await canonicalPath(own)) !== gitDirectory) continue;
      // The most recently used last.
      const opened = this.#opened.get(key);
      if (opened !== undefined && this.#opened.delete(key)) this.#opened.set(key, opened);
      return repository;
    }
    return undefined;
  }

  /** Asks git which repository is around a directory; undefined when there is none. */
  async #discover(place: string): Promise<Discovered | undefined> {
    const doing = `open ${place}`;
    const options = { place: { cwd: place }, doing, answers: [0, 128] };
    const result = await this.#command.run(discovery, options).catch((error: unknown) => {
      // A path to a file is no place for a repository.
      if (error instanceof AdapterError && (error.code === "ENOTDIR" || error.reason === "DirectoryMissing"))
        return undefined;
      throw error;
    });
    if (result === undefined || /not a git repository/.test(result.stderr)) return undefined;
    const [common, gitDirectory, hash, top] = result.stdout.toString("utf8").split("\n");
    if (common === undefined || gitDirectory === undefined || (hash !== "sha1" && hash !== "sha256")) {
      throw openFailure(doing, place, result);
    }
    // A bare repository has no top level, and git says so by failing after it has printed the rest.
    const path = await canonicalPath(result.exitCode === 0 ? (top ?? gitDirectory) : gitDirectory);
    return {
      commonDirectory: await canonicalPath(common),
      gitDirectory: await canonicalPath(gitDirectory),
      path,
      hash,
      isPlain: false,
    };
  }

  async #repository(found: Discovered): Promise<Repository> {
    const { commonDirectory, gitDirectory, path, hash, isPlain } = found;
    const birth = birthOf(commonDirectory);
    const key = `${gitDirectory}\0${path}`;
    const known = this.#opened.get(key);
    this.#opened.delete(key);
    if (known?.birth === birth) {
      // The most recently used last.
      this.#opened.set(key, known);
      return known.repository;
    }
    const shared = await this.#sharedOf(commonDirectory, hash, birth);
    await known?.repository.close().catch(() => {});
    const command = this.#command;
    const repository = new NodeRepository({
      ...shared,
      command,
      owners: this.#owners,
      path,
      commonDirectory,
      gitDirectory,
      isPlain,
      globalConfig: this.#configFiles,
    });
    this.#opened.set(key, { repository, birth });
    this.#dropOldest();
    return repository;
  }

  /** Worktrees come and go for weeks; one that is dropped still works for whoever holds it. */
  #dropOldest(): void {
    const linked = [...this.#opened].filter(([, { repository }]) => repository.linked);
    for (const [key] of linked.slice(0, Math.max(0, linked.length - 64))) this.#opened.delete(key);
  }

  async #sharedOf(commonDirectory: string, hash: "sha1" | "sha256", birth: string) {
    const known = this.#shared.get(commonDirectory);
    if (known?.birth === birth) return known;
    const command = this.#command;
    const objects = new NodeGitObjects({ command, commonDirectory, hash, trees: this.#trees.ofRepository() });
    const worktrees = new Worktrees({ command, commonDirectory, reader: objects.reader, checkouts: this.#checkouts });
    const shared = { objects, worktrees, birth };
    this.#shared.set(commonDirectory, shared);
    return shared;
  }

  #requireVersion(command: GitCommand): Promise<void> {
    this.#version ??= this.#checkVersion(command).catch((error: unknown) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  async #checkVersion(command: GitCommand): Promise<void> {
    if (this.#known?.isKnown() === true) return;
    await requireGitVersion(command);
    this.#known?.keep();
  }
}

/** Tells a repository from another that was made at its place: inodes are used again, times of birth are not. */
function birthOf(commonDirectory: string): string {
  const facts = statAt(join(commonDirectory, "objects"));
  return facts === undefined ? "gone" : `${facts.ino} ${facts.birthtimeMs}`;
}

const discovery = [
  "rev-parse",
  "--path-format=absolute",
  "--git-common-dir",
  "--absolute-git-dir",
  "--show-object-format",
  "--show-toplevel",
];

function openFailure(
  doing: string,
  place: string,
  result: { readonly exitCode: number; readonly stderr: string },
): AdapterError {
  const error = gitFailure(discovery, doing, result);
  if (/dubious ownership/.test(result.stderr)) {
    return new AdapterError("RepositoryNotTrusted", error.message, {
      cause: error,
      hint: `If you trust it: git config --global --add safe.directory ${place}`,
    });
  }
  if (/unknown repository (extension|version)|repo version/i.test(result.stderr)) {
    const hint = "Use a newer git, or convert the repository (`git refs migrate --ref-format=files`).";
    return new AdapterError("UnsupportedRepository", error.message, { cause: error, hint });
  }
  return error;
}
