import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Repository } from "../../../src/ports/git.ts";
import { realSite, type RealSite } from "./git-site.ts";
import { runKilled, type KillPoint } from "./killed-git.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };

/** A user's checkout of `main` at `from`, and a commit `to` that changes, adds, removes, turns and re-modes files. */
describe("fast-forward of a user's checkout", () => {
  let site: RealSite;
  let repository: Repository;
  let path: string;
  let from: string;
  let to: string;
  beforeEach(async () => {
    site = realSite();
    repository = await site.git.init(join(site.root, "user repo"), { bare: false, branch: "main" });
    path = repository.path;
    put({
      ".gitignore": "*.local\n",
      a: "1\n",
      b: "b\n",
      gone: "gone\n",
      "to-dir": "file\n",
      "to-file/x": "x\n",
      script: "#!\n",
    });
    symlinkSync("a", join(path, "link"));
    from = (await repository.commitAll(path, "from", ada, ada)) ?? "";
    site.sh(path, "checkout", "-q", "-b", "next");
    put({ a: `${"long new line\n".repeat(2000)}`, "new/deep/file": "new\n" });
    for (const old of ["gone", "to-dir", "to-file/x", "link"]) rmSync(join(path, old));
    rmSync(join(path, "to-file"), { recursive: true, force: true });
    put({ "to-dir/x": "x\n", "to-file": "file\n" });
    symlinkSync("b", join(path, "link"));
    chmodSync(join(path, "script"), 0o755);
    to = (await repository.commitAll(path, "to", ada, ada)) ?? "";
    site.sh(path, "checkout", "-q", "main");
    put({ "mine.local": "mine\n", untracked: "mine\n" });
  });
  afterEach(() => site.close());

  function put(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(path, name, ".."), { recursive: true });
      writeFileSync(join(path, name), text);
    }
  }

  const clean = (head: string) => ({
    head,
    branch: "refs/heads/main",
    changed: [],
    untracked: ["untracked"],
    inProgress: undefined,
  });
  const mine = () => ["mine.local", "untracked"].map((name) => readFileSync(join(path, name), "utf8"));
  const leftovers = () =>
    readdirSync(join(path, ".git")).filter((name) => name.startsWith("town-") || name.endsWith(".lock"));

  it("given a clean checkout, when moved, then all kinds of changes arrive and nothing of the user's is touched", async () => {
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Done");
    expect(await repository.worktreeStatus(path)).toEqual(clean(to));
    expect(mine()).toEqual(["mine\n", "mine\n"]);
    expect(leftovers()).toEqual([]);
    expect(site.sh(path, "diff", "--stat", to)).toBe("");
    expect(site.sh(path, "reflog", "main")).toContain("town: fast-forward");
  });

  const points: (KillPoint & { readonly moved: boolean })[] = [
    { subcommand: "status", when: "before", moved: false },
    { subcommand: "update-index", when: "before", moved: false },
    { subcommand: "read-tree", when: "before", moved: false },
    { subcommand: "read-tree", when: "after", moved: false },
    {
      subcommand: "read-tree",
      when: "after",
      sh: "rm .git/town-index; head -c 1000 a > t; mv t a; rm to-dir/x; rmdir to-dir; rm new/deep/file; : > .git/town-index.lock",
      moved: false,
    },
    { subcommand: "update-ref", when: "before", moved: false },
    { subcommand: "update-ref", when: "after", moved: true },
    { subcommand: "update-ref", when: "after", sh: "rm .git/town-index", moved: true },
  ];
  it.each(
    points,
  )("given a kill -9 $when $subcommand ($sh), when moved again, then it is done and nothing of the user's is touched", async (point) => {
    const sh = point.sh === undefined ? {} : { sh: `cd '${path}'; ${point.sh}` };
    const statements = `await repository.fastForwardWorktree(${JSON.stringify(path)}, "main", "${from}", "${to}");`;
    expect(runKilled(site, path, statements, { ...point, ...sh })).toBe(true);
    expect(mine()).toEqual(["mine\n", "mine\n"]);
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe(point.moved ? "Moved" : "Done");
    expect(await repository.worktreeStatus(path)).toEqual(clean(to));
    expect(mine()).toEqual(["mine\n", "mine\n"]);
    expect(leftovers()).toEqual([]);
  });

  it("given a kill half-way and edits after it, when moved again, then the edits stay, the rest is as before, and it is Dirty", async () => {
    const statements = `await repository.fastForwardWorktree(${JSON.stringify(path)}, "main", "${from}", "${to}");`;
    runKilled(site, path, statements, { subcommand: "read-tree", when: "after" });
    put({ a: "edited after the crash\n", b: "edited too\n" });
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(await repository.worktreeStatus(path)).toEqual({ ...clean(from), changed: ["a", "b"] });
    expect(readFileSync(join(path, "a"), "utf8")).toBe("edited after the crash\n");
    expect(readFileSync(join(path, "to-dir"), "utf8")).toBe("file\n");
    expect(existsSync(join(path, "new"))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it("given a kill half-way, when the locks are removed on purpose, then the old files are back", async () => {
    const statements = `await repository.fastForwardWorktree(${JSON.stringify(path)}, "main", "${from}", "${to}");`;
    runKilled(site, path, statements, { subcommand: "update-ref", when: "before" });
    await repository.removeStaleLocks({ worktree: path });
    expect(await repository.worktreeStatus(path)).toEqual(clean(from));
    expect(leftovers()).toEqual([]);
  });

  it("given a kill half-way, when the checkout is locked for a commit, then the old files are back and it is locked", async () => {
    const statements = `await repository.fastForwardWorktree(${JSON.stringify(path)}, "main", "${from}", "${to}");`;
    runKilled(site, path, statements, { subcommand: "read-tree", when: "after" });
    const lock = await repository.lockCheckout("refs/heads/main");
    if (lock.state !== "Locked") throw new Error(lock.state);
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    await lock.checkout.release();
    expect(await repository.worktreeStatus(path)).toEqual(clean(from));
  });

  it("given a disk that is full in the middle of a file, when moved, then the old files are back and it is Dirty", async () => {
    const torn = `cd '${path}'; rm .git/town-index to-dir/x; rmdir to-dir; head -c 1000 a > t; mv t a; echo No space left >&2; exit 128`;
    const wrapper = join(site.root, "full-disk-git");
    writeFileSync(wrapper, `#!/bin/sh\ncase " $* " in *" read-tree "*) git "$@"; ${torn};; esac\nexec git "$@"\n`);
    chmodSync(wrapper, 0o755);
    const other = await site.another({ program: wrapper }).open(path);
    expect(await other?.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(await repository.worktreeStatus(path)).toEqual(clean(from));
    expect(mine()).toEqual(["mine\n", "mine\n"]);
    expect(leftovers()).toEqual([]);
  });

  it("given git at work in the checkout, when moved, then it is Dirty and the lock stays", async () => {
    writeFileSync(join(path, ".git/index.lock"), "DIRC");
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(readFileSync(join(path, ".git/index.lock"), "utf8")).toBe("DIRC");
    rmSync(join(path, ".git/index.lock"));
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Done");
  });

  it("given a changed file, when moved, then the lock of the user's git is never taken", async () => {
    put({ b: "mine\n" });
    const [wrapper, seen] = [join(site.root, "looking-git"), join(site.root, "seen")];
    writeFileSync(wrapper, `#!/bin/sh\n[ -e '${path}/.git/index.lock' ] && echo "$*" >>'${seen}'\nexec git "$@"\n`);
    chmodSync(wrapper, 0o755);
    const other = await site.another({ program: wrapper }).open(path);
    expect(await other?.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(existsSync(seen)).toBe(false);
    put({ b: "b\n" });
    expect(await other?.fastForwardWorktree(path, "main", from, to)).toBe("Done");
    expect(readFileSync(seen, "utf8")).toContain("read-tree");
  });

  it("given a merge in progress without changes, when moved, then it is Dirty", async () => {
    site.sh(path, "merge", "--no-ff", "--no-commit", "-s", "ours", "next");
    expect(await repository.worktreeStatus(path)).toMatchObject({ changed: [], inProgress: "Merge" });
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
  });

  it("given ignored files inside a directory that becomes a file, when moved, then it is Dirty and they stay", async () => {
    put({ "to-file/keep.local": "mine\n" });
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(readFileSync(join(path, "to-file/keep.local"), "utf8")).toBe("mine\n");
  });

  it("given an ignored file where a directory is needed, when moved, then it is Dirty and it stays", async () => {
    writeFileSync(join(path, ".git/info/exclude"), "new\n");
    put({ new: "mine\n" });
    expect(await repository.fastForwardWorktree(path, "main", from, to)).toBe("Dirty");
    expect(readFileSync(join(path, "new"), "utf8")).toBe("mine\n");
  });

  it("given a branch that moves while the files are written, when moved, then it is Moved and the old files are back", async () => {
    const tree = (await repository.objects.readCommit(from))?.tree ?? "";
    const aside = await repository.objects.writeCommit({
      tree,
      parents: [from],
      message: "aside",
      author: ada,
      committer: ada,
    });
    await repository.objects.sync();
    const wrapper = join(site.root, "moving-git");
    writeFileSync(
      wrapper,
      `#!/bin/sh\ncase " $* " in *" read-tree "*) git "$@"; exec git --git-dir '${path}/.git' update-ref refs/heads/main ${aside};; esac\nexec git "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
    const other = await site.another({ program: wrapper }).open(path);
    expect(await other?.fastForwardWorktree(path, "main", from, to)).toBe("Moved");
    expect(await repository.worktreeStatus(path)).toEqual(clean(aside));
    expect(leftovers()).toEqual([]);
  });
});
