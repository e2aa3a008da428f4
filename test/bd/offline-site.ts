import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import type { OfflineBdPorts } from "../../src/daemon/offline-bd.ts";
import { runOfflineBd } from "../../src/daemon/offline-bd.ts";
import { realGraphParts } from "../graph/real-graph-parts.ts";

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A temporary directory with a home of its own, in which the user's git configuration does not reach. */
export interface OfflineSite {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: OfflineBdPorts;
  path(...parts: readonly string[]): string;
  write(path: string, text: string): void;
  git(cwd: string, ...args: readonly string[]): string;
  /** A repository with a commit, whose user is known to git. */
  repository(name: string): string;
  bd(
    cwd: string,
    argv: readonly string[],
    more?: { readonly env?: Record<string, string>; readonly stdin?: string },
  ): Promise<Ran>;
  close(): Promise<void>;
}

export function offlineSite(): OfflineSite {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "town-bd-")));
  const environment = {
    PATH: process.env["PATH"] ?? "",
    HOME: root,
    GIT_CONFIG_GLOBAL: join(root, "gitconfig"),
    GIT_CONFIG_NOSYSTEM: "1",
  };
  writeFileSync(environment.GIT_CONFIG_GLOBAL, '[protocol "file"]\n\tallow = always\n[init]\n\tdefaultBranch = main\n');
  const git = new NodeGit({ environment });
  const ports: OfflineBdPorts = { git, ...realGraphParts() };
  const path = (...parts: readonly string[]): string => join(root, ...parts);
  const run = (cwd: string, ...args: readonly string[]): string =>
    execFileSync("git", args, { cwd, env: environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  return {
    root,
    environment,
    ports,
    path,
    write,
    git: run,
    repository: (name) => {
      const at = path(name);
      mkdirSync(at, { recursive: true });
      run(at, "init", "--quiet");
      run(at, "config", "user.name", "Ada");
      run(at, "config", "user.email", "ada@example.com");
      write(join(at, "readme.md"), "hello\n");
      run(at, "add", ".");
      run(at, "commit", "--quiet", "-m", "first");
      return at;
    },
    bd: async (cwd, argv, { env = {}, stdin } = {}) => {
      let stdout = "";
      let stderr = "";
      const exitCode = await runOfflineBd(
        {
          argv,
          cwd,
          env: { USER: "login", ...env },
          version: "1.2.3",
          out: (text) => (stdout += text),
          err: (text) => (stderr += text),
          ...(stdin === undefined ? {} : { stdin }),
        },
        ports,
      );
      return { stdout, stderr, exitCode };
    },
    close: async () => {
      await git.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
