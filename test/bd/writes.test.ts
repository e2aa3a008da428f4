import { describe, expect, test } from "vitest";
import type { BdSession } from "../../src/bd/context.ts";
import type { GraphReader } from "../../src/ports/work-graph.ts";
import { bdWorld } from "./bd-world.ts";

const hour = 3_600_000;
/** Of an agent that makes and changes beads, and manages none of others. */
const session: BdSession = {
  name: "toast@3",
  managesBeads: false,
  createsBeads: true,
  changesBeads: true,
  seesToOthers: false,
  directory: "/sandbox",
};

describe("changes of status", () => {
  test("given somebody who asks to be told, when beads are closed, opened, updated and deleted, then each is told of with its transaction", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    const told: string[] = [];
    const listening = {
      changedStatus: (tx: GraphReader, id: string) => told.push(`${id} ${tx.get(id)?.status ?? "deleted"}`),
    };
    for (const line of [
      `close ${a}`,
      `update ${a} -s open`,
      `update ${b} -s blocked`,
      `update ${b} -p 0`,
      `delete ${b} --force`,
    ])
      expect((await bd.run(line.split(" "), listening)).exitCode).toBe(0);
    expect(told).toEqual([`${a} closed`, `${a} open`, `${b} blocked`, `${b} deleted`]);
  });
});

describe("claims", () => {
  test("given an open bead, when two claim it, then the second is refused and the first repeats without harm", async () => {
    const bd = await bdWorld();
    const id = await bd.make("wanted");
    expect((await bd.run(["update", id, "--claim"])).exitCode).toBe(0);
    expect((await bd.run(["update", id, "--claim"], { actor: "bob" })).stderr).toContain("already claimed by alice");
    expect((await bd.run(["update", id, "--claim"])).exitCode).toBe(0);
    expect(bd.graph.get(id)).toMatchObject({ assignee: "alice", status: "in_progress" });
  });

  test("given ready work, when ready --claim is run by several at once, then each gets another bead, most urgent first", async () => {
    const bd = await bdWorld();
    const low = await bd.make("low", "-p", "3");
    const high = await bd.make("high", "-p", "0");
    const takers = ["bob", "carol", "dave"];
    const taken = await Promise.all(takers.map((actor) => bd.run(["ready", "--claim", "--json"], { actor })));
    const ids = taken.map(({ stdout }) => (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id));
    expect(ids).toEqual([[high], [low], []]);
  });

  test("given a bead assigned to somebody else, when ready --claim is run, then it is left", async () => {
    const bd = await bdWorld();
    await bd.make("bob's", "-a", "bob", "-p", "0");
    const free = await bd.make("free", "-p", "4");
    expect(await bd.out("ready", "--claim", "--brief")).toBe(free);
  });

  test("given claim.lease, when claimed and time passes, then reclaim frees it, and heartbeat would have kept it", async () => {
    const bd = await bdWorld();
    const [kept, lost] = [await bd.make("kept"), await bd.make("lost")];
    await bd.out("config", "set", "claim.lease", "2h");
    for (const id of [kept, lost]) await bd.out("update", id, "--claim");
    await bd.pass(1.5 * hour);
    expect(await bd.json("heartbeat", kept)).toMatchObject([
      { id: kept, lease_expires_at: "2026-11-22T21:30:00.000Z" },
    ]);
    expect(await bd.json("reclaim", "--dry-run")).toEqual([]);
    await bd.pass(hour);
    expect(await bd.out("reclaim", "--dry-run")).toContain(`Would free ${lost} (held by alice`);
    expect(bd.graph.get(lost)?.status).toBe("in_progress");
    expect(await bd.json("reclaim")).toMatchObject([{ id: lost, status: "open", former_assignee: "alice" }]);
    expect(bd.graph.get(kept)?.assignee).toBe("alice");
    expect(await bd.fails("reclaim", kept)).toContain("has no expired claim");
  });

  test("given a claim of somebody else, when heartbeat is run, then it is refused", async () => {
    const bd = await bdWorld();
    const id = await bd.make("held");
    await bd.run(["update", id, "--claim"], { actor: "bob" });
    expect(await bd.fails("heartbeat", id)).toContain("held by bob");
  });

  test("given an expired claim of a session, when reclaimed, then it is kept unless its holder is known to be gone", async () => {
    const bd = await bdWorld();
    const id = await bd.make("held");
    await bd.run(["update", id, "--claim"], { actor: "api/polecats/toast", session });
    await bd.pass(5 * hour);
    const { stderr } = await bd.run(["reclaim"]);
    expect(stderr).toContain("a session that may still live");
    expect(bd.graph.get(id)?.status).toBe("in_progress");
    expect((await bd.run(["reclaim"], { holderGone: () => true })).exitCode).toBe(0);
    expect(bd.graph.get(id)?.status).toBe("open");
  });

  test("given a claim that ran out while nobody could renew it, when reclaimed, then it is kept for as long as it lasts", async () => {
    const bd = await bdWorld();
    const id = await bd.make("held");
    await bd.run(["update", id, "--claim"], { actor: "bob" });
    await bd.pass(9 * hour);
    const early = await bd.run(["reclaim"], { steadyMs: 4 * hour - 1, holderGone: () => true });
    expect(early.stderr).toContain("has not run evenly for as long as the claim lasts");
    expect(bd.graph.get(id)?.assignee).toBe("bob");
    expect((await bd.run(["reclaim"], { steadyMs: 4 * hour })).stdout).toContain(`Freed ${id}`);
  });
});

