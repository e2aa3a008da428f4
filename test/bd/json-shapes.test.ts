import { describe, expect, test } from "vitest";
import { bdWorld } from "./bd-world.ts";

type Json = Record<string, unknown>;

async function small() {
  const bd = await bdWorld();
  const epic = await bd.make("Epic", "-t", "epic");
  const a = await bd.make("First", "--parent", epic, "-l", "x,y");
  const b = await bd.make("Second", "--deps", a);
  await bd.out("comment", a, "looked at it");
  return { bd, epic, a, b };
}

describe("JSON of bd", () => {
  test("given create, when --json, then it is one object with schema_version", async () => {
    const bd = await bdWorld();
    expect(await bd.json("create", "New", "-t", "bug", "-p", "0", "-l", "b,a")).toMatchObject({
      id: "api-a00002",
      title: "New",
      issue_type: "bug",
      priority: 0,
      status: "open",
      labels: ["a", "b"],
      created_by: "alice",
      owner: "alice@example.com",
      schema_version: 1,
    });
  });

  test("given list and ready, when --json, then they are arrays whose dependencies are edges", async () => {
    const { bd, epic, a, b } = await small();
    const list = await bd.json<Json[]>("list");
    expect(list.map(({ id }) => id)).toEqual([epic, a, b]);
    expect(list.find(({ id }) => id === a)).toMatchObject({
      parent: epic,
      dependency_count: 1,
      dependent_count: 1,
      comment_count: 1,
      dependencies: [{ issue_id: a, depends_on_id: epic, type: "parent-child" }],
    });
    expect(list.every((item) => !("comments" in item))).toBe(true);
    expect((await bd.json<Json[]>("ready")).map(({ id }) => id)).toEqual([a]);
  });

  test("given show, when --json, then it is an array whose dependencies are issues with the type of the edge", async () => {
    const { bd, epic, a, b } = await small();
    const [first, second] = await bd.json<Json[]>("show", a, b);
    expect(first).toMatchObject({
      id: a,
      labels: ["x", "y"],
      parent: epic,
      dependencies: [{ id: epic, title: "Epic", dependency_type: "parent-child" }],
      dependents: [{ id: b, title: "Second", dependency_type: "blocks" }],
      comments: [{ author: "alice", text: "looked at it" }],
      dependency_count: 1,
      dependent_count: 1,
      comment_count: 1,
    });
    expect(second).toMatchObject({
      id: b,
      labels: [],
      comments: [],
      dependencies: [{ id: a, dependency_type: "blocks" }],
    });
    expect(await bd.json("show", epic)).toMatchObject([{ epic_total_children: 1, epic_closed_children: 0 }]);
  });

  test("given changes, when --json, then they are arrays of issues", async () => {
    const { bd, a } = await small();
    expect(await bd.json("update", a, "--claim")).toMatchObject([{ id: a, status: "in_progress", assignee: "alice" }]);
    expect(await bd.json("close", a, "-r", "done")).toMatchObject([{ id: a, status: "closed", close_reason: "done" }]);
    expect(await bd.json("reopen", a)).toMatchObject([{ id: a, status: "open" }]);
  });

  test("given close with --suggest-next, when --json, then it is an object with what was unblocked", async () => {
    const { bd, a, b } = await small();
    expect(await bd.json("close", a, "--suggest-next")).toMatchObject({ closed: [{ id: a }], unblocked: [{ id: b }] });
  });

  test("given close with --claim-next, when --json, then it has what was claimed", async () => {
    const { bd, a, b } = await small();
    expect(await bd.json("close", a, "--claim-next")).toMatchObject({
      closed: [{ id: a }],
      claimed: { id: b, status: "in_progress", assignee: "alice" },
    });
  });

  test("given dependencies, when added and removed with --json, then the shapes are bd's", async () => {
    const bd = await bdWorld();
    const [a, b, c] = [await bd.make("a"), await bd.make("b"), await bd.make("c")];
    expect(await bd.json("dep", "add", b, a)).toEqual({
      status: "added",
      issue_id: b,
      depends_on_id: a,
      type: "blocks",
    });
    expect(await bd.json("dep", b, "--blocks", c)).toEqual({
      status: "added",
      blocker_id: b,
      blocked_id: c,
      type: "blocks",
    });
    expect(bd.graph.get(c)?.dependencies).toMatchObject([{ depends_on_id: b }]);
    expect(await bd.json("dep", "list", c)).toMatchObject([{ id: b, dependency_type: "blocks" }]);
    expect(await bd.json("dep", "list", b, c)).toMatchObject([
      { issue_id: b, depends_on_id: a, type: "blocks" },
      { issue_id: c, depends_on_id: b, type: "blocks" },
    ]);
    expect(await bd.json("dep", "tree", c)).toMatchObject([
      { id: c, depth: 0, parent_id: "", truncated: false },
      { id: b, depth: 1, parent_id: c, edge_from_parent: "blocks" },
      { id: a, depth: 2, parent_id: b },
    ]);
    expect(await bd.json("dep", "cycles")).toEqual([]);
    expect(await bd.json("blocked")).toMatchObject([
      { id: b, blocked_by_count: 1, blocked_by: [a] },
      { id: c, blocked_by_count: 1, blocked_by: [b] },
    ]);
    expect(await bd.json("dep", "remove", c, b)).toEqual({ status: "removed", issue_id: c, depends_on_id: b });
  });

  test("given stats, when --json, then summary and activity have bd's names", async () => {
    const { bd, a } = await small();
    await bd.out("close", a);
    expect(await bd.json("stats")).toMatchObject({
      summary: {
        total_issues: 3,
        open_issues: 2,
        in_progress_issues: 0,
        closed_issues: 1,
        blocked_issues: 0,
        deferred_issues: 0,
        ready_issues: 1,
        epics_eligible_for_closure: 1,
      },
      recent_activity: { hours_tracked: 24, issues_created: 3, issues_closed: 1 },
    });
    expect(await bd.json("status", "--no-activity")).not.toHaveProperty("recent_activity");
  });

  test("given ready --explain, when --json, then it says why", async () => {
    const { bd, a, b } = await small();
    expect(await bd.json("ready", "--explain")).toMatchObject({
      ready: [{ id: a, reason: "no blocking dependencies", resolved_blockers: [] }],
      blocked: [{ id: b, blocked_by_count: 1, blocked_by: [{ id: a, title: "First", status: "open", priority: 2 }] }],
      cycles: [],
      summary: { total_ready: 1, total_blocked: 1, cycle_count: 0 },
    });
  });

  test("given more than the limit, when listed, then the array stays one of as many, and stderr says so", async () => {
    const bd = await bdWorld();
    for (const title of ["a", "b", "c"]) await bd.make(title);
    const { stdout, stderr } = await bd.run(["list", "--limit", "2", "--json"]);
    expect(JSON.parse(stdout)).toHaveLength(2);
    expect(stderr).toBe("Showing 2 of 3; --limit 0 shows all.\n");
  });

  test("given BD_JSON_ENVELOPE, when listed, then the envelope says whether it is everything", async () => {
    const bd = await bdWorld();
    for (const title of ["a", "b", "c"]) await bd.make(title);
    const enveloped = async (...argv: readonly string[]) =>
      JSON.parse((await bd.run([...argv, "--json"], { env: { BD_JSON_ENVELOPE: "1" } })).stdout) as Json;
    expect(await enveloped("list", "--limit", "2")).toMatchObject({
      schema_version: 1,
      truncated: true,
      shown: 2,
      total: 3,
    });
    const all = await enveloped("list");
    expect(all).toMatchObject({ schema_version: 1, truncated: false });
    expect(all["data"]).toHaveLength(3);
  });

  test("given control characters in a title, when printed as JSON, then they survive a terminal guard", async () => {
    const bd = await bdWorld();
    const id = await bd.make("a\u009bb\u007f");
    const { stdout } = await bd.run(["show", id, "--json"]);
    // oxlint-disable-next-line no-control-regex
    expect(stdout).not.toMatch(/[\u007f-\u009f]/);
    expect((JSON.parse(stdout) as Json[])[0]).toMatchObject({ title: "a\u009bb\u007f" });
    expect(await bd.out("list")).toBe(`○ ${id} [P2] - ab`);
  });

  test.each([
    { argv: ["create", "--help"], has: "Usage:\n  town bd create [title] [flags]" },
    { argv: ["help", "dep"], has: "dep tree" },
    { argv: ["help", "label"], has: "  label add <id>... <label>" },
    { argv: [], has: "town bd help lists all" },
    { argv: ["--help"], has: "Finding work:" },
  ])("given bd $argv, when run, then help is printed", async ({ argv, has }) => {
    const bd = await bdWorld();
    expect(await bd.out(...argv)).toContain(has);
  });
});
