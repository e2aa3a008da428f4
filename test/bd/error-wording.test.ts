import { describe, expect, test } from "vitest";
import { bdWorld } from "./bd-world.ts";

// Programs look for these words in bd's errors.
const wordings: readonly { readonly argv: readonly string[]; readonly words: string; readonly code?: string }[] = [
  { argv: ["show", "api-nope"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["update", "api-nope", "-p", "1"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["close", "api-nope"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["delete", "api-nope", "--force"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["dep", "add", "api-nope", "api-a00002"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["dep", "add", "api-a00002", "api-nope"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["create", "x", "--parent", "api-nope"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["create", "x", "--deps", "api-nope"], words: 'no issue found matching "api-nope"', code: "NotFound" },
  { argv: ["comment", "list", "x"], words: 'no issue found matching "x"', code: "NotFound" },
  { argv: ["create"], words: "title is required", code: "Usage" },
  { argv: ["create", "  "], words: "title is required", code: "Usage" },
  { argv: ["update", "api-a00002", "--title", ""], words: "title is required", code: "Usage" },
  { argv: ["create", "x", "-t", "nonsense"], words: "invalid issue type: nonsense", code: "Usage" },
  { argv: ["update", "api-a00002", "-t", "nonsense"], words: "invalid issue type: nonsense", code: "Usage" },
  { argv: ["create", "x", "-p", "high"], words: 'invalid priority "high"', code: "Usage" },
  { argv: ["list", "-p", "9"], words: 'invalid priority "9"', code: "Usage" },
  { argv: ["update", "api-a00002", "-s", "nonsense"], words: 'invalid status "nonsense"', code: "Usage" },
  { argv: ["dep", "add", "api-a00002", "api-a00002"], words: "cannot depend on itself", code: "SelfDependency" },
  { argv: ["search"], words: "search query is required", code: "Usage" },
  { argv: ["search", " "], words: "search query is required", code: "Usage" },
  { argv: ["update", "api-a00003", "--claim"], words: "already claimed by bob", code: "AlreadyClaimed" },
  { argv: ["update", "api-a00002"], words: "no updates specified", code: "Usage" },
  { argv: ["frobnicate"], words: 'unknown command "frobnicate" for "bd"', code: "Usage" },
  { argv: ["list", "--nonsense"], words: "unknown flag: --nonsense", code: "Usage" },
];

describe("bd's errors", () => {
  test.each(wordings)("given bd $argv, when run, then it says: $words", async ({ argv, words, code }) => {
    const bd = await bdWorld();
    await bd.make("free");
    await bd.make("held");
    await bd.run(["update", "api-a00003", "--claim"], { actor: "bob" });
    const text = await bd.run(argv);
    expect(text.exitCode).toBe(1);
    expect(text.stdout).toBe("");
    expect(text.stderr).toContain(`Error: `);
    expect(text.stderr).toContain(words);
    const json = await bd.run([...argv, "--json"]);
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.stderr)).toMatchObject({ schema_version: 1, error: expect.stringContaining(words), code });
  });

  test("given a part of an id, when a write uses it, then nothing changes and the error names the bead that was near", async () => {
    const bd = await bdWorld();
    const id = await bd.make("one");
    expect(await bd.fails("close", "a00002")).toContain(`did you mean ${id}?`);
    expect(bd.graph.get(id)?.status).toBe("open");
    expect(await bd.out("show", "a00002", "--brief")).toBe(`${id} P2 open one`);
  });

  test("given an ambiguous part, when shown, then the candidates are named", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("one"), await bd.make("two")];
    const error = await bd.fails("show", "a0000");
    expect(error).toContain(a);
    expect(error).toContain(b);
  });

  test("given several ids of which one is wrong, when closed, then the others are, and the exit code is 1", async () => {
    const bd = await bdWorld();
    const [a, b] = [await bd.make("one"), await bd.make("two")];
    const { stdout, stderr, exitCode } = await bd.run(["close", a, "api-nope", b, "--json"]);
    expect(exitCode).toBe(1);
    expect((JSON.parse(stdout) as { id: string }[]).map(({ id }) => id)).toEqual([a, b]);
    expect(stderr).toContain('api-nope: no issue found matching "api-nope"');
  });
});
