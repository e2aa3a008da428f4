import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordJoined, recordLeft } from "../../../src/work/joined.ts";
import { META } from "../../../src/domain/work-graph/bead.ts";
import { MERGE } from "../../../src/work/submission.ts";
import { raiseEscalation } from "../../../src/work/escalation.ts";
import { declareAgent } from "../../../src/work/agent-record.ts";
import { TownSite } from "../town-site.ts";

const HQ = { kind: "Town", name: "hq" } as const;
const DAY_MS = 24 * 3_600_000;

describe("the collection loop", () => {
  let site: TownSite;

  beforeEach(async () => {
    site = await TownSite.withRig();
    await site.store.patchStatus(HQ, { sync: { status: "Synced" } });
  });

  afterEach(() => site.end());

  const clone = () => site.ports.layout.clone("api");
  const collect = async (): Promise<readonly string[]> => {
    site.later(11 * 60_000);
    return (await site.round("collection", HQ)).filter((action) => action === "Remove");
  };
  const sandbox = (agent: string) => site.ports.layout.sandbox("api", "polecats", agent);
  const worktree = (agent: string): string => {
    mkdirSync(dirname(sandbox(agent)), { recursive: true });
    site.run(
      clone(),
      "worktree",
      "add",
      "--quiet",
      "-b",
      `town/agents/api/${agent}/api-1`,
      sandbox(agent),
      "origin/main",
    );
    return sandbox(agent);
  };
  const declare = (name: string) =>
    site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) =>
      declareAgent(tx, "api", {
        name,
        identity: `api/polecats/${name}`,
        role: "polecat",
        pool: "p",
        desired: "OnWork",
      }),
    );

  it("given a worktree whose agent never was, when collected, then its work is rescued and it is gone; others stay", async () => {
    const orphan = worktree("ghost");
    const kept = worktree("toast");
    await declare("toast");
    writeFileSync(join(orphan, "work.txt"), "work\n");
    expect(await collect()).toHaveLength(1);
    expect(existsSync(orphan)).toBe(false);
    expect(existsSync(kept)).toBe(true);
    const rescue = site.run(clone(), "for-each-ref", "--format=%(refname)", "refs/town/rescue/api/ghost");
    expect(site.run(clone(), "show", `${rescue}:work.txt`)).toBe("work");
    expect(site.events("hq")).toContain("OrphanWorktreeRemoved");
    expect(await collect()).toEqual([]);
  });

  it("given a worktree that was deleted by hand, when collected, then git's record goes; with its parent gone, too, it stays", async () => {
    rmSync(worktree("toast"), { recursive: true });
    await declare("toast");
    rmSync(dirname(sandbox("toast")), { recursive: true });
    expect(await collect()).toEqual([]);
    mkdirSync(dirname(sandbox("toast")));
    expect(await collect()).toHaveLength(1);
    expect(site.run(clone(), "worktree", "list")).not.toContain("toast");
  });

  it("given branches of two attempts at one bead, when it is merged, then both go and stay pinned; what was only closed keeps its own", async () => {
    const standing = worktree("toast");
    await declare("toast");
    const head = site.run(standing, "rev-parse", "HEAD");
    for (const branch of ["nux/api-1", "max/api-1", "max/api-2", "max/home"])
      site.run(clone(), "branch", `town/agents/api/${branch}`, head);
    await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => {
      const request = tx.create({ title: "m", issue_type: "merge-request" });
      for (const id of ["api-1", "api-2"]) tx.create({ id, title: id });
      tx.setMetadata("api-1", { [META.mergeRequest]: request.id });
      tx.setMetadata(request.id, { [MERGE.state]: "Merged" });
      for (const id of [request.id, "api-1", "api-2"]) tx.close(id, { reason: "done", force: true });
    });
    expect(await collect()).toHaveLength(2);
    const refs = site.run(clone(), "for-each-ref", "--format=%(refname)", "refs/heads/town/agents", "refs/town/heads");
    expect(refs.split("\n")).toEqual([
      "refs/heads/town/agents/api/max/api-2",
      "refs/heads/town/agents/api/max/home",
      "refs/heads/town/agents/api/toast/api-1",
      `refs/town/heads/api-1/${head}`,
    ]);
    expect(await collect()).toEqual([]);
  });

  it("given an escalation of a loop whose bead is settled by another hand, when collected, then it ends; others stay", async () => {
    const graph = site.ports.graphs.graph("api");
    const key = (name: string) => ({ key: name, title: name, text: "", severity: "high" as const });
    await graph?.transact({ actor: "pat" }, (tx) => {
      for (const id of ["api-1", "api-2"]) tx.create({ id, title: id });
      tx.update("api-1", { status: "blocked" });
      raiseEscalation(tx, { ...key("attempts/api-1"), bead: "api-1" });
      raiseEscalation(tx, { ...key("unresponsive/api-2"), bead: "api-2" });
      raiseEscalation(tx, { title: "which database?", text: "", severity: "high", bead: "api-1" });
    });
    const open = () =>
      graph
        ?.list({ type: ["escalation"], status: ["open"] })
        .map(({ title }) => title)
        .toSorted();
    expect(await collect()).toEqual([]);
    await graph?.transact({ actor: "pat" }, (tx) => tx.close("api-1", { reason: "given up", force: true }));
    expect(await collect()).toHaveLength(1);
    expect(open()).toEqual(["unresponsive/api-2", "which database?"]);
    expect(await collect()).toEqual([]);
  });

  it("given commits built for merge requests, when collected, then those of ended ones go", async () => {
    const head = site.run(clone(), "rev-parse", "origin/main");
    await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => {
      tx.create({ id: "api-open", title: "x", issue_type: "merge-request" });
      tx.create({ id: "api-done", title: "x", issue_type: "merge-request" });
      tx.close("api-done", { reason: "Merged" });
    });
    for (const id of ["api-open", "api-done"]) site.run(clone(), "update-ref", `refs/town/merge/${id}`, head);
    expect(await collect()).toHaveLength(1);
    expect(site.run(clone(), "for-each-ref", "--format=%(refname)", "refs/town/merge")).toBe(
      "refs/town/merge/api-open",
    );
  });

  it("given pinned heads of closed beads, when collected, then those that landed go in one act, and what may be all there is stays", async () => {
    const landed = site.run(clone(), "rev-parse", "origin/main");
    const lost = site.run(clone(), "commit-tree", "-p", landed, "-m", "lost", `${landed}^{tree}`);
    const squashed = site.run(clone(), "commit-tree", "-p", landed, "-m", "squashed", `${landed}^{tree}`);
    await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => {
      for (const id of ["api-open", "api-done", "api-lost", "api-squashed"]) tx.create({ id, title: id });
      const request = tx.create({ title: "m", issue_type: "merge-request" });
      tx.setMetadata("api-squashed", { [META.mergeRequest]: request.id });
      tx.setMetadata(request.id, { [MERGE.state]: "Merged" });
      for (const id of [request.id, "api-done", "api-lost", "api-squashed"]) tx.close(id, { reason: "x", force: true });
    });
    const pins = { "api-open": landed, "api-done": landed, "api-lost": lost, "api-squashed": squashed };
    for (const [id, head] of Object.entries(pins))
      site.run(clone(), "update-ref", `refs/town/heads/${id}/${head}`, head);
    const left = () =>
      site
        .run(clone(), "for-each-ref", "--format=%(refname)", "refs/town/heads")
        .split("\n")
        .map((ref) => ref.split("/")[3]);
    expect(await collect()).toEqual([]);
    expect(left()).toHaveLength(4);
    site.later(DAY_MS);
    expect(await collect()).toHaveLength(1);
    expect(left()).toEqual(["api-lost", "api-open", "api-squashed"]);
    expect(site.events("hq")).toContain("OrphanPinsRemoved");
    site.later(30 * DAY_MS);
    expect(await collect()).toHaveLength(1);
    expect(left()).toEqual(["api-lost", "api-open"]);
    expect(await collect()).toEqual([]);
  });

  it("given more old logs than a look removes of other things, when collected, then they all go at once", async () => {
    const directory = join(site.ports.layout.state, "log/gates/api");
    mkdirSync(directory, { recursive: true });
    const time = (site.ports.clock.now() - 15 * DAY_MS) / 1_000;
    for (let index = 0; index < 300; index++) {
      writeFileSync(join(directory, `mr-${index}-test.log`), "x\n");
      utimesSync(join(directory, `mr-${index}-test.log`), time, time);
    }
    expect(await collect()).toHaveLength(1);
    expect(readdirSync(directory)).toEqual([]);
    expect(site.events("hq")).toContain("OrphanLogRemoved");
  });

  it("given many loose objects that agents left in a rig's clone, when collected, then they are packed; those of the user's repository where its settings want it", async () => {
    const objects = (repository: string) =>
      new Map(
        site
          .run(repository, "count-objects", "-v")
          .split("\n")
          .map((line) => line.split(": ") as [string, string]),
      );
    // git guesses how many there are by those whose names begin with 17.
    const texts: string[] = [];
    for (let index = 0; texts.length < 8; index++) {
      const text = `text ${index}\n`;
      if (createHash("sha1").update(`blob ${text.length}\0${text}`).digest("hex").startsWith("17")) texts.push(text);
    }
    const write = (repository: string, count: number): void => {
      for (const [index, text] of texts.slice(0, count).entries()) {
        writeFileSync(join(site.root, `text-${index}`), text);
        site.run(repository, "hash-object", "-w", "--no-filters", join(site.root, `text-${index}`));
      }
    };
    const packs = async (): Promise<number> => {
      site.later(11 * 60_000);
      return (await site.round("collection", HQ)).filter((action) => action === "Pack").length;
    };
    write(clone(), 7);
    expect(await packs()).toBe(0);
    const user = site.run(clone(), "config", "remote.origin.url");
    write(user, 8);
    write(clone(), 8);
    const before = objects(user).get("count");
    expect(await packs()).toBe(1);
    expect(objects(clone()).get("count")).toBe("0");
    expect(objects(user).get("count")).toBe(before);
    for (const text of texts) {
      const id = createHash("sha1").update(`blob ${text.length}\0${text}`).digest("hex");
      expect(site.run(clone(), "cat-file", "blob", id)).toBe(text.trim());
    }
    expect(await packs()).toBe(0);
    site.run(user, "config", "gc.auto", "2000");
    site.run(user, "config", "maintenance.auto", "false");
    expect(await packs()).toBe(0);
    site.run(user, "config", "--unset", "maintenance.auto");
    // Only git reads a configuration that includes another.
    site.run(user, "config", "include.path", "more");
    expect(await packs()).toBe(1);
    expect(objects(user).get("count")).toBe("0");
    expect(site.run(user, "fsck", "--no-dangling")).toBe("");
    expect(site.events("api")).toContain("RepositoryPacked");
  });

  it("given logs, when collected, then the old ones go and those of running sessions stay", async () => {
    const log = (path: string, ageMs: number): string => {
      const file = join(site.ports.layout.state, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "x\n");
      const time = (site.ports.clock.now() - ageMs) / 1_000;
      utimesSync(file, time, time);
      return file;
    };
    const old = log("log/gates/api/mr-1-test.log", 15 * DAY_MS);
    const young = log("log/gates/api/mr-2-test.log", DAY_MS);
    const daemon = log("log/daemon.log", 30 * DAY_MS);
    const running = log("sessions/logs/api-crew-joe.3.log", 30 * DAY_MS);
    const ended = log("sessions/logs/api-crew-joe.2.log", 30 * DAY_MS);
    await declare("joe");
    await site.store.publish(
      { kind: "Session", namespace: "api", name: "joe" },
      {
        spec: { agent: "joe", role: "crew", generation: 3, runtime: "memory", runtimeName: "api-crew-joe" },
        status: { state: "Running" },
      },
    );
    await collect();
    expect([old, young, daemon, running, ended].map((file) => existsSync(file))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it("given kept transcripts, when collected, then the old ones and the oldest above the cap go, with the reason", async () => {
    await site.declare("Town", undefined, "hq", { transcripts: { ttl: "48h", maxSize: "25" } });
    await site.store.patchStatus(HQ, { sync: { status: "Synced" } });
    const kept = (name: string, ageMs: number): string => {
      const file = join(site.ports.layout.state, "transcripts/api/toast", name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "0123456789");
      const time = (site.ports.clock.now() - ageMs) / 1_000;
      utimesSync(file, time, time);
      return file;
    };
    const files = [
      kept("a.jsonl", 3 * DAY_MS),
      kept("b.jsonl", DAY_MS),
      kept("c.jsonl", 1_000),
      kept("d.jsonl", 2_000),
    ];
    await collect();
    expect(files.map((file) => existsSync(file))).toEqual([false, false, true, true]);
    expect(site.events("hq")).toContain("OrphanTranscriptRemoved");
  });

  it("given a session and a token of an agent that never was, when collected, then they end", async () => {
    await site.store.publish(
      { kind: "Session", namespace: "api", name: "ghost" },
      {
        spec: { agent: "ghost", role: "polecat", generation: 2, runtime: "memory", runtimeName: "api-polecat-ghost" },
        status: { state: "Running" },
      },
    );
    site.tokens.push({ namespace: "api", agent: "ghost", generation: 2 });
    await collect();
    expect(site.events("hq")).toEqual(expect.arrayContaining(["OrphanSessionRemoved", "OrphanTokenRemoved"]));
    expect(site.tokens).toEqual([]);
  });

  it("given a program that joined, which has no session here, when collected, then its token stays, and an older one's ends", async () => {
    await declare("toast");
    const graph = site.ports.graphs.graph("api");
    const generation = (await graph?.transact({ actor: "pat" }, (tx) => recordJoined(tx, "toast", undefined))) ?? 0;
    site.tokens.push({ namespace: "api", agent: "toast", generation });
    await collect();
    expect(site.tokens).toHaveLength(1);
    await graph?.transact({ actor: "pat" }, (tx) => recordLeft(tx, "toast"));
    await collect();
    expect(site.tokens).toEqual([]);
  });

  it("given manifests that were not read completely, when collected, then nothing is judged", async () => {
    worktree("ghost");
    await site.store.patchStatus(HQ, { sync: { status: "OutOfSync" } });
    expect(await collect()).toEqual([]);
    expect(existsSync(sandbox("ghost"))).toBe(true);
  });

  it("given a look a moment ago, when the town changes, then nothing is looked at again", async () => {
    await collect();
    worktree("ghost");
    expect(await site.round("collection", HQ)).toEqual([]);
    expect(existsSync(sandbox("ghost"))).toBe(true);
  });
});
