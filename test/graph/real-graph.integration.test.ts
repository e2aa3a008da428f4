import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { recordPath } from "../../src/domain/work-graph/ids/record-path.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { OpenGraphOptions } from "../../src/graph/open-graph.ts";
import { graphAsOf, graphDiff } from "../../src/graph/past.ts";
import { syncGraph } from "../../src/graph/sync.ts";
import { realSite, repositoryAt, type RealSite } from "../adapters/git/git-site.ts";
import { openRealGraph, realGraphParts } from "./real-graph-parts.ts";
import { unshownGraphs } from "./stores.ts";

const alice = { actor: "alice" };
const bob = { actor: "bob" };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function newSite(): RealSite {
  const site = realSite();
  closers.push(() => site.close());
  return site;
}

async function openIn(site: RealSite, path: string, options: Partial<OpenGraphOptions> = {}): Promise<GitGraph> {
  const repository = await repositoryAt(site.git, path);
  const graph = await openRealGraph(repository, { flushIntervalMs: 3_600_000, ...options });
  closers.push(() => graph.close());
  return graph;
}

/** A checkout with one commit, as a user has it. */
function userRepository(site: RealSite): string {
  const path = join(site.root, "user");
  site.sh(site.root, "init", "--quiet", "--initial-branch=main", path);
  writeFileSync(join(path, "readme.txt"), "hello\n");
  site.sh(path, "add", "readme.txt");
  site.sh(path, "commit", "--quiet", "-m", "first");
  return path;
}

