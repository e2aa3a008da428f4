import { describe, expect, test } from "vitest";
import { bdWorld, type BdWorld } from "../bd-world.ts";

/** `api-a00002` an urgent bug of bob's, `api-a00003` an epic, `api-a00003.1` its child, `api-a00005` closed, a wisp. */
async function shop(): Promise<BdWorld> {
  const bd = await bdWorld();
  await bd.make("Login fails", "-t", "bug", "-p", "0", "-a", "bob", "-l", "urgent,ui", "-d", "on (some) phones");
  await bd.make("Goal", "-t", "epic", "-p", "1");
  await bd.make("Part", "--parent", "api-a00003");
  await bd.pass(10 * 86_400_000);
  await bd.make("Gone", "-p", "3", "--spec-id", "docs/a.md");
  await bd.out("close", "api-a00004");
  await bd.make("Passing", "--ephemeral");
  return bd;
}

const bug = "api-a00002";
const epic = "api-a00003";
const part = "api-a00003.1";
const gone = "api-a00004";

describe("bd query", () => {
  test.each([
    ["status=open", [bug, epic, part]],
    ["status=open AND priority<2", [bug, epic]],
    ["priority>=P1 and priority<=2", [epic, part]],
    ["type=bug OR type=epic AND priority=2", [bug]],
    ["(type=bug OR type=epic) AND priority!=0", [epic]],
    ["NOT type=bug", [epic, part]],
    ["not (type=bug or type=epic)", [part]],
    ["assignee=none", [epic, part]],
    ["assignee!=none", [bug]],
    ["label=urgent", [bug]],
    ["label=none", [epic, part]],
    ['title="login FAILS"', [bug]],
    ["description=none", [epic, part]],
    ["description='(some)'", [bug]],
    ["status=closed", [gone]],
    ["status!=closed", [bug, epic, part]],
    ["closed>1h", [gone]],
    ["created>7d", []],
    ["created<7d", [bug, epic, part]],
    ["created<2026-11-23", [bug, epic, part]],
    ["id=api-a00003*", [epic, part]],
    ["id=api.a00002", []],
    ["parent=api-a00003", [part]],
    ["pinned=true", []],
    ["spec=docs/*", []],
  ])("given %s, when asked, then it finds %j", async (query, ids) => {
    const bd = await shop();
    const found = await bd.json<{ id: string }[]>("query", query, "--sort", "id");
    expect(found.map(({ id }) => id)).toEqual(ids);
  });

  test("given --all, a wisp, an order and a limit, when asked, then each counts", async () => {
    const bd = await shop();
    expect(await bd.json("query", "spec=docs/*", "--all")).toMatchObject([{ id: gone }]);
    expect(await bd.json("query", "ephemeral=true")).toHaveLength(1);
    const last = await bd.json("query", "priority>=0", "--sort", "priority", "--reverse", "-n", "1");
    expect(last).toMatchObject([{ id: part, _truncated: { shown: 1, total: 3 } }]);
    expect(await bd.out("query", "priority=4")).toBe("No issues found.");
  });

  test.each([
    ["", "a query is required"],
    ["status", "one of = != > >= < <= was expected"],
    ["status=", "a value was expected"],
    ["status=open priority=1", 'AND or OR was expected before "priority"'],
    ["(status=open", "a bracket is not closed"],
    ["status=open AND", "a field was expected at the end"],
    ["=open", 'a field was expected before "="'],
    ["statu=open", "did you mean status?"],
    ["colour=red", "fields are status, priority"],
    ["status=opne", "did you mean open?"],
    ["status>open", "status takes = and != only"],
    ["priority=high", 'invalid priority "high"'],
    ["created=7d", "created takes >, >=, < and <="],
    ["created>soon", 'invalid time "soon"'],
    ["pinned=maybe", "pinned is true or false"],
    ['title="open', 'invalid query at ""open"'],
  ])("given %j, when asked, then it says %s", async (query, words) => {
    const bd = await shop();
    const { stdout, stderr, exitCode } = await bd.run(["query", query]);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toContain(words);
  });
});