describe("sessions", () => {
  const agent = "api/polecats/toast";
  const guardClose = (hooked: string) => (id: string) =>
    id === hooked ? `${id} is on your hook: closing it here would lose its work` : undefined;

  test.each([
    { argv: (id: string) => ["close", id], because: "closing loses commits" },
    { argv: (id: string) => ["update", id, "-s", "closed"], because: "so does closing by status" },
    { argv: (id: string) => ["update", id, "-s", "open"], because: "and giving it up" },
    { argv: (id: string) => ["update", id, "-a", "bob"], because: "and giving it away" },
    { argv: (id: string) => ["defer", id], because: "and putting it off" },
    { argv: (id: string) => ["duplicate", id, "--of", "api-a00003"], because: "and calling it a duplicate" },
  ])("given a bead on the caller's hook, when $because, then it is refused with town done", async ({ argv }) => {
    const bd = await bdWorld();
    const id = await bd.make("hooked");
    await bd.make("other");
    const more = { actor: agent, session, guardClose: guardClose(id) };
    await bd.run(["update", id, "--claim"], more);
    const { stderr, exitCode } = await bd.run(argv(id), more);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("is on your hook");
    expect(stderr).toContain("town done");
    expect(bd.graph.get(id)).toMatchObject({ status: "in_progress", assignee: agent });
  });

  test("given a bead on the hook, when the session batches its close with other work, then nothing happens", async () => {
    const bd = await bdWorld();
    const id = await bd.make("hooked");
    const more = { actor: agent, session, guardClose: guardClose(id) };
    await bd.run(["update", id, "--claim"], more);
    const { stderr } = await bd.run(["batch"], { ...more, stdin: `create bug 1 found\nclose ${id}\n` });
    expect(stderr).toContain(`line 2 (close ${id}): ${id} is on your hook`);
    expect(bd.graph.list()).toHaveLength(1);
  });

  test("given a bead that somebody else holds, when a session forces, then force does not help", async () => {
    const bd = await bdWorld();
    const id = await bd.make("bob's");
    await bd.run(["update", id, "--claim"], { actor: "bob" });
    const more = { actor: agent, session };
    expect((await bd.run(["close", id, "--force"], more)).stderr).toContain("bob holds it");
    expect((await bd.run(["update", id, "-s", "open", "--force"], more)).stderr).toContain("bob holds it");
    expect((await bd.run(["update", id, "-s", "open", "--force"])).exitCode).toBe(0);
  });

  test.each([
    { argv: ["list", "--actor", "bob"], words: "cannot act as bob" },
    { argv: ["create", "x", "--set-metadata", "town.head=abc"], words: "keys under town. belong to the town" },
    { argv: ["update", "api-a00002", "--set-metadata", "town.fence=9"], words: "keys under town. belong to the town" },
    { argv: ["update", "api-a00002", "--unset-metadata", "town.fence"], words: "keys under town. belong to the town" },
    { argv: ["delete", "api-a00002", "--force"], words: "alice made it" },
    { argv: ["update", "api-a00003", "--title", "x"], words: "belong to the town" },
    { argv: ["close", "api-a00003"], words: "belong to the town" },
    { argv: ["config", "set", "types.custom", "x"], words: "may not change settings" },
    { argv: ["gc"], words: "may not tidy the store" },
    { argv: ["create", "-f", "/etc/passwd"], words: "outside of this session's directory" },
    { argv: ["create", "x", "--body-file", "../secret"], words: "outside of this session's directory" },
    { argv: ["import", "/elsewhere.jsonl"], words: "outside of this session's directory" },
    { argv: ["export", "-o", "/home/alice/.profile"], words: "outside of this session's directory" },
  ])("given a session, when it runs bd $argv, then it is refused: $words", async ({ argv, words }) => {
    const bd = await bdWorld();
    await bd.make("somebody's");
    await bd.make("an agent", "-t", "agent");
    await bd.files.makeDirectory("/sandbox");
    const { stderr, exitCode } = await bd.run(argv, { actor: agent, session, cwd: "/sandbox" });
    expect(stderr).toContain(words);
    expect(exitCode).toBe(1);
  });

  test("given a link out of the sandbox, when a session reads through it, then it is refused", async () => {
    const bd = await bdWorld();
    await bd.files.makeDirectory("/sandbox");
    await bd.files.writeAtomic("/home/alice/secret", "key");
    await bd.files.symlink("/home/alice/secret", "/sandbox/link");
    await bd.files.writeAtomic("/sandbox/mine", "my text");
    const more = { actor: agent, session, cwd: "/sandbox" };
    expect((await bd.run(["create", "x", "--body-file", "link"], more)).stderr).toContain("outside");
    expect((await bd.run(["create", "x", "--body-file", "mine"], more)).exitCode).toBe(0);
    expect(bd.graph.list().map(({ description }) => description)).toEqual(["my text"]);
  });

  test("given a session whose role manages beads, when it deletes and forces, then it may", async () => {
    const bd = await bdWorld();
    const id = await bd.make("somebody's");
    const more = { actor: "mayor", session: { ...session, managesBeads: true } };
    expect((await bd.run(["delete", id, "--force"], more)).exitCode).toBe(0);
  });

  test("given an agent that finds something, when it files it, then the owner is that of the bead it came from", async () => {
    const bd = await bdWorld();
    const origin = await bd.make("origin");
    // A session speaks for nobody by itself.
    const noOwner = { owner: undefined } as object;
    const argv = ["create", "found", "--deps", `discovered-from:${origin}`, "--silent"];
    const { stdout } = await bd.run(argv, { actor: agent, session, ...noOwner });
    expect(bd.graph.get(stdout.trim())).toMatchObject({ owner: "alice@example.com", created_by: agent });
  });
});