describe("the work graph in a real repository", () => {
  test("given a flush, then the branch is plain text that git shows, and the user's checkout is as it was", async () => {
    const site = newSite();
    const path = userRepository(site);
    writeFileSync(join(path, "readme.txt"), "changed\n");
    const before = [site.sh(path, "status", "--porcelain=v2", "--branch"), site.sh(path, "rev-parse", "main")];
    const graph = await openIn(site, path);
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    const { commit } = await graph.flush();

    const line = site.sh(path, "show", `town/work:${recordPath(bead.id)}`);
    expect(JSON.parse(line)).toEqual(bead);
    expect(Object.keys(JSON.parse(line) as object)).toEqual(Object.keys(bead).sort());
    expect(JSON.parse(site.sh(path, "show", "town/work:version.json"))).toMatchObject({ format: 1 });
    const log = site.sh(path, "ls-tree", "-r", "--name-only", "town/work", "log/");
    expect(log).toMatch(/^log\/\d{4}-\d\d-\d\d\/[0-9a-z]+\.jsonl$/);
    expect(JSON.parse(site.sh(path, "show", `town/work:${log}`))).toMatchObject({
      a: "alice",
      i: bead.id,
      e: "created",
    });
    expect(site.sh(path, "log", "-1", "--format=%an%n%B", "town/work")).toMatch(
      /^alice\nwork: api-\w+\n\nTown-Actor: alice\nTown-Wal: [0-9a-z]+=\d+$/,
    );
    expect(site.sh(path, "rev-parse", "refs/town/flushed")).toBe(commit);
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
    expect([site.sh(path, "status", "--porcelain=v2", "--branch"), site.sh(path, "rev-parse", "main")]).toEqual(before);
    expect(existsSync(join(path, ".git", "town", "graph.lock"))).toBe(true);
  });

  test("given edits with plain git on the branch, when flushed, then valid ones are taken in as their author's and invalid ones set aside", async () => {
    const site = newSite();
    const path = userRepository(site);
    const graph = await openIn(site, path);
    const [one, two, three] = await graph.transact(alice, (tx) =>
      ["one", "two", "three"].map((title) => tx.create({ title })),
    );
    if (one === undefined || two === undefined || three === undefined) throw new Error("not made");
    await graph.flush();
    const checkout = join(site.root, "work");
    site.sh(path, "worktree", "add", "--quiet", "--detach", checkout, "town/work");
    const edit = (id: string, change: (text: string) => string): void => {
      const file = join(checkout, recordPath(id));
      writeFileSync(file, change(readFileSync(file, "utf8")));
    };
    edit(one.id, (text) => text.replace('"title":"one"', '"title":"edited"'));
    edit(two.id, (text) => text.replace('"status":"open"', '"status":"opne"'));
    site.sh(checkout, "rm", "--quiet", recordPath(three.id));
    writeFileSync(join(checkout, "notes.txt"), "of the user\n");
    site.sh(checkout, "add", "--all");
    site.sh(checkout, "commit", "--quiet", "-m", "by hand");
    site.sh(checkout, "push", "--quiet", path, "HEAD:refs/heads/town/work");
    await graph.transact(bob, (tx) => tx.update(one.id, { priority: 0 }));
    await graph.flush();

    expect(graph.get(one.id)).toMatchObject({ title: "edited", priority: 0 });
    expect(graph.get(two.id)?.status).toBe("open");
    expect(graph.get(three.id)).toBeUndefined();
    expect((await graph.history(one.id)).map(({ actor, event }) => `${actor} ${event}`)).toEqual([
      "alice created",
      "bob updated",
      "User updated",
    ]);
    expect(JSON.parse(site.sh(path, "show", `town/work:${recordPath(two.id)}`))).toMatchObject({ status: "open" });
    expect(JSON.parse(site.sh(path, "show", `town/work:${recordPath(three.id)}`))).toMatchObject({
      status: "tombstone",
    });
    expect(site.sh(path, "show", "town/work:notes.txt")).toBe("of the user");
    expect(site.sh(path, "rev-list", "--count", "--merges", "town/work")).toBe("0");
    const aside = readFileSync(join(path, ".git", "town", "set-aside", "branch.jsonl"), "utf8");
    expect(aside).toContain(recordPath(two.id));
    expect(aside).toContain("opne");
  });

  test("given a town that keeps the store, when somebody edits, resets or removes the branch with plain git, then it follows by itself", async () => {
    const site = newSite();
    const path = userRepository(site);
    const graphs = unshownGraphs(realGraphParts());
    closers.push(() => graphs.closeAll());
    const graph = await graphs.open("api", await repositoryAt(site.git, path), { prefix: "api", branch: "town/work" });
    const one = await graph.transact(alice, (tx) => tx.create({ title: "one" }));
    const first = (await graph.flush()).commit;
    const two = await graph.transact(alice, (tx) => tx.create({ title: "two" }));
    await graph.flush();
    const checkout = join(site.root, "work");
    site.sh(path, "worktree", "add", "--quiet", "--detach", checkout, "town/work");
    const file = join(checkout, recordPath(one.id));
    writeFileSync(file, readFileSync(file, "utf8").replace('"title":"one"', '"title":"edited"'));
    site.sh(checkout, "commit", "--quiet", "--all", "-m", "by hand");
    site.sh(checkout, "push", "--quiet", path, "HEAD:refs/heads/town/work");
    await expect.poll(() => graph.get(one.id)?.title).toBe("edited");
    const branch = () => site.sh(path, "for-each-ref", "--format=%(objectname)", "refs/heads/town/work");
    const tree = () => site.sh(path, "ls-tree", "-r", "--name-only", "town/work");
    site.sh(path, "update-ref", "refs/heads/town/work", first);
    await expect.poll(branch).not.toBe(first);
    expect(tree()).toContain(recordPath(two.id));
    site.sh(path, "update-ref", "-d", "refs/heads/town/work");
    await expect.poll(branch).not.toBe("");
    expect(tree()).toContain(recordPath(two.id));
    expect(graph.get(one.id)?.title).toBe("edited");
  });

  test("given a checkout of the branch that is behind, when somebody commits from it, then only the edit counts and nothing else is taken back", async () => {
    const site = newSite();
    const path = join(site.root, "r");
    const beside = join(site.root, "beside");
    site.sh(site.root, "init", "--quiet", path);
    const graph = await openIn(site, path);
    await graph.transact(alice, (tx) => {
      for (const id of ["api-1", "api-2", "api-3"]) tx.create({ id, title: id });
    });
    await graph.flush();
    site.sh(path, "worktree", "add", "--quiet", beside, "town/work");
    await graph.transact(alice, (tx) => {
      tx.create({ id: "api-4", title: "later" });
      tx.update("api-2", { title: "two" });
      tx.close("api-3");
    });
    const { commit: before } = await graph.flush();
    const file = join(beside, recordPath("api-1"));
    writeFileSync(file, readFileSync(file, "utf8").replace('"title":"api-1"', '"title":"by hand"'));
    site.sh(beside, "commit", "--quiet", "--all", "-m", "edit");
    const edit = site.sh(path, "rev-parse", "town/work");
    expect(site.sh(path, "diff", "--name-only", before, edit).split("\n")).toHaveLength(5);
    const reader = await openIn(site, path, { readOnly: true });
    const { commit } = await graph.flush();
    for (const one of [graph, reader]) {
      expect(one.list().map(({ title, status }) => `${title} ${status}`)).toEqual([
        "by hand open",
        "two open",
        "api-3 closed",
        "later open",
      ]);
    }
    expect((await graph.history("api-2")).map(({ event }) => event)).toEqual(["created", "updated"]);
    expect((await graph.history("api-1")).map(({ actor }) => actor)).toEqual(["alice", "User"]);
    expect(site.sh(path, "rev-parse", `${commit}^1`, `${commit}^2`).split("\n")).toEqual([before, edit]);
    // From a checkout that is not behind, what is taken back is meant.
    site.sh(beside, "reset", "--quiet", "--hard", "town/work");
    rmSync(join(beside, recordPath("api-4")));
    site.sh(beside, "commit", "--quiet", "--all", "-m", "remove");
    await graph.flush();
    expect(graph.get("api-4")).toBeUndefined();
    expect(graph.list()).toHaveLength(3);
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
  });

  test("given a remote that refuses the branch, when synced, then its words are told at once, and what it has is taken in", async () => {
    const site = newSite();
    site.sh(site.root, "init", "--quiet", "--bare", "remote.git");
    const remote = join(site.root, "remote.git");
    for (const name of ["left", "right"]) site.sh(site.root, "clone", "--quiet", remote, name);
    const left = await openIn(site, join(site.root, "left"));
    const right = await openIn(site, join(site.root, "right"));
    const options = { remote: "origin", clock: systemClock, random: nodeRandom };
    await left.transact(alice, (tx) => tx.create({ title: "of the left" }));
    await syncGraph(left, options);
    await site.write(join(remote, "hooks", "pre-receive"), "#!/bin/sh\necho hands off >&2\nexit 1\n", 0o755);
    await right.transact(bob, (tx) => tx.create({ title: "of the right" }));
    await expect(syncGraph(right, options)).rejects.toMatchObject({
      reason: "RemoteRefuses",
      message: expect.stringMatching(/the remote refuses it: \[remote rejected\] .*; hands off$/),
    });
    expect(right.list()).toHaveLength(2);
  });

  test("given a mirror of a repository, when synced, then its branch alone is pushed", async () => {
    const site = newSite();
    site.sh(site.root, "init", "--quiet", "--bare", "remote.git");
    site.sh(site.root, "clone", "--quiet", "--mirror", "remote.git", "mirror.git");
    const graph = await openIn(site, join(site.root, "mirror.git"));
    await graph.transact(alice, (tx) => tx.create({ title: "one" }));
    await syncGraph(graph, { remote: "origin", clock: systemClock, random: nodeRandom });
    expect(site.sh(join(site.root, "remote.git"), "for-each-ref", "--format=%(refname)")).toBe("refs/heads/town/work");
  });

  test("given a branch that was reset to an older commit, when flushed, then nothing is lost and it goes forward again", async () => {
    const site = newSite();
    const path = userRepository(site);
    const graph = await openIn(site, path);
    const first = await graph.transact(alice, (tx) => tx.create({ title: "first" }));
    const { commit: older } = await graph.flush();
    const second = await graph.transact(alice, (tx) => tx.create({ title: "second" }));
    await graph.flush();
    site.sh(path, "branch", "--force", "town/work", older);
    await graph.flush();
    expect(
      graph
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([first.id, second.id].sort());
    expect(JSON.parse(site.sh(path, "show", `town/work:${recordPath(second.id)}`))).toEqual(second);
  });

  test("given two clones and a remote, when both sync, then both hold the same and the branches are one", async () => {
    const site = newSite();
    site.sh(site.root, "init", "--quiet", "--bare", "remote.git");
    for (const name of ["left", "right"]) site.sh(site.root, "clone", "--quiet", join(site.root, "remote.git"), name);
    const left = await openIn(site, join(site.root, "left"));
    const right = await openIn(site, join(site.root, "right"));
    const options = { remote: "origin", clock: systemClock, random: nodeRandom };
    const shared = await left.transact(alice, (tx) => tx.create({ title: "shared" }));
    await syncGraph(left, options);
    await syncGraph(right, options);
    await left.transact(alice, (tx) => tx.claim(shared.id, "alice"));
    await right.transact(bob, (tx) => tx.claim(shared.id, "bob"));
    const [first, second] = await Promise.allSettled([syncGraph(left, options), syncGraph(right, options)]);
    expect([first.status, second.status]).toEqual(["fulfilled", "fulfilled"]);
    await syncGraph(left, options);
    await syncGraph(right, options);
    expect(left.list()).toEqual(right.list());
    const lost = [first, second].flatMap((run) => (run.status === "fulfilled" ? run.value.lostClaims : []));
    expect(lost).toHaveLength(1);
    expect(lost[0]?.winner).toBe(left.get(shared.id)?.assignee);
    expect(site.sh(join(site.root, "left"), "rev-parse", "town/work")).toBe(
      site.sh(join(site.root, "right"), "rev-parse", "town/work"),
    );
  });

  test("given several commits, when the past is read, then it is as it was", async () => {
    const site = newSite();
    const graph = await openIn(site, userRepository(site));
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "then" }));
    const { commit: then } = await graph.flush();
    await graph.transact(alice, (tx) => tx.update(bead.id, { title: "now" }));
    const { commit: now } = await graph.flush();
    expect((await graphAsOf(graph, then))?.reader.get(bead.id)?.title).toBe("then");
    expect((await graphAsOf(graph, "town/work~1"))?.reader.ready().map(({ title }) => title)).toEqual(["then"]);
    expect((await graphAsOf(graph, new Date(Date.now() + 60_000).toISOString()))?.commit).toBe(now);
    expect(await graphAsOf(graph, "2020-01-01")).toBeUndefined();
    expect(await graphAsOf(graph, "no-such-thing")).toBeUndefined();
    const difference = await graphDiff(graph, then, now);
    expect(difference.map(({ id, events }) => ({ id, events }))).toEqual([
      { id: bead.id, events: [{ event: "updated", changes: [{ field: "title", from: "then", to: "now" }] }] },
    ]);
  });
});

