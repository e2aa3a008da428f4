import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LockedCheckout } from "../../../src/ports/checkout.ts";
import type { Repository } from "../../../src/ports/git.ts";
import { checkoutContract } from "../../ports/checkout.contract.ts";
import { realSite, type RealSite } from "./git-site.ts";

checkoutContract("real git", async () => realSite());

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };
const MAIN = "refs/heads/main";

describe("CheckoutLocks", () => {
  let site: RealSite;
  let repository: Repository;
  let path: string;
  beforeEach(async () => {
    site = realSite();
    path = join(site.root, "town");
    repository = await site.git.init(path, { bare: false, branch: "main" });
    for (const name of ["a.yaml", "b.yaml"]) await site.write(join(path, "manifests", name), `${name}: 1\n`);
    await repository.commitAll(path, "first", ada, ada);
  });
  afterEach(() => site.close());

  async function locked(from: Repository = repository): Promise<LockedCheckout> {
    const lock = await from.lockCheckout(MAIN);
    if (lock.state !== "Locked") throw new Error(lock.state);
    return lock.checkout;
  }
  const version = async (text: string) => ({ mode: "100644", id: await repository.objects.writeBlob(text) });

  it("given a held checkout, when git would commit there, then git refuses and the lock names its owner", async () => {
    const checkout = await locked();
    expect(JSON.parse(readFileSync(join(path, ".git/index.lock"), "utf8"))).toMatchObject({
      town: "commit",
      version: 1,
      owner: { pid: process.pid },
    });
    expect(() => site.sh(path, "commit", "--allow-empty", "-m", "x")).toThrow(/index\.lock/);
    await checkout.release();
    site.sh(path, "commit", "--allow-empty", "-m", "x");
  });

  it("given a lock of git's own, when locked, then it is busy and the lock stays", async () => {
    writeFileSync(join(path, ".git/index.lock"), "");
    expect(await repository.lockCheckout(MAIN)).toEqual({ state: "Busy", path });
    expect(existsSync(join(path, ".git/index.lock"))).toBe(true);
  });

  it("given a lock of a Town that died, when locked, then it is taken over; of one that lives, then it is busy", async () => {
    const owner = { pid: 4_000_000, startTime: "1", bootId: "b" };
    const text = JSON.stringify({ town: "commit", version: 1, owner });
    const alive = site.another({ owners: { self: async () => ({ ...owner, pid: 1 }), probe: async () => "Alive" } });
    const dead = site.another({ owners: { self: async () => ({ ...owner, pid: 1 }), probe: async () => "Dead" } });
    const unknown = site.another({
      owners: { self: async () => ({ ...owner, pid: 1 }), probe: async () => "Unknown" },
    });
    writeFileSync(join(path, ".git/index.lock"), text);
    for (const other of [alive, unknown])
      expect(await (await other.open(path))?.lockCheckout(MAIN)).toMatchObject({ state: "Busy" });
    const lock = await (await dead.open(path))?.lockCheckout(MAIN);
    expect(lock?.state).toBe("Locked");
    if (lock?.state === "Locked") await lock.checkout.release();
    expect(existsSync(join(path, ".git/index.lock"))).toBe(false);
  });

  it("given a rebase of the branch that stopped, when locked, then it is told; after the rebase it is free", async () => {
    site.sh(path, "checkout", "-q", "-b", "other");
    writeFileSync(join(path, "manifests/a.yaml"), "other\n");
    site.sh(path, "commit", "-qam", "other");
    site.sh(path, "checkout", "-q", "main");
    writeFileSync(join(path, "manifests/a.yaml"), "main\n");
    site.sh(path, "commit", "-qam", "main");
    expect(() => site.sh(path, "rebase", "other")).toThrow();
    expect(await repository.lockCheckout(MAIN)).toEqual({ state: "InProgress", path, operation: "Rebase" });
    site.sh(path, "rebase", "--abort");
    await (await locked()).release();
    expect(() => site.sh(path, "merge", "other")).toThrow();
    expect(await repository.lockCheckout(MAIN)).toEqual({ state: "InProgress", path, operation: "Merge" });
    expect(existsSync(join(path, ".git/index.lock"))).toBe(false);
  });

  it.each([
    ["version 2", ["-c", "index.version=2"]],
    ["version 4", ["-c", "index.version=4"]],
    ["split", ["update-index", "--split-index"]],
    ["with untracked cache", ["update-index", "--untracked-cache"]],
  ])("given an index %s with many paths, when staged, then git finds it sound and the rest unchanged", async (_, how) => {
    for (let number = 0; number < 40; number += 1)
      await site.write(join(path, `dir${number % 5}/some file ${number}.txt`), `${number}\n`);
    if (how[0] === "-c") {
      site.sh(path, "config", "index.version", how[1]?.slice(-1) ?? "");
      site.sh(path, "add", "-A");
    } else {
      site.sh(path, "add", "-A");
      site.sh(path, ...how);
    }
    site.sh(path, "commit", "-qm", "many");
    site.sh(path, "update-index", "--assume-unchanged", "dir0/some file 0.txt");
    const before = site.sh(path, "ls-files", "-s", "-v").split("\n");
    const checkout = await locked();
    const a = await checkout.inspect(["manifests/a.yaml", "dir1/some file 1.txt"]);
    expect(a.get("manifests/a.yaml")?.index).toEqual(a.get("manifests/a.yaml")?.disk);
    expect(a.get("dir1/some file 1.txt")?.index).toMatchObject({ mode: "100644" });
    await checkout.placeFile("manifests/a.yaml", { text: "new\n", mode: "100644" });
    await checkout.placeFile("manifests/é new.yaml", { text: "n\n", mode: "100644" });
    await checkout.placeFile("manifests/b.yaml", null);
    await repository.objects.sync();
    await checkout.stage(
      new Map([
        ["manifests/a.yaml", await version("new\n")],
        ["manifests/é new.yaml", await version("n\n")],
        ["manifests/b.yaml", null],
      ]),
    );
    await repository.objects.sync();
    await checkout.release();
    expect(site.sh(path, "-c", "core.quotePath=false", "status", "--porcelain").split("\n").sort()).toEqual(
      ['A  "manifests/é new.yaml"', "D  manifests/b.yaml", "M  manifests/a.yaml"].sort(),
    );
    const after = site.sh(path, "ls-files", "-s", "-v").split("\n");
    expect(after.filter((line) => line.includes("dir"))).toEqual(before.filter((line) => line.includes("dir")));
    site.sh(path, "fsck", "--strict");
    site.sh(path, "commit", "-qm", "staged");
    expect(site.sh(path, "status", "--porcelain")).toBe("");
  });

  it("given sha256 objects, when staged, then git finds it sound", async () => {
    const other = join(site.root, "sha256");
    site.sh(site.root, "init", "-q", "--object-format=sha256", "-b", "main", other);
    const opened = await site.git.open(other);
    if (opened === undefined) throw new Error("not opened");
    await site.write(join(other, "a.yaml"), "a\n");
    await opened.commitAll(other, "first", ada, ada);
    const checkout = await locked(opened);
    const found = (await checkout.inspect(["a.yaml"])).get("a.yaml");
    expect(found?.index).toEqual(found?.disk);
    await checkout.placeFile("a.yaml", { text: "b\n", mode: "100644" });
    await checkout.stage(new Map([["a.yaml", { mode: "100644", id: await opened.objects.writeBlob("b\n") }]]));
    await opened.objects.sync();
    await checkout.release();
    expect(site.sh(other, "status", "--porcelain")).toBe("M  a.yaml");
  });

  it("given line ends that git converts, when inspected, then the file counts as unchanged", async () => {
    site.sh(path, "config", "core.autocrlf", "true");
    writeFileSync(join(path, "manifests/a.yaml"), "a.yaml: 1\r\n");
    const checkout = await locked();
    const found = (await checkout.inspect(["manifests/a.yaml"])).get("manifests/a.yaml");
    expect(found?.disk).toEqual(found?.index);
    await checkout.release();
  });

  it("given a directory that is a link, when inspected or written, then it is refused", async () => {
    symlinkSync("/tmp", join(path, "linked"));
    const checkout = await locked();
    expect((await checkout.inspect(["linked/x.yaml"])).get("linked/x.yaml")?.disk).toBe("Other");
    await expect(checkout.placeFile("linked/x.yaml", { text: "x", mode: "100644" })).rejects.toMatchObject({
      reason: "PathLeavesCheckout",
    });
    await checkout.release();
  });

  it("given conflicting sides in the index, when inspected, then they are told", async () => {
    const id = site.sh(path, "rev-parse", "HEAD:manifests/a.yaml");
    const info = [1, 2, 3].map((stage) => `100644 ${id} ${stage}\tmanifests/a.yaml`).join("\n");
    site.sh(path, "rm", "-q", "--cached", "manifests/a.yaml");
    writeFileSync(join(site.root, "info"), `${info}\n`);
    site.sh(path, "-c", "alias.ui=!sh -c 'git update-index --index-info < \"$0\"'", "ui", join(site.root, "info"));
    const checkout = await locked();
    expect((await checkout.inspect(["manifests/a.yaml"])).get("manifests/a.yaml")?.index).toBe("Unmerged");
    await checkout.release();
  });

  it("given a git directory elsewhere, when locked, then its checkout is found", async () => {
    const elsewhere = join(site.root, "elsewhere");
    site.sh(site.root, "init", "-q", "-b", "main", `--separate-git-dir=${join(site.root, "store")}`, elsewhere);
    const opened = await site.git.open(elsewhere);
    if (opened === undefined) throw new Error("not opened");
    await site.write(join(elsewhere, "a.yaml"), "a\n");
    await opened.commitAll(elsewhere, "first", ada, ada);
    const checkout = await locked(opened);
    expect(checkout.path).toBe(elsewhere);
    await checkout.release();
  });
});
