import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Repository } from "../../../src/ports/git.ts";
import { realSite, type RealSite } from "./git-site.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

describe("worktrees of a real repository", () => {
  let site: RealSite;
  let repository: Repository;
  beforeEach(async () => {
    site = realSite();
    repository = await site.git.init(join(site.root, "repo"), { bare: false, branch: "main" });
    for (let i = 0; i < 40; i++) await site.write(join(repository.path, `d${i % 5}/f${i}`), `${i}\n`);
    await repository.commitAll(repository.path, "first", ada, ada);
  });
  afterEach(() => site.close());

  const at = (name: string) => join(site.root, "w", name);
  const record = (name: string) => join(repository.commonDirectory, "worktrees", name);
  const files = (path: string) =>
    readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;

  it("given 50 callers in two processes' adapters, when they add worktrees at once, then all succeed and are whole", async () => {
    const other = (await site.another().open(repository.path)) ?? repository;
    const adds = Array.from({ length: 50 }, (_, i) =>
      (i % 2 === 0 ? repository : other).addWorktree({ path: at(`${i}`), commit: "main", branch: `task/${i}` }),
    );
    await Promise.all(adds);
    const listed = await repository.worktrees();
    expect(listed).toHaveLength(51);
    for (let i = 0; i < 50; i++) expect(files(at(`${i}`))).toBe(41);
    expect((await repository.worktreeStatus(at("17"))).branch).toBe("refs/heads/task/17");
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 === 1 ? repository : other).removeWorktree(at(`${i}`))),
    );
    expect(await repository.worktrees()).toHaveLength(1);
    expect(existsSync(join(repository.commonDirectory, "worktrees"))).toBe(false);
  });

  it("given one path wanted by many, when added at once, then it is made once", async () => {
    await Promise.all(
      Array.from({ length: 10 }, () => repository.addWorktree({ path: at("x"), commit: "main", branch: "task" })),
    );
    expect(files(at("x"))).toBe(41);
    expect(await repository.worktrees()).toHaveLength(2);
  });

  it("given an unfinished checkout, when added again, then it is finished", async () => {
    site.sh(repository.path, "worktree", "add", "-q", "--no-checkout", "-b", "task", at("x"));
    writeFileSync(join(record("x"), "index.lock"), "");
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    expect(await repository.worktreeStatus(at("x"))).toMatchObject({ changed: [], untracked: [] });
  });

  it("given a record that git was killed over, when added again, then it is made anew", async () => {
    for (const [name, missing] of Object.entries({ a: [], b: ["HEAD"], c: ["commondir", "HEAD"] })) {
      site.sh(repository.path, "worktree", "add", "-q", "--no-checkout", "--detach", at(name));
      writeFileSync(join(record(name), "locked"), "initializing\n");
      for (const file of missing) rmSync(join(record(name), file));
    }
    rmSync(at("a"), { recursive: true });
    for (const name of ["c", "b", "a"]) {
      await repository.addWorktree({ path: at(name), commit: "main", branch: `task-${name}` });
      expect(await repository.worktreeStatus(at(name))).toMatchObject({
        branch: `refs/heads/task-${name}`,
        changed: [],
        untracked: [],
      });
    }
  });

  it("given a record of someone else that was never finished, when it is old, then it stands in nobody's way", async () => {
    site.sh(repository.path, "worktree", "add", "-q", "--no-checkout", "--detach", at("dead"));
    writeFileSync(join(record("dead"), "commondir"), "");
    const old = new Date(Date.now() - 60_000);
    utimesSync(record("dead"), old, old);
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    expect(files(at("x"))).toBe(41);
    expect((await repository.worktrees()).map((one) => one.path)).toContain(at("x"));
  });

  it("given a worktree directory that was deleted, when its branch is wanted elsewhere, then it is given", async () => {
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    rmSync(at("x"), { recursive: true });
    expect((await repository.worktrees()).find((one) => one.path === at("x"))?.prunable).toBe(true);
    await expect(repository.worktreeStatus(at("x"))).rejects.toMatchObject({ reason: "WorktreeMissing" });
    await repository.addWorktree({ path: at("y"), commit: "main", branch: "task" });
    expect((await repository.worktrees()).map((one) => one.path)).toEqual([repository.path, at("y")]);
  });

  it("given a worktree on a disk that is not mounted, when its branch is wanted elsewhere, then it is refused", async () => {
    await repository.addWorktree({ path: join(site.root, "mount", "x"), commit: "main", branch: "task" });
    rmSync(join(site.root, "mount"), { recursive: true });
    await expect(repository.addWorktree({ path: at("y"), commit: "main", branch: "task" })).rejects.toMatchObject({
      reason: "BranchCheckedOut",
    });
  });

  it("given a removal that was killed half-way, when added or removed again, then it is finished first", async () => {
    for (const name of ["x", "y"]) {
      await repository.addWorktree({ path: at(name), commit: "main", branch: name });
      writeFileSync(join(record(name), "town-removing"), "");
      rmSync(join(at(name), ".git"));
      rmSync(join(at(name), "d1"), { recursive: true });
    }
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "x" });
    expect(files(at("x"))).toBe(41);
    await repository.removeWorktree(at("y"));
    expect(existsSync(at("y"))).toBe(false);
    expect(await repository.worktrees()).toHaveLength(2);
  });

  it("given read-only directories in a worktree, when removed, then they go too", async () => {
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "x" });
    mkdirSync(join(at("x"), "cache/deep"), { recursive: true });
    writeFileSync(join(at("x"), "cache/deep/f"), "x");
    chmodSync(join(at("x"), "cache/deep"), 0o500);
    chmodSync(join(at("x"), "cache"), 0o500);
    await repository.removeWorktree(at("x"));
    expect(existsSync(at("x"))).toBe(false);
  });

  it("given a rebase or bisect in a worktree, when added again, then it is adopted; when reset, it is over", async () => {
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    writeFileSync(join(at("x"), "d0/f0"), "ours\n");
    await repository.commitAll(at("x"), "ours", ada, ada);
    writeFileSync(join(repository.path, "d0/f0"), "theirs\n");
    const theirs = (await repository.commitAll(repository.path, "theirs", ada, ada)) ?? "";
    expect(() => site.sh(at("x"), "rebase", "main")).toThrow();
    expect(await repository.worktreeStatus(at("x"))).toMatchObject({
      branch: undefined,
      inProgress: "Rebase",
      changed: ["d0/f0"],
    });
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    expect(readFileSync(join(at("x"), "d0/f0"), "utf8")).toContain("<<<<<<<");
    await repository.resetWorktree(at("x"), theirs);
    expect(await repository.worktreeStatus(at("x"))).toEqual({
      head: theirs,
      branch: undefined,
      changed: [],
      untracked: [],
      inProgress: undefined,
    });
    for (const [begin, state] of [
      [["merge", "task"], "Merge"],
      [["cherry-pick", "task"], "CherryPick"],
      [["bisect", "start"], "Bisect"],
    ] as const) {
      try {
        site.sh(at("x"), ...begin);
      } catch {
        // A conflict is what was wanted.
      }
      expect((await repository.worktreeStatus(at("x"))).inProgress).toBe(state);
      await repository.resetWorktree(at("x"), theirs);
      expect((await repository.worktreeStatus(at("x"))).inProgress).toBeUndefined();
    }
  });

  it("given a conflicted merge, when everything is committed, then the merge is concluded with both parents", async () => {
    const base = (await repository.resolve("main")) ?? "";
    await repository.addWorktree({ path: at("x"), commit: base, branch: "task" });
    writeFileSync(join(at("x"), "d0/f0"), "ours\n");
    const ours = await repository.commitAll(at("x"), "ours", ada, ada);
    writeFileSync(join(repository.path, "d0/f0"), "theirs\n");
    const theirs = await repository.commitAll(repository.path, "theirs", ada, ada);
    expect(() => site.sh(at("x"), "merge", "main")).toThrow();
    expect(await repository.worktreeStatus(at("x"))).toMatchObject({ changed: ["d0/f0"], inProgress: "Merge" });
    writeFileSync(join(at("x"), "d0/f0"), "ours\n");
    const merged = await repository.commitAll(at("x"), "merged", ada, ada);
    expect((await repository.objects.readCommit(merged ?? ""))?.parents).toEqual([ours, theirs]);
  });

  it("given staged, renamed, submodule and oddly named changes, when status is read, then each path is there once", async () => {
    const { path } = repository;
    site.sh(path, "mv", "d0/f0", 'd0/moved "q" \n x');
    writeFileSync(join(path, "d1/f1"), "staged\n");
    site.sh(path, "add", "d1/f1");
    writeFileSync(join(path, "d1/f1"), "and again\n");
    mkdirSync(join(path, "inner"));
    site.sh(join(path, "inner"), "init", "-q");
    const status = await repository.worktreeStatus(path);
    expect(status.changed).toEqual(["d0/f0", 'd0/moved "q" \n x', "d1/f1"]);
    expect(status.untracked).toEqual(["inner/"]);
    await repository.resetWorktree(path, "main");
    expect(existsSync(join(path, "inner"))).toBe(false);
  });

  it("given an agent that works in a worktree, when its status is polled, then its git commands never meet a lock", async () => {
    await repository.addWorktree({ path: at("x"), commit: "main", branch: "task" });
    let polls = 0;
    let working = true;
    const polling = (async () => {
      while (working) {
        await repository.worktreeStatus(at("x"));
        polls += 1;
      }
    })();
    const loop =
      "for i in $(seq 1 25); do echo $i > d0/f0 && touch d*/f* && git -c user.name=a -c user.email=a@b commit -qam $i || exit 1; done";
    const agent = spawn("sh", ["-c", loop], { cwd: at("x"), env: site.environment });
    const code = await new Promise((resolve) => agent.once("close", resolve));
    working = false;
    await polling;
    expect([code, polls > 5]).toEqual([0, true]);
  });
});