describe("read-only callers", () => {
  test.each([
    ["create", "x"],
    ["update", "api-a00002", "-p", "1"],
    ["ready", "--claim"],
    ["merge-driver", "install"],
    ["import", "-"],
  ])("given a viewer, when it runs bd %s %s, then it is refused", async (...argv) => {
    const bd = await bdWorld();
    const id = await bd.make("one");
    expect(
      (
        await bd.run(
          argv.filter((word) => word !== undefined),
          { readOnly: true, stdin: "" },
        )
      ).stderr,
    ).toMatch(/read-only/);
    expect(bd.graph.list()).toHaveLength(1);
    expect((await bd.run(["show", id], { readOnly: true })).exitCode).toBe(0);
  });
  test("given --readonly, when something would change, then it is refused", async () => {
    const bd = await bdWorld();
    expect(await bd.fails("create", "x", "--readonly")).toContain("read-only");
  });
});

describe("creating", () => {
  test("given directions of --deps, when created, then each edge stands where it belongs", async () => {
    const bd = await bdWorld();
    const [a, b, c, d] = [await bd.make("a"), await bd.make("b"), await bd.make("c"), await bd.make("d")];
    const id = await bd.make("new", "--deps", `${a},depends-on:${b},blocks:${c},discovered-from:${d}`);
    expect(bd.graph.get(id)?.dependencies?.map((edge) => [edge.type, edge.depends_on_id])).toEqual([
      ["blocks", a],
      ["blocks", b],
      ["discovered-from", d],
    ]);
    expect(bd.graph.get(c)?.dependencies).toMatchObject([{ type: "blocks", depends_on_id: id }]);
  });

  test("given a dependency that cannot be, when created, then there is no bead", async () => {
    const bd = await bdWorld();
    await bd.make("a");
    expect(await bd.fails("create", "new", "--deps", "api-a00002,api-nope")).toContain("api-nope");
    expect(bd.graph.list()).toHaveLength(1);
  });

  test("given a misspelt type of dependency, when added, then the right one is proposed; an unknown one is kept with a note", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    expect(await bd.fails("dep", "add", a, b, "-t", "parent_child")).toContain("did you mean parent-child?");
    expect((await bd.run(["dep", "add", a, b, "-t", "inspired-by-art"])).stderr).toContain("have no effect");
  });

  test("given every field, when created and shown, then all are there", async () => {
    const bd = await bdWorld();
    const id = await bd.make(
      "full",
      "-d",
      "why",
      "--design",
      "how",
      "--acceptance",
      "then",
      "--notes",
      "also",
      "-a",
      "bob",
      "--due",
      "tomorrow",
      "--defer",
      "+2h",
      "-e",
      "30",
      "--external-ref",
      "gh-9",
      "--spec-id",
      "s1",
      "--metadata",
      '{"k":1}',
    );
    expect(bd.graph.get(id)).toMatchObject({
      description: "why",
      design: "how",
      acceptance_criteria: "then",
      notes: "also",
      assignee: "bob",
      due_at: "2026-11-23T00:00:00.000Z",
      defer_until: "2026-11-22T20:00:00.000Z",
      estimated_minutes: 30,
      external_ref: "gh-9",
      spec_id: "s1",
      metadata: { k: 1 },
    });
    expect(await bd.out("ready")).toContain("No ready work");
    await bd.pass(3 * hour);
    expect(await bd.out("ready", "--brief")).toContain(id);
  });

  test("given a Markdown file, when created from it, then each heading is a bead, and one mistake makes none", async () => {
    const bd = await bdWorld();
    const plan = [
      "# Plan",
      "## First thing",
      "It is *needed*.",
      "```",
      "## no heading in code",
      "```",
      "### Priority",
      "1",
      "### Type",
      "bug",
      "### Labels",
      "- api, core",
      "### Acceptance Criteria",
      "- works",
      "## Second",
    ].join("\n");
    await bd.files.writeAtomic("/home/alice/plan.md", plan);
    expect(await bd.json("create", "-f", "plan.md")).toMatchObject([
      { title: "First thing", priority: 1, issue_type: "bug", labels: ["api", "core"], acceptance_criteria: "- works" },
      { title: "Second", priority: 2, issue_type: "task" },
    ]);
    expect(bd.graph.list()[0]?.description).toBe("It is *needed*.\n```\n## no heading in code\n```");
    await bd.files.writeAtomic("/home/alice/bad.md", "## A\n## B\n### Prioritty\n1\n");
    expect(await bd.fails("create", "-f", "bad.md")).toContain('bad.md:2: unknown section "prioritty"');
    expect(bd.graph.list()).toHaveLength(2);
  });

  test("given a plan, when created from it, then parents, edges and references lead to the new ids", async () => {
    const bd = await bdWorld();
    const known = await bd.make("known");
    const plan = {
      nodes: [
        {
          key: "child",
          title: "Child",
          parent_key: "epic",
          deps: [{ target: "other" }],
          metadata_refs: { see: "other" },
        },
        { key: "epic", title: "Epic", type: "epic", priority: 0 },
        { key: "other", title: "Other", labels: ["x"] },
      ],
      edges: [{ from_key: "epic", to_id: known }],
    };
    await bd.files.writeAtomic("/home/alice/plan.json", JSON.stringify(plan));
    expect(await bd.json("create", "--graph", "plan.json", "--dry-run")).toMatchObject({
      node_count: 3,
      edge_count: 1,
    });
    const { ids } = await bd.json<{ ids: Record<string, string> }>("create", "--graph", "plan.json");
    expect(ids["child"]).toBe(`${ids["epic"]}.1`);
    expect(bd.graph.get(ids["child"] ?? "")).toMatchObject({
      dependencies: [{ depends_on_id: ids["epic"] }, { depends_on_id: ids["other"], type: "blocks" }],
      metadata: { see: ids["other"] },
    });
    expect(bd.graph.blockersOf(ids["epic"] ?? "").map(({ id }) => id)).toEqual([known]);
  });

  test.each([
    { plan: { nodes: [{ key: "a", title: "A", parrent: "b" }] }, words: 'nodes[0]: unknown field "parrent"' },
    { plan: { nodes: [{ key: "a" }] }, words: "title is required" },
    {
      plan: { nodes: [{ key: "a", title: "A" }], edges: [{ from_key: "a", to_key: "b" }] },
      words: 'to_key "b" names no node',
    },
    {
      plan: {
        nodes: [
          { key: "a", title: "A", parent: "b" },
          { key: "b", title: "B", parent: "a" },
        ],
      },
      words: "form a circle",
    },
    { plan: { nodes: [] }, words: "holds no nodes" },
  ])("given a plan that is wrong, when created from it, then nothing is made: $words", async ({ plan, words }) => {
    const bd = await bdWorld();
    await bd.files.writeAtomic("/home/alice/plan.json", JSON.stringify(plan));
    expect(await bd.fails("create", "--graph", "plan.json")).toContain(words);
    expect(bd.graph.list()).toEqual([]);
  });

  test("given --validate, when sections are missing, then it is refused and named", async () => {
    const bd = await bdWorld();
    expect(await bd.fails("create", "x", "-t", "bug", "--validate")).toContain(
      "Steps to Reproduce, Acceptance Criteria",
    );
    expect(await bd.fails("create", "x", "-d", "y", "--validate")).toContain("Acceptance Criteria");
    expect(await bd.make("x", "--acceptance", "it works", "--validate")).toMatch(/^api-/);
  });

  test("given an id, when created, then it is used, once, and with the store's prefix", async () => {
    const bd = await bdWorld();
    expect(await bd.make("x", "--id", "api-mine")).toBe("api-mine");
    expect(await bd.fails("create", "x", "--id", "api-mine")).toContain("taken");
    expect(await bd.fails("create", "x", "--id", "web-1")).toContain("does not begin with api-");
    expect(await bd.make("x", "--id", "web-1", "--force")).toBe("web-1");
  });
});

