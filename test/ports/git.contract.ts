import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Git, Repository } from "../../src/ports/git.ts";

/** A git, an empty directory for it, and the hands of a user in its checkouts. */
export interface GitSite {
  readonly git: Git;
  readonly root: string;
  write(path: string, text: string, mode?: number): Promise<void>;
  read(path: string): Promise<string | undefined>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

/** What every Git does: the in-memory twin and the real one. */
export function gitContract(name: string, openSite: () => Promise<GitSite>): void {
  describe(`Git: ${name}`, () => {
    let site: GitSite;
    beforeEach(async () => {
      site = await openSite();
    });
    afterEach(() => site.close());

    const bare = (path = `${site.root}/bare repo.git`) => site.git.init(path, { bare: true, branch: "main" });
    const checkout = (path = `${site.root}/user's ☃ repo`) => site.git.init(path, { bare: false, branch: "main" });

    async function commitFiles(
      repository: Repository,
      files: Record<string, string>,
      parents: string[] = [],
      message = "m",
    ): Promise<string> {
      const { objects } = repository;
      const folders = new Map<string, { mode: "100644"; name: string; id: string }[]>();
      for (const [path, text] of Object.entries(files)) {
        const [folder, leaf] = path.includes("/") ? (path.split("/") as [string, string]) : ["", path];
        const inside = folders.get(folder) ?? [];
        folders.set(folder, [...inside, { mode: "100644", name: leaf, id: await objects.writeBlob(text) }]);
      }
      const top = [];
      for (const [folder, inside] of folders) {
        if (folder === "") top.push(...inside);
        else top.push({ mode: "040000" as const, name: folder, id: await objects.writeTree(inside) });
      }
      return objects.writeCommit({ tree: await objects.writeTree(top), parents, message, author: ada, committer: ada });
    }

    async function onMain(repository: Repository, files: Record<string, string>): Promise<string> {
      const before = await repository.resolve("refs/heads/main");
      const id = await commitFiles(repository, files, before === undefined ? [] : [before]);
      expect(await repository.updateRefs([{ ref: "refs/heads/main", to: id, from: before ?? null }], "test")).toBe(
        true,
      );
      return id;
    }

    describe("open and init", () => {
      it("given no repository, when opened, then it is undefined", async () => {
        expect(await site.git.open(`${site.root}/nowhere`)).toBeUndefined();
        expect(await site.git.open(site.root)).toBeUndefined();
      });

      it("given an unborn branch, when opened, then HEAD has a branch and no commit", async () => {
        const made = await checkout();
        const found = await site.git.open(made.path);
        expect(found?.path).toBe(made.path);
        expect(found?.commonDirectory).toBe(`${made.path}/.git`);
        expect(await found?.headBranch()).toBe("refs/heads/main");
        expect(await found?.defaultBranch()).toBe("main");
        expect(await found?.resolve("HEAD")).toBeUndefined();
        expect(await found?.worktreeStatus(made.path)).toEqual({
          head: undefined,
          branch: "refs/heads/main",
          changed: [],
          untracked: [],
          inProgress: undefined,
        });
      });

      it("given a path inside a checkout, when opened, then the repository around it is found", async () => {
        const made = await checkout();
        await site.write(`${made.path}/src/deep/a.txt`, "a\n");
        expect((await site.git.open(`${made.path}/src/deep`))?.path).toBe(made.path);
      });

      it("given an existing repository, when initialised again, then it keeps its commits", async () => {
        const first = await bare();
        const id = await onMain(first, { a: "1\n" });
        const again = await bare(first.path);
        expect(again.path).toBe(first.commonDirectory);
        expect(await again.resolve("main")).toBe(id);
      });
    });

    describe("revisions", () => {
      it("given commits, when revisions are resolved, then they name commits or nothing", async () => {
        const repository = await bare();
        const one = await onMain(repository, { a: "1\n" });
        const two = await onMain(repository, { a: "2\n" });
        for (const [revision, id] of [
          ["main", two],
          ["refs/heads/main", two],
          ["heads/main", two],
          ["HEAD", two],
          ["main~1", one],
          ["main^", one],
          ["main^{commit}", two],
          [two, two],
          ["main~2", undefined],
          ["absent", undefined],
          ["", undefined],
          ["-x", undefined],
          ["with space", undefined],
          ["a\nb", undefined],
          ["1".repeat(40), undefined],
          ["main@{upstream}", undefined],
        ] as const) {
          expect([revision, await repository.resolve(revision)]).toEqual([revision, id]);
        }
        const tree = (await repository.objects.readCommit(two))?.tree ?? "";
        expect(await repository.resolve(tree)).toBeUndefined();
        expect(await repository.isAncestor(one, two)).toBe(true);
        expect(await repository.isAncestor(two, one)).toBe(false);
        await expect(repository.isAncestor("absent", two)).rejects.toMatchObject({ name: "AdapterError" });
      });

      it("given a fork, when asked for base and log, then they follow the graph", async () => {
        const repository = await bare();
        const base = await onMain(repository, { a: "1\n" });
        const left = await commitFiles(repository, { a: "2\n" }, [base], "left\n\nbody");
        const right = await commitFiles(repository, { a: "3\n" }, [base], "right");
        const merge = await commitFiles(repository, { a: "4\n" }, [left, right], "merge");
        expect(await repository.mergeBase(left, right)).toBe(base);
        const orphan = await commitFiles(repository, { z: "z\n" });
        expect(await repository.mergeBase(left, orphan)).toBeUndefined();
        const log = await repository.log(base, merge, 10);
        expect(log.map((one) => one.message).sort()).toEqual(["left\n\nbody", "merge", "right"]);
        expect(log.at(-1)?.id).toBe(merge);
        expect((await repository.log(undefined, left, 10)).map((one) => one.id)).toEqual([base, left]);
        expect((await repository.log(undefined, left, 1)).map((one) => one.id)).toEqual([left]);
        expect(await repository.log(merge, left, 10)).toEqual([]);
      });
    });

    describe("refs", () => {
      it("given expectations, when refs are updated, then all of them hold or nothing changes", async () => {
        const repository = await bare();
        const one = await commitFiles(repository, { a: "1\n" });
        const two = await commitFiles(repository, { a: "2\n" }, [one]);
        expect(await repository.updateRefs([], "nothing")).toBe(true);
        expect(
          await repository.updateRefs(
            [
              { ref: "refs/heads/x", to: one, from: null },
              { ref: "refs/town/y", to: one },
            ],
            "new\nlines",
          ),
        ).toBe(true);
        expect(
          await repository.updateRefs(
            [
              { ref: "refs/heads/x", to: two, from: one },
              { ref: "refs/town/y", to: two, from: two },
            ],
            "r",
          ),
        ).toBe(false);
        expect(await repository.updateRefs([{ ref: "refs/heads/x", to: two, from: null }], "r")).toBe(false);
        expect(await repository.updateRefs([{ ref: "refs/heads/absent", to: two, from: one }], "r")).toBe(false);
        expect(await repository.updateRefs([{ ref: "refs/heads/absent", to: null, from: one }], "r")).toBe(false);
        expect(await repository.listRefs("refs/")).toEqual(
          new Map([
            ["refs/heads/x", one],
            ["refs/town/y", one],
          ]),
        );
        expect(
          await repository.updateRefs(
            [
              { ref: "refs/heads/x", to: two, from: one },
              { ref: "refs/town/y", to: null, from: one },
            ],
            "r",
          ),
        ).toBe(true);
        expect(await repository.updateRefs([{ ref: "refs/heads/gone", to: null }], "deleting what is not there")).toBe(
          true,
        );
        expect(await repository.updateRefs([{ ref: "refs/heads/gone", to: null, from: null }], "r")).toBe(true);
        expect(await repository.updateRefs([{ ref: "refs/heads/x", to: two, from: two }], "unchanged")).toBe(true);
        expect(await repository.listRefs("refs/")).toEqual(new Map([["refs/heads/x", two]]));
      });

      it("given a prefix, when refs are listed, then it is matched by character", async () => {
        const repository = await bare();
        const id = await commitFiles(repository, { a: "1\n" });
        const refs = ["refs/heads/town/a", "refs/heads/town/b/c", "refs/heads/towns", "refs/tags/town"];
        await repository.updateRefs(
          refs.map((ref) => ({ ref, to: id })),
          "r",
        );
        expect([...(await repository.listRefs("refs/heads/town/")).keys()]).toEqual(refs.slice(0, 2));
        expect([...(await repository.listRefs("refs/heads/town")).keys()]).toEqual(refs.slice(0, 3));
        expect([...(await repository.listRefs("refs/heads/town/b/c")).keys()]).toEqual(refs.slice(1, 2));
        expect((await repository.listRefs("refs/none/")).size).toBe(0);
      });

      it("given refs on a line and beside it, when those merged into a commit are listed, then it and what it contains come", async () => {
        const repository = await bare();
        const one = await commitFiles(repository, { a: "1\n" });
        const two = await commitFiles(repository, { a: "2\n" }, [one]);
        const beside = await commitFiles(repository, { a: "3\n" }, [one]);
        const refs = [one, two, beside].map((to, at) => ({ ref: `refs/town/heads/api-${at}/${to}`, to }));
        await repository.updateRefs(refs, "r");
        const merged = await repository.listRefs("refs/town/heads/", { mergedInto: two });
        expect([...merged.values()]).toEqual([one, two]);
        expect([...(await repository.listRefs("refs/town/heads/", { mergedInto: one })).values()]).toEqual([one]);
        expect((await repository.listRefs("refs/heads/", { mergedInto: two })).size).toBe(0);
      });

      it.each([
        ["HEAD"],
        ["main"],
        ["refs/heads/a b"],
        ["refs/heads/../x"],
        ["refs/heads/x.lock"],
        ["refs/heads/x\nrefs/y"],
        ["refs/heads/"],
      ])("given the name %j, when updated, then it is refused", async (ref) => {
        const repository = await bare();
        const id = await commitFiles(repository, { a: "1\n" });
        await expect(repository.updateRefs([{ ref, to: id }], "r")).rejects.toMatchObject({ reason: "InvalidRefName" });
      });

      it("given impossible updates, when tried, then they throw and change nothing", async () => {
        const repository = await bare();
        const id = await onMain(repository, { a: "1\n" });
        await expect(repository.updateRefs([{ ref: "refs/heads/x", to: "3".repeat(40) }], "r")).rejects.toMatchObject({
          reason: "ObjectMissing",
        });
        await expect(repository.updateRefs([{ ref: "refs/heads/main/sub", to: id }], "r")).rejects.toMatchObject({
          reason: "RefConflict",
        });
        await expect(
          repository.updateRefs(
            [
              { ref: "refs/heads/x", to: id },
              { ref: "refs/heads/x", to: null },
            ],
            "r",
          ),
        ).rejects.toMatchObject({ reason: "InvalidRefUpdate" });
        expect(await repository.listRefs("refs/")).toEqual(new Map([["refs/heads/main", id]]));
      });

      it("given 20 writers with the same expectation, when they race, then one wins", async () => {
        const repository = await bare();
        const base = await onMain(repository, { a: "0\n" });
        const ids = await Promise.all(
          Array.from({ length: 20 }, (_, i) => commitFiles(repository, { a: `${i}\n` }, [base])),
        );
        const results = await Promise.all(
          ids.map((to) => repository.updateRefs([{ ref: "refs/heads/main", to, from: base }], "race")),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
        expect(await repository.resolve("main")).toBe(ids[results.indexOf(true)]);
      });
    });

    describe("config", () => {
      it("given keys, when set and unset, then they read back", async () => {
        const repository = await bare();
        expect(await repository.config("town.store")).toBeUndefined();
        await repository.setConfig("town.store", '/a path/with ☃ and "quotes"');
        expect(await repository.config("town.store")).toBe('/a path/with ☃ and "quotes"');
        await repository.setConfig("user.name", "Ada\nLovelace");
        expect(await repository.configs(["town.store", "user.name", "town.prefix"])).toEqual(
          new Map([
            ["town.store", '/a path/with ☃ and "quotes"'],
            ["user.name", "Ada\nLovelace"],
          ]),
        );
        expect((await repository.configs(["town.prefix"])).size).toBe(0);
        await repository.setConfig("town.store", "b");
        expect(await repository.config("town.store")).toBe("b");
        await repository.setConfig("town.store", null);
        await repository.setConfig("town.store", null);
        expect(await repository.config("town.store")).toBeUndefined();
      });
    });

    describe("trees", () => {
      it("given two commits, when compared, then files and diff tell the difference", async () => {
        const repository = await bare();
        const one = await commitFiles(repository, { a: "1\n2\n3\n", "d/old": "x\n", same: "s\n" });
        const two = await commitFiles(repository, { a: "1\ntwo\n3\n", "d/new ☃": "y", same: "s\n" }, [one]);
        expect(await repository.changedFiles(one, two)).toEqual(["a", "d/new ☃", "d/old"]);
        expect(await repository.changedFiles(one, one)).toEqual([]);
        const diff = await repository.diff(one, two, 10_000);
        expect(diff).toContain("--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n");
        expect(diff).toContain("+y\n\\ No newline at end of file\n");
        const cut = await repository.diff(one, two, 40);
        expect(cut.startsWith(diff.slice(0, 40))).toBe(true);
        expect(cut.slice(40)).toBe("\n[diff cut at 40 bytes]\n");
        expect((await repository.listFiles(two, "")).map((file) => file.path)).toEqual(["a", "d/new ☃", "same"]);
        expect((await repository.listFiles(two, "d")).map((file) => file.path)).toEqual(["d/new ☃"]);
        expect(await repository.listFiles(two, "none")).toEqual([]);
        await expect(repository.listFiles("absent", "")).rejects.toMatchObject({ reason: "RevisionNotFound" });
        expect(await repository.changedFiles(repository.objects.emptyTree, one)).toEqual(["a", "d/old", "same"]);
      });

      it("given a commit, when files are read at once, then those that are there come back by path", async () => {
        const repository = await bare();
        const commit = await commitFiles(repository, { a: "1\n\n2", "d/new ☃": "y ☃\n", empty: "" });
        await repository.objects.sync();
        const all = new Map([
          ["a", "1\n\n2"],
          ["d/new ☃", "y ☃\n"],
          ["empty", ""],
        ]);
        expect(repository.filesAtOnce(commit)).toEqual(all);
        const some = repository.filesAtOnce(commit, ["none", "d", "empty", "line\nend", "a"]);
        expect(some).toEqual(new Map([...all].filter(([path]) => path === "a" || path === "empty")));
        expect(repository.filesAtOnce("1".repeat(40), ["a"]).size).toBe(0);
      });

      it("given branches, when merged on objects, then clean ones give a tree and others their conflicts", async () => {
        const repository = await bare();
        const base = await commitFiles(repository, { a: "1\n2\n3\n4\n5\n", b: "b\n", c: "c\n" });
        const left = await commitFiles(repository, { a: "one\n2\n3\n4\n5\n", b: "b\n", c: "c\n" }, [base]);
        const right = await commitFiles(repository, { a: "1\n2\n3\n4\nfive\n", b: "b\n", "n/new": "n\n" }, [base]);
        const merged = await repository.mergeTree(left, right);
        expect(merged.conflicts).toEqual([]);
        const files = await repository.listFiles(merged.tree, "");
        expect(files.map((file) => file.path)).toEqual(["a", "b", "n/new"]);
        expect(await repository.objects.readBlob(files[0]?.id ?? "")).toBe("one\n2\n3\n4\nfive\n");

        const other = await commitFiles(repository, { a: "eins\n2\n3\n4\n5\n", b: "changed\n", c: "c\n" }, [base]);
        const deleted = await commitFiles(repository, { a: "uno\n2\n3\n4\n5\n", c: "c\n" }, [base]);
        expect((await repository.mergeTree(other, deleted)).conflicts).toEqual(["a", "b"]);
        expect(await repository.mergeTree(left, left)).toEqual({
          tree: (await repository.objects.readCommit(left))?.tree,
          conflicts: [],
        });
        const orphan = await commitFiles(repository, { a: "z\n" });
        await expect(repository.mergeTree(left, orphan)).rejects.toMatchObject({ reason: "UnrelatedHistories" });
        await expect(repository.mergeTree(left, "absent")).rejects.toMatchObject({ reason: "RevisionNotFound" });
      });

      it("given many merges asked for at once, some impossible, when merged, then each gets its own answer", async () => {
        const repository = await bare();
        const base = await commitFiles(repository, { a: "1\n2\n3\n4\n5\n" });
        const left = await commitFiles(repository, { a: "one\n2\n3\n4\n5\n" }, [base]);
        const rights = await Promise.all(
          Array.from({ length: 30 }, (_, i) => {
            const text = i % 3 === 0 ? `uno ${i}\n2\n3\n4\n5\n` : `1\n2\n3\n4\nfive ${i}\n`;
            return commitFiles(repository, { a: text }, i === 7 ? [] : [base]);
          }),
        );
        const ask = (ids: readonly string[]) =>
          Promise.all(
            ids.map((id) => repository.mergeTree(left, id).catch((error: { reason: string }) => error.reason)),
          );
        const answers = await ask(rights);
        const related = await ask(rights.filter((_, i) => i !== 7));
        expect(related).toEqual(answers.filter((_, i) => i !== 7));
        for (const [i, answer] of answers.entries()) {
          if (i === 7 || typeof answer === "string") expect([i, answer]).toEqual([7, "UnrelatedHistories"]);
          else if (i % 3 === 0) expect(answer.conflicts).toEqual(["a"]);
          else {
            expect(answer.conflicts).toEqual([]);
            const [file] = await repository.listFiles(answer.tree, "");
            expect(await repository.objects.readBlob(file?.id ?? "")).toBe(`one\n2\n3\n4\nfive ${i}\n`);
          }
        }
      });
    });

    describe("worktrees", () => {
      it("given a branch name, when a worktree is added, then branch, files and registration are there and adding again keeps work", async () => {
        const repository = await bare();
        const id = await onMain(repository, { a: "1\n", "d/b": "2\n" });
        const path = `${site.root}/w one`;
        await repository.addWorktree({ path, commit: "main", branch: "town/agents/api/toast/api-1" });
        expect(await site.read(`${path}/d/b`)).toBe("2\n");
        expect(await repository.worktrees()).toEqual([
          { path, head: id, branch: "refs/heads/town/agents/api/toast/api-1", prunable: false },
        ]);
        await site.write(`${path}/a`, "work\n");
        await repository.addWorktree({ path, commit: "main", branch: "town/agents/api/toast/api-1" });
        expect(await site.read(`${path}/a`)).toBe("work\n");
        expect((await site.git.open(path))?.commonDirectory).toBe(repository.commonDirectory);
        expect(await (await site.git.open(path))?.headBranch()).toBe("refs/heads/town/agents/api/toast/api-1");
      });

      it("given an existing branch, when a worktree is added, then the branch stays where it is", async () => {
        const repository = await bare();
        const one = await onMain(repository, { a: "1\n" });
        const two = await onMain(repository, { a: "2\n" });
        await repository.updateRefs([{ ref: "refs/heads/work", to: one }], "r");
        const path = `${site.root}/w`;
        await repository.addWorktree({ path, commit: two, branch: "work" });
        expect(await site.read(`${path}/a`)).toBe("1\n");
        await expect(
          repository.addWorktree({ path: `${site.root}/w2`, commit: two, branch: "work" }),
        ).rejects.toMatchObject({ reason: "BranchCheckedOut" });
        await expect(repository.addWorktree({ path, commit: two, branch: "other" })).rejects.toMatchObject({
          reason: "WorktreeInTheWay",
        });
        await expect(repository.addWorktree({ path, commit: two })).rejects.toMatchObject({
          reason: "WorktreeInTheWay",
        });
        await expect(repository.addWorktree({ path: `${site.root}/w3`, commit: "absent" })).rejects.toMatchObject({
          reason: "RevisionNotFound",
        });
      });

      it("given no branch, when a worktree is added, then it is detached", async () => {
        const repository = await bare();
        const id = await onMain(repository, { a: "1\n" });
        const path = `${site.root}/w`;
        await repository.addWorktree({ path, commit: id });
        expect(await repository.worktreeStatus(path)).toEqual({
          head: id,
          branch: undefined,
          changed: [],
          untracked: [],
          inProgress: undefined,
        });
        expect(await (await site.git.open(path))?.headBranch()).toBeUndefined();
      });

      it("given something else at the path, when added or removed, then it is kept and named", async () => {
        const repository = await bare();
        const id = await onMain(repository, { a: "1\n" });
        const path = `${site.root}/precious`;
        await site.write(`${path}/notes.txt`, "mine\n");
        await expect(repository.addWorktree({ path, commit: id })).rejects.toMatchObject({
          reason: "WorktreeInTheWay",
        });
        await expect(repository.removeWorktree(path)).rejects.toMatchObject({ reason: "WorktreeInTheWay" });
        expect(await site.read(`${path}/notes.txt`)).toBe("mine\n");
      });

      it("given a worktree, when removed, then checkout and registration are gone, its branch is not, and again is fine", async () => {
        const repository = await bare();
        const id = await onMain(repository, { a: "1\n" });
        const path = `${site.root}/w`;
        await repository.addWorktree({ path, commit: id, branch: "work" });
        await site.write(`${path}/a`, "dirty\n");
        await site.write(`${path}/new`, "untracked\n");
        await repository.removeWorktree(path);
        await repository.removeWorktree(path);
        expect(await repository.worktrees()).toEqual([]);
        expect(await site.read(`${path}/a`)).toBeUndefined();
        expect(await repository.resolve("work")).toBe(id);
        await repository.addWorktree({ path, commit: id, branch: "work" });
        expect(await site.read(`${path}/a`)).toBe("1\n");
      });

      it("given a detached checkout, when it is moved, then it has the branch and the place, and keeps what git does not have", async () => {
        const repository = await bare();
        const base = await onMain(repository, { a: "1\n", gone: "1\n" });
        const [from, to] = [`${site.root}/reserve/1`, `${site.root}/agents/toast`];
        await site.write(`${repository.commonDirectory}/info/exclude`, "/cache\n");
        await repository.addWorktree({ path: from, commit: base });
        await site.write(`${from}/cache`, "made by a set-up\n");
        const next = await onMain(repository, { a: "2\n", b: "new\n" });
        expect(await repository.moveWorktree({ from, to, commit: next, branch: "task" })).toBe("Moved");
        expect(await repository.worktrees()).toEqual([
          { path: to, head: next, branch: "refs/heads/task", prunable: false },
        ]);
        const names = ["a", "b", "gone", "cache"];
        const [a, b, gone, cache] = await Promise.all(names.map((name) => site.read(`${to}/${name}`)));
        expect({ a, b, gone, cache }).toEqual({ a: "2\n", b: "new\n", gone: undefined, cache: "made by a set-up\n" });
        expect(await site.read(`${from}/a`)).toBeUndefined();
        expect(await repository.worktreeStatus(to)).toMatchObject({ head: next, changed: [], untracked: [] });
        expect(await repository.moveWorktree({ from, to, commit: next, branch: "task" })).toBe("Missing");
        await repository.addWorktree({ path: to, commit: base, branch: "task" });
        expect(await repository.resolve("task")).toBe(next);
      });

      it("given a branch that exists, when a checkout is moved to it, then the branch stays; given no free place, then nothing moves", async () => {
        const repository = await bare();
        const one = await onMain(repository, { a: "1\n" });
        const two = await onMain(repository, { a: "2\n" });
        await repository.updateRefs([{ ref: "refs/heads/task", to: one }], "r");
        const [from, to] = [`${site.root}/r1`, `${site.root}/w`];
        await repository.addWorktree({ path: from, commit: two });
        await repository.addWorktree({ path: to, commit: two, branch: "other" });
        const move = { from, to, commit: two, branch: "task" };
        await expect(repository.moveWorktree(move)).rejects.toMatchObject({ reason: "WorktreeInTheWay" });
        expect(await repository.moveWorktree({ ...move, from: to, to: from })).toBe("Missing");
        await repository.removeWorktree(to);
        expect(await repository.moveWorktree(move)).toBe("Moved");
        expect(await site.read(`${to}/a`)).toBe("1\n");
        expect(await repository.resolve("task")).toBe(one);
      });

      it("given the main checkout, when removal is asked for, then it is refused", async () => {
        const repository = await checkout();
        await site.write(`${repository.path}/a`, "1\n");
        await expect(repository.removeWorktree(repository.path)).rejects.toMatchObject({ reason: "MainWorktree" });
        expect(await site.read(`${repository.path}/a`)).toBe("1\n");
      });

      it("given edits, when status is read, then changed and untracked files are told apart and ignored ones are silent", async () => {
        const repository = await checkout();
        const { path } = repository;
        for (const [file, text] of Object.entries({ ".gitignore": "*.log\n/out/\n", a: "1\n", b: "1\n", "d/c": "1\n" }))
          await site.write(`${path}/${file}`, text);
        const id = await repository.commitAll(path, "first", ada, ada);
        await site.write(`${path}/a`, "2\n");
        await site.remove(`${path}/b`);
        await site.write(`${path}/d/c`, "1\n", 0o755);
        await site.write(`${path}/new ☃`, "n\n");
        await site.write(`${path}/x/y`, "n\n");
        await site.write(`${path}/deep/debug.log`, "n\n");
        await site.write(`${path}/out/o`, "n\n");
        expect(await repository.worktreeStatus(path)).toEqual({
          head: id,
          branch: "refs/heads/main",
          changed: ["a", "b", "d/c"],
          untracked: ["new ☃", "x/y"],
          inProgress: undefined,
        });
      });

      it("given edits, when committed, then everything but ignored files is in and a second commit has nothing to do", async () => {
        const repository = await checkout();
        const { path } = repository;
        expect(await repository.commitAll(path, "empty", ada, ada)).toBeUndefined();
        await site.write(`${path}/.gitignore`, "ignored\n");
        await site.write(`${path}/run`, "#!/bin/sh\n", 0o755);
        await site.write(`${path}/ignored`, "i\n");
        const first = await repository.commitAll(path, "first\n\n# not a comment\n\nTown-Bead: api-1", ada, {
          name: "Bob",
          email: "bob@example.com",
          timeMs: 1_700_000_001_000,
        });
        expect(await repository.resolve("main")).toBe(first);
        const commit = await repository.objects.readCommit(first ?? "");
        expect(commit).toMatchObject({
          parents: [],
          message: "first\n\n# not a comment\n\nTown-Bead: api-1",
          author: ada,
          committer: { name: "Bob", timeMs: 1_700_000_001_000 },
        });
        expect((await repository.listFiles("main", "")).map((file) => [file.path, file.mode])).toEqual([
          [".gitignore", "100644"],
          ["run", "100755"],
        ]);
        expect(await repository.commitAll(path, "again", ada, ada)).toBeUndefined();
        await site.remove(`${path}/run`);
        const second = await repository.commitAll(path, "second", ada, ada);
        expect((await repository.objects.readCommit(second ?? ""))?.parents).toEqual([first]);
        expect(await repository.changedFiles("main~1", "main")).toEqual(["run"]);
      });

      it("given a dirty worktree, when reset, then its files are exactly the commit's, ignored ones apart", async () => {
        const repository = await checkout();
        const { path } = repository;
        await site.write(`${path}/.gitignore`, "kept\n");
        await site.write(`${path}/a`, "1\n");
        const first = (await repository.commitAll(path, "first", ada, ada)) ?? "";
        await site.write(`${path}/a`, "2\n");
        await site.write(`${path}/b`, "2\n");
        const second = await repository.commitAll(path, "second", ada, ada);
        await site.write(`${path}/a`, "3\n");
        await site.write(`${path}/c/d`, "3\n");
        await site.write(`${path}/kept`, "3\n");
        await repository.resetWorktree(path, first);
        expect(await repository.worktreeStatus(path)).toEqual({
          head: first,
          branch: undefined,
          changed: [],
          untracked: [],
          inProgress: undefined,
        });
        expect([
          await site.read(`${path}/a`),
          await site.read(`${path}/b`),
          await site.read(`${path}/c/d`),
          await site.read(`${path}/kept`),
        ]).toEqual(["1\n", undefined, undefined, "3\n"]);
        expect(await repository.resolve("main")).toBe(second);
      });

      it("given a path that is no worktree, when used, then it throws", async () => {
        const repository = await bare();
        const path = `${site.root}/none`;
        await expect(repository.worktreeStatus(path)).rejects.toMatchObject({ reason: "WorktreeMissing" });
        await expect(repository.commitAll(path, "m", ada, ada)).rejects.toMatchObject({ reason: "WorktreeMissing" });
      });
    });

    describe("fast-forward of a checked-out branch", () => {
      async function forward(): Promise<{ repository: Repository; path: string; from: string; to: string }> {
        const repository = await checkout();
        const { path } = repository;
        await site.write(`${path}/.gitignore`, "*.local\n");
        for (const file of ["a", "b", "gone"]) await site.write(`${path}/${file}`, "1\n");
        const from = (await repository.commitAll(path, "from", ada, ada)) ?? "";
        const to = await commitFiles(
          repository,
          { ".gitignore": "*.local\n", a: "2\n", b: "1\n", "new/file": "2\n", "new.local": "2\n" },
          [from],
        );
        return { repository, path, from, to };
      }

      it("given a clean checkout, when moved, then branch and files are at the new commit", async () => {
        const { repository, path, from, to } = await forward();
        await site.write(`${path}/untracked`, "mine\n");
        expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Done");
        expect(await repository.worktreeStatus(path)).toEqual({
          head: to,
          branch: "refs/heads/main",
          changed: [],
          untracked: ["untracked"],
          inProgress: undefined,
        });
        expect([
          await site.read(`${path}/a`),
          await site.read(`${path}/gone`),
          await site.read(`${path}/new/file`),
        ]).toEqual(["2\n", undefined, "2\n"]);
        expect(await site.read(`${path}/untracked`)).toBe("mine\n");
        expect(await repository.fastForwardWorktree(path, "refs/heads/main", from, to)).toBe("Moved");
      });

      it.each([
        ["a", "tracked and changed by both"],
        ["b", "tracked and not touched by the move"],
        ["new/file", "untracked, in the way"],
        ["new.local", "ignored, in the way"],
      ])("given an edit of %s (%s), when moved, then it is Dirty and nothing changed", async (file) => {
        const { repository, path, from, to } = await forward();
        await site.write(`${path}/${file}`, "mine\n");
        const before = await repository.worktreeStatus(path);
        expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
        expect(await repository.worktreeStatus(path)).toEqual(before);
        expect(await site.read(`${path}/${file}`)).toBe("mine\n");
        expect(await site.read(`${path}/gone`)).toBe("1\n");
        expect(await repository.resolve("main")).toBe(from);
      });

      it("given a branch that is elsewhere, when moved, then it is Moved; given no descendant, then it throws", async () => {
        const { repository, path, from, to } = await forward();
        const aside = await commitFiles(repository, { a: "3\n" }, [to]);
        expect(await repository.fastForwardWorktree(path, "main", to, aside)).toBe("Moved");
        expect(await repository.fastForwardWorktree(path, "other", from, to)).toBe("Moved");
        const orphan = await commitFiles(repository, { a: "9\n" });
        await expect(repository.fastForwardWorktree(path, "main", from, orphan)).rejects.toMatchObject({
          reason: "NotFastForward",
        });
        expect(await repository.resolve("main")).toBe(from);
      });
    });

    describe("remotes", () => {
      it("given a remote, when cloned, then its branches are under refs/remotes/origin and cloning again adopts", async () => {
        const origin = await bare();
        const id = await onMain(origin, { a: "1\n" });
        await origin.updateRefs([{ ref: "refs/heads/topic/x", to: id }], "r");
        const path = `${site.root}/clones/api.git`;
        const clone = await site.git.cloneBare(origin.path, path);
        expect(await clone.listRefs("refs/")).toEqual(
          new Map([
            ["refs/remotes/origin/main", id],
            ["refs/remotes/origin/topic/x", id],
          ]),
        );
        expect(await clone.defaultBranch()).toBe("main");
        expect((await clone.objects.readCommit(id))?.message).toBe("m");
        await clone.updateRefs([{ ref: "refs/heads/mine", to: id }], "r");
        const again = await site.git.cloneBare(origin.path, path);
        expect(await again.resolve("refs/heads/mine")).toBe(id);
        await expect(site.git.cloneBare(`${site.root}/other.git`, path)).rejects.toMatchObject({
          reason: "CloneInTheWay",
        });
        await expect(site.git.cloneBare(`${site.root}/other.git`, `${site.root}/c2`)).rejects.toMatchObject({
          reason: "RemoteUnreachable",
        });
        expect(await site.git.open(`${site.root}/c2`)).toBeUndefined();
      });

      it("given an empty remote, when cloned and the remote gets commits, then fetch brings them and the default branch", async () => {
        const origin = await bare();
        const clone = await site.git.cloneBare(origin.path, `${site.root}/c.git`);
        expect((await clone.listRefs("refs/")).size).toBe(0);
        const id = await onMain(origin, { a: "1\n" });
        await clone.fetch("origin", []);
        expect(await clone.resolve("origin/main")).toBe(id);
        expect(await clone.defaultBranch()).toBe("main");
      });

      it("given refspecs, when fetched, then refs are mapped, pruned and protected", async () => {
        const origin = await bare();
        const one = await onMain(origin, { a: "1\n" });
        await origin.updateRefs([{ ref: "refs/heads/old", to: one }], "r");
        const clone = await site.git.cloneBare(origin.path, `${site.root}/c.git`);
        await origin.updateRefs([{ ref: "refs/heads/old", to: null }], "r");
        const two = await onMain(origin, { a: "2\n" });
        await clone.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"]);
        expect(await clone.resolve("refs/remotes/origin/old")).toBe(one);
        await clone.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"], { prune: true });
        expect(await clone.resolve("refs/remotes/origin/old")).toBeUndefined();
        await clone.fetch("origin", ["refs/heads/main:refs/town/copy"]);
        expect(await clone.resolve("refs/town/copy")).toBe(two);
        const orphan = await commitFiles(origin, { z: "z\n" });
        await origin.updateRefs([{ ref: "refs/heads/main", to: orphan }], "force");
        await expect(clone.fetch("origin", ["refs/heads/main:refs/town/copy"])).rejects.toMatchObject({
          reason: "FetchFailed",
        });
        expect(await clone.resolve("refs/town/copy")).toBe(two);
        await clone.fetch("origin", ["+refs/heads/main:refs/town/copy"]);
        expect(await clone.resolve("refs/town/copy")).toBe(orphan);
        await expect(clone.fetch("origin", ["refs/heads/none:refs/x"])).rejects.toMatchObject({
          reason: "FetchFailed",
        });
        await expect(clone.fetch(`${site.root}/no.git`, ["refs/heads/main"])).rejects.toMatchObject({
          reason: "RemoteUnreachable",
        });
      });

      it("given leases, when pushed, then the remote moves only from what was expected", async () => {
        const origin = await bare();
        const one = await onMain(origin, { a: "1\n" });
        const clone = await site.git.cloneBare(origin.path, `${site.root}/c.git`);
        const two = await commitFiles(clone, { a: "2\n" }, [one]);
        const side = await commitFiles(clone, { a: "3\n" }, [one]);
        const main = "refs/heads/main";
        expect(
          await clone.push("origin", [
            { from: two, ref: main, expect: one },
            { from: two, ref: "refs/heads/new", expect: null },
          ]),
        ).toBe("Pushed");
        expect([await origin.resolve("main"), await origin.resolve("new")]).toEqual([two, two]);
        expect(await clone.push("origin", [{ from: two, ref: main, expect: one }])).toBe("Pushed");
        expect(await clone.push("origin", [{ from: side, ref: main, expect: one }])).toBe("Rejected");
        expect(await clone.push("origin", [{ from: side, ref: "refs/heads/new", expect: null }])).toBe("Rejected");
        expect(
          await clone.push("origin", [
            { from: side, ref: "refs/heads/x", expect: null },
            { from: side, ref: main, expect: one },
          ]),
        ).toBe("Rejected");
        expect([await origin.resolve("main"), await origin.resolve("x")]).toEqual([two, undefined]);
        expect(
          await clone.push("origin", [
            { from: side, ref: main, expect: two },
            { from: null, ref: "refs/heads/new", expect: two },
          ]),
        ).toBe("Pushed");
        expect([await origin.resolve("main"), await origin.resolve("new")]).toEqual([side, undefined]);
        await expect(clone.push(`${site.root}/no.git`, [{ from: two, ref: main, expect: null }])).rejects.toMatchObject(
          { reason: "RemoteUnreachable" },
        );
      });

      it("given a branch that the remote has checked out, when pushed to, then it is rejected", async () => {
        const origin = await checkout();
        await site.write(`${origin.path}/a`, "1\n");
        const one = (await origin.commitAll(origin.path, "m", ada, ada)) ?? "";
        const clone = await site.git.cloneBare(origin.path, `${site.root}/c.git`);
        const two = await commitFiles(clone, { a: "2\n" }, [one]);
        expect(await clone.push("origin", [{ from: two, ref: "refs/heads/main", expect: one }])).toBe("Rejected");
        expect(await clone.push("origin", [{ from: two, ref: "refs/heads/free", expect: null }])).toBe("Pushed");
        expect(await origin.resolve("main")).toBe(one);
      });
    });
  });
}
