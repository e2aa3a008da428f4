import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../src/agent-hooks/hook.sh", import.meta.url));
const TRAILERS = ["Town-Agent: api/polecats/toast", "Town-Session: toast@3", "Town-Bead: api-1"];

describe("git hooks of agent sessions", () => {
  let home: string;
  let work: string;
  const git = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    execa("git", [...args], {
      cwd: work,
      reject: false,
      extendEnv: false,
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "core.hooksPath",
        GIT_CONFIG_VALUE_0: join(home, "hooks"),
        TOWN_AGENT: "api/polecats/toast",
        TOWN_GENERATION: "3",
        ...env,
      },
    });
  const message = async (): Promise<readonly string[]> =>
    (await git(["log", "-1", "--format=%B"])).stdout.split("\n").filter((line) => line !== "");
  const ownHook = async (name: string, body: string): Promise<void> => {
    await mkdir(join(work, ".husky"), { recursive: true });
    await writeFile(join(work, ".husky", name), `#!/bin/sh\n${body}\n`);
    await chmod(join(work, ".husky", name), 0o755);
    await git(["config", "core.hooksPath", ".husky"]);
  };

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "town-hooks-"));
    work = join(home, "work");
    await mkdir(join(home, "hooks"));
    for (const name of ["prepare-commit-msg", "commit-msg", "pre-commit", "post-commit"]) {
      await writeFile(join(home, "hooks", name), await readFile(SCRIPT));
      await chmod(join(home, "hooks", name), 0o755);
    }
    await execa("git", ["init", "-q", "-b", "town/agents/api/toast/api-1", work]);
    await git(["config", "user.name", "toast"]);
    await git(["config", "user.email", "owner@example.org"]);
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it("given a commit with -m, also with --no-verify, then agent, session and bead are in its trailers", async () => {
    await git(["commit", "-q", "--allow-empty", "-m", "Say hello"]);
    expect(await message()).toEqual(["Say hello", ...TRAILERS]);
    await git(["commit", "-q", "--allow-empty", "--no-verify", "-m", "Again"]);
    expect(await message()).toEqual(["Again", ...TRAILERS]);
  });

  it.each([
    ["town/agents/api/toast/home", "api-7", ["Town-Bead: api-7"]],
    ["main", "api-7", ["Town-Bead: api-7"]],
    ["town/agents/api/toast/home", "", []],
    ["town/agents/api/toast/home", "x\nTown-Agent: mayor", []],
    ["town/agents/api/toast/api-1", "api-7", ["Town-Bead: api-1"]],
  ])("given the branch %s and a bead file that says '%s', then the trailer is %s", async (branch, bead, trailer) => {
    await git(["checkout", "-q", "-b", "other"]);
    await git(["checkout", "-q", "-B", branch]);
    await writeFile(join(home, "bead"), bead);
    await git(["commit", "-q", "--allow-empty", "-m", "Say hello"], { TOWN_BEAD_FILE: join(home, "bead") });
    expect(await message()).toEqual(["Say hello", ...TRAILERS.slice(0, 2), ...trailer]);
  });

  it("given a commit that is amended, then nothing is there twice", async () => {
    await git(["commit", "-q", "--allow-empty", "-m", "Say hello"]);
    await git(["commit", "-q", "--allow-empty", "--amend", "--no-edit"]);
    expect(await message()).toEqual(["Say hello", ...TRAILERS]);
  });

  it("given a message left empty in the editor, then git still aborts", async () => {
    const { exitCode, stderr } = await git(["commit", "--allow-empty"], { GIT_EDITOR: "true" });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("empty commit message")]);
  });

  it("given a message written in the editor, then the trailers are added after it", async () => {
    await git(["commit", "-q", "--allow-empty"], { GIT_EDITOR: "sh -c 'echo Written >\"$1\"' -" });
    expect(await message()).toEqual(["Written", ...TRAILERS]);
  });

  it("given hooks of the repository, then they run, and one that refuses is obeyed", async () => {
    await ownHook("post-commit", "touch post-commit-ran");
    await ownHook("commit-msg", 'grep -q forbidden "$1" && exit 7; exit 0');
    expect((await git(["commit", "-q", "--allow-empty", "-m", "fine"])).exitCode).toBe(0);
    expect((await git(["status", "--porcelain"])).stdout).toContain("post-commit-ran");
    expect((await git(["commit", "-q", "--allow-empty", "-m", "forbidden word"])).exitCode).not.toBe(0);
    expect(await message()).toEqual(["fine", ...TRAILERS]);
  });

  it("given a home branch, or a branch of the agent's own making, then no bead is claimed", async () => {
    await git(["checkout", "-q", "-b", "town/agents/api/toast/home"]);
    await git(["commit", "-q", "--allow-empty", "-m", "home"]);
    expect(await message()).toEqual(["home", ...TRAILERS.slice(0, 2)]);
    await git(["checkout", "-q", "-b", "experiment"]);
    await git(["commit", "-q", "--allow-empty", "-m", "try"]);
    expect(await message()).toEqual(["try", ...TRAILERS.slice(0, 2)]);
  });

  it("given no session, then messages stay as they are", async () => {
    await git(["commit", "-q", "--allow-empty", "-m", "mine"], { TOWN_AGENT: "" });
    expect(await message()).toEqual(["mine"]);
  });
});
