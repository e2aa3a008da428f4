import { beforeEach, describe, expect, test } from "vitest";
import type { BdResult } from "../../src/bd/context.ts";
import { type BdWorld, bdWorld } from "./bd-world.ts";

let bd: BdWorld;
let one: string;
let two: string;
beforeEach(async () => {
  bd = await bdWorld();
  one = await bd.make("One", "-d", "first");
  two = await bd.make("Two", "--deps", one);
});

const named = (argv: readonly string[], more: object = {}): Promise<BdResult> =>
  bd.run(argv, { request: "bd/alice/request-1", ...more });

/** Every record, deleted ones too, with comments, edges and times. */
const everything = () => bd.graph.storedRecords();

describe("a bd command that is made again because its answer was lost", () => {
  test.each<readonly [string, (ids: { one: string; two: string }) => readonly string[]]>([
    ["create", () => ["create", "Three", "--json"]],
    ["create with edges", (ids) => ["create", "Three", "--deps", `${ids.one},blocks:${ids.two}`]],
    ["comment", (ids) => ["comment", ids.one, "seen"]],
    ["update", (ids) => ["update", ids.one, ids.two, "--append-notes", "seen again", "--json"]],
    ["update of the same bead twice", (ids) => ["update", ids.one, ids.one, "--append-notes", "seen again"]],
    ["claim", (ids) => ["update", ids.one, "--claim"]],
    ["ready --claim", () => ["ready", "--claim"]],
    ["close", (ids) => ["close", ids.one, "-r", "done", "--suggest-next"]],
    ["close --claim-next", (ids) => ["close", ids.one, "--claim-next"]],
    ["defer", (ids) => ["defer", ids.one, ids.two]],
    ["delete", (ids) => ["delete", ids.one, "--force"]],
    ["dep remove", (ids) => ["dep", "remove", ids.two, ids.one]],
    ["dep add", (ids) => ["dep", "add", ids.one, "external:web:login"]],
    ["label", (ids) => ["label", "add", ids.one, ids.two, "urgent"]],
    ["duplicate", (ids) => ["duplicate", ids.two, "--of", ids.one]],
  ])("given %s, when made again, then it is answered as before and nothing changes", async (_, argv) => {
    const words = argv({ one, two });
    const first = await named(words);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    await bd.pass(60_000);
    const after = everything();
    expect(await named(words)).toEqual(first);
    expect(everything()).toEqual(after);
  });

  test.each<readonly [string, readonly string[], string]>([
    ["a batch", ["batch"], "create task 2 Three\ncomment ONE seen\n"],
    ["a plan", ["create", "--graph", "-"], '{"nodes":[{"key":"a","title":"A"},{"key":"b","title":"B"}]}'],
    ["a file of beads", ["create", "-f", "-"], "## Three\n\n## Four\n"],
  ])("given %s, when made again, then its beads are made once", async (_, argv, stdin) => {
    const more = { stdin: stdin.replace("ONE", one) };
    const first = await named(argv, more);
    expect(first).toMatchObject({ exitCode: 0 });
    const after = everything();
    expect(await named(argv, more)).toEqual(first);
    expect(everything()).toEqual(after);
  });

  test("given somebody else reopened the bead meanwhile, when its closing is made again, then it stays open", async () => {
    const first = await named(["close", one, "-r", "done"]);
    await bd.out("reopen", one);
    expect(await named(["close", one, "-r", "done"])).toEqual(first);
    expect(bd.graph.get(one)?.status).toBe("open");
  });

  test("given one that was refused, when made again after its cause is gone, then it is done", async () => {
    const held = { request: "bd/alice/request-2" };
    await bd.run(["update", one, "--claim"], { actor: "bob" });
    expect(await bd.run(["update", one, "--claim"], held)).toMatchObject({ exitCode: 1 });
    await bd.run(["update", one, "--status", "open", "--assignee", ""], { actor: "bob" });
    expect(await bd.run(["update", one, "--claim"], held)).toMatchObject({ exitCode: 0 });
    expect(bd.graph.get(one)?.assignee).toBe("alice");
  });

  test("given one without a name, when made again, then it is another command", async () => {
    await bd.run(["comment", one, "seen"]);
    await bd.run(["comment", one, "seen"]);
    expect(bd.graph.get(one)?.comments).toHaveLength(2);
  });
});
