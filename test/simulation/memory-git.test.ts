import { describe, expect, it } from "vitest";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import type { MemoryObjects } from "../../src/simulation/memory-git-objects.ts";
import { gitObjectsContract } from "../ports/git-objects.contract.ts";
import { gitContract } from "../ports/git.contract.ts";
import { memoryGitSite } from "./memory-git-site.ts";

gitObjectsContract("in memory", async () => {
  const repository = await new MemoryGit().init("/r.git", { bare: true, branch: "main" });
  const objects = repository.objects as MemoryObjects;
  return {
    objects,
    lose: (id) => objects.lose(id),
    collect: (runs) => {
      objects.collected = runs;
    },
    close: async () => {},
  };
});

gitContract("in memory", async () => memoryGitSite());

describe("MemoryGit", () => {
  it("given objects that nothing made durable, when the machine crashes, then they are gone and refs never dangle", async () => {
    const git = new MemoryGit();
    const repository = await git.init("/r.git", { bare: true, branch: "main" });
    const kept = await repository.objects.writeBlob("kept");
    const tree = await repository.objects.writeTree([{ mode: "100644", name: "a", id: kept }]);
    const who = { name: "A", email: "a@x" };
    const commit = await repository.objects.writeCommit({
      tree,
      parents: [],
      message: "m",
      author: who,
      committer: who,
    });
    await repository.updateRefs([{ ref: "refs/heads/main", to: commit }], "r");
    const lost = await repository.objects.writeBlob("lost");
    const lucky = await repository.objects.writeBlob("lucky");
    git.crash((id) => id === lucky);
    expect(await repository.objects.readBlob(kept)).toBe("kept");
    expect(await repository.objects.readBlob(lucky)).toBe("lucky");
    expect(await repository.objects.readBlob(lost)).toBeUndefined();
    expect(await repository.resolve("main")).toBe(commit);
  });

  it("given an unreachable remote, when fetched, then it throws until it is reachable again", async () => {
    const git = new MemoryGit();
    const origin = await git.init("/o.git", { bare: true, branch: "main" });
    const clone = await git.cloneBare(`file://${origin.path}`, "/c.git");
    git.unreachable.add(origin.path);
    await expect(clone.fetch("origin", [])).rejects.toMatchObject({ reason: "RemoteUnreachable" });
    git.unreachable.clear();
    await clone.fetch("origin", []);
  });

  it("given a simulated agent, when it edits and commits in a worktree, then the branch moves", async () => {
    const git = new MemoryGit({ clock: { now: () => 1_000_000 } });
    const repository = await git.init("/r", { bare: false, branch: "main" });
    await git.writeFile("/r", "a", "1\n");
    await git.commit("/r", "first");
    await repository.addWorktree({ path: "/w", commit: "main", branch: "task" });
    await git.writeFile("/w", "a", "2\n");
    const id = await git.commit("/w", "work", { name: "Toast", email: "t@x" });
    expect(await repository.resolve("task")).toBe(id);
    expect((await repository.objects.readCommit(id ?? ""))?.author).toEqual({
      name: "Toast",
      email: "t@x",
      timeMs: 1_000_000,
    });
    expect(await git.readFile("/r", "a")).toBe("1\n");
  });
});