interface Writer {
  /** Ids of what it was told is kept. */
  readonly acknowledged: readonly string[];
  opened(this: void): Promise<void>;
  /** kill -9; resolves once it is gone. */
  killed(this: void): Promise<void>;
}

describe("a process that has the store", () => {
  async function writer(site: RealSite, path: string): Promise<Writer> {
    const acknowledged: string[] = [];
    const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
    const child = spawn(process.execPath, ["--import", "tsx", join(import.meta.dirname, "graph-writer.ts"), path], {
      env: { ...environment, ...site.environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = (): void => undefined;
    const ready = new Promise<void>((done) => {
      told = done;
    });
    let rest = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "open") told();
        else acknowledged.push(line);
      }
    });
    closers.push(async () => {
      child.kill("SIGKILL");
    });
    const killed = async (): Promise<void> => {
      const gone = new Promise((done) => child.once("close", done));
      child.kill("SIGKILL");
      await gone;
    };
    return { acknowledged, opened: () => ready, killed };
  }

  test("given it lives, then nobody else writes; given it is killed, then the next takes over at once with everything it acknowledged", async () => {
    const site = newSite();
    const path = userRepository(site);
    for (let round = 0; round < 3; round++) {
      const { acknowledged, opened, killed } = await writer(site, path);
      await opened();
      await expect(openIn(site, path, { lockTimeoutMs: 50 })).rejects.toMatchObject({ reason: "StoreLocked" });
      await new Promise((done) => setTimeout(done, 200 + round * 150));
      await killed();
      const graph = await openIn(site, path);
      expect(acknowledged.length).toBeGreaterThan(0);
      expect(acknowledged.filter((id) => graph.get(id) === undefined)).toEqual([]);
      const wisps = acknowledged.filter((id) => graph.get(id)?.ephemeral === true);
      expect(wisps.length).toBeGreaterThan(0);
      for (const id of wisps) expect(await graph.history(id)).toMatchObject([{ actor: "writer", event: "created" }]);
      await graph.flush();
      const files = site.sh(path, "ls-tree", "-r", "--name-only", "town/work");
      expect(wisps.filter((id) => files.includes(`${id}.json`))).toEqual([]);
      await graph.close();
      expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
    }
    const wal = readdirSync(join(path, ".git", "town", "wal"));
    expect(wal).toHaveLength(1);
  });

  test("given a user who collects garbage again and again meanwhile, when the process is killed, then nothing acknowledged is missing", async () => {
    const site = newSite();
    const path = userRepository(site);
    const { acknowledged, opened, killed } = await writer(site, path);
    await opened();
    // As people do it: what is younger than two weeks is left, so that what was written and not named yet stays.
    for (let round = 0; round < 6; round++) {
      try {
        site.sh(path, "gc", "--quiet");
      } catch (error) {
        // The store packs just now, or a ref has moved under it: that is all it may say.
        expect(String(error)).toMatch(/gc is already running|gc\.pid|cannot lock ref|failed to run/);
      }
    }
    await killed();
    const graph = await openIn(site, path);
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(acknowledged.filter((id) => graph.get(id) === undefined)).toEqual([]);
    await graph.flush();
    await graph.close();
    expect(site.sh(path, "fsck", "--strict", "--no-dangling")).toBe("");
    // Also without the cache, from git alone.
    rmSync(join(path, ".git", "town", "cache"), { recursive: true, force: true });
    const again = await openIn(site, path);
    expect(acknowledged.filter((id) => again.get(id) === undefined)).toEqual([]);
    await again.close();
  });
});
