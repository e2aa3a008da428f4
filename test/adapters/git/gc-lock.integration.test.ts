import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { takeGcLock } from "../../../src/adapters/git/gc-lock.ts";
import { realSite, type RealSite } from "./git-site.ts";

let site: RealSite | undefined;
afterEach(async () => site?.close());

/** A repository with a commit; answers its git directory. */
function repository(): { readonly path: string; readonly directory: string } {
  site = realSite();
  const path = join(site.root, "user");
  site.sh(site.root, "init", "--quiet", path);
  site.sh(path, "commit", "--quiet", "--allow-empty", "-m", "first");
  return { path, directory: join(path, ".git") };
}

/** A pid that no process has: beyond the largest there can be. */
const nobody = 4_194_304 + 7;

describe("the lock against git gc", () => {
  test("given it is held, when the user collects garbage, then git says that it runs already; released, it does its work", async () => {
    const { path, directory } = repository();
    const lock = await takeGcLock(directory);
    expect(() => site?.sh(path, "gc", "--quiet")).toThrow(/already running/);
    expect(await takeGcLock(directory)).toBeUndefined();
    await lock?.release();
    site?.sh(path, "gc", "--quiet");
    expect(readdirSync(directory).filter((name) => name.startsWith("gc."))).toEqual([]);
  });

  test("given a collection that runs, then it is not taken; given one that died, or left its lock, then it is", async () => {
    const { directory } = repository();
    const pid = join(directory, "gc.pid");
    writeFileSync(pid, `${process.ppid} ${hostname()}`);
    expect(await takeGcLock(directory)).toBeUndefined();
    writeFileSync(pid, `${nobody} elsewhere.example`);
    expect(await takeGcLock(directory)).toBeUndefined();
    writeFileSync(pid, `${nobody} ${hostname()}`);
    await (await takeGcLock(directory))?.release();
    expect(existsSync(pid)).toBe(false);
    // Somebody is just about to take it.
    writeFileSync(`${pid}.lock`, "");
    expect(await takeGcLock(directory)).toBeUndefined();
  });

  test("given many objects written at once, then the pack is kept from git gc only until it is whole; what a dead process left is let go", async () => {
    const { path, directory } = repository();
    const git = site?.another();
    const opened = await git?.open(path);
    for (let i = 0; i < 60; i++) await opened?.objects.writeBlob(`text ${i}`);
    await opened?.objects.sync();
    const packs = join(directory, "objects", "pack");
    const keeps = (): readonly string[] => readdirSync(packs).filter((name) => name.endsWith(".keep"));
    expect(keeps()).toEqual([]);
    writeFileSync(join(packs, "pack-dead.keep"), `town ${nobody} ${hostname()}\n`);
    writeFileSync(join(packs, "pack-mine.keep"), "for a reason of my own\n");
    await opened?.objects.packOwn({ minimum: 1 });
    expect(keeps()).toEqual(["pack-mine.keep"]);
    expect(readFileSync(join(packs, "pack-mine.keep"), "utf8")).toContain("my own");
  });
});