describe("changing", () => {
  test("given labels, notes, metadata and a parent, when updated, then each changes alone", async () => {
    const bd = await bdWorld();
    const epic = await bd.make("epic", "-t", "epic");
    const id = await bd.make("x", "-l", "a,b", "--notes", "first", "--metadata", '{"k":1,"gone":2}');
    await bd.out(
      "update",
      id,
      "--add-label",
      "c",
      "--remove-label",
      "a",
      "--append-notes",
      "second",
      "--set-metadata",
      "k=2",
      "--unset-metadata",
      "gone",
      "--parent",
      epic,
      "-p",
      "0",
      "--due",
      "2026-12-01",
    );
    expect(bd.graph.get(id)).toMatchObject({
      labels: ["b", "c"],
      notes: "first\nsecond",
      metadata: { k: 2 },
      priority: 0,
      due_at: "2026-12-01T00:00:00.000Z",
      dependencies: [{ depends_on_id: epic, type: "parent-child" }],
    });
    await bd.out("update", id, "--parent", "", "--due", "", "--set-labels", "z");
    const after = bd.graph.get(id);
    expect([after?.dependencies, after?.due_at, after?.labels]).toEqual([undefined, undefined, ["z"]]);
  });

  test("given an epic with open children, when closed, then it is refused unless forced", async () => {
    const bd = await bdWorld();
    const epic = await bd.make("epic", "-t", "epic");
    const child = await bd.make("child", "--parent", epic);
    expect(await bd.fails("close", epic)).toContain(child);
    await bd.out("close", child);
    expect(await bd.json("epic", "status")).toMatchObject([
      { epic: { id: epic }, total_children: 1, eligible_for_close: true },
    ]);
    expect(await bd.json("epic", "close-eligible", "--dry-run")).toMatchObject([{ id: epic, status: "open" }]);
    await bd.out("epic", "close-eligible");
    expect(bd.graph.get(epic)?.status).toBe("closed");
  });

  test("given reasons for each id, when closed, then each gets its own; a wrong number is refused", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    expect(await bd.fails("close", a, "-r", "one", "-r", "two")).toContain("2 reasons for 1 bead");
    await bd.out("close", a, b, "-r", "one", "-r", "two");
    expect([bd.graph.get(a)?.close_reason, bd.graph.get(b)?.close_reason]).toEqual(["one", "two"]);
    expect(await bd.out("close", a)).toContain("Already closed");
    expect(bd.graph.get(a)?.close_reason).toBe("one");
  });

  test("given the last step of a molecule, when closed, then the molecule is too, but never an epic", async () => {
    const bd = await bdWorld();
    const root = await bd.make("flow", "-t", "molecule");
    const [a, b] = [await bd.make("a", "--parent", root), await bd.make("b", "--parent", root)];
    await bd.out("close", a);
    expect(bd.graph.get(root)?.status).toBe("open");
    expect(await bd.out("close", b)).toContain(`Closed ${root}`);
    expect(bd.graph.get(root)?.status).toBe("closed");
  });

  test("given a reopened bead, when others wait for it, then they are blocked again, and the reason is a comment", async () => {
    const bd = await bdWorld();
    const a = await bd.make("a");
    const b = await bd.make("b", "--deps", a);
    await bd.out("close", a);
    expect(await bd.out("ready", "--brief")).toContain(b);
    await bd.out("reopen", a, "-r", "not fixed");
    expect(await bd.out("ready", "--brief")).not.toContain(b);
    expect(await bd.json("comments", a)).toMatchObject([{ author: "alice", text: "not fixed", issue_id: a }]);
  });

  test("given a bead that is open, when reopened, then that is said, and nothing happens to it", async () => {
    const bd = await bdWorld();
    const [open, closed] = [await bd.make("open"), await bd.make("closed")];
    await bd.out("close", closed);
    const before = bd.graph.get(open);
    expect(await bd.out("reopen", open, closed)).toBe(
      `↻ Not closed: ${open} (open) - open\n↻ Reopened ${closed} - closed`,
    );
    expect(bd.graph.get(open)).toEqual(before);
  });

  test("given delete, when not forced, then nothing goes; when forced, then references go with it and a tombstone stays", async () => {
    const bd = await bdWorld();
    const a = await bd.make("a");
    const b = await bd.make("b", "--deps", a);
    expect(await bd.out("delete", a)).toContain(`${b} refers to it`);
    expect(bd.graph.get(a)).toBeDefined();
    expect(await bd.json("delete", a, "--force")).toEqual({ deleted: [a], deleted_count: 1, dependencies_removed: 1 });
    expect(bd.graph.get(a)).toBeUndefined();
    expect(bd.graph.stored(a)).toMatchObject({ status: "tombstone", deleted_by: "alice" });
    expect(bd.graph.get(b)?.dependencies).toBeUndefined();
  });

  test("given --cascade, when deleted, then what depends on it goes too", async () => {
    const bd = await bdWorld();
    const a = await bd.make("a");
    const b = await bd.make("b", "--deps", a);
    await bd.make("c", "--deps", b);
    const other = await bd.make("other");
    await bd.out("delete", a, "--cascade", "--force");
    expect(bd.graph.list().map(({ id }) => id)).toEqual([other]);
  });

  test("given duplicates, when marked, then they are closed with an edge to what stays", async () => {
    const bd = await bdWorld();
    const [a, b, c] = [await bd.make("same"), await bd.make("Same "), await bd.make("better")];
    expect(await bd.json<unknown[][]>("duplicates")).toMatchObject([[{ id: a }, { id: b }]]);
    await bd.out("duplicate", b, "--of", a);
    await bd.out("supersede", a, "--with", c);
    expect(bd.graph.get(b)).toMatchObject({
      status: "closed",
      close_reason: `Duplicate of ${a}`,
      dependencies: [{ depends_on_id: a, type: "duplicates" }],
    });
    expect(bd.graph.get(a)).toMatchObject({
      status: "closed",
      dependencies: [{ depends_on_id: c, type: "supersedes" }],
    });
    expect(await bd.fails("duplicate", c, "--of", c)).toContain("cannot replace itself");
  });

  test("given defer, when time passes or undefer is run, then the bead is ready again", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    await bd.out("defer", a, "--until", "+1h", "-r", "later");
    await bd.out("defer", b);
    expect(bd.graph.get(b)?.status).toBe("deferred");
    expect(await bd.json("ready")).toEqual([]);
    expect(await bd.json<{ id: string }[]>("ready", "--include-deferred")).toHaveLength(2);
    await bd.pass(2 * hour);
    expect(await bd.out("ready", "--brief")).toBe(`${a} P2 open a`);
    await bd.out("undefer", b);
    expect(await bd.json<unknown[]>("ready")).toHaveLength(2);
  });
});

