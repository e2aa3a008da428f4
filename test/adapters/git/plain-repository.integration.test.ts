import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { globalConfigFiles, mergedPlainConfig } from "../../../src/adapters/git/plain-config.ts";
import { readPlainHead, readPlainRef } from "../../../src/adapters/git/plain-refs.ts";
import { discoverPlain } from "../../../src/adapters/git/plain-repository.ts";

/*
 * What is read from files must be what git says, or nothing. Each shape is a place in a repository of its own; `asks` says
 * that git must be asked there.
 */
interface Shape {
  readonly name: string;
  readonly asks?: true;
  /** Makes it below `root`; returns the place, relative to it. */
  make(this: void, root: string): string;
}

const root = realpathSync(mkdtempSync(join(tmpdir(), "town-plain-")));
const home = join(root, "home");
const env = { PATH: process.env["PATH"] ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" };
const globals = globalConfigFiles(env);

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-c", "protocol.file.allow=always", ...args], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function says(cwd: string, ...args: readonly string[]): string | undefined {
  try {
    return git(cwd, ...args).trim();
  } catch {
    return undefined;
  }
}

function repository(path: string, ...options: readonly string[]): string {
  mkdirSync(path, { recursive: true });
  git(path, "init", "-q", "-b", "main", ...options);
  return path;
}

function withCommit(path: string, ...options: readonly string[]): string {
  repository(path, ...options);
  git(path, "commit", "-q", "--allow-empty", "-m", "m");
  return path;
}

const shapes: readonly Shape[] = [
  { name: "a checkout", make: (at) => (withCommit(at), ".") },
  { name: "a directory in it", make: (at) => (withCommit(at), mkdirSync(join(at, "a/b"), { recursive: true }), "a/b") },
  { name: "no commit yet", make: (at) => (repository(at), ".") },
  { name: "sha256", make: (at) => (withCommit(at, "--object-format=sha256"), ".") },
  { name: "bare", make: (at) => (repository(at, "--bare"), ".") },
  { name: "a directory in a bare one", make: (at) => (repository(at, "--bare"), "refs") },
  { name: "inside of .git", asks: true, make: (at) => (withCommit(at), ".git") },
  {
    name: "a linked worktree",
    make: (at) => (withCommit(join(at, "main")), git(join(at, "main"), "worktree", "add", "-q", "../side"), "side"),
  },
  {
    name: "a worktree of a bare one",
    make: (at) => {
      withCommit(join(at, "main"));
      git(at, "clone", "-q", "--bare", "main", "bare.git");
      git(join(at, "bare.git"), "worktree", "add", "-q", "../side", "main");
      return "side";
    },
  },
  {
    name: "a submodule",
    asks: true,
    make: (at) => {
      withCommit(join(at, "inner"));
      withCommit(join(at, "outer"));
      git(join(at, "outer"), "submodule", "--quiet", "add", join(at, "inner"), "sub");
      return "outer/sub";
    },
  },
  {
    name: "a git directory apart",
    make: (at) => (
      mkdirSync(at, { recursive: true }), git(at, "init", "-q", "--separate-git-dir=apart.git", "top"), "top"
    ),
  },
  {
    name: "through a link",
    make: (at) => (withCommit(join(at, "real")), symlinkSync("real", join(at, "link")), "link"),
  },
  { name: "packed refs", make: (at) => (withCommit(at), git(at, "pack-refs", "--all"), ".") },
  { name: "detached", make: (at) => (withCommit(at), git(at, "checkout", "-q", "--detach"), ".") },
  {
    name: "settings from elsewhere",
    asks: true,
    make: (at) => (
      withCommit(at),
      writeFileSync(join(at, "more"), "[town]\n\tprefix = other\n"),
      git(at, "config", "include.path", "../more"),
      "."
    ),
  },
  {
    name: "settings under a condition",
    asks: true,
    make: (at) => (withCommit(at), git(at, "config", `includeIf.gitdir:${at}/.path`, "../more"), "."),
  },
  {
    name: "settings of each worktree",
    asks: true,
    make: (at) => (withCommit(at), git(at, "config", "extensions.worktreeConfig", "true"), "."),
  },
  {
    name: "another top",
    asks: true,
    make: (at) => (withCommit(at), mkdirSync(join(at, "t")), git(at, "config", "core.worktree", "../t"), "."),
  },
  {
    name: "a value in quotes",
    make: (at) => (withCommit(at), appendFileSync(join(at, ".git/config"), '[town]\n\tprefix = "a b" ; why\n'), "."),
  },
  {
    name: "a value over two lines",
    asks: true,
    make: (at) => (withCommit(at), appendFileSync(join(at, ".git/config"), "[town]\n\tprefix = a\\\n b\n"), "."),
  },
  {
    name: "values said twice, in any case",
    make: (at) => (
      withCommit(at), appendFileSync(join(at, ".git/config"), "[TOWN]\n\tPrefix=one\n[town] # again\n"), "."
    ),
    asks: true,
  },
  {
    name: "values said twice",
    make: (at) => (
      withCommit(at),
      appendFileSync(
        join(at, ".git/config"),
        '[TOWN]\n\tPrefix=one\n[town]\nprefix  =  two  \n[town "sub"]\n\tprefix = three\n',
      ),
      "."
    ),
  },
  {
    name: "a HEAD that is none",
    asks: true,
    make: (at) => (withCommit(at), writeFileSync(join(at, ".git/HEAD"), "what\n"), "."),
  },
  { name: "no repository", asks: true, make: (at) => (mkdirSync(at, { recursive: true }), ".") },
];

