import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { META, type BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import type { AgentSession } from "../../src/verbs/agent-session.ts";
import { committedHead } from "../../src/verbs/done-head.ts";
import { repositoryAt } from "../adapters/git/git-site.ts";

const BRANCH = "town/agents/api/toast/api-x1";

describe("what is handed in from a real worktree", () => {
  let root: string;
  let sandbox: string;
  let git: NodeGit;
  const run = (...args: string[]): string =>
    execFileSync("git", ["-C", sandbox, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_GLOBAL: "/dev/null", GIT_EDITOR: "true" },
    }).trim();
  const write = (path: string, text: string): void => writeFileSync(join(sandbox, path), text);
  const commit = (path: string, text: string): string => {
    write(path, text);
    run("add", "--all");
    run("-c", "user.name=Toast", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", path);
    return run("rev-parse", "HEAD");
  };

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "town-done-")));
    sandbox = join(root, "sandbox");
    mkdirSync(sandbox);
    run("init", "--quiet", "--initial-branch=main");
    commit("a.txt", "1\n");
    run("switch", "--quiet", "--create", BRANCH);
    git = new NodeGit({ owners: createNodeProcesses() });
  });
  afterEach(async () => {
    await git.close();
    rmSync(root, { recursive: true, force: true });
  });

  async function head(): Promise<string> {
    const repository = await repositoryAt(git, sandbox);
    const fact = { agent: "toast", attempt: 0, base: run("rev-parse", "main"), branch: `refs/heads/${BRANCH}` };
    const bead = { id: "api-x1", title: "the work", metadata: { [META.sandbox]: fact } } as unknown as BeadRecord;
    const session = { sandbox, identity: "api/polecats/toast" } as AgentSession;
    const ports = { files: createNodeFiles(), clock: { now: () => 0 } } as unknown as LoopPorts;
    return committedHead(session, bead, repository, false, ports);
  }

  it("given committed work on the task's branch, then it is its head, from a sub-directory as well", async () => {
    mkdirSync(join(sandbox, "deep/down"), { recursive: true });
    const made = commit("deep/down/b.txt", "b\n");
    expect(await head()).toBe(made);
  });

  it("given a detached head in front of the branch, then the hint moves the branch there, and it works", async () => {
    run("checkout", "--quiet", "--detach");
    const made = commit("b.txt", "b\n");
    await expect(head()).rejects.toMatchObject({
      reason: "DetachedHead",
      hint: `git switch -C ${BRANCH}, then: town done`,
    });
    run("switch", "--quiet", "-C", BRANCH);
    expect(await head()).toBe(made);
  });

  it("given commits on another branch that has diverged, then the hint merges and leaves nothing behind", async () => {
    run("switch", "--quiet", "--create", "mine", "main");
    const made = commit("b.txt", "b\n");
    run("switch", "--quiet", BRANCH);
    commit("c.txt", "c\n");
    run("switch", "--quiet", "mine");
    await expect(head()).rejects.toMatchObject({
      reason: "OtherBranch",
      hint: `git switch ${BRANCH} && git merge ${made}, then: town done`,
    });
  });

  it.each([
    ["rebase", "Rebase"],
    ["merge", "Merge"],
  ])("given a %s that stopped at a conflict, then it names how to end it", async (command, operation) => {
    commit("a.txt", "mine\n");
    run("switch", "--quiet", "main");
    commit("a.txt", "theirs\n");
    run("switch", "--quiet", BRANCH);
    const identity = ["-c", "user.name=Toast", "-c", "user.email=t@example.org"];
    expect(() => run(...identity, command, "main")).toThrow();
    await expect(head()).rejects.toMatchObject({
      reason: "WorkInProgress",
      message: expect.stringContaining(operation),
      hint: expect.stringContaining(`git ${command} --continue (or --abort)`),
    });
  });

  it("given files that are not committed, then they are named", async () => {
    commit("b.txt", "b\n");
    write("a.txt", "changed\n");
    write("new.txt", "new\n");
    await expect(head()).rejects.toMatchObject({
      reason: "UncommittedWork",
      message: expect.stringMatching(/a\.txt.*new\.txt/),
    });
  });
});