describe("batch", () => {
  test("given lines, when run, then all happen in one transaction", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("a"), await bd.make("b")];
    const before = bd.graph.seq;
    const stdin = [
      `# comment`,
      ``,
      `create bug P1 "Found here"`,
      `update ${a} status=in_progress assignee=bob title="New title"`,
      `dep add ${a} ${b}`,
      `label add ${a} x`,
      `comment ${b} hello there`,
      `close ${b} all done`,
    ].join("\n");
    const { stdout, exitCode } = await bd.run(["batch", "--json"], { stdin });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      operations: 6,
      status: "ok",
      results: [
        { line: 3, op: "create" },
        { line: 4, op: "update", target: a },
        { op: "dep add", target: `${a}->${b}` },
        {},
        {},
        { target: b },
      ],
    });
    expect(bd.graph.get(a)).toMatchObject({
      status: "in_progress",
      assignee: "bob",
      title: "New title",
      labels: ["x"],
    });
    expect(bd.graph.get(b)).toMatchObject({ status: "closed", close_reason: "all done" });
    expect(bd.graph.seq - before).toBe(3);
  });

  test.each([
    { last: "close api-nope", words: 'line 2 (close api-nope): no issue found matching "api-nope"' },
    { last: "frob x", words: 'unknown batch command "frob"' },
    { last: "update api-a00002 colour=red", words: 'unknown key "colour"' },
    { last: "dep add api-a00002 api-a00002", words: "cannot depend on itself" },
    { last: 'close "api-a00002', words: "does not end" },
    { last: "create nonsense 1 x", words: "invalid issue type" },
  ])("given a wrong line, when run, then nothing happens: $words", async ({ last, words }) => {
    const bd = await bdWorld();
    await bd.make("a");
    const { stderr, exitCode } = await bd.run(["batch"], { stdin: `create task 2 made\n${last}\n` });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(words);
    expect(bd.graph.list()).toHaveLength(1);
  });

  test("given --dry-run, when run, then the lines are checked and nothing happens", async () => {
    const bd = await bdWorld();
    const { stdout } = await bd.run(["batch", "--dry-run", "--json"], { stdin: "create task 2 x\n" });
    expect(JSON.parse(stdout)).toEqual({ dry_run: true, operations: 1 });
    expect(bd.graph.list()).toEqual([]);
  });
});

describe("one word for one change", () => {
  test("given a word, an id and a value, when run, then it is as with update; without a value it says what is missing", async () => {
    const bd = await bdWorld();
    const id = await bd.make("x");
    await bd.out("assign", id, "bob");
    await bd.out("priority", id, "P0");
    await bd.out("note", id, "seen", "again");
    await bd.out("note", id, "and again");
    expect(await bd.json("tag", id, "area:api")).toMatchObject([{ id, labels: ["area:api"] }]);
    expect(bd.graph.get(id)).toMatchObject({ assignee: "bob", priority: 0, notes: "seen again\nand again" });
    await bd.out("assign", id, "");
    expect(bd.graph.get(id)?.assignee).toBeFalsy();
    expect(await bd.fails("priority", id, "high")).toContain('invalid priority "high"');
    expect(await bd.fails("tag", id)).toContain("bd tag needs an id and a label");
    expect(await bd.fails("note", "api-nope", "x")).toContain('no issue found matching "api-nope"');
  });
});
