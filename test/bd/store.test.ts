import { describe, expect, test } from "vitest";
import { oneGraph } from "../../src/bd/context.ts";
import { runBd } from "../../src/bd/run-bd.ts";
import { bdTools } from "../../src/daemon/bd-tools.ts";
import { GraphDirectory } from "../../src/graph/work-graphs.ts";
import type { MemoryObjects } from "../../src/simulation/memory-git-objects.ts";
import { bdWorld } from "./bd-world.ts";

/** What records have that only their texts and states are asked about. */
const at = {
  priority: 1,
  issue_type: "task",
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};

const day = 86_400_000;

describe("settings", () => {
  test("given settings, when set, read and unset, then they are what was said", async () => {
    const bd = await bdWorld();
    expect(await bd.json("config", "set", "jira.url", "https://x")).toEqual({ key: "jira.url", value: "https://x" });
    expect(await bd.out("config", "get", "jira.url")).toBe("https://x");
    expect(await bd.json("config", "list")).toEqual({ issue_prefix: "api", "jira.url": "https://x" });
    await bd.out("config", "unset", "jira.url");
    expect(await bd.json("config", "get", "jira.url")).toEqual({ key: "jira.url", value: "" });
  });
  test.each([
    { argv: ["config", "set", "status.custom", "In Review"], words: "Cannot read the custom status" },
    { argv: ["config", "set", "types.custom", "Bad Type"], words: 'invalid type name "Bad Type"' },
    { argv: ["config", "set", "claim.lease", "soon"], words: 'invalid duration "soon"' },
    { argv: ["config", "set", "issue_prefix", "x"], words: "bd init --prefix" },
    { argv: ["config", "set", "bad key", "x"], words: 'invalid key "bad key"' },
  ])("given $argv, when set, then it is refused: $words", async ({ argv, words }) => {
    const bd = await bdWorld();
    expect(await bd.fails(...argv)).toContain(words);
  });
  test("given custom types, when a bead of one is made, then it is allowed and listed", async () => {
    const bd = await bdWorld();
    expect(await bd.fails("create", "x", "-t", "incident")).toContain("invalid issue type");
    await bd.out("config", "set", "types.custom", "incident,debt");
    expect(await bd.make("x", "-t", "incident")).toMatch(/^api-/);
    expect(await bd.json("types")).toMatchObject({ custom_types: ["incident", "debt"] });
  });
  test("given settings changed at the same time, when read, then both changes are there", async () => {
    const bd = await bdWorld();
    await Promise.all([
      bd.out("config", "set", "a", "1"),
      bd.out("config", "set", "b", "2"),
      bd.out("config", "set", "c", "3"),
    ]);
    expect(await bd.json("config", "list")).toMatchObject({ a: "1", b: "2", c: "3" });
  });
});

describe("the past", () => {
  test("given a changed bead, when shown as of a commit or a time, then it is what it was", async () => {
    const bd = await bdWorld();
    const id = await bd.make("before");
    const { commit } = await bd.json<{ commit: string }>("flush");
    await bd.pass(day);
    await bd.out("update", id, "--title", "after");
    await bd.out("flush");
    expect(await bd.out("show", id, "--as-of", commit, "--short")).toContain("before");
    expect(await bd.out("show", id, "--as-of", "2026-11-22", "--short")).toContain("before");
    expect(await bd.out("show", id, "--short")).toContain("after");
    expect(await bd.fails("show", id, "--as-of", "nonsense")).toContain('no revision "nonsense"');
    expect(await bd.json("diff", commit)).toMatchObject([
      { issue_id: id, diff_type: "modified", old_value: { title: "before" }, new_value: { title: "after" } },
    ]);
    expect(await bd.fails("diff", "nonsense")).toContain("no such commit or time");
  });

  test("given metadata with a structure, when history is asked, then its field is named and its text left to --json", async () => {
    const bd = await bdWorld();
    const id = await bd.make("one", "--metadata", '{"plan":{"steps":[1,2]},"team":"blue"}');
    await bd.run(["update", id, "--metadata", '{"plan":{"steps":[3]},"team":"red"}']);
    const text = await bd.out("history", id);
    expect(text).toContain("metadata.plan set");
    expect(text).toContain("metadata.team: blue → red");
    expect(text).not.toContain("steps");
  });

  test("given changes by several, when history is asked, then it says who, what and from what to what", async () => {
    const bd = await bdWorld();
    const id = await bd.make("x", "-p", "3");
    await bd.run(["update", id, "-p", "0"], { actor: "bob" });
    expect(await bd.json("history", id)).toMatchObject([
      { event_type: "created", actor: "alice", issue_id: id },
      { event_type: "updated", actor: "bob", changes: [{ field: "priority", old_value: 3, new_value: 0 }] },
    ]);
    expect(await bd.json<unknown[]>("history", id, "--limit", "1")).toHaveLength(1);
  });
});

