import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { repositoryAt } from "../../adapters/git/git-site.ts";
import { openRealGraph } from "../../graph/real-graph-parts.ts";
import { TownSite } from "../town-site.ts";

const KEY = { kind: "Rig", name: "api" } as const;

describe("the rigs loop on real git", () => {
  let site: TownSite;
  let project: string;

  beforeEach(async () => {
    site = await TownSite.make();
    project = site.repository("project");
  });

  afterEach(() => site.end());

  const rig = (spec: object) => site.declare("Rig", undefined, "api", spec);
  const settle = () => site.settle("rigs", KEY);
  const ready = () => site.condition(KEY);
  const clone = () => site.ports.layout.clone("api");
  const status = () => site.store.get(KEY)?.status as Record<string, unknown>;
  const config = (path: string) => readFileSync(join(path, ".git/config"), "utf8");

  describe("adoption", () => {
    it("given a repository by path, when settled, then there are a clone, a graph and a bound checkout, and nothing is left to do", async () => {
      await rig({ path: project });
      expect(await settle()).toEqual(["Clone", "OpenGraph", "Bind"]);
      expect(ready()).toMatchObject({ status: "True", reason: "RigReady" });
      expect(status()).toMatchObject({ branch: "main", head: site.run(project, "rev-parse", "main"), prefix: "api" });
      expect(site.run(project, "config", "town.store")).toBe(clone());
      expect(site.run(project, "status", "--porcelain")).toBe("");
      expect(await settle()).toEqual([]);
    });

    it("given a checkout with beads of its own, when adopted, then they are in the rig's store", async () => {
      const graph = await openRealGraph(await repositoryAt(site.git, project), site.ports);
      await graph.transact({ actor: "pat" }, (tx) => tx.create({ id: "api-old", title: "From before" }));
      await graph.close();
      await rig({ path: project });
      await settle();
      expect(site.ports.graphs.graph("api")?.get("api-old")?.title).toBe("From before");
    });

    it.each([
      {
        because: "nothing is there",
        path: () => site.path("nowhere"),
        reason: "RepositoryNotFound",
        fix: "correct spec.path",
      },
      {
        because: "it is no repository",
        path: () => {
          mkdirSync(site.path("plain"));
          return site.path("plain");
        },
        reason: "RepositoryNotFound",
        fix: "git init",
      },
      {
        because: "a folder below the town is no repository of its own",
        path: () => {
          mkdirSync(join(site.town, "sample"));
          return "./sample";
        },
        reason: "RepositoryNotFound",
        fix: "git init",
      },
      {
        because: "it lies inside another repository",
        path: () => {
          mkdirSync(join(project, "packages"));
          return join(project, "packages");
        },
        reason: "PathInsideRepository",
        fix: "set spec.path to that",
      },
      { because: "it is the town", path: () => site.town, reason: "PathIsTown", fix: "another one" },
      {
        because: "another town has it",
        path: () => {
          site.run(project, "config", "town.store", "/elsewhere/.git/town/rigs/api.git");
          return project;
        },
        reason: "BoundElsewhere",
        fix: "config --unset town.store",
      },
    ])("given that $because, when settled, then it is refused with the fix and nothing is made", async (row) => {
      await rig({ path: row.path() });
      expect(await settle()).toEqual([]);
      expect(ready()).toMatchObject({ status: "False", reason: row.reason });
      expect(ready()?.message).toContain(row.fix);
      expect(existsSync(clone())).toBe(false);
    });

    it("given a disk below its floor, when settled, then nothing is cloned until there is room", async () => {
      site.freeBytes = 1_000_000;
      await rig({ path: project });
      expect(await settle()).toEqual([]);
      expect(ready()).toMatchObject({ status: "False", reason: "DiskLow" });
      site.freeBytes = undefined;
      expect(await settle()).toContain("Clone");
    });

    it("given a directory in the clone's place that is no repository, when observed, then it is not taken for the town's repository", async () => {
      mkdirSync(join(clone(), "rubbish"), { recursive: true });
      await rig({ path: project });
      await settle();
      expect(ready()).toMatchObject({ status: "False", reason: "CloneInTheWay" });
    });
  });

  describe("repositories of every kind", () => {
    it("given a bare repository, when settled, then it is adopted", async () => {
      const bare = site.path("bare.git");
      site.run(site.root, "clone", "--quiet", "--bare", project, bare);
      await rig({ path: bare });
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(site.run(bare, "config", "town.store")).toBe(clone());
    });

    it("given a linked worktree, when settled, then the repository it belongs to is adopted", async () => {
      const linked = site.path("linked");
      site.run(project, "worktree", "add", "--quiet", linked, "-b", "topic");
      await rig({ path: linked, branch: "main" });
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(site.run(project, "worktree", "list").split("\n")).toHaveLength(2);
    });

    it("given a dirty checkout without user.name, when settled, then its files and index stay as they are", async () => {
      writeFileSync(join(project, "README.md"), "changed\n");
      writeFileSync(join(project, "new.txt"), "new\n");
      site.run(project, "add", "new.txt");
      const before = site.run(project, "status", "--porcelain");
      await rig({ path: project });
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(site.run(project, "status", "--porcelain")).toBe(before);
    });

    it("given a sha256 repository, when settled, then it is adopted with its format", async () => {
      const path = site.repository("sha256", "--object-format=sha256");
      await rig({ path });
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(status()["head"]).toHaveLength(64);
    });

    it("given a repository of a format that this git cannot read, when settled, then the message says what to do", async () => {
      site.run(project, "config", "core.repositoryformatversion", "1");
      site.run(project, "config", "extensions.refstorage", "unheardof");
      await rig({ path: project });
      await settle();
      expect(ready()).toMatchObject({ status: "Unknown", reason: "UnsupportedRepository" });
      expect(ready()?.message).toContain("newer git");
    });

    it("given a repository without a commit, when its first one comes, then the rig becomes ready", async () => {
      const empty = site.path("empty");
      mkdirSync(empty);
      site.run(empty, "init", "--quiet", "--initial-branch=main");
      await rig({ path: empty });
      await settle();
      expect(ready()).toMatchObject({ status: "False", reason: "NoTargetBranch" });
      const head = site.commit(empty, { a: "1\n" });
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(status()["head"]).toBe(head);
    });
  });

  describe("following the source", () => {
    it("given a commit in a repository on this machine, when looked at, then it is fetched at once", async () => {
      await rig({ path: project });
      await settle();
      const head = site.commit(project, { a: "1\n" });
      await settle();
      expect(status()["head"]).toBe(head);
    });

    it("given a url, when its interval has passed or a person asks, then it is fetched, and not before", async () => {
      await rig({ url: `file://${project}`, fetchInterval: "5m" });
      await settle();
      const first = status()["head"];
      const second = site.commit(project, { a: "1\n" });
      await settle();
      expect(status()["head"]).toBe(first);
      site.later(5 * 60_000);
      await settle();
      expect(status()["head"]).toBe(second);
      const third = site.commit(project, { a: "2\n" });
      site.later(2_000);
      await site.store.annotateRuntime(KEY, {
        "runtime.town.dev/reconcile-requested-at": new Date(site.ports.clock.now()).toISOString(),
      });
      await settle();
      expect(status()["head"]).toBe(third);
    });

    it("given a remote whose default branch was renamed, when fetched, then the new one is the target", async () => {
      const bare = site.path("bare.git");
      site.run(site.root, "clone", "--quiet", "--bare", project, bare);
      await rig({ url: `file://${bare}` });
      await settle();
      site.run(bare, "branch", "--move", "main", "trunk");
      site.run(bare, "symbolic-ref", "HEAD", "refs/heads/trunk");
      site.later(60_000);
      await settle();
      site.later(60_000);
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(status()["branch"]).toBe("trunk");
    });

    it("given a remote that is gone, when fetched, then the rig is Unknown, the clone stays, and it recovers", async () => {
      await rig({ url: `file://${project}` });
      await settle();
      const head = status()["head"];
      renameSync(project, site.path("hidden"));
      site.later(60_000);
      expect(await settle()).toEqual([]);
      expect(ready()).toMatchObject({ status: "Unknown", reason: "RemoteUnreachable" });
      expect(ready()?.message).toContain("work goes on");
      expect(status()["head"]).toBe(head);
      expect(existsSync(clone())).toBe(true);
      const told = ready()?.message;
      site.later(5_000);
      await settle();
      expect(ready()?.message).toBe(told);
      renameSync(site.path("hidden"), project);
      site.later(30_000);
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
      expect(status()["fetchAttemptTime"]).toBeUndefined();
    });

    it("given a path that is gone for a while, when looked at, then work goes on and nothing is cloned anew", async () => {
      await rig({ path: project });
      await settle();
      renameSync(project, site.path("unmounted"));
      await site.start();
      await rig({ path: project });
      expect(await settle()).toEqual(["OpenGraph"]);
      expect(ready()).toMatchObject({ status: "Unknown", reason: "RepositoryNotFound" });
      renameSync(site.path("unmounted"), project);
      await settle();
      expect(ready()).toMatchObject({ status: "True" });
    });

    it("given a repository that moved, when the manifest names the new place, then the clone follows it", async () => {
      await rig({ url: `file://${project}` });
      await settle();
      const moved = site.path("moved");
      renameSync(project, moved);
      site.commit(moved, { a: "1\n" });
      await rig({ url: `file://${moved}` });
      expect(await settle()).toContain("FollowSource");
      expect(ready()).toMatchObject({ status: "True" });
      expect(status()["head"]).toBe(site.run(moved, "rev-parse", "HEAD"));
      expect(site.events("api")).toContain("SourceFollowed");
    });

    it("given another repository, when the manifest names it, then the clone stays with the one it knows", async () => {
      await rig({ url: `file://${project}` });
      await settle();
      const other = site.repository("other");
      await rig({ url: `file://${other}` });
      await settle();
      expect(ready()).toMatchObject({ status: "False", reason: "SourceUnrelated" });
      expect(site.run(clone(), "config", "remote.origin.url")).toBe(`file://${project}`);
      expect(site.run(clone(), "for-each-ref", "refs/town/candidate")).toBe("");
    });
  });

  describe("pushing", () => {
    const shared = () => {
      const bare = site.path("shared.git");
      site.run(site.root, "clone", "--quiet", "--bare", project, bare);
      site.run(project, "remote", "add", "origin", bare);
      site.run(project, "fetch", "--quiet");
      return bare;
    };

    it("given no word about pushing, when the target moves, then nothing reaches a remote", async () => {
      const bare = shared();
      const before = site.run(bare, "for-each-ref");
      await rig({ path: project });
      await settle();
      await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => tx.create({ title: "x" }));
      site.commit(project, { a: "1\n" });
      site.later(600_000);
      await settle();
      expect(site.run(bare, "for-each-ref")).toBe(before);
    });

    it("given push.target on a path rig, when its branch moves, then its own remote gets it and nothing else", async () => {
      const bare = shared();
      await rig({ path: project, push: { target: true } });
      await settle();
      const head = site.commit(project, { a: "1\n" });
      expect(await settle()).toContain("PushTarget");
      expect(site.run(bare, "rev-parse", "main")).toBe(head);
      expect(site.run(bare, "for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
      expect(site.condition(KEY, "Pushed")).toMatchObject({ status: "True" });
    });

    it("given a remote with commits of its own, when the branch is pushed, then nothing is overwritten and the rig says so", async () => {
      const bare = shared();
      const other = site.path("other");
      site.run(site.root, "clone", "--quiet", bare, other);
      const theirs = site.commit(other, { b: "1\n" });
      site.run(other, "push", "--quiet", "origin", "main");
      await rig({ path: project, push: { target: true } });
      site.commit(project, { a: "1\n" });
      await settle();
      expect(site.run(bare, "rev-parse", "main")).toBe(theirs);
      site.later(600_000);
      await settle();
      expect(site.condition(KEY, "Pushed")).toMatchObject({ status: "False", reason: "RemoteDiverged" });
    });

    it("given push.work, when fetched, then the remote has the work graph, and what others pushed is taken in", async () => {
      const bare = shared();
      await rig({ url: bare, push: { work: true } });
      await settle();
      await site.ports.graphs
        .graph("api")
        ?.transact({ actor: "pat" }, (tx) => tx.create({ id: "api-a1", title: "One" }));
      site.later(60_000);
      expect(await settle()).toContain("SyncWork");
      expect(site.run(bare, "ls-tree", "-r", "--name-only", "town/work")).toContain("api-a1");
    });
  });

  describe("removal", () => {
    const remove = () => site.store.withdraw(KEY);

    it("given an adopted checkout, when its rig is removed, then its config, refs and hooks are as before", async () => {
      writeFileSync(join(project, ".git/hooks/pre-commit"), "#!/bin/sh\n", { mode: 0o755 });
      const [before, refs] = [config(project), site.run(project, "for-each-ref")];
      await rig({ path: project });
      await settle();
      await remove();
      await settle();
      expect(site.store.get(KEY)).toBeUndefined();
      expect(config(project)).toBe(before);
      expect(site.run(project, "for-each-ref")).toBe(refs);
      expect(readFileSync(join(project, ".git/hooks/pre-commit"), "utf8")).toBe("#!/bin/sh\n");
      expect(existsSync(clone())).toBe(false);
    });

    it("given a removed rig, when it is declared again, then its work graph is back", async () => {
      await rig({ path: project });
      await settle();
      await site.ports.graphs
        .graph("api")
        ?.transact({ actor: "pat" }, (tx) => tx.create({ id: "api-k1", title: "Kept" }));
      await remove();
      await settle();
      await rig({ path: project });
      await settle();
      expect(site.ports.graphs.graph("api")?.get("api-k1")?.title).toBe("Kept");
      expect(site.events("api")).toContain("CloneTakenBack");
    });

    it("given unmerged work, when the rig is removed, then it holds and names it, until a person gives it up", async () => {
      await rig({ path: project });
      await settle();
      await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => {
        tx.create({ id: "api-w1", title: "Under way" });
        tx.claim("api-w1", "api/crew/toast", { status: "hooked" });
      });
      await remove();
      await settle();
      expect(ready()).toMatchObject({ status: "False", reason: "UnfinishedWork" });
      expect(ready()?.message).toContain("api-w1 (api/crew/toast)");
      expect(existsSync(clone())).toBe(true);
      await site.store.annotateRuntime(KEY, { "runtime.town.dev/abandon-work": "2026-01-01T00:00:00Z" });
      await settle();
      expect(site.store.get(KEY)).toBeUndefined();
      expect(existsSync(clone())).toBe(false);
    });

    it("given a controller killed while it removed, when another starts, then it ends the removal", async () => {
      await rig({ path: project });
      await settle();
      await remove();
      await site.ports.graphHost.close("api");
      await settle();
      expect(site.store.get(KEY)).toBeUndefined();
      expect(config(project)).not.toContain("town");
    });

    it("given pools in its namespace, when the rig is removed, then it waits for them", async () => {
      await rig({ path: project });
      await settle();
      const pool = { kind: "AgentPool", namespace: "api", name: "crew" };
      await site.declare("AgentPool", "api", "crew", { role: "crew", provider: "shell", replicas: 0 });
      await remove();
      await settle();
      expect(ready()).toMatchObject({ reason: "RigInUse" });
      expect(ready()?.message).toContain("AgentPool crew");
      await site.store.withdraw(pool);
      await settle();
      expect(site.store.get(KEY)).toBeUndefined();
    });

    it("given a checkout that is gone, when its rig is removed, then the removal ends", async () => {
      await rig({ path: project });
      await settle();
      rmSync(project, { recursive: true });
      await remove();
      await settle();
      expect(site.store.get(KEY)).toBeUndefined();
    });
  });
});
