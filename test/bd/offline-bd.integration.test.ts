import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryPrefix } from "../../src/daemon/offline-bd.ts";
import { bindCheckout, unbindCheckout } from "../../src/graph/checkout-binding.ts";
import { openGraph } from "../../src/graph/open-graph.ts";
import { silentLog } from "../../src/ports/log.ts";
import { repositoryAt } from "../adapters/git/git-site.ts";
import { offlineSite, type OfflineSite, type Ran } from "./offline-site.ts";

let site: OfflineSite;
beforeAll(() => {
  site = offlineSite();
});
afterAll(() => site.close());

const made = async (cwd: string, title: string): Promise<string> => {
  const { stdout, stderr } = await site.bd(cwd, ["create", title, "--silent"]);
  expect(stderr).toBe("");
  return stdout.trim();
};
const ids = ({ stdout }: Ran): readonly string[] => (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);

describe("bd without a town", () => {
  test("given a fresh repository without a commit, when a bead is made, then it is there, in git, and nothing else changed", async () => {
    const at = site.path("My App");
    site.write(`${at}/.keep`, "");
    site.git(at, "init", "--quiet");
    site.git(at, "config", "user.name", "Ada");
    site.git(at, "config", "user.email", "ada@example.com");
    const id = await made(at, "first");
    expect(id).toMatch(/^my-app-[0-9a-z]{6}$/);
    expect(ids(await site.bd(at, ["list", "--json"]))).toEqual([id]);
    expect(site.git(at, "config", "town.prefix")).toBe("my-app");
    expect(site.git(at, "ls-tree", "-r", "--name-only", "town/work")).toContain(`${id}.json`);
    expect(site.git(at, "log", "-1", "--format=%an <%ae>", "town/work")).toBe("Ada <ada@example.com>");
    expect(site.git(at, "status", "--porcelain")).toBe("?? .keep");
    expect(site.git(at, "symbolic-ref", "HEAD")).toBe("refs/heads/main");
    expect(() => site.git(at, "rev-parse", "--verify", "--quiet", "HEAD")).toThrow();
  });

  test("given a dirty checkout with something staged, when beads are made and closed, then index, files and branches stay", async () => {
    const at = site.repository("dirty");
    site.write(`${at}/readme.md`, "changed\n");
    site.write(`${at}/staged.txt`, "staged\n");
    site.git(at, "add", "staged.txt");
    const before = [
      site.git(at, "status", "--porcelain=v2", "--branch"),
      site.git(at, "ls-files", "-s"),
      site.git(at, "rev-parse", "HEAD"),
    ];
    const index = readFileSync(`${at}/.git/index`);
    const id = await made(at, "x");
    await site.bd(at, ["close", id]);
    expect([site.git(at, "ls-files", "-s"), site.git(at, "rev-parse", "HEAD")]).toEqual(before.slice(1));
    expect(readFileSync(`${at}/.git/index`).equals(index)).toBe(true);
    expect(site.git(at, "status", "--porcelain=v2", "--branch")).toBe(before[0]);
  });

  test("given a linked worktree and a subdirectory, when beads are made there, then they are in the one store", async () => {
    const at = site.repository("main-tree");
    site.git(at, "worktree", "add", "--quiet", site.path("linked"), "-b", "topic");
    const first = await made(at, "in the main tree");
    const second = await made(site.path("linked"), "in the worktree");
    site.write(`${at}/deep/er/x`, "");
    const all = [first, second].sort();
    expect(ids(await site.bd(`${at}/deep/er`, ["list", "--json"])).toSorted()).toEqual(all);
    expect(ids(await site.bd(site.root, ["-C", "linked", "list", "--json"])).toSorted()).toEqual(all);
    expect(second).toMatch(/^main-tree-/);
  });

  test("given a bare repository, when a bead is made, then it is there", async () => {
    site.git(site.root, "init", "--quiet", "--bare", "bare.git");
    const { stdout, exitCode } = await site.bd(site.path("bare.git"), ["create", "x", "--silent"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^bare-[0-9a-z]{6}\n$/)]);
  });

  test("given no user.name, when something changes, then $USER stands for it and that is said; a read says nothing", async () => {
    const at = site.path("nobody");
    site.write(`${at}/x`, "");
    site.git(at, "init", "--quiet");
    const { stdout, stderr, exitCode } = await site.bd(at, ["create", "x", "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ created_by: "login" });
    expect(stderr).toContain('recorded as made by "login"');
    expect((await site.bd(at, ["list"])).stderr).toBe("");
    const named = await site.bd(at, ["create", "y", "--json"], { env: { BEADS_ACTOR: "eve" } });
    expect(named.stderr).toBe("");
    expect(JSON.parse(named.stdout)).toMatchObject({ created_by: "eve" });
    expect(JSON.parse((await site.bd(at, ["create", "z", "--actor", "mallory", "--json"])).stdout)).toMatchObject({
      created_by: "mallory",
    });
  });

  test("given a rig that no town here has, when bd is told to use it, then it refuses and nothing is made", async () => {
    const at = site.repository("api");
    const { stdout, stderr, exitCode } = await site.bd(at, ["create", "x", "--rig", "web"]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toContain("--rig web: no town runs here");
    expect((await site.bd(at, ["list", "--rig", "api", "--json"])).stdout).toBe("[]\n");
  });

  test("given a damaged line, when a file is imported, then it is told once, with where it is kept", async () => {
    const at = site.repository("lines");
    const { stderr } = await site.bd(at, ["import", "-"], { stdin: '{"id":"x-1","title":"a"}\nno json\n' });
    expect(stderr.match(/no JSON/g)).toHaveLength(1);
    expect(stderr).toContain("bd doctor lists what was set aside");
  });

  test("given a file that cannot be written, when beads are exported to it, then the error says it once", async () => {
    const at = site.repository("out");
    await site.bd(at, ["create", "x"]);
    const { stderr, exitCode } = await site.bd(at, ["export", "-o", `${at}/none/x.jsonl`]);
    expect(exitCode).toBe(1);
    expect(stderr.match(/no such file/g)).toHaveLength(1);
    expect(stderr).not.toContain("town-tmp");
  });

  test("given a directory without repository, when bd is run, then it says what to do", async () => {
    const at = site.path("plain");
    site.write(`${at}/x`, "");
    const { stderr, exitCode } = await site.bd(at, ["list"]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("no git repository at");
    expect(stderr).toContain("git init");
  });

  test("given what tells about the program alone, when run, then neither a repository nor a store that can be read is needed", async () => {
    const nowhere = site.path("nowhere");
    site.write(`${nowhere}/x`, "");
    const broken = site.repository("broken");
    await site.bd(broken, ["create", "x"]);
    site.write(`${broken}/.git/town/graph.json`, '{"format":99}');
    expect((await site.bd(broken, ["list"])).stderr).toContain("format 99");
    for (const at of [nowhere, broken]) {
      for (const argv of [["version"], ["help"], ["help", "create"], ["create", "--help"], ["quickstart"], []])
        expect(await site.bd(at, argv)).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringMatching(/bd/) });
      expect((await site.bd(at, ["frobnicate"])).stderr).toContain('unknown command "frobnicate"');
    }
  });

  test("given init --prefix, when beads are made, then they begin with it, and a moved directory keeps it", async () => {
    const at = site.repository("renamed");
    expect((await site.bd(at, ["init", "--prefix", "Shop"])).stderr).toContain('invalid prefix "Shop"');
    expect((await site.bd(at, ["init", "--prefix", "shop-", "--json"])).stdout).toContain('"prefix": "shop"');
    expect(await made(at, "x")).toMatch(/^shop-/);
    expect((await site.bd(at, ["init"])).stdout).toContain("begin with shop-");
  });

  test("given a repository with the beads of another bd, when init is run, then it says how to take them in", async () => {
    const at = site.repository("moving");
    expect((await site.bd(at, ["init"])).stderr).toBe("");
    const bead = { id: "old-1", title: "old", status: "open", priority: 1, issue_type: "task" };
    site.write(
      `${at}/.beads/issues.jsonl`,
      `${JSON.stringify({ ...bead, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" })}\n`,
    );
    expect((await site.bd(at, ["init"])).stderr).toContain("town bd import .beads");
    expect((await site.bd(at, ["import", ".beads"])).stdout).toContain("1 created");
    expect((await site.bd(at, ["init"])).stderr).toBe("");
    expect((await site.bd(at, ["init"])).stdout).toContain("begin with moving-");
    const fresh = site.repository("fresh");
    site.write(`${fresh}/.beads/issues.jsonl`, `${JSON.stringify(bead)}\n`);
    expect((await site.bd(fresh, ["init"])).stdout).toContain("begin with old-");
  });

  test("given beads of another prefix and no setting, when opened, then their prefix is taken on", async () => {
    const at = site.repository("clone-of");
    await site.bd(at, ["init", "--prefix", "orig"]);
    await made(at, "x");
    site.git(at, "config", "--unset", "town.prefix");
    expect(await made(at, "y")).toMatch(/^orig-/);
  });

  test("given a clone made before there were beads, when it takes in those of another, then it makes its own as that one does", async () => {
    const at = site.repository("first");
    site.git(site.root, "clone", "--quiet", "--bare", at, "prefix-hub.git");
    // As git itself has it, relative to the top of the worktree.
    site.git(at, "remote", "add", "origin", "../prefix-hub.git");
    site.git(site.root, "clone", "--quiet", "prefix-hub.git", "early");
    await site.bd(at, ["init", "--prefix", "shop"]);
    await made(at, "x");
    expect((await site.bd(at, ["sync"])).stdout).toMatch(/Synced with origin at [0-9a-f]{12}: nothing new came in\n/);
    const early = site.path("early");
    site.git(early, "config", "user.name", "Eve");
    expect((await site.bd(early, ["sync"])).stdout).toContain(": 1 bead came in");
    expect(await made(early, "y")).toMatch(/^shop-/);
    expect(site.git(early, "config", "town.prefix")).toBe("shop");
  });

  test("given a store, when the lines of init's help are run, then the repository is as it was", async () => {
    const at = site.repository("left");
    const before = [site.git(at, "for-each-ref"), site.git(at, "config", "--local", "--list")];
    await site.bd(at, ["init", "--prefix", "left"]);
    await made(at, "x");
    const help = (await site.bd(at, ["help", "init"])).stdout;
    const script = /To leave[^\n]*\n((?: {2}[^\n]*\n)+)/.exec(help)?.[1] ?? "";
    execFileSync("sh", ["-ec", script], { cwd: at, env: site.environment });
    expect([site.git(at, "for-each-ref"), site.git(at, "config", "--local", "--list")]).toEqual(before);
    expect(existsSync(`${at}/.git/town`)).toBe(false);
  });

  test("given a directory that is not there, when named, then that is what is said", async () => {
    const at = site.repository("around");
    expect((await site.bd(at, ["-C", "nowhere", "list"])).stderr).toContain(`there is no directory ${at}/nowhere`);
  });

  test("given a checkout that follows a rig's store, when bd is run there, then it works on that store", async () => {
    const at = site.repository("checkout");
    site.git(site.root, "clone", "--quiet", "--bare", at, "rig.git");
    site.git(at, "config", "town.store", site.path("rig.git"));
    site.git(at, "config", "town.prefix", "web");
    const id = await made(at, "x");
    expect(id).toMatch(/^web-/);
    expect(site.git(site.path("rig.git"), "ls-tree", "-r", "--name-only", "town/work")).toContain(`${id}.json`);
    expect(existsSync(`${at}/.git/town`)).toBe(false);
    expect((await site.bd(at, ["init", "--prefix", "other"])).stderr).toContain("follows the store of a town");
    site.git(at, "config", "town.store", site.path("gone.git"));
    expect((await site.bd(at, ["list"])).stderr).toContain("the store of this rig is not there");
  });

  test("given a checkout with beads that a rig adopts and lets go, when bd is used before, meanwhile and after, then it is one graph", async () => {
    const at = site.repository("adopted");
    const before = await made(at, "before");
    const checkout = await repositoryAt(site.ports.git, at);
    const store = await site.ports.git.init(site.path("adopting.git"), { bare: true, branch: "main" });
    await store.setConfig("town.prefix", "rig");
    const ports = { ...site.ports, log: silentLog };
    const openRig = () => openGraph({ ...ports, repository: store, namespace: "rig", prefix: "rig" });
    let rig = await openRig();
    await bindCheckout(rig, checkout, ports);
    expect(ids(await site.bd(at, ["list", "--json"]))).toEqual([before]);
    await rig.close();
    const meanwhile = await made(at, "meanwhile");
    expect(meanwhile).toMatch(/^rig-/);
    await site.bd(at, ["close", before, "--reason", "done"]);
    rig = await openRig();
    await unbindCheckout(rig, checkout, store.commonDirectory, ports);
    await rig.close();
    expect(readFileSync(`${at}/.git/config`, "utf8")).not.toContain("store =");
    expect(ids(await site.bd(at, ["list", "--all", "--json"])).toSorted()).toEqual([before, meanwhile].sort());
    expect((await site.bd(at, ["show", before])).stdout).toContain("done");
    expect(site.git(at, "for-each-ref", "--format=%(refname)", "refs/town").split("\n")).toEqual(["refs/town/flushed"]);
    expect(site.git(at, "status", "--porcelain")).toBe("");
  });

  test("given a process that keeps the store, when something changes, then it is exit code 6 with what to do; reads go on", async () => {
    const at = site.repository("kept");
    const id = await made(at, "before");
    const repository = await repositoryAt(site.ports.git, at);
    const holder = await openGraph({ ...site.ports, repository, log: silentLog, namespace: "kept", prefix: "kept" });
    try {
      const { stderr, exitCode } = await site.bd(at, ["create", "x"]);
      expect(exitCode).toBe(6);
      expect(stderr).toContain(`process ${process.pid} holds`);
      expect(stderr).toContain("Note: waiting for another process");
      expect(stderr).toContain("town status");
      expect(ids(await site.bd(at, ["list", "--json"]))).toEqual([id]);
      const other = await holder.transact({ actor: "daemon" }, (tx) => tx.create({ title: "not flushed" }));
      expect(ids(await site.bd(at, ["list", "--json"])).toSorted()).toEqual([id, other.id].sort());
    } finally {
      await holder.close();
    }
  });

  test("given a store without a cache, when it is only read, then the first read leaves one, unless told to change nothing", async () => {
    const at = site.repository("read-only-days");
    const id = await made(at, "x");
    const cache = `${at}/.git/town/cache`;
    rmSync(cache, { recursive: true });
    expect(ids(await site.bd(at, ["list", "--json", "--readonly"]))).toEqual([id]);
    expect(existsSync(cache)).toBe(false);
    expect(ids(await site.bd(at, ["list", "--json"]))).toEqual([id]);
    const columns = readFileSync(`${cache}/columns.bin`);
    expect(ids(await site.bd(at, ["list", "--json"]))).toEqual([id]);
    expect(readFileSync(`${cache}/columns.bin`)).toEqual(columns);
  });

  test("given a cache whose texts are damaged, when beads are read or changed, then git tells, and nothing is said of it", async () => {
    const at = site.repository("damaged");
    const id = await made(at, "a title");
    const cache = `${at}/.git/town/cache`;
    const spoil = async (): Promise<void> => {
      rmSync(cache, { recursive: true });
      await site.bd(at, ["list"]);
      const texts = `${cache}/${readdirSync(cache).find((name) => name.includes("texts")) ?? ""}`;
      writeFileSync(texts, readFileSync(texts, "utf8").replace("a title", "a lie!!"));
    };
    await spoil();
    const shown = await site.bd(at, ["show", id, "--json"]);
    expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain("a title");
    await spoil();
    expect((await site.bd(at, ["close", id])).exitCode).toBe(0);
    expect((await site.bd(at, ["show", id])).stdout).toContain("a title");
    await spoil();
    expect((await site.bd(at, ["list", "--all", "--json"])).stdout).toContain("a title");
  });

  test("given custom statuses, when the next command runs, then they count", async () => {
    const at = site.repository("custom");
    const id = await made(at, "x");
    const waiting = (await site.bd(at, ["create", "y", "--deps", id, "--silent"])).stdout.trim();
    await site.bd(at, ["config", "set", "status.custom", "verified:done,in_review:wip"]);
    expect((await site.bd(at, ["update", id, "-s", "in-review"])).stderr).toBe("");
    expect(ids(await site.bd(at, ["ready", "--json"]))).toEqual([]);
    await site.bd(at, ["update", id, "-s", "verified"]);
    expect(ids(await site.bd(at, ["ready", "--json"]))).toEqual([waiting]);
  });

  test("given a compacted bead, when the user's git collects garbage and another clone takes it in, then both still have the texts", async () => {
    const at = site.repository("digests");
    const text = "The whole story. ".repeat(80);
    const id = (await site.bd(at, ["create", "old", "-d", text, "--silent"])).stdout.trim();
    await site.bd(at, ["close", id]);
    expect((await site.bd(at, ["compact", "--apply", "--id", id, "--summary", "Short."])).exitCode).toBe(0);
    await site.bd(at, ["flush"]);
    await site.bd(at, ["gc"]);
    site.git(at, "reflog", "expire", "--expire=now", "--all");
    site.git(at, "gc", "--quiet", "--prune=now");
    site.git(site.root, "clone", "--quiet", "--bare", at, "digests.git");
    site.git(site.root, "clone", "--quiet", "digests.git", "digests-clone");
    const clone = site.path("digests-clone");
    expect((await site.bd(clone, ["sync"])).exitCode).toBe(0);
    for (const place of [at, clone]) {
      expect((await site.bd(place, ["show", id])).stdout).toMatch(/Short\./);
      expect(JSON.parse((await site.bd(place, ["show", id, "--full", "--json"])).stdout)).toMatchObject([
        { description: text },
      ]);
    }
  });

  test("given the merge driver, when git merges two branches of a file of beads, then both sides' changes are in it", async () => {
    const at = site.repository("merging");
    const a = await made(at, "a");
    const b = await made(at, "b");
    await site.bd(at, ["export", "-o", "issues.jsonl"]);
    site.git(at, "add", ".");
    site.git(at, "commit", "--quiet", "-m", "issues");
    const { stdout } = await site.bd(at, ["merge-driver", "install"]);
    expect(stdout).toContain("merge=beads");
    expect(site.git(at, "config", "merge.beads.driver")).toContain("merge-driver %O %A %B");
    const [base, ours, theirs] = ["base", "ours", "theirs"].map((name) => `${at}/${name}`);
    site.write(base ?? "", readFileSync(`${at}/issues.jsonl`, "utf8"));
    await site.bd(at, ["close", a]);
    await site.bd(at, ["export", "-o", "ours"]);
    await site.bd(at, ["reopen", a]);
    await site.bd(at, ["update", b, "-p", "0"]);
    await site.bd(at, ["export", "-o", "theirs"]);
    expect((await site.bd(at, ["merge-driver", "base", "ours", "theirs"])).exitCode).toBe(0);
    const merged = readFileSync(ours ?? "", "utf8");
    expect(merged).toContain('"priority":0');
    expect(theirs).toBeDefined();
  });
});

describe("the prefix of a directory", () => {
  test.each([
    ["/src/My App/.git", "my-app"],
    ["/src/api.git", "api"],
    ["/src/2nd_try/.git", "nd-try"],
    ["/src/___/.git", "bd"],
    ["/src/a-very-long-name-of-a-repository/.git", "a-very-long-name-of"],
  ])("given %s, when asked, then it is %s", (commonDirectory, prefix) => {
    expect(directoryPrefix({ commonDirectory })).toBe(prefix);
  });
});