describe("compaction", () => {
  const long = `The cache was wrong. ${"It kept entries that were gone, and nobody saw it. ".repeat(40)}`;

  test("given an old closed bead with much text, when compacted, then a summary stands there and the text is a flag away", async () => {
    const bd = await bdWorld();
    const id = await bd.make("old", "-d", long, "--notes", "n".repeat(500));
    const fresh = await bd.make("fresh", "-d", long);
    await bd.out("close", id, "-r", "entries expire now");
    await bd.pass(40 * day);
    await bd.out("close", fresh);
    expect(await bd.json("compact", "--analyze")).toMatchObject([{ id, size_bytes: long.length + 500, tier: 1 }]);
    expect(await bd.json("compact", "--auto", "--dry-run")).toMatchObject({ dry_run: true, compacted: [id] });
    expect(bd.graph.get(id)?.description).toBe(long);
    expect(await bd.json("compact", "--auto")).toMatchObject({ compacted: [id] });
    const after = bd.graph.get(id);
    expect(after).toMatchObject({ compaction_level: 1, original_size: long.length + 500, status: "closed" });
    expect(after?.description).toContain("The cache was wrong.");
    expect(after?.description).toContain("Outcome: entries expire now");
    expect((after?.description ?? "").length).toBeLessThan(700);
    expect(after?.notes).toBeUndefined();
    const shown = await bd.out("show", id);
    expect(shown).toContain("A digest, made 2027");
    expect(shown).not.toContain("n".repeat(500));
    expect(await bd.out("show", id, "--full")).toContain("n".repeat(500));
    expect(await bd.json("compact", "--auto")).toMatchObject({ compacted: [] });
  });

  test("given a summary by somebody, when it is not shorter, then it is refused; when it is, then tier 2 may follow", async () => {
    const bd = await bdWorld();
    const id = await bd.make("old", "-d", "short text");
    await bd.out("close", id);
    expect(await bd.fails("compact", "--apply", "--id", id, "--summary", "this is longer than it was")).toContain(
      "must be shorter",
    );
    expect(await bd.json("compact", "--apply", "--id", id, "--summary", "text")).toMatchObject({
      original_size: 10,
      compacted_size: 4,
    });
    expect(await bd.fails("compact", "--apply", "--id", id, "--summary", "t")).toContain("compacted already");
    await bd.out("compact", "--apply", "--id", id, "--summary", "t", "--tier", "2");
    expect(bd.graph.get(id)).toMatchObject({ compaction_level: 2, original_size: 10 });
    expect(await bd.out("show", id, "--full")).toContain("short text");
    expect(await bd.json("compact", "--stats")).toMatchObject({ compacted: 1, saved: 9 });
  });

  test("given digests, when listed, searched, shown and exported, then JSON says that they are, and --full gives the texts", async () => {
    const bd = await bdWorld();
    const epic = await bd.make("epic", "-t", "epic", "-d", "short");
    const id = await bd.make(
      "old",
      "--parent",
      epic,
      "-d",
      `${"Long text. ".repeat(90)} needle`,
      "--design",
      "hidden plan",
    );
    await bd.out("close", id, epic);
    await bd.pass(40 * day);
    await bd.out("compact", "--auto");
    const both = async (...argv: readonly string[]) => {
      const read = async (more: readonly string[]) => {
        const found = await bd.json<Record<string, unknown> | Record<string, unknown>[]>(...argv, ...more);
        return (Array.isArray(found) ? found : [found]).find((one) => one["id"] === id);
      };
      return [await read([]), await read(["--full"])];
    };
    for (const argv of [
      ["list", "--all"],
      ["search", "old"],
      ["show", id],
      ["children", epic],
      ["show", epic, "--children"],
    ]) {
      const [digest, full] = await both(...argv);
      expect(digest).toMatchObject({ is_digest: true, compaction_level: 1 });
      expect(digest?.["description"]).not.toContain("needle");
      expect(full).not.toHaveProperty("is_digest");
      expect(full).toMatchObject({ description: expect.stringContaining("needle"), design: "hidden plan" });
    }
    expect(await bd.json("search", "needle")).toEqual([]);
    expect(await bd.json("search", "needle", "--full")).toMatchObject([{ id }]);
    expect(await bd.out("export")).not.toContain("needle");
    expect(await bd.out("export", "--full")).toContain("needle");
    await bd.out("export", "--full", "-o", "all.jsonl");
    expect(await bd.files.readText("/home/alice/all.jsonl")).toContain("hidden plan");
    expect(await bd.out("history", id)).toMatch(/compacted \(characters: 10\d\d → \d+\)/);
  });

  test("given a digest, when restored or opened again, then the bead has its texts and is no digest", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a", "-d", "x".repeat(900)), await bd.make("b", "-d", "y".repeat(900))];
    await bd.out("close", a, b);
    await bd.pass(40 * day);
    const before = bd.graph.get(a);
    await bd.out("compact", "--auto");
    await bd.out("update", a, "--append-notes", "since");
    expect(await bd.json("restore", a)).toMatchObject([{ id: a, description: "x".repeat(900), notes: "since" }]);
    expect(bd.graph.get(a)).toEqual({ ...before, notes: "since", updated_at: expect.anything() });
    expect(await bd.fails("restore", a)).toContain("is not compacted");
    await bd.out("reopen", b);
    expect(bd.graph.get(b)).toMatchObject({ status: "open", description: "y".repeat(900) });
    expect(bd.graph.get(b)).not.toHaveProperty("compaction_level");
  });

  test("given a digest whose texts are in another repository, when asked for them, then that is said", async () => {
    const bd = await bdWorld();
    const digest = { ...at, id: "api-1", title: "t", status: "closed", closed_at: at.updated_at, compaction_level: 1 };
    await bd.run(["import", "-"], { stdin: `${JSON.stringify({ ...digest, compacted_at_commit: "deadbeef" })}\n` });
    expect(await bd.run(["show", "api-1", "--full"])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("api-1 are not in this repository"),
    });
    expect(await bd.fails("restore", "api-1")).toContain("its texts are not in this repository");
    expect((await bd.run(["reopen", "api-1"])).exitCode).toBe(0);
  });

  test("given an open bead, when compacted, then it is refused", async () => {
    const bd = await bdWorld();
    const id = await bd.make("open", "-d", "text");
    expect(await bd.fails("compact", "--apply", "--id", id, "--summary", "t")).toContain("is not closed");
  });
});

