import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { type RealSite, realSite } from "../adapters/git/git-site.ts";
import { pool, poolText, RIG, SyncTown } from "./sync-site.ts";

describe("a town whose checkout is in any state, on real git", () => {
  let real: RealSite;
  let town: SyncTown;
  const sh = (...args: string[]): string => real.sh(town.root, ...args);
  const fileOf = (name: string, root = town.root): string => join(root, "manifests", `${name}.yaml`);

  beforeEach(async () => {
    real = realSite();
    town = await SyncTown.make(
      { git: real.git, files: createNodeFiles(), clock: systemClock, base: real.root },
      "town",
    );
    await town.commit({ "rig.yaml": RIG, "a.yaml": poolText("a"), "b.yaml": poolText("b") });
    await town.settle();
  });
  afterEach(() => real.close());

  /** The branch is followed, and a write lands on it. */
  async function expectBothWays(replicas: number): Promise<void> {
    await town.edit(pool("a"), { replicas });
    expect(town.replicas("a")).toBe(replicas);
    expect(sh("show", "main:manifests/a.yaml")).toContain(`replicas: ${replicas}`);
  }

  test("given a detached HEAD, when written, then the branch moves and the checkout is left as it is", async () => {
    sh("checkout", "--quiet", "--detach");
    await expectBothWays(2);
    expect(readFileSync(fileOf("a"), "utf8")).toBe(poolText("a"));
    expect(sh("status", "--porcelain")).toBe("");
  });

  test("given another branch checked out, when written and when that branch gets commits, then only the tracked one counts", async () => {
    sh("checkout", "--quiet", "-b", "idea");
    await town.commit({ "a.yaml": poolText("a", 50) });
    town = await town.reborn();
    expect(await town.settle()).toMatchObject({ status: "True" });
    expect(town.replicas("a")).toBe(1);
    await expectBothWays(3);
    expect(readFileSync(fileOf("a"), "utf8")).toBe(poolText("a", 50));
  });

  test("given packed refs, when read and written, then nothing is different", async () => {
    sh("pack-refs", "--all", "--prune");
    expect(await town.settle()).toMatchObject({ status: "True" });
    await expectBothWays(4);
    sh("pack-refs", "--all", "--prune");
    await expectBothWays(5);
    expect(sh("status", "--porcelain")).toBe("");
  });

  test("given a linked worktree with the branch, when written, then its files follow and the main checkout is left alone", async () => {
    sh("checkout", "--quiet", "-b", "other");
    sh("worktree", "add", "--quiet", "../linked", "main");
    await expectBothWays(6);
    const linked = join(real.root, "linked");
    expect(readFileSync(fileOf("a", linked), "utf8")).toBe(poolText("a", 6));
    expect(real.sh(linked, "status", "--porcelain")).toBe("");
    expect(readFileSync(fileOf("a"), "utf8")).toBe(poolText("a"));
  });

  test.each([
    { name: "rebase", begin: ["rebase", "--quiet", "main", "topic"], abort: ["rebase", "--abort"] },
    { name: "merge", begin: ["merge", "--quiet", "topic"], abort: ["merge", "--abort"] },
    { name: "cherry-pick", begin: ["cherry-pick", "topic"], abort: ["cherry-pick", "--abort"] },
  ])("given a $name in progress, when read and written, then the branch is followed, and a write of it is a 409 that says what to do", async ({
    name,
    begin,
    abort,
  }) => {
    sh("checkout", "--quiet", "-b", "topic");
    await town.commit({ "a.yaml": poolText("a", 7) });
    sh("checkout", "--quiet", "main");
    await town.commit({ "a.yaml": poolText("a", 8) });
    sh("config", "town.branch", name === "rebase" ? "topic" : "main");
    town = await town.reborn();
    expect(() => sh(...begin)).toThrow();
    await town.settle();
    expect(town.replicas("a")).toBe(name === "rebase" ? 7 : 8);
    await expect(town.edit(pool("b"), { replicas: 2 })).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining(`a ${name} is in progress`),
      hint: expect.stringContaining(`git ${name} --abort`),
    });
    sh(...abort);
    await town.edit(pool("b"), { replicas: 2 });
    expect(town.replicas("b")).toBe(2);
  });

  test("given edited, staged and deleted files, when written, then theirs are a 409 and others go through", async () => {
    writeFileSync(fileOf("a"), poolText("a", 9));
    const change = (name: string) => town.edit(pool(name), { suspend: true });
    await expect(change("a")).rejects.toMatchObject({ code: 409, message: expect.stringContaining("not committed") });
    sh("add", "--all");
    await expect(change("a")).rejects.toMatchObject({ code: 409, message: expect.stringContaining("staged changes") });
    await change("b");
    expect(sh("status", "--porcelain")).toBe("M  manifests/a.yaml");
    sh("reset", "--quiet", "--hard");
    rmSync(fileOf("a"));
    await expect(change("a")).rejects.toMatchObject({ code: 409 });
    expect(await town.settle()).toMatchObject({ status: "True" });
    expect(town.replicas("a")).toBe(1);
  });

  test("given another git that holds the index, when written, then 409 says so, and the write goes through once it is gone", async () => {
    const lock = join(town.root, ".git", "index.lock");
    writeFileSync(lock, "");
    await expect(town.edit(pool("a"), { replicas: 2 })).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("holds the index"),
    });
    rmSync(lock);
    await expectBothWays(2);
  });

  test("given the branch rebased by a person, when synced, then it is an ordinary sync with an Event", async () => {
    await town.commit({ "b.yaml": poolText("b", 5) });
    await town.settle();
    sh("commit", "--quiet", "--amend", "--message", "amended");
    expect(await town.settle()).toMatchObject({ status: "True" });
    expect(town.events({ kind: "Town", name: "hq" })).toContain("HistoryRewritten");
    await expectBothWays(3);
  });
});