describe("reading a repository without git", () => {
  beforeAll(() => {
    mkdirSync(home);
    writeFileSync(join(home, ".gitconfig"), "[user]\n\tname = Ada L\n\temail = ada@x\n[town]\n\tprefix = global\n");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test.each(
    shapes.map((shape, i) => ({ ...shape, at: join(root, `r${i}`) })),
  )("given $name, then what the files say is what git says, or git is asked", ({ at, make, asks }) => {
    const place = realpathSync(join(at, make(at)));
    const found = discoverPlain(place, globals);
    expect(found === undefined).toBe(asks === true);
    if (found === undefined) return;
    const absolute = ["rev-parse", "--path-format=absolute"];
    expect(found.commonDirectory).toBe(realpathSync(says(place, ...absolute, "--git-common-dir") ?? ""));
    expect(found.gitDirectory).toBe(realpathSync(says(place, ...absolute, "--absolute-git-dir") ?? ""));
    expect(found.hash).toBe(says(place, "rev-parse", "--show-object-format"));
    expect(found.path).toBe(realpathSync(says(place, ...absolute, "--show-toplevel") ?? found.gitDirectory));
    for (const ref of ["refs/heads/main", "refs/heads/side", "refs/town/flushed"])
      expect(readPlainRef(found.commonDirectory, ref)).toBe(says(place, "rev-parse", "-q", "--verify", ref) ?? null);
    for (const [directory, ref] of [
      [found.gitDirectory, "HEAD"],
      [found.commonDirectory, "refs/remotes/origin/HEAD"],
    ] as const)
      expect(readPlainHead(directory, ref)).toBe(says(found.gitDirectory, "symbolic-ref", "-q", ref) ?? null);
    const config = mergedPlainConfig([...(globals ?? []), join(found.commonDirectory, "config")]);
    for (const key of ["user.name", "user.email", "town.prefix", "town.store", "core.bare"]) {
      const value = config?.get(key)?.at(-1);
      // Null: it is written so that git must be asked.
      if (value !== null) expect(value).toBe(says(found.gitDirectory, "config", "--get", key));
    }
  });

  test("given a ref that is no branch, or whose file is damaged, then git is asked", () => {
    const at = withCommit(join(root, "refs"));
    const common = join(at, ".git");
    for (const ref of [
      "HEAD",
      "main",
      "refs/tags/v1",
      "refs/remotes/origin/HEAD",
      "refs/heads/../../HEAD",
      "refs/heads/a.lock",
    ])
      expect(readPlainRef(common, ref)).toBeUndefined();
    writeFileSync(join(common, "refs/heads/main"), "0123\n");
    expect(readPlainRef(common, "refs/heads/main")).toBeUndefined();
    writeFileSync(join(common, "refs/heads/main"), "ref: refs/heads/other\n");
    expect(readPlainRef(common, "refs/heads/main")).toBeUndefined();
  });

  test("given what a HEAD names, when read from its file, then it is what git says, or git is asked", () => {
    const at = withCommit(join(root, "heads"));
    const common = join(at, ".git");
    const remote = "refs/remotes/origin/HEAD";
    expect(readPlainHead(common, remote)).toBeNull();
    git(at, "update-ref", "refs/remotes/origin/main", "HEAD");
    git(at, "symbolic-ref", remote, "refs/remotes/origin/main");
    git(at, "pack-refs", "--all");
    expect(readPlainHead(common, remote)).toBe("refs/remotes/origin/main");
    expect(readPlainHead(common, "HEAD")).toBe(says(at, "symbolic-ref", "HEAD"));
    git(at, "worktree", "add", "--quiet", "--detach", join(root, "heads-linked"));
    expect(readPlainHead(join(common, "worktrees/heads-linked"), "HEAD")).toBeNull();
    expect(readPlainHead(common, "refs/heads/main")).toBeUndefined();
    expect(readPlainHead(common, "refs/remotes/../HEAD")).toBeUndefined();
    writeFileSync(join(common, remote), "ref:refs/remotes/origin/main");
    expect(readPlainHead(common, remote)).toBeUndefined();
    rmSync(join(common, "HEAD"));
    symlinkSync("refs/heads/main", join(common, "HEAD"));
    expect(readPlainHead(common, "HEAD")).toBeUndefined();
  });

  test("given bare repositories that must be named, then git is asked for one that is found", () => {
    const at = repository(join(root, "guarded"), "--bare");
    writeFileSync(join(root, "guarding"), "[safe]\n\tbareRepository = explicit\n");
    expect(discoverPlain(at, [join(root, "guarding")])).toBeUndefined();
    expect(discoverPlain(at, undefined)).toBeUndefined();
    expect(discoverPlain(at, [])).toBeDefined();
  });

  test("given settings that only git can find, then it is asked", () => {
    expect(globalConfigFiles({ HOME: "/h", PATH: "/nowhere" })).toBeUndefined();
    expect(globalConfigFiles({ PATH: "/usr/bin", GIT_CONFIG_NOSYSTEM: "1" })).toBeUndefined();
    expect(globalConfigFiles({ HOME: "/h", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_COUNT: "1" })).toBeUndefined();
    expect(globalConfigFiles({ HOME: "/h", GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/g" })).toEqual(["/g"]);
    expect(globalConfigFiles({ HOME: "/h", GIT_CONFIG_NOSYSTEM: "1" })).toEqual([
      "/h/.config/git/config",
      "/h/.gitconfig",
    ]);
  });
});