describe("tidying", () => {
  test("given much that the store wrote, when gc is run, then it is flushed and packed, and a dry run does neither", async () => {
    const bd = await bdWorld();
    await bd.make("x");
    expect(await bd.json("gc", "--dry-run")).toEqual({
      dry_run: true,
      issues_deleted: 0,
      wisps_deleted: 0,
      objects_packed: 0,
    });
    expect(bd.graph.tip).toBeUndefined();
    expect(await bd.json("gc")).toMatchObject({ dry_run: false, issues_deleted: 0 });
    expect(bd.graph.tip).toMatch(/^[0-9a-f]{40}$/);
  });

  test("given wisps past their time, when gc is run, then they go and are counted, and a dry run only counts", async () => {
    const bd = await bdWorld();
    const [ping, error] = [await bd.make("p", "--wisp-type", "ping"), await bd.make("e", "--wisp-type", "error")];
    await bd.pass(day);
    expect(await bd.json("gc", "--dry-run")).toMatchObject({ wisps_deleted: 1 });
    expect(bd.graph.get(ping)).toBeDefined();
    expect((await bd.run(["gc"])).stdout).toContain("Removed 1 wisp past its time");
    expect(bd.graph.get(ping)).toBeUndefined();
    expect(bd.graph.get(error)).toBeDefined();
  });

  test("given old closed beads, when gc is asked for them, then they only go with --force and when nothing open refers to them", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    await bd.make("open", "--deps", `related:${b}`);
    await bd.out("close", a, b);
    await bd.pass(100 * day);
    const { stderr } = await bd.run(["gc", "--older-than", "90"]);
    expect(stderr).toContain("1 old closed beads were kept; --force deletes them");
    expect(bd.graph.get(a)).toBeDefined();
    expect(await bd.json("gc", "--older-than", "90", "--force")).toMatchObject({ issues_deleted: 1 });
    expect(bd.graph.get(a)).toBeUndefined();
    expect(bd.graph.get(b)).toBeDefined();
  });
});

