import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NodeGit, type NodeGitOptions } from "../../../src/adapters/git/node-git.ts";
import type { Git, Repository } from "../../../src/ports/git.ts";
import type { GitSite } from "../../ports/git.contract.ts";

export interface RealSite extends GitSite {
  readonly git: NodeGit;
  readonly environment: Record<string, string>;
  /** A second adapter in the same place, as another process would have. */
  another(options?: Partial<NodeGitOptions>): NodeGit;
  /** Runs the git program as a user would; returns trimmed stdout. */
  sh(cwd: string, ...args: string[]): string;
}

/** What a disk may do to a loose object. */
export function loseObject(commonDirectory: string, id: string, how: "Gone" | "Empty" | "Garbage" | "Torn"): void {
  const path = join(commonDirectory, "objects", id.slice(0, 2), id.slice(2));
  const bytes = readFileSync(path);
  rmSync(path);
  if (how === "Gone") return;
  const left = { Empty: "", Garbage: "x".repeat(100), Torn: bytes.subarray(0, Math.ceil(bytes.length * 0.7)) };
  writeFileSync(path, left[how], { mode: 0o444 });
}

/** The repository at a path. Throws where there is none. */
export async function repositoryAt(git: Git, path: string): Promise<Repository> {
  const repository = await git.open(path);
  if (repository === undefined) throw new Error(`no repository at ${path}`);
  return repository;
}

/** A temporary directory with a home of its own: the user's git configuration does not reach it. */
export function realSite(options: Partial<NodeGitOptions> = {}): RealSite {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "town-git-")));
  const home = join(root, "home dir");
  mkdirSync(home);
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    GIT_CONFIG_GLOBAL: join(home, "gitconfig"),
    GIT_CONFIG_NOSYSTEM: "1",
  };
  writeFileSync(environment.GIT_CONFIG_GLOBAL, '[protocol "file"]\n\tallow = always\n');
  const adapters: NodeGit[] = [];
  const another = (more: Partial<NodeGitOptions> = {}) => {
    const git = new NodeGit({ environment, ...options, ...more });
    adapters.push(git);
    return git;
  };
  const place = join(root, "place");
  mkdirSync(place);
  return {
    root: place,
    environment,
    another,
    git: another(),
    write: async (path, text, mode) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      if (mode !== undefined) chmodSync(path, mode);
    },
    read: async (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined),
    remove: async (path) => rmSync(path),
    sh: (cwd, ...args) =>
      execFileSync("git", ["-c", "user.name=User", "-c", "user.email=user@example.com", ...args], {
        cwd,
        env: environment,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      }).trim(),
    close: async () => {
      await Promise.all(adapters.map((git) => git.close()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}
