import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GitObjects, TreeEntry } from "../../src/ports/git.ts";
import { fc, fuzzRuns } from "../property.ts";

export interface ObjectsSite {
  readonly objects: GitObjects;
  /** Takes an object that was synced, on its own, from the disk; or spoils it. */
  lose(id: string, how: "Gone" | "Empty" | "Garbage" | "Torn"): void;
  /** Begins, or ends, a `git gc` of somebody else. */
  collect(runs: boolean): void;
  close(): Promise<void>;
}

const author = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

/** What every GitObjects does. The expected ids were computed by git itself (sha1 repositories). */
export function gitObjectsContract(name: string, openSite: () => Promise<ObjectsSite>): void {
  describe(`GitObjects: ${name}`, () => {
    let site: ObjectsSite;
    beforeEach(async () => {
      site = await openSite();
    });
    afterEach(() => site.close());

    it("given known contents, when written, then their ids are git's", async () => {
      const { objects } = site;
      expect(await objects.writeBlob("")).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
      const blob = await objects.writeBlob("hello\n");
      expect(blob).toBe("ce013625030ba8dba906f756967f9e9ca394464a");
      const tree = await objects.writeTree([{ mode: "100644", name: "a.txt", id: blob }]);
      expect(tree).toBe("2e81171448eb9f2ee3821e3d447aa6b2fe3ddba1");
      const commit = await objects.writeCommit({ tree, parents: [], message: "first", author, committer: author });
      expect(commit).toBe("5dbbc4b043bbe4ba8af0b6d21e0695f6cf27b951");
      expect(await objects.writeTree([])).toBe(objects.emptyTree);
    });

    it("given written objects, when read, then they are what was written", async () => {
      const { objects } = site;
      const blob = await objects.writeBlob("naïve ☃ \u0000 text without a last newline");
      expect(await objects.readBlob(blob)).toBe("naïve ☃ \u0000 text without a last newline");
      const inner = await objects.writeTree([{ mode: "100755", name: "run me", id: blob }]);
      const entries: TreeEntry[] = [
        { mode: "100644", name: "foo.txt", id: blob },
        { mode: "040000", name: "foo", id: inner },
        { mode: "120000", name: "é", id: blob },
      ];
      const tree = await objects.writeTree(entries);
      // A directory sorts as if its name ended with a slash: "foo.txt" < "foo/".
      expect((await objects.readTree(tree)).map((one) => one.name)).toEqual(["foo.txt", "foo", "é"]);
      expect(new Set(await objects.readTree(tree))).toEqual(new Set(entries));
      const message = "subject\n\nbody\n\nTown-Bead: api-1";
      const id = await objects.writeCommit({
        tree,
        parents: [],
        message,
        author,
        committer: { name: "B", email: "b@x", timeMs: 5000 },
      });
      expect(await objects.readCommit(id)).toEqual({
        id,
        tree,
        parents: [],
        message,
        author,
        committer: { name: "B", email: "b@x", timeMs: 5000 },
      });
      const child = await objects.writeCommit({ tree, parents: [id], message: "two", author, committer: author });
      expect((await objects.readCommit(child))?.parents).toEqual([id]);
    });

    it("given ids that do not exist or name another type, when read, then blobs and commits are undefined and trees throw", async () => {
      const { objects } = site;
      const absent = "1".repeat(objects.emptyTree.length);
      const blob = await objects.writeBlob("x");
      expect(await objects.readBlob(absent)).toBeUndefined();
      expect(await objects.readBlob(objects.emptyTree)).toBeUndefined();
      expect(await objects.readCommit(absent)).toBeUndefined();
      expect(await objects.readCommit(blob)).toBeUndefined();
      await expect(objects.readTree(absent)).rejects.toMatchObject({ reason: "ObjectMissing" });
      await expect(objects.readTree(blob)).rejects.toMatchObject({ reason: "ObjectMissing" });
      expect(await objects.readTree(objects.emptyTree)).toEqual([]);
    });

    it("given many ids, when readBlobs, then those that exist come back", async () => {
      const { objects } = site;
      const ids = await Promise.all(
        Array.from({ length: 300 }, (_, i) => objects.writeBlob(`item ${i}\n`.repeat(1 + (i % 40)))),
      );
      const absent = "2".repeat(objects.emptyTree.length);
      const found = await objects.readBlobs([...ids, absent, ids[0] ?? ""]);
      expect(found.size).toBe(300);
      expect(found.get(ids[7] ?? "")).toBe("item 7\n".repeat(8));
      expect((await objects.readBlobs([])).size).toBe(0);
    });

    it.each([
      ["a/b"],
      ["."],
      [".."],
      [".git"],
      [".GIT"],
      [""],
      ["a\0b"],
    ])("given an entry named %j, when a tree is written, then it is refused", async (entry) => {
      const id = await site.objects.writeBlob("x");
      await expect(site.objects.writeTree([{ mode: "100644", name: entry, id }])).rejects.toMatchObject({
        reason: "InvalidTree",
      });
    });

    it("given a name twice, when a tree is written, then it is refused", async () => {
      const id = await site.objects.writeBlob("x");
      const twice = site.objects.writeTree([
        { mode: "100644", name: "a", id },
        { mode: "100755", name: "a", id },
      ]);
      await expect(twice).rejects.toMatchObject({ reason: "InvalidTree" });
    });

    it("given any files, when a tree is changed by path, then it is the tree that holds exactly those, and git's", async () => {
      const { objects } = site;
      const name = fc.constantFrom("a", "b", "a.b", "a0", "é");
      const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
      const step = fc.array(fc.tuple(path, fc.option(fc.nat(9).map(String))), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
          let tree = objects.emptyTree;
          const files = new Map<string, string>();
          for (const changes of steps) {
            const blobs = new Map<string, string | null>();
            for (const [at, text] of changes) {
              // A file and a directory of one name are nobody's business here.
              const others = [...files.keys(), ...blobs.keys()];
              if (others.some((other) => other.startsWith(`${at}/`) || at.startsWith(`${other}/`))) continue;
              blobs.set(at, text === null ? null : await objects.writeBlob(text));
              if (text === null) files.delete(at);
              else files.set(at, text);
            }
            tree = await objects.changeTree(tree, blobs);
          }
          expect(new Map(await filesIn(objects, tree))).toEqual(files);
          expect(await naiveTree(objects, files)).toBe(tree);
        }),
        { numRuns: fuzzRuns(40) },
      );
    });

    it.each([
      ["a/../b"],
      [".git/config"],
      ["a//b"],
      ["/a"],
    ])("given the path %j, when a tree is changed, then it is refused", async (path) => {
      const id = await site.objects.writeBlob("x");
      await expect(site.objects.changeTree(site.objects.emptyTree, new Map([[path, id]]))).rejects.toMatchObject({
        reason: "InvalidTree",
      });
    });

    it("given a directory with hundreds of entries, when one file in it changes, then the others stay", async () => {
      const { objects } = site;
      const blob = await objects.writeBlob("x");
      const all = new Map(Array.from({ length: 300 }, (_, i) => [`d/${i}.json`, blob]));
      const tree = await objects.changeTree(objects.emptyTree, all);
      const other = await objects.writeBlob("y");
      const changed = await objects.changeTree(tree, new Map([["d/17.json", other]]));
      const files = new Map(await filesIn(objects, changed));
      expect(files.size).toBe(300);
      expect([...files].filter(([, text]) => text === "y")).toEqual([["d/17.json", "y"]]);
      const [directory] = await objects.readTree(tree);
      const executable = { mode: "100755", name: "17.json", id: blob } as const;
      const entries = (await objects.readTree(directory?.id ?? "")).filter(({ name }) => name !== "17.json");
      const odd = await objects.writeTree([
        { mode: "040000", name: "d", id: await objects.writeTree([...entries, executable]) },
      ]);
      expect(await objects.changeTree(odd, new Map([["d/17.json", other]]))).toBe(changed);
    });

    it("given identities that would break the header, when a commit is written, then it reads back as one commit", async () => {
      const { objects } = site;
      const evil = { name: "Eve\nparent 0000 <x>", email: "e>v\ne@x", timeMs: 1000 };
      const id = await objects.writeCommit({
        tree: objects.emptyTree,
        parents: [],
        message: "m",
        author: evil,
        committer: evil,
      });
      expect(await objects.readCommit(id)).toMatchObject({
        parents: [],
        author: { name: "Eveparent 0000 x", email: "eve@x" },
      });
    });

    it("given any text, when written twice, then it has one id and reads back", async () => {
      const text = fc.string({ unit: "binary", maxLength: 200 });
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          const id = await site.objects.writeBlob(value);
          expect(await site.objects.writeBlob(value)).toBe(id);
          expect(await site.objects.readBlob(id)).toBe(value);
        }),
        { numRuns: fuzzRuns(25) },
      );
    });

    it.each([
      "Gone",
      "Empty",
      "Garbage",
      "Torn",
    ] as const)("given a synced object that is %s, when written again and restored, then it is there as if nothing had been", async (how) => {
      const { objects } = site;
      const text = "x".repeat(5_000);
      const blob = await objects.writeBlob(text);
      await objects.sync();
      const other = await objects.writeBlob("other");
      await objects.sync();
      site.lose(blob, how);
      expect(await objects.readBlob(blob)).toBeUndefined();
      expect([...(await objects.readBlobs([blob, other])).keys()]).toEqual([other]);
      expect(await objects.writeBlob(text)).toBe(blob);
      await objects.restore();
      expect(await objects.readBlob(blob)).toBe(text);
      expect(await objects.missing([blob, other])).toEqual(new Set());
    });

    it("given objects that are gone, when looked for, then they are named though this port remembers them", async () => {
      const { objects } = site;
      const blob = await objects.writeBlob("hello\n");
      const tree = await objects.changeTree(objects.emptyTree, new Map([["a/b.txt", blob]]));
      const [inner] = await objects.readTree(tree);
      const innerId = inner?.id ?? "";
      await objects.sync();
      const waiting = await objects.writeBlob("not on disk yet");
      const never = "0123456789".repeat(4);
      expect(await objects.missing([blob, tree, innerId, waiting, objects.emptyTree])).toEqual(new Set());
      site.lose(innerId, "Gone");
      site.lose(blob, "Empty");
      expect(await objects.missing([blob, tree, innerId, never, never])).toEqual(new Set([blob, innerId, never]));
    });

    it("given commits that no ref names, when all are listed, then they are there and nothing else is", async () => {
      const { objects } = site;
      const blob = await objects.writeBlob("hello\n");
      const tree = await objects.changeTree(objects.emptyTree, new Map([["a.txt", blob]]));
      const commit = { tree, parents: [], author, committer: author };
      const ids = [
        await objects.writeCommit({ ...commit, message: "one" }),
        await objects.writeCommit({ ...commit, message: "two" }),
      ];
      await objects.sync();
      expect([...(await objects.allCommits())].sort()).toEqual(ids.sort());
    });

    it("given a garbage collection of somebody else, then it is seen while it goes on", async () => {
      expect(await site.objects.isCollected()).toBe(false);
      site.collect(true);
      expect(await site.objects.isCollected()).toBe(true);
      site.collect(false);
      expect(await site.objects.isCollected()).toBe(false);
    });

    it("given loose objects, when all are packed, then none is loose and each is readable; during a collection of somebody else nothing is packed", async () => {
      const { objects } = site;
      const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => objects.writeBlob(`text ${index}`)));
      await objects.sync();
      site.collect(true);
      expect(await objects.packAll({ timeoutMs: 60_000 })).toBe(false);
      site.collect(false);
      expect(await objects.packAll({ timeoutMs: 60_000 })).toBe(true);
      expect(await objects.looseCount()).toBe(0);
      expect((await objects.missing(ids)).size).toBe(0);
      const later = await objects.writeBlob("later");
      await objects.sync();
      expect(await objects.packAll({ timeoutMs: 60_000 })).toBe(true);
      expect((await objects.readBlobs([...ids, later])).size).toBe(21);
    });

    it("given written objects, when synced and closed, then they are still readable", async () => {
      const id = await site.objects.writeBlob("kept");
      await site.objects.sync();
      await site.objects.sync();
      await site.objects.close();
      expect(await site.objects.readBlob(id)).toBe("kept");
    });
  });
}

async function filesIn(objects: GitObjects, tree: string, at = ""): Promise<(readonly [string, string])[]> {
  const files: (readonly [string, string])[] = [];
  for (const { mode, name, id } of await objects.readTree(tree)) {
    if (mode === "040000") files.push(...(await filesIn(objects, id, `${at}${name}/`)));
    else files.push([`${at}${name}`, (await objects.readBlob(id)) ?? ""]);
  }
  return files;
}

/** The tree of these files, built from nothing. */
async function naiveTree(objects: GitObjects, files: ReadonlyMap<string, string>): Promise<string> {
  const entries: TreeEntry[] = [];
  const below = new Map<string, Map<string, string>>();
  for (const [path, text] of files) {
    const [name = "", ...rest] = path.split("/");
    if (rest.length === 0) entries.push({ mode: "100644", name, id: await objects.writeBlob(text) });
    else below.set(name, (below.get(name) ?? new Map<string, string>()).set(rest.join("/"), text));
  }
  for (const [name, inner] of below) entries.push({ mode: "040000", name, id: await naiveTree(objects, inner) });
  return entries.length === 0 ? objects.emptyTree : objects.writeTree(entries);
}