describe("doctor", () => {
  test("given a branch that git has lost parts of, when asked, then it says which, and makes them again where it may write", async () => {
    const bd = await bdWorld();
    await bd.out("create", "one");
    const { commit } = await bd.graph.flush();
    const { repository } = bd.graph;
    const { tree = "" } = (await repository.objects.readCommit(commit)) ?? {};
    const blob = (await repository.objects.readTree(tree)).find(({ name }) => name === "version.json")?.id ?? "";
    const objects = (await bd.world.repository("/repo")).objects as MemoryObjects;
    objects.lose(blob);
    const reader = (await bd.world.open("/repo", { readOnly: true })).graph;
    const tools = bdTools({ storeOf: () => reader, files: bd.files, clock: bd.world.clock, random: bd.world.random });
    const looked = await bd.run(["doctor"], { graphs: oneGraph(reader), home: reader, tools });
    expect(looked.exitCode).toBe(1);
    expect(looked.stdout).toContain(`blob ${blob} (version.json)`);
    expect(objects.has(blob)).toBe(false);
    const { stdout, exitCode } = await bd.run(["doctor"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("git had lost 1 object of the branch; it was made again");
    expect(objects.has(blob)).toBe(true);
    expect((await bd.run(["doctor"])).stdout).toContain("git has everything the branch needs");
  });

  test("given a store in good order, when checked, then everything is fine", async () => {
    const bd = await bdWorld();
    await bd.make("x");
    expect(await bd.json("doctor")).toMatchObject({ overall_ok: true });
  });

  test("given every kind of trouble, when checked, then each is named with its fix", async () => {
    const bd = await bdWorld();
    const edge = (from: string, to: string, type: string) => ({ issue_id: from, depends_on_id: to, type });
    const records = [
      { id: "api-1", title: "circle", status: "open", dependencies: [edge("api-1", "api-2", "blocks")] },
      { id: "api-2", title: "circle", status: "open", dependencies: [edge("api-2", "api-1", "blocks")] },
      { id: "api-3", title: "dangling", status: "open", dependencies: [edge("api-3", "api-gone", "blocks")] },
      { id: "api-4", title: "typo", status: "open", dependencies: [edge("api-4", "api-3", "parent_child")] },
      { id: "api-3.1", title: "lost child", status: "open" },
      { id: "api-6", title: "odd", status: "reviewing" },
      { id: "api-7", title: "stuck", status: "blocked", dependencies: [edge("api-7", "api-8", "blocks")] },
      { id: "api-8", title: "done", status: "closed" },
      { id: "api-9", title: "nobody's", status: "in_progress" },
      {
        id: "api-10",
        title: "expired",
        status: "in_progress",
        assignee: "bob",
        lease_expires_at: "2026-01-02T00:00:00Z",
      },
    ];
    await bd.run(["import", "-"], {
      stdin: records.map((record) => `${JSON.stringify({ ...at, ...record })}\n`).join(""),
    });
    const { stdout, exitCode } = await bd.run(["doctor"]);
    expect(exitCode).toBe(1);
    for (const line of [
      "api-1 → api-2 → api-1",
      "api-3 → api-gone (blocks)",
      'api-4 → api-3: "parent_child", probably parent-child',
      "api-3.1 looks like a child of api-3",
      "api-6: reviewing",
      "api-7: all it waited for is closed",
      "api-9: in_progress",
      "api-10: bob",
    ])
      expect(stdout).toContain(line);
    expect(await bd.json<string[][]>("dep", "cycles")).toHaveLength(1);
  });

  test("given beads without the sections of their type, when linted, then they are named and the exit code is 1", async () => {
    const bd = await bdWorld();
    const id = await bd.make("bug", "-t", "bug", "-d", "## Steps to Reproduce\n1. x");
    await bd.make("fine", "--acceptance", "works");
    const { stdout, exitCode } = await bd.run(["lint", "--json"]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ total: 1, results: [{ id, missing: ["Acceptance Criteria"] }] });
  });
});

describe("sync", () => {
  test("given two clones and a remote, when both sync, then both have all and a lost claim is told", async () => {
    const here = await bdWorld();
    const { world } = here;
    await world.repository("/remote");
    const opened = await world.open("/other");
    const other = (...argv: readonly string[]) =>
      runBd(argv, {
        graphs: oneGraph(opened.graph),
        home: opened.graph,
        actor: "bob",
        clock: world.clock,
        files: opened.files,
        cwd: "/",
        isTerminal: false,
        env: {},
        version: "1",
        tools: bdTools({
          storeOf: () => opened.graph,
          files: opened.files,
          clock: world.clock,
          random: world.random,
        }),
      });
    const id = await here.make("shared");
    expect(await here.out("sync", "--remote", "/remote")).toContain("Synced with /remote");
    expect((await other("sync", "--remote", "/remote")).exitCode).toBe(0);
    await other("update", id, "--claim");
    await here.out("update", id, "--claim");
    await other("sync", "--remote", "/remote");
    const { stdout, stderr } = await here.run(["sync", "--remote", "/remote", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      status: "ok",
      pushed: true,
      changed: [id],
      lost_claims: [{ id, assignee: "alice", winner: "bob" }],
    });
    expect(stderr).toContain(`Claim lost: ${id} was claimed by bob before alice`);
    expect(here.graph.get(id)?.assignee).toBe("bob");
  });

  test("given two clones that want one bead, when both claim it with --sync, then the first to push has it and the other is told and has nothing", async () => {
    const here = await bdWorld();
    await here.world.repository("/remote");
    await here.run(["config", "set", "sync.remote", "/remote"]);
    const opened = await here.world.open("/other");
    const tools = bdTools({
      storeOf: () => opened.graph,
      files: opened.files,
      clock: here.world.clock,
      random: here.world.random,
    });
    const theirs = { graphs: oneGraph(opened.graph), home: opened.graph, actor: "bob", tools };
    const other = (...argv: readonly string[]) => here.run(argv, theirs);
    await other("config", "set", "sync.remote", "/remote");
    const [first, second, third] = [await here.make("one"), await here.make("two"), await here.make("three")];
    await here.out("sync");
    await other("sync");
    expect((await other("update", first, "--claim", "--sync")).stdout).toContain("Claimed issue");
    const late = await here.run(["update", first, "--claim", "--sync"]);
    expect(late).toMatchObject({ exitCode: 1, stdout: "" });
    expect(late.stderr).toContain(`${first}: already claimed by bob`);
    expect(here.graph.get(first)?.assignee).toBe("bob");
    // The next one that is free, although this clone does not know yet that the second is gone.
    await other("update", second, "--claim", "--sync");
    const taken = await here.json<{ id: string; assignee: string }[]>("ready", "--claim", "--sync");
    expect(taken.map(({ id, assignee }) => [id, assignee])).toEqual([[third, "alice"]]);
    await other("sync");
    expect(opened.graph.list().map(({ assignee }) => assignee)).toEqual(
      here.graph.list().map(({ assignee }) => assignee),
    );
  });

  test("given a remote that cannot be reached, when claimed with --sync, then nothing is claimed; what was held stays", async () => {
    const bd = await bdWorld();
    const [id, mine] = [await bd.make("x"), await bd.make("y")];
    await bd.out("update", mine, "--claim");
    await bd.run(["config", "set", "sync.remote", "/nowhere"]);
    expect(await bd.fails("update", id, "--claim", "--sync")).toContain("cannot claim in front of other clones");
    expect(bd.graph.get(id)).toMatchObject({ status: "open" });
    expect(bd.graph.get(id)?.assignee).toBeUndefined();
    await bd.fails("update", mine, "--claim", "--sync");
    expect(bd.graph.get(mine)?.assignee).toBe("alice");
    expect(await bd.fails("update", id, "--sync", "-p", "1")).toContain("--sync goes with --claim");
  });

  test("given no remote, when synced, then the branch is written and that is said", async () => {
    const bd = await bdWorld();
    await bd.make("x");
    const { stdout, stderr } = await bd.run(["sync"]);
    expect(stdout).toContain("Flushed to");
    expect(stderr).toContain("no remote to sync with");
    expect(await bd.fails("sync", "--remote", "nowhere")).toContain('no remote "nowhere"');
  });
});

describe("memories", () => {
  test("given a fact, when remembered, changed, looked for and forgotten, then prime tells it as it is now", async () => {
    const bd = await bdWorld();
    expect(await bd.out("remember", "Tests need a running postgres: make db")).toContain(
      "Remembered as tests-need-a-running-postgres-make",
    );
    await bd.out("remember", "on Fridays", "--key", "deploys");
    await bd.out("remember", "never on Fridays", "--key", "deploys");
    expect(await bd.out("memories", "friday")).toBe("deploys: never on Fridays");
    expect(await bd.json("recall", "deploys")).toEqual({ key: "deploys", value: "never on Fridays" });
    expect(await bd.out("prime")).toContain("- deploys: never on Fridays");
    await bd.out("forget", "deploys");
    expect(await bd.out("prime", "--memories-only")).not.toContain("deploys");
    expect(await bd.fails("recall", "deploys")).toContain('nothing is remembered as "deploys"');
    expect(await bd.fails("remember", "x".repeat(1_001), "--key", "long")).toContain("may have 1000 characters");
    expect(await bd.fails("remember", "…")).toContain("needs a name");
    const session = {
      name: "api/polecats/toast@1",
      managesBeads: false,
      createsBeads: true,
      changesBeads: true,
      seesToOthers: false,
      directory: "/sandbox",
    };
    expect((await bd.run(["remember", "found out", "--key", "mine"], { session })).exitCode).toBe(0);
    const { stderr } = await bd.run(["forget", "mine"], { session });
    expect(stderr).toContain("may not forget");
  });
});

describe("ready --gated", () => {
  test("given molecules behind gates, when a gate closes, then its molecule is listed until somebody goes on with it", async () => {
    const bd = await bdWorld();
    const make = (title: string, type: string, more: object = {}) =>
      bd.graph.transact({ actor: "loop" }, (tx) => tx.create({ title, issue_type: type, ...more }));
    const molecule = await make("release", "molecule");
    const gate = await make("approval", "gate", { parent: molecule.id });
    const step = await make("publish", "task", { parent: molecule.id, dependsOn: [{ id: gate.id }] });
    const gated = () => bd.json<{ id: string }[]>("ready", "--gated").then((found) => found.map(({ id }) => id));
    expect(await gated()).toEqual([]);
    await bd.graph.transact({ actor: "alice" }, (tx) => tx.close(gate.id));
    expect(await gated()).toEqual([molecule.id]);
    await bd.graph.transact({ actor: "bob" }, (tx) => tx.claim(molecule.id, "bob", { status: "hooked" }));
    expect(await gated()).toEqual([]);
    await bd.graph.transact({ actor: "bob" }, (tx) => tx.release(molecule.id));
    await bd.graph.transact({ actor: "bob" }, (tx) => tx.claim(step.id, "bob"));
    expect(await gated()).toEqual([]);
  });
});

describe("several stores", () => {
  test("given two rigs, when beads of both are named, then each command reaches the right store", async () => {
    const here = await bdWorld();
    const { graph: web } = await here.world.open("/web", { namespace: "web", prefix: "web" });
    const graphs = new GraphDirectory();
    graphs.add(here.graph);
    graphs.add(web);
    const tools = bdTools({
      storeOf: ({ namespace }) => graphs.store(namespace) ?? here.graph,
      files: here.files,
      clock: here.world.clock,
      random: here.world.random,
    });
    const run = (...argv: readonly string[]) => here.run(argv, { graphs, tools });
    const local = await here.make("local");
    const remote = (await web.transact({ actor: "bob" }, (tx) => tx.create({ title: "remote" }))).id;
    expect((await run("show", remote, "--short")).stdout).toContain("remote");
    expect((await run("dep", "add", local, remote)).exitCode).toBe(0);
    expect((await run("ready", "--brief")).stdout).toBe("");
    expect((await run("list", "--brief", "-A")).stdout.split("\n").filter((line) => line !== "")).toHaveLength(2);
    expect((await run("blocked", "--json")).stdout).toContain(remote);
    const child = (await run("create", "child", "--parent", remote, "--silent")).stdout.trim();
    expect(child).toBe(`${remote}.1`);
    expect(web.get(child)?.title).toBe("child");
    const waiting = (await run("create", "first", "--deps", `blocks:${remote}`, "--silent")).stdout.trim();
    expect(web.blockersOf(remote).map(({ id }) => id)).toEqual([waiting]);
    const closed = await run("close", waiting, child, "--json");
    expect([closed.exitCode, web.get(child)?.status, here.graph.get(waiting)?.status]).toEqual([0, "closed", "closed"]);
    expect((await run("close", remote)).exitCode).toBe(0);
    expect((await run("ready", "--brief")).stdout).toContain(local);
    const mixed = await here.run(["batch"], { graphs, tools, stdin: `close ${local}\nclose ${child}\n` });
    expect(mixed.stderr).toContain("several stores");
  });
});
