import { describe, expect, it } from "vitest";
import { decodeCommit, encodeCommit, identityLine } from "../../../src/domain/git/commit-object.ts";
import { branchName, branchRef, refNameProblem } from "../../../src/domain/git/ref-name.ts";
import { decodeTree, encodeTree, treeProblem } from "../../../src/domain/git/tree-object.ts";
import type { TreeEntry } from "../../../src/domain/git/git-object.ts";
import { fc } from "../../property.ts";

const id = "ce013625030ba8dba906f756967f9e9ca394464a";

describe("commit objects", () => {
  const hex = fc.stringMatching(/^[0-9a-f]{40}$/);
  const identity = fc.record({
    name: fc.string({ minLength: 1 }),
    email: fc.string(),
    timeMs: fc.nat(2_000_000_000).map((s) => s * 1000),
  });

  it("given any commit, when encoded, decoded and encoded, then it is the same commit and has exactly its headers", () => {
    fc.assert(
      fc.property(
        fc.record({
          tree: hex,
          parents: fc.array(hex, { maxLength: 3 }),
          message: fc.string(),
          author: identity,
          committer: identity,
        }),
        (commit) => {
          const body = encodeCommit(commit, 0);
          const decoded = decodeCommit(id, body);
          expect(decoded).toMatchObject({ tree: commit.tree, parents: commit.parents });
          expect(decoded.author.timeMs).toBe(commit.author.timeMs);
          expect(encodeCommit(decoded, 0)).toBe(body);
          expect(body.slice(0, body.indexOf("\n\n")).split("\n")).toHaveLength(3 + commit.parents.length);
        },
      ),
    );
  });

  it("given a commit with a signature, an encoding and merged tags, when decoded, then its message and parents are right", () => {
    const body = `tree ${id}\nparent ${"1".repeat(40)}\nauthor A U Thor <a@x> 1700000000 +0530\ncommitter C <> 1700000001 -0800\nencoding ISO-8859-1\ngpgsig -----BEGIN\n parent x\n -----END\n\nsubject\n\nparent body\n`;
    expect(decodeCommit(id, body)).toEqual({
      id,
      tree: id,
      parents: ["1".repeat(40)],
      author: { name: "A U Thor", email: "a@x", timeMs: 1_700_000_000_000 },
      committer: { name: "C", email: "", timeMs: 1_700_000_001_000 },
      message: "subject\n\nparent body",
    });
  });

  it.each([
    [{ name: "A <b>\nc", email: "x\ny>z" }, "A bc <xyz> 7 +0000"],
    [{ name: " .,", email: "e@x" }, "e@x <e@x> 7 +0000"],
    [{ name: "", email: "" }, "unknown <> 7 +0000"],
    [{ name: "É ☃", email: "e@x", timeMs: 1999 }, "É ☃ <e@x> 1 +0000"],
  ])("given identity %j, when written, then it is %j", (identityOf, line) => {
    expect(identityLine(identityOf, 7999)).toBe(line);
  });
});

describe("tree objects", () => {
  const mode = fc.constantFrom<TreeEntry["mode"]>("100644", "100755", "040000", "120000", "160000");
  const entry = fc.record({ mode, name: fc.stringMatching(/^[^/\0]{1,12}$/), id: fc.stringMatching(/^[0-9a-f]{40}$/) });
  const entries = fc
    .uniqueArray(entry, { selector: (one) => one.name })
    .filter((all) => treeProblem(all) === undefined);

  it("given any entries in any order, when encoded, then decoding gives them back and the bytes do not depend on the order", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const body = encodeTree(all);
        expect(encodeTree([...all].reverse())).toEqual(body);
        expect(new Set(decodeTree(body, 20))).toEqual(new Set(all));
      }),
    );
  });

  it("given a file and a directory whose names start alike, when encoded, then they are in git's order", () => {
    const all: TreeEntry[] = [
      { mode: "040000", name: "a", id },
      { mode: "100644", name: "a.b", id },
      { mode: "100644", name: "a0", id },
    ];
    expect(decodeTree(encodeTree(all), 20).map((one) => one.name)).toEqual(["a.b", "a", "a0"]);
  });

  it("given a mode of old, when decoded, then it is today's", () => {
    const old = Buffer.concat([
      Buffer.from("100664 a\0"),
      Buffer.from(id, "hex"),
      Buffer.from("100775 b\0"),
      Buffer.from(id, "hex"),
    ]);
    expect(decodeTree(old, 20).map((one) => one.mode)).toEqual(["100644", "100755"]);
  });
});

describe("ref names", () => {
  it.each([
    "refs/heads/main",
    "refs/heads/town/agents/api/toast/api-1.2",
    "refs/remotes/origin/é",
    "refs/town/applied/x",
    "refs/heads/a@b",
    "refs/heads/@",
  ])("given %s, when checked, then it is fine", (ref) => {
    expect(refNameProblem(ref)).toBeUndefined();
  });

  it.each([
    "",
    "main",
    "refs/",
    "refs/heads/",
    "refs/heads//a",
    "refs/heads/.a",
    "refs/heads/a/.b",
    "refs/heads/a..b",
    "refs/heads/a.lock",
    "refs/heads/a.lock/b",
    "refs/heads/a.",
    "refs/heads/a b",
    "refs/heads/a~1",
    "refs/heads/a^",
    "refs/heads/a:b",
    "refs/heads/a?",
    "refs/heads/a*",
    "refs/heads/a[b",
    "refs/heads/a\\b",
    "refs/heads/a@{1}",
    "refs/heads/a\nb",
    "refs/heads/a\x7f",
  ])("given %j, when checked, then it has a problem", (ref) => {
    expect(refNameProblem(ref)).toMatch(/must/);
  });

  it("given a branch in either form, when converted, then both forms come out", () => {
    expect([branchRef("a/b"), branchRef("refs/heads/a/b"), branchName("refs/heads/a/b"), branchName("a/b")]).toEqual([
      "refs/heads/a/b",
      "refs/heads/a/b",
      "a/b",
      "a/b",
    ]);
  });
});
