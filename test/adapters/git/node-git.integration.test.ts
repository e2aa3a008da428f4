import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "../../../src/adapters/git/process-alive.ts";
import type { Repository } from "../../../src/ports/git.ts";
import { realSite, type RealSite } from "./git-site.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

describe("NodeGit", () => {
  let site: RealSite;
  beforeEach(() => {
    site = realSite();
  });
  afterEach(() => site.close());

  async function checkoutWith(files: Record<string, string>, name = "repo"): Promise<Repository> {
    const repository = await site.git.init(join(site.root, name), { bare: false, branch: "main" });
    for (const [path, text] of Object.entries(files)) await site.write(join(repository.path, path), text);
    await repository.commitAll(repository.path, "first", ada, ada);
    return repository;
  }

  function program(script: string): string {
    const path = join(site.root, "git-wrapper");
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  describe("repositories of every shape", () => {
    it("given a repository opened often, when opened again, then it is the same object", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      expect(await site.git.open(join(repository.path))).toBe(repository);
    });

    it("given a repository that is deleted and made again, when opened, then nothing of the old one is seen", async () => {
      const old = await checkoutWith({ a: "1\n" });
      expect(await old.resolve("main")).toBeDefined();
      spawnSync("rm", ["-rf", old.path]);
      expect(await site.git.open(old.path)).toBeUndefined();
      const again = await site.git.init(old.path, { bare: false, branch: "trunk" });
      expect(await again.headBranch()).toBe("refs/heads/trunk");
      expect(await again.resolve("main")).toBeUndefined();
    });

    it("given packed refs, when updated, listed and deleted, then packed and loose are one", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const id = (await repository.resolve("main")) ?? "";
      await repository.updateRefs(
        [
          { ref: "refs/heads/x/y", to: id },
          { ref: "refs/town/z", to: id },
        ],
        "r",
      );
      site.sh(repository.path, "pack-refs", "--all");
      expect([...(await repository.listRefs("refs/")).keys()]).toEqual([
        "refs/heads/main",
        "refs/heads/x/y",
        "refs/town/z",
      ]);
      expect(await repository.updateRefs([{ ref: "refs/heads/x/y", to: null, from: id }], "r")).toBe(true);
      expect(await repository.updateRefs([{ ref: "refs/heads/x", to: id, from: null }], "r")).toBe(true);
      expect([...(await repository.listRefs("refs/heads/")).keys()]).toEqual(["refs/heads/main", "refs/heads/x"]);
    });

    it("given a detached HEAD, when opened, then there is no branch and the commit resolves", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      site.sh(repository.path, "checkout", "-q", "--detach");
      expect(await repository.headBranch()).toBeUndefined();
      expect(await repository.defaultBranch()).toBeUndefined();
      expect(await repository.resolve("HEAD")).toBe(await repository.resolve("main"));
      expect((await repository.worktreeStatus(repository.path)).branch).toBeUndefined();
    });

    it("given a bare flag on a repository with linked worktrees, when used, then the worktrees work", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      site.sh(repository.path, "config", "core.bare", "true");
      const found = await site.another().open(repository.path);
      const path = join(site.root, "w");
      await found?.addWorktree({ path, commit: "main", branch: "task" });
      await site.write(join(path, "b"), "2\n");
      const id = await found?.commitAll(path, "work", ada, ada);
      expect(await found?.resolve("task")).toBe(id);
      expect(await found?.worktrees()).toMatchObject([{ path, head: id, branch: "refs/heads/task" }]);
    });

    it("given core.worktree, when opened inside it, then that is the checkout and linked worktrees are still their own", async () => {
      const elsewhere = join(site.root, "files");
      mkdirSync(elsewhere);
      const gitDirectory = join(site.root, "store");
      site.sh(site.root, "init", "-q", "-b", "main", "--separate-git-dir", gitDirectory, elsewhere);
      site.sh(gitDirectory, "config", "core.worktree", elsewhere);
      const repository = await site.git.open(elsewhere);
      expect([repository?.path, repository?.commonDirectory]).toEqual([elsewhere, gitDirectory]);
      await site.write(join(elsewhere, "a"), "1\n");
      const first = await repository?.commitAll(elsewhere, "m", ada, ada);
      await repository?.addWorktree({ path: join(site.root, "w"), commit: "main", branch: "task" });
      await site.write(join(site.root, "w", "a"), "2\n");
      await repository?.commitAll(join(site.root, "w"), "m", ada, ada);
      expect(await repository?.worktreeStatus(elsewhere)).toMatchObject({ head: first, changed: [], untracked: [] });
      expect(readFileSync(join(elsewhere, "a"), "utf8")).toBe("1\n");
    });

    it("given a sha256 repository, when written, merged and checked out, then it works and git finds no fault", async () => {
      const path = join(site.root, "sha256");
      site.sh(site.root, "init", "-q", "-b", "main", "--object-format=sha256", path);
      const repository = await site.git.open(path);
      if (repository === undefined) throw new Error("not opened");
      await site.write(join(path, "a"), "1\n2\n3\n");
      const base = (await repository.commitAll(path, "m", ada, ada)) ?? "";
      expect(base).toHaveLength(64);
      const commits = [];
      for (const text of ["one\n2\n3\n", "1\n2\nthree\n"]) {
        const tree = await repository.objects.writeTree([
          { mode: "100644", name: "a", id: await repository.objects.writeBlob(text) },
        ]);
        commits.push(
          await repository.objects.writeCommit({ tree, parents: [base], message: "m", author: ada, committer: ada }),
        );
      }
      const [left = "", right = ""] = commits;
      const merged = await repository.mergeTree(left, right);
      const [file] = await repository.listFiles(merged.tree, "");
      expect(await repository.objects.readBlob(file?.id ?? "")).toBe("one\n2\nthree\n");
      expect(await repository.fastForwardWorktree(path, "main", base, left)).toBe("Done");
      const clone = await site.git.cloneBare(path, join(site.root, "clone.git"));
      expect(await clone.resolve("origin/main")).toBe(left);
      for (let i = 0; i < 100; i++) await clone.objects.writeBlob(`many ${i}`);
      expect(await clone.objects.packOwn({ minimum: 1 })).toBe(0);
      site.sh(path, "fsck", "--strict");
      expect(site.sh(clone.path, "count-objects", "-v")).toContain("packs: 1");
      site.sh(clone.path, "fsck", "--strict");
    });

    it("given a repository of a kind that git does not know, when opened, then it is refused with what to do", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      site.sh(repository.path, "config", "core.repositoryFormatVersion", "1");
      site.sh(repository.path, "config", "extensions.refStorage", "reftable-of-tomorrow");
      await expect(site.another().open(repository.path)).rejects.toMatchObject({
        reason: "UnsupportedRepository",
        hint: expect.stringContaining("newer git"),
      });
    });

    it("given no user.name, when committing, then the given identities are used", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      expect(site.sh(repository.path, "log", "-1", "--format=%an <%ae> %cn %ct")).toBe(
        "Ada <ada@example.com> Ada 1700000000",
      );
      await site.write(join(repository.path, "a"), "2\n");
      await repository.commitAll(repository.path, "m", { name: " <.> ", email: "" }, { name: "x\ny", email: "a b@c" });
      expect(site.sh(repository.path, "log", "-1", "--format=%an|%cn|%ce")).toBe("unknown|xy|ab@c");
    });
  });

  describe("the environment", () => {
    it("given variables of a git hook that runs us, when used, then they aim at nothing", async () => {
      const other = await checkoutWith({ a: "1\n" }, "other");
      const environment = {
        ...site.environment,
        GIT_DIR: join(other.path, ".git"),
        GIT_WORK_TREE: other.path,
        GIT_INDEX_FILE: "/nonexistent/index",
        GIT_AUTHOR_NAME: "Mallory",
        GIT_CEILING_DIRECTORIES: "/",
      };
      const git = site.another({ environment });
      const made = await git.init(join(site.root, "mine"), { bare: false, branch: "main" });
      await site.write(join(made.path, "b"), "1\n");
      await made.commitAll(made.path, "m", ada, ada);
      expect(site.sh(made.path, "log", "--format=%an")).toBe("Ada");
      expect(site.sh(other.path, "log", "--format=%s")).toBe("first");
    });

    it("given hooks in the repository, when everything is done to it, then none runs", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const trace = join(site.root, "trace");
      for (const hook of [
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
        "post-checkout",
        "post-merge",
        "reference-transaction",
        "pre-push",
        "post-index-change",
        "pre-auto-gc",
        "fsmonitor",
      ]) {
        const path = join(repository.path, ".git", "hooks", hook);
        await site.write(path, `#!/bin/sh\necho ${hook} >> '${trace}'\nexit 1\n`, 0o755);
      }
      site.sh(repository.path, "config", "core.fsmonitor", join(repository.path, ".git/hooks/fsmonitor"));
      const from = (await repository.resolve("main")) ?? "";
      await site.write(join(repository.path, "a"), "2\n");
      const to = (await repository.commitAll(repository.path, "m", ada, ada)) ?? "";
      const path = join(site.root, "w");
      await repository.addWorktree({ path, commit: from, branch: "old" });
      expect(await repository.fastForwardWorktree(path, "old", from, to)).toBe("Done");
      await repository.resetWorktree(path, from);
      const remote = await site.git.init(join(site.root, "r.git"), { bare: true, branch: "main" });
      expect(await repository.push(remote.path, [{ from: to, ref: "refs/heads/main", expect: null }])).toBe("Pushed");
      await repository.fetch(remote.path, ["refs/heads/main:refs/x"]);
      await repository.removeWorktree(path);
      expect(await site.read(trace)).toBeUndefined();
    });

    it("given a git that is too old or missing, when opened, then it says what to do, and works once that is done", async () => {
      const old = site.another({ program: program("echo git version 2.37.9") });
      await expect(old.open(site.root)).rejects.toMatchObject({
        reason: "GitTooOld",
        hint: expect.stringContaining("newer git"),
      });
      program('exec git "$@"');
      expect(await old.open(site.root)).toBeUndefined();
      const missing = site.another({ program: join(site.root, "no-git") });
      await expect(missing.open(site.root)).rejects.toMatchObject({
        reason: "GitMissing",
        hint: expect.stringContaining("Install git"),
      });
    });

    it("given a remote that hangs, when the time is up or the caller cancels, then git and its children are ended", async () => {
      const hanging = program(
        `case " $* " in *" fetch "*) echo $$ > '${site.root}/pid'; sleep 600;; *) exec git "$@";; esac`,
      );
      const git = site.another({ program: hanging });
      const repository = await git.init(join(site.root, "r"), { bare: false, branch: "main" });
      const pidFile = join(site.root, "pid");
      const hung = () => expect.poll(() => site.read(pidFile)).toMatch(/\d+\n/);
      const gone = () => expect.poll(() => isAlive(Number(readFileSync(pidFile, "utf8")))).toBe(false);
      const timedOut = expect(repository.fetch("/nowhere", ["refs/heads/x"], { timeoutMs: 5000 })).rejects;
      await timedOut.toMatchObject({ reason: "GitTimedOut" });
      await gone();
      await site.remove(pidFile);
      const abort = new AbortController();
      const cloned = expect(git.cloneBare("/nowhere", join(site.root, "c"), { signal: abort.signal })).rejects;
      const aborted = cloned.toMatchObject({ reason: "GitAborted" });
      await hung();
      abort.abort();
      await aborted;
      await gone();
      expect(await git.open(join(site.root, "c"))).toBeUndefined();
    });

    it("given a password in a URL, when the remote fails, then the message does not tell it", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const failure = await repository
        .fetch("https://me:hunter2@127.0.0.1:1/x.git", ["refs/heads/x"])
        .catch((error: unknown) => String(error));
      expect(failure).toContain("AdapterError");
      expect(failure).not.toContain("hunter2");
    });
  });

  describe("refs", () => {
    it("given a lock that a killed git left, when updated, then it says so, and works after it was removed on purpose", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const id = (await repository.resolve("main")) ?? "";
      const lock = join(repository.commonDirectory, "refs/heads/town/work.lock");
      await site.write(lock, "");
      const update = () => repository.updateRefs([{ ref: "refs/heads/town/work", to: id }], "r");
      await expect(update()).rejects.toMatchObject({ reason: "GitLocked", hint: expect.stringContaining(lock) });
      expect(await repository.removeStaleLocks({ refs: ["refs/heads/town/work"] })).toEqual([lock]);
      expect(await update()).toBe(true);
      expect(await repository.removeStaleLocks({ refs: ["refs/heads/town/work"], worktree: repository.path })).toEqual(
        [],
      );
    });

    it("given a lock that another git holds for a moment, when updated, then it is waited for", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const id = (await repository.resolve("main")) ?? "";
      const lock = join(repository.commonDirectory, "refs/heads/x.lock");
      await site.write(lock, "");
      setTimeout(() => void site.remove(lock), 250);
      expect(await repository.updateRefs([{ ref: "refs/heads/x", to: id, from: null }], "r")).toBe(true);
    });

    it("given reasons, when a branch moves, then the reflog has them", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const id = (await repository.resolve("main")) ?? "";
      await repository.updateRefs([{ ref: "refs/heads/x", to: id }], "town: land MR 7\nof api");
      expect(site.sh(repository.path, "reflog", "x")).toContain("town: land MR 7 of api");
    });

    it("given several adapters, when they race for one ref, then each expectation wins at most once", async () => {
      const repository = await checkoutWith({ a: "1\n" });
      const base = (await repository.resolve("main")) ?? "";
      const others = await Promise.all([1, 2, 3, 4].map(async () => site.another().open(repository.path)));
      let wins = 0;
      for (let round = 0; round < 5; round++) {
        const before = (await repository.resolve("refs/heads/race")) ?? null;
        const results = await Promise.all(
          others.map(async (one, i) => {
            const tree = (await repository.objects.readCommit(base))?.tree ?? "";
            const to =
              (await one?.objects.writeCommit({
                tree,
                parents: [base],
                message: `${round}.${i}`,
                author: ada,
                committer: ada,
              })) ?? "";
            return one?.updateRefs([{ ref: "refs/heads/race", to, from: before }], "race");
          }),
        );
        expect(results.filter((won) => won === true)).toHaveLength(1);
        wins += 1;
      }
      expect(wins).toBe(5);
    });
  });

  describe("clones", () => {
    it("given a clone that was killed, when cloned again, then it is made anew", async () => {
      const origin = await checkoutWith({ a: "1\n" });
      const path = join(site.root, "c.git");
      await site.write(join(`${path}.partial`, "objects", "half"), "x");
      const clone = await site.git.cloneBare(`file://${origin.path}`, path);
      expect(await clone.resolve("origin/main")).toBe(await origin.resolve("main"));
      expect(await site.read(join(`${path}.partial`, "objects", "half"))).toBeUndefined();
    });

    it("given something else at the path, when cloned, then it is kept and named", async () => {
      const origin = await checkoutWith({ a: "1\n" });
      const path = join(site.root, "notes");
      await site.write(join(path, "todo"), "x");
      await expect(site.git.cloneBare(origin.path, path)).rejects.toMatchObject({ reason: "CloneInTheWay" });
      expect(await site.read(join(path, "todo"))).toBe("x");
    });

    it("given ten callers, when they clone the same at once, then it is cloned once", async () => {
      const origin = await checkoutWith({ a: "1\n" });
      const clones = await Promise.all(
        Array.from({ length: 10 }, () => site.git.cloneBare(origin.path, join(site.root, "c.git"))),
      );
      expect(new Set(clones).size).toBe(1);
    });

    it("given a default branch of another name, when cloned, then it is known", async () => {
      const origin = await site.git.init(join(site.root, "o"), { bare: false, branch: "trunk/é" });
      await site.write(join(origin.path, "a"), "1\n");
      await origin.commitAll(origin.path, "m", ada, ada);
      const clone = await site.git.cloneBare(origin.path, join(site.root, "c.git"));
      expect(await clone.defaultBranch()).toBe("trunk/é");
      expect(await clone.headBranch()).toBe("refs/heads/trunk/é");
    });
  });

  it("given an open repository with its processes, when the program is done, then it exits by itself", async () => {
    const repository = await checkoutWith({ a: "1\n" });
    const script = `
      import { NodeGit } from ${JSON.stringify(join(process.cwd(), "src/adapters/git/node-git.ts"))};
      const repository = await new NodeGit().open(process.argv[1]);
      const id = await repository.resolve("main");
      await repository.updateRefs([{ ref: "refs/heads/x", to: id }], "r");
      console.log((await repository.objects.readCommit(id)).message);`;
    const run = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, repository.path], {
      env: site.environment,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect([run.stdout.trim(), run.status, run.stderr]).toEqual(["first", 0, ""]);
  });
});
