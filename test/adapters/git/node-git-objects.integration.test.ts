import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../../src/simulation/seeded-random.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitCommand } from "../../../src/adapters/git/git-command.ts";
import { NodeGitObjects } from "../../../src/adapters/git/node-git-objects.ts";
import { realSite, type RealSite } from "./git-site.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

describe("NodeGitObjects", () => {
  let site: RealSite;
  let path: string;
  let objects: NodeGitObjects;
  beforeEach(() => {
    site = realSite();
    path = join(site.root, "r.git");
    site.sh(site.root, "init", "-q", "--bare", path);
    objects = another();
  });
  afterEach(async () => {
    await objects.close();
    await site.close();
  });

  const another = () =>
    new NodeGitObjects({
      command: new GitCommand({ environment: site.environment }),
      commonDirectory: path,
      hash: "sha1",
    });
  const loose = (id: string) => join(path, "objects", id.slice(0, 2), id.slice(2));
  const packs = () => readdirSync(join(path, "objects/pack")).filter((name) => name.endsWith(".pack"));
  const type = (id: string) =>
    execFileSync("git", ["--git-dir", path, "cat-file", "-t", id], { env: site.environment, encoding: "utf8" }).trim();

  async function writeHistory(commits: number, filesEach: number): Promise<string> {
    let parent: string | undefined;
    for (let c = 0; c < commits; c++) {
      const entries = [];
      for (let f = 0; f < filesEach; f++)
        entries.push({ mode: "100644" as const, name: `f${f}`, id: await objects.writeBlob(`${c} ${f}\n`) });
      parent = await objects.writeCommit({
        tree: await objects.writeTree(entries),
        parents: parent === undefined ? [] : [parent],
        message: `${c}`,
        author: ada,
        committer: ada,
      });
      await objects.sync();
    }
    return parent ?? "";
  }

  it("given few objects, when synced, then they are loose, read-only, and git reads them", async () => {
    const head = await writeHistory(1, 3);
    expect(packs()).toEqual([]);
    expect(statSync(loose(head)).mode & 0o777).toBe(0o444);
    expect(type(head)).toBe("commit");
    expect(readdirSync(join(path, "objects", head.slice(0, 2))).filter((name) => name.startsWith("tmp"))).toEqual([]);
    site.sh(path, "fsck", "--strict", head);
  });

  it("given a file that is written as it is, when synced, then its place is not remembered for when it is written again", async () => {
    const put = async (): Promise<string> => {
      const blob = await objects.writeBlob("as it is\n");
      await objects.changeTree(objects.emptyTree, new Map([["a/b.txt", blob]]));
      await objects.sync();
      return blob;
    };
    const blob = await put();
    await put();
    rmSync(loose(blob));
    await objects.writeBlob("as it is\n");
    await objects.sync();
    expect(existsSync(loose(blob))).toBe(true);
    const noted = readFileSync(join(path, "town/own-objects.v1"), "utf8").split("\n");
    expect(noted.filter((line) => line === blob)).toHaveLength(2);
    expect(noted.filter((line) => line.startsWith(`name ${blob} `))).toEqual([`name ${blob} a/b.txt`]);
  });

  it("given many objects, when synced, then they are one pack and git reads them", async () => {
    const head = await writeHistory(1, 200);
    expect(packs()).toHaveLength(1);
    expect(existsSync(loose(head))).toBe(false);
    site.sh(path, "fsck", "--strict", head);
    expect((await another().readTree((await another().readCommit(head))?.tree ?? "")).length).toBe(200);
  });

  it("given a sha256 repository and many objects, when synced and packed, then git verifies the packs and reads them", async () => {
    const large = join(site.root, "sha256.git");
    site.sh(site.root, "init", "-q", "--bare", "--object-format=sha256", large);
    const command = new GitCommand({ environment: site.environment });
    const other = new NodeGitObjects({ command, commonDirectory: large, hash: "sha256" });
    let tree = other.emptyTree;
    for (let round = 0; round < 2; round++) {
      const files = new Map<string, string>();
      for (let i = 0; i < 200; i++)
        files.set(`${i % 7}/${i}`, await other.writeBlob(`${round} ${i}\n`.repeat(1 + (i % 9) * 40)));
      tree = await other.changeTree(tree, files);
      await other.sync();
    }
    const commit = await other.writeCommit({ tree, parents: [], message: "m", author: ada, committer: ada });
    await other.sync();
    const found = () => readdirSync(join(large, "objects/pack")).filter((name) => name.endsWith(".idx"));
    expect(found()).toHaveLength(2);
    site.sh(large, "verify-pack", ...found().map((name) => `objects/pack/${name}`));
    expect(await other.packOwn({ minimum: 2 })).toBeGreaterThan(400);
    expect(found()).toHaveLength(1);
    site.sh(large, "fsck", "--strict", commit);
    await other.close();
  });

  it("given many versions of one large directory in several packs, when packed, then they are stored as what differs", async () => {
    const text = (i: number) => `${i} `.repeat(200);
    const all = new Map<string, string>();
    for (let i = 0; i < 250; i++) all.set(`d/${i}.json`, await objects.writeBlob(text(i)));
    let tree = await objects.changeTree(objects.emptyTree, all);
    await objects.sync();
    const size = () =>
      readdirSync(join(path, "objects/pack")).reduce(
        (sum, name) => sum + statSync(join(path, "objects/pack", name)).size,
        0,
      );
    await objects.packOwn({ minimum: 1 });
    const before = size();
    for (let round = 0; round < 40; round++) {
      const changes = new Map<string, string>();
      for (let i = 0; i < 30; i++)
        changes.set(`d/${(round * 7 + i) % 250}.json`, await objects.writeBlob(`${text(i)}${round}`));
      tree = await objects.changeTree(tree, changes);
      await objects.sync();
      if (round % 10 === 9) await objects.packOwn({ minimum: 1 });
    }
    await objects.packOwn({ minimum: 1 });
    // 40 versions of a directory of 10 kB and 1,200 of files of a kilobyte.
    expect(size() - before).toBeLessThan(200_000);
    const commit = await objects.writeCommit({ tree, parents: [], message: "m", author: ada, committer: ada });
    await objects.sync();
    site.sh(path, "fsck", "--strict", commit);
  });

  it("given a large pack of files whose paths nobody remembers, when later versions are packed with a tip, then they are stored as what differs", async () => {
    const random = seededRandom("packs");
    const texts = Array.from({ length: 1_200 }, () => random.base36(2_000));
    const files = new Map<string, string>();
    for (const [i, text] of texts.entries()) files.set(`d${i % 20}/${i}.json`, await objects.writeBlob(text));
    let tree = await objects.changeTree(objects.emptyTree, files);
    const parent = await objects.writeCommit({ tree, parents: [], message: "1", author: ada, committer: ada });
    await objects.sync();
    await objects.packOwn({ minimum: 1 });
    const list = join(path, "town/own-objects.v1.packer");
    writeFileSync(list, readFileSync(list, "utf8").replaceAll(/^name .*\n/gm, ""));
    const bytes = (): number => packs().reduce((sum, name) => sum + statSync(join(path, "objects/pack", name)).size, 0);
    const before = bytes();
    const changes = new Map<string, string>();
    for (let i = 0; i < 200; i++) changes.set(`d${i % 20}/${i}.json`, await objects.writeBlob(`${texts[i]} and more`));
    tree = await objects.changeTree(tree, changes);
    const tip = await objects.writeCommit({ tree, parents: [parent], message: "2", author: ada, committer: ada });
    await objects.sync();
    expect(await objects.packOwn({ minimum: 1, tip })).toBeGreaterThan(1_400);
    expect(packs()).toHaveLength(1);
    // The 200 versions are 400 kB.
    expect(bytes() - before).toBeLessThan(60_000);
    site.sh(path, "fsck", "--strict", tip);
  });

  it("given very many small packs, when packed, then they are joined though they hold few objects", async () => {
    for (let i = 0; i < 21; i++) await writeHistory(1, 30 + i);
    expect(packs().length).toBeGreaterThan(20);
    expect(await objects.packOwn()).toBeGreaterThan(0);
    expect(packs()).toHaveLength(1);
    site.sh(path, "fsck", "--strict");
  });

  it("given a process that died between a pack and its index, when the objects are written again, then they are whole", async () => {
    const head = await writeHistory(1, 60);
    const [name = ""] = readdirSync(join(path, "objects/pack")).filter((file) => file.endsWith(".idx"));
    await site.remove(join(path, "objects/pack", name));
    await objects.close();
    objects = another();
    expect(await objects.readCommit(head)).toBeUndefined();
    expect(await writeHistory(1, 60)).toBe(head);
    site.sh(path, "fsck", "--strict", head);
    expect(packs()).toHaveLength(1);
  });

  it("given objects that nothing synced, when another process looks, then it sees none, and all after the sync", async () => {
    const id = await objects.writeBlob("x");
    const other = another();
    expect(await objects.readBlob(id)).toBe("x");
    expect(await other.readBlob(id)).toBeUndefined();
    await objects.sync();
    expect(await other.readBlob(id)).toBe("x");
    await other.close();
  });

  it("given a disk that refuses, when synced, then it throws and a later sync writes everything", async () => {
    const id = await objects.writeBlob("x");
    await site.write(join(path, "objects", id.slice(0, 2)), "a file where a directory belongs");
    await expect(objects.sync()).rejects.toMatchObject({
      name: "AdapterError",
      code: expect.stringMatching(/ENOTDIR|EEXIST/),
    });
    expect(await objects.readBlob(id)).toBe("x");
    await site.remove(join(path, "objects", id.slice(0, 2)));
    await objects.sync();
    expect(type(id)).toBe("blob");
  });

  it("given an object that the repository has, loose or packed, when written again, then nothing is written and gc will not take it", async () => {
    const head = await writeHistory(1, 2);
    site.sh(path, "update-ref", "refs/heads/main", head);
    const extra = await objects.writeBlob("extra");
    await objects.sync();
    const old = new Date(Date.now() - 30 * 86_400_000);
    utimesSync(loose(extra), old, old);
    await objects.writeBlob("extra");
    await objects.sync();
    expect(statSync(loose(extra)).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
    site.sh(path, "repack", "-q", "-a", "-d");
    const again = another();
    const blob = await again.writeBlob("0 0\n");
    await again.sync();
    await again.close();
    expect(existsSync(loose(blob))).toBe(false);
  });

  it("given own loose objects, small packs and a user's, when packed, then own ones are one pack and the user's are untouched", async () => {
    const theirs = execFileSync("git", ["--git-dir", path, "hash-object", "-w", "--stdin"], {
      env: site.environment,
      encoding: "utf8",
      input: "theirs",
    }).trim();
    let head = "";
    for (const files of [10, 60, 70]) head = await writeHistory(3, files);
    site.sh(path, "update-ref", "refs/heads/main", head);
    expect(packs().length).toBeGreaterThan(2);
    expect(await objects.packOwn({ minimum: 100_000 })).toBe(0);
    const packed = await objects.packOwn({ minimum: 10 });
    expect(packed).toBeGreaterThan(200);
    expect(packs()).toHaveLength(1);
    expect(existsSync(loose(theirs))).toBe(true);
    expect(site.sh(path, "count-objects")).toMatch(/^1 objects/);
    expect(await objects.packOwn({ minimum: 1 })).toBe(0);
    site.sh(path, "fsck", "--strict");
    expect((await objects.readCommit(head))?.message).toBe("2");
    await writeHistory(1, 5);
    expect(await objects.packOwn({ minimum: 1 })).toBeGreaterThan(0);
    expect(packs()).toHaveLength(2);
    site.sh(path, "fsck", "--strict");
  });

  it("given a packer that was killed between its steps, when packed again, then nothing is lost and nothing stays behind", async () => {
    const head = await writeHistory(5, 10);
    site.sh(path, "update-ref", "refs/heads/main", head);
    const list = join(path, "town/own-objects.v1");
    const before = readFileSync(list, "utf8");
    const saved = join(site.root, "saved");
    cpSync(join(path, "objects"), saved, { recursive: true });
    await objects.packOwn({ minimum: 1 });
    // Killed after the pack was written and before anything was removed; the list had been taken but not noted.
    cpSync(saved, join(path, "objects"), { recursive: true });
    writeFileSync(`${list}.packer`, "");
    writeFileSync(`${list}.taken`, before);
    await writeHistory(1, 2);
    expect(await objects.packOwn({ minimum: 1 })).toBeGreaterThan(50);
    site.sh(path, "fsck", "--strict");
    expect(site.sh(path, "count-objects")).toMatch(/^0 objects/);
    expect(existsSync(`${list}.taken`)).toBe(false);
    expect(type(head)).toBe("commit");
  });

  it("given a reader that is killed, when read, then the answers still come", async () => {
    const ids = await Promise.all(Array.from({ length: 400 }, (_, i) => objects.writeBlob(`${i}\n`.repeat(500))));
    await objects.sync();
    const reader = another();
    await reader.readBlob(ids[0] ?? "");
    const reads = Promise.all(ids.map((id) => reader.readBlob(id)));
    process.kill(reader.reader.service.pid ?? 0, "SIGKILL");
    expect((await reads).map((text) => text?.split("\n")[0])).toEqual(ids.map((_, i) => `${i}`));
    process.kill(reader.reader.service.pid ?? 0, "SIGKILL");
    expect(await reader.readBlob(ids[3] ?? "")).toContain("3\n");
    await reader.close();
  });

  it("given an idle process, when its time is over, then it ends and the next request starts another", async () => {
    const { ObjectReader } = await import("../../../src/adapters/git/object-reader.ts");
    const reader = new ObjectReader(
      new GitCommand({ environment: site.environment }),
      { gitDirectory: path },
      { idleMs: 50 },
    );
    expect(await reader.info("0".repeat(40))).toBeUndefined();
    const first = reader.service.pid;
    await expect.poll(() => reader.service.pid).toBeUndefined();
    await expect.poll(() => isAlive(first ?? 0)).toBe(false);
    expect(await reader.info(objects.emptyTree)).toMatchObject({ type: "tree" });
    await reader.service.close();
  });

  it("given a process that is old, when nothing waits any more, then it ends; what was asked is answered", async () => {
    const { ObjectReader } = await import("../../../src/adapters/git/object-reader.ts");
    const reader = new ObjectReader(
      new GitCommand({ environment: site.environment }),
      { gitDirectory: path },
      { lifetimeMs: 0 },
    );
    for (let round = 0; round < 3; round++) {
      const asked = Array.from({ length: 50 }, () => reader.info(objects.emptyTree));
      await asked[0];
      const pid = reader.service.pid;
      expect((await Promise.all(asked)).map((found) => found?.type)).toEqual(asked.map(() => "tree"));
      expect(reader.service.pid).toBeUndefined();
      if (pid !== undefined) await expect.poll(() => isAlive(pid)).toBe(false);
    }
    const young = new ObjectReader(new GitCommand({ environment: site.environment }), { gitDirectory: path });
    await young.info(objects.emptyTree);
    const { pid } = young.service;
    await young.info(objects.emptyTree);
    expect(young.service.pid).toBe(pid);
    await young.service.close();
  });

  it("given a process that hangs, when asked, then it is killed and the request fails in time", async () => {
    const program = join(site.root, "hang");
    await site.write(program, "#!/bin/sh\nexec sleep 600\n");
    chmodSync(program, 0o755);
    const { ObjectReader } = await import("../../../src/adapters/git/object-reader.ts");
    const reader = new ObjectReader(
      new GitCommand({ program, environment: site.environment }),
      { gitDirectory: path },
      { silentMs: 100 },
    );
    await expect(reader.info("x")).rejects.toMatchObject({
      reason: "GitProcessEnded",
      message: expect.stringContaining("SIGKILL"),
    });
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
