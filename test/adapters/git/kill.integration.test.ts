import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Repository } from "../../../src/ports/git.ts";
import { realSite, type RealSite } from "./git-site.ts";
import { runKilled } from "./killed-git.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

/** Each operation is killed with SIGKILL around each git call it makes and asked for again by a new process. */
describe("kill -9 around every git call", () => {
  let site: RealSite;
  let repository: Repository;
  let path: string;
  beforeEach(async () => {
    site = realSite();
    repository = await site.git.init(join(site.root, "repo"), { bare: false, branch: "main" });
    path = repository.path;
    for (let i = 0; i < 30; i++) await site.write(join(path, `d${i % 3}/f${i}`), `${i}\n`.repeat(200));
    await repository.commitAll(path, "first", ada, ada);
  });
  afterEach(async () => {
    site.sh(path, "fsck", "--strict", "--no-dangling");
    await site.close();
  });

  const around = (...subcommands: string[]) =>
    subcommands.flatMap((subcommand) => [
      { subcommand, when: "before" as const },
      { subcommand, when: "after" as const },
    ]);
  const quoted = (text: string) => JSON.stringify(text);

  it.each(
    around("worktree", "reset"),
  )("given addWorktree killed $when $subcommand, when asked again, then it is whole", async (point) => {
    const at = join(site.root, "w");
    const add = `await repository.addWorktree({ path: ${quoted(at)}, commit: "main", branch: "task" });`;
    expect(runKilled(site, path, add, point)).toBe(true);
    await expect
      .poll(() => repository.addWorktree({ path: at, commit: "main", branch: "task" }).then(() => "added"))
      .toBe("added");
    expect(await repository.worktreeStatus(at)).toMatchObject({
      branch: "refs/heads/task",
      changed: [],
      untracked: [],
      inProgress: undefined,
    });
    expect(await repository.worktrees()).toHaveLength(2);
  });

  it.each(
    around("init", "fetch", "for-each-ref", "symbolic-ref"),
  )("given cloneBare killed $when $subcommand, when asked again, then it is whole", async (point) => {
    const at = join(site.root, "c.git");
    expect(runKilled(site, path, `await git.cloneBare(${quoted(path)}, ${quoted(at)});`, point)).toBe(true);
    const clone = await site.git.cloneBare(path, at);
    expect([await clone.resolve("origin/main"), await clone.defaultBranch()]).toEqual([
      await repository.resolve("main"),
      "main",
    ]);
  });

  it.each(
    around("update-ref"),
  )("given a commit of 100 objects killed $when $subcommand, when written again, then it is there once", async (point) => {
    const write = (objects: string, refs: string) => `
        const entries = [];
        for (let i = 0; i < 100; i++) entries.push({ mode: "100644", name: "f" + i, id: await ${objects}.writeBlob("text " + i) });
        const tree = await ${objects}.writeTree(entries);
        const commit = await ${objects}.writeCommit({ tree, parents: [], message: "m", author: who, committer: who });
        const before = (await ${refs}.listRefs("refs/heads/work")).get("refs/heads/work") ?? null;
        if (before !== commit) await ${refs}.updateRefs([{ ref: "refs/heads/work", to: commit, from: null }], "r");`;
    const statements = write("repository.objects", "repository");
    expect(runKilled(site, path, statements, point)).toBe(true);
    site.sh(path, "fsck", "--strict", "--no-dangling");
    expect(runKilled(site, path, statements, { subcommand: "nothing", when: "before" })).toBe(false);
    expect(site.sh(path, "ls-tree", "--name-only", "work").split("\n")).toHaveLength(100);
  });

  it.each(
    around("add", "commit"),
  )("given commitAll killed $when $subcommand, when asked again, then nothing is lost or twice", async (point) => {
    writeFileSync(join(path, "new"), "new\n");
    const commit = `await repository.commitAll(${quoted(path)}, "second", who, who);`;
    expect(runKilled(site, path, commit, point)).toBe(true);
    await expect.poll(() => repository.commitAll(path, "second", ada, ada).then(() => "done")).toBe("done");
    expect((await repository.log(undefined, "main", 10)).map((one) => one.message)).toEqual(["first", "second"]);
    expect(await repository.worktreeStatus(path)).toMatchObject({ changed: [], untracked: [] });
  });

  it.each(
    around("pack-objects"),
  )("given packOwn killed $when $subcommand, when asked again, then nothing is lost", async (point) => {
    const ids: string[] = [];
    for (let i = 0; i < 20; i++) {
      ids.push(await repository.objects.writeBlob(`own ${i}`));
      await repository.objects.sync();
    }
    expect(runKilled(site, path, "await repository.objects.packOwn({ minimum: 1 });", point)).toBe(true);
    expect(await repository.objects.packOwn({ minimum: 1 })).toBe(20);
    expect((await repository.objects.readBlobs(ids)).size).toBe(20);
    expect((await (await site.another().open(path))?.objects.readBlobs(ids))?.size).toBe(20);
  });
});
