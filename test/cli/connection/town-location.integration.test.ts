import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commonDirectoryOf, findTarget, findTown } from "../../../src/cli/connection/town-location.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "town-location-")));
const env = { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
const town = join(root, "town");
const state = join(town, ".git", "town");

function git(cwd: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    cwd,
    env,
    encoding: "utf8",
  }).trim();
}

beforeAll(() => {
  mkdirSync(join(town, "manifests", "rigs"), { recursive: true });
  git(root, "init", "-q", "-b", "main", town);
  git(town, "commit", "-q", "--allow-empty", "-m", "first");
  mkdirSync(join(state, "tokens"), { recursive: true });
  writeFileSync(
    join(state, "endpoint.json"),
    JSON.stringify({ version: 1, socket: "/run/x.sock", pid: 1, startTime: "2" }),
  );
  writeFileSync(join(state, "tokens", "overseer"), "secret\n");
  git(town, "worktree", "add", "-q", join(root, "tree"));
  mkdirSync(join(state, "rigs", "api"), { recursive: true });
  git(root, "init", "-q", "--bare", join(state, "rigs", "api", "clone.git"));
  git(root, "init", "-q", join(root, "checkout"));
  git(join(root, "checkout"), "config", "town.store", join(state, "rigs", "api", "clone.git"));
  git(root, "init", "-q", join(root, "plain"));
  mkdirSync(join(root, "fresh", "manifests"), { recursive: true });
  git(root, "init", "-q", join(root, "fresh"));
});
afterAll(() => rmSync(root, { recursive: true }));

describe("commonDirectoryOf", () => {
  it("given working trees, linked ones and bare repositories, when asked, then it is what git says", () => {
    for (const directory of [town, join(root, "tree"), join(state, "rigs", "api", "clone.git"), join(root, "plain")]) {
      const said = git(directory, "rev-parse", "--path-format=absolute", "--git-common-dir");
      expect(commonDirectoryOf(directory)).toBe(said);
    }
    expect(commonDirectoryOf(root)).toBeUndefined();
  });
});

describe("findTown", () => {
  it("given any directory in the town, its worktrees or a rig's checkout, when looked for, then the town is found", () => {
    for (const cwd of [
      town,
      join(town, "manifests", "rigs"),
      join(root, "tree"),
      join(state, "rigs", "api", "clone.git"),
    ]) {
      expect(findTown({ cwd, env: {} })?.stateDirectory, cwd).toBe(state);
    }
    expect(findTown({ cwd: join(root, "checkout"), env: {} })).toEqual({ directory: town, stateDirectory: state });
  });

  it("given a repository with manifests that never ran, when looked for, then it is a town", () => {
    expect(findTown({ cwd: join(root, "fresh"), env: {} })?.directory).toBe(join(root, "fresh"));
  });

  it("given a repository that is no town, or none, when looked for, then there is none", () => {
    expect(findTown({ cwd: join(root, "plain"), env: {} })).toBeUndefined();
    expect(findTown({ cwd: root, env: {} })).toBeUndefined();
  });

  it("given TOWN_DIR and -C, when looked for, then -C goes before TOWN_DIR, that before the working directory", () => {
    expect(findTown({ cwd: root, env: { TOWN_DIR: town } })?.directory).toBe(town);
    expect(findTown({ cwd: town, env: { TOWN_DIR: join(root, "fresh") } })?.directory).toBe(join(root, "fresh"));
    expect(findTown({ cwd: root, env: { TOWN_DIR: join(root, "fresh") }, townOption: "town" })?.directory).toBe(town);
  });
});

describe("findTarget", () => {
  it("given a person in a town, when asked, then it is the daemon's socket with the overseer's token", () => {
    expect(findTarget({ cwd: town, env: {} })).toEqual({ socketPath: "/run/x.sock", token: "secret", town });
  });

  it("given an agent's session, when asked anywhere, then it is the session's own socket and token", () => {
    writeFileSync(join(root, "token"), "mine");
    const session = {
      TOWN_SOCKET: "/run/s.sock",
      TOWN_TOKEN_FILE: join(root, "token"),
      TOWN_AGENT: "api/polecats/toast",
      TOWN_DIR: town,
    };
    expect(findTarget({ cwd: town, env: session })).toEqual({
      socketPath: "/run/s.sock",
      token: "mine",
      town: "api/polecats/toast",
    });
    expect(findTarget({ cwd: root, env: session, townOption: town })).toMatchObject({ token: "secret" });
  });

  it("given something missing, when asked, then the problem is named", () => {
    expect(findTarget({ cwd: root, env: {} })).toEqual({ problem: "NoTown" });
    expect(findTarget({ cwd: join(root, "fresh"), env: {} })).toMatchObject({ problem: "NoDaemon" });
    expect(
      findTarget({ cwd: root, env: { TOWN_SOCKET: "/run/s.sock", TOWN_TOKEN_FILE: join(root, "nothing") } }),
    ).toMatchObject({ problem: "NoToken" });
    expect(findTarget({ cwd: root, env: { TOWN_SOCKET: "/run/s.sock" } })).toMatchObject({ problem: "NoToken" });
  });
});
