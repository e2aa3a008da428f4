import { describe, expect, it } from "vitest";
import { ByteQueue } from "../../../src/adapters/git/byte-queue.ts";
import { gitEnvironment, withoutCredentials } from "../../../src/adapters/git/git-environment.ts";
import { parseMerges } from "../../../src/adapters/git/merge-trees.ts";
import { KeyedMutex, Slots } from "../../../src/adapters/git/mutex.ts";
import { packsToJoin } from "../../../src/adapters/git/own-packs.ts";
import { parseStatus, parseWorktrees } from "../../../src/adapters/git/worktree-status.ts";
import { fc } from "../../property.ts";

describe("ByteQueue", () => {
  it("given bytes in any pieces, when lines and blocks are taken, then they are those that were sent", () => {
    const message = fc.record({ line: fc.stringMatching(/^[^\n]{0,20}$/), block: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (messages, cuts) => {
          const sent = Buffer.concat(
            messages.flatMap(({ line, block }) => [Buffer.from(`${line}\n`), Buffer.from(block)]),
          );
          const queue = new ByteQueue();
          const got: { line: string; block: Uint8Array }[] = [];
          let line: string | undefined;
          for (let at = 0, cut = 0; at < sent.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1;
            queue.push(sent.subarray(at, at + size));
            at += size;
            for (;;) {
              line ??= queue.takeLine();
              const block = line === undefined ? undefined : queue.take(messages[got.length]?.block.length ?? 0);
              if (line === undefined || block === undefined) break;
              got.push({ line, block: Uint8Array.from(block) });
              line = undefined;
            }
          }
          expect(got).toEqual(messages);
        },
      ),
    );
  });
});

describe("git's environment", () => {
  it("given variables that aim git elsewhere, when made, then only how to reach remotes and settings is kept", () => {
    const kept = {
      PATH: "/bin",
      HOME: "/h",
      GIT_SSH_COMMAND: "ssh -i k",
      GIT_CONFIG_GLOBAL: "/c",
      GIT_CONFIG_KEY_0: "a.b",
      GIT_SSL_CAINFO: "/ca",
    };
    const dropped = {
      GIT_DIR: "/x",
      GIT_WORK_TREE: "/x",
      GIT_INDEX_FILE: "/x",
      GIT_OBJECT_DIRECTORY: "/x",
      GIT_AUTHOR_NAME: "x",
      GIT_CONFIG_PARAMETERS: "x",
      GIT_TRACE: "1",
      GIT_NAMESPACE: "x",
    };
    const environment = gitEnvironment({
      ...kept,
      ...dropped,
      GIT_TERMINAL_PROMPT: "1",
      LC_ALL: "de_DE",
      NOTHING: undefined,
    });
    expect(environment).toMatchObject({ ...kept, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" });
    for (const name of [...Object.keys(dropped), "NOTHING"]) expect(environment).not.toHaveProperty(name);
  });

  it.each([
    ["fatal: https://user:pass@h/x.git failed", "fatal: https://***@h/x.git failed"],
    ["https://ghp_token@github.com/a/b", "https://***@github.com/a/b"],
    ["ssh://git@h/x and ssh://git:pw@h/x", "ssh://git@h/x and ssh://git:***@h/x"],
    ["file:///a@b/c and git@h:x.git", "file:///a@b/c and git@h:x.git"],
  ])("given %j, when cleaned, then it is %j", (text, cleaned) => {
    expect(withoutCredentials(text)).toBe(cleaned);
  });
});

describe("git's answers", () => {
  it("given status lines of each sort, when parsed, then changed and untracked paths come out sorted", () => {
    const zero = "0".repeat(40);
    expect(
      parseStatus([
        "# branch.oid abc",
        "# branch.head topic (x)",
        `1 .M N... 100644 100644 100644 ${zero} ${zero} z with space`,
        `1 A. N... 000000 100644 100644 ${zero} ${zero} a\nb`,
        `u UU N... 100644 100644 100644 100644 ${zero} ${zero} ${zero} m`,
        "? u 2",
        "? u 1",
        "",
      ]),
    ).toEqual({
      head: "abc",
      branch: "refs/heads/topic (x)",
      changed: ["a\nb", "m", "z with space"],
      untracked: ["u 1", "u 2"],
    });
    expect(parseStatus(["# branch.oid (initial)", "# branch.head (detached)"])).toMatchObject({
      head: undefined,
      branch: undefined,
    });
  });

  it("given a list of worktrees, when parsed, then bare ones are left out and the rest told apart", () => {
    const text = [
      "worktree /r",
      "bare",
      "",
      "worktree /a b",
      `HEAD ${"1".repeat(40)}`,
      "branch refs/heads/x",
      "",
      "worktree /c",
      `HEAD ${"0".repeat(40)}`,
      "detached",
      "prunable gitdir file points to non-existent location",
      "",
    ];
    expect(parseWorktrees(text)).toEqual([
      { path: "/a b", head: "1".repeat(40), branch: "refs/heads/x", prunable: false },
      { path: "/c", head: undefined, branch: undefined, prunable: true },
    ]);
  });

  it("given merges that were asked together, when parsed, then each has its tree and conflicts once", () => {
    expect(parseMerges("1\0t1\0\0" + "0\0t2\0b\0a\0b\0\0")).toEqual([
      { tree: "t1", conflicts: [] },
      { tree: "t2", conflicts: ["a", "b"] },
    ]);
    expect(parseMerges("1\0t1\0\0" + "0\0t2\0b")).toHaveLength(1);
  });
});

describe("packsToJoin", () => {
  const own = (loose: number, ...packs: number[]) => ({
    loose: new Set(Array.from({ length: loose }, (_, i) => `${i}`)),
    packs: new Map(packs.map((count, i) => [`pack-${i}`, count])),
    names: new Map<string, string>(),
  });

  it.each([
    ["nothing", own(0), []],
    ["loose ones and a large pack", own(10, 5000), []],
    ["loose ones and small packs", own(10, 5000, 15, 19), ["pack-1", "pack-2"]],
    ["small packs that together reach the large", own(0, 100, 100, 399), ["pack-0", "pack-1", "pack-2"]],
    ["one loose one and packs of one size", own(1, 208, 208), ["pack-0", "pack-1"]],
    ["small packs that do not", own(0, 100, 100, 400), ["pack-0", "pack-1"]],
  ])("given %s, when chosen, then it is %s", (_, objects, joined) => {
    expect([...packsToJoin(objects)].sort()).toEqual(joined);
  });

  it("given a factor, when chosen, then a large pack is joined by as much less", () => {
    expect([...packsToJoin(own(0, 800, 100), 8)]).toEqual([]);
    expect([...packsToJoin(own(0, 799, 100), 8)].sort()).toEqual(["pack-0", "pack-1"]);
  });

  it("given any number of equal flushes, when joined as they come, then an object is rewritten a few times at most", () => {
    let packs: number[] = [];
    let written = 0;
    for (let flush = 0; flush < 500; flush++) {
      packs.push(100);
      const joined = packsToJoin(own(0, ...packs));
      const sum = packs.filter((_, i) => joined.has(`pack-${i}`)).reduce((a, b) => a + b, 0);
      if (joined.size < 2) continue;
      written += sum;
      packs = [...packs.filter((_, i) => !joined.has(`pack-${i}`)), sum];
    }
    expect(written / 50_000).toBeLessThan(12);
    expect(packs.length).toBeLessThan(12);
  });
});

describe("taking turns", () => {
  it("given tasks of one key, some failing, when run, then they never overlap and keep their order", async () => {
    const mutex = new KeyedMutex();
    const order: string[] = [];
    let inside = 0;
    const task = (name: string) => async () => {
      expect((inside += 1)).toBe(1);
      await Promise.resolve();
      await Promise.resolve();
      inside -= 1;
      order.push(name);
      if (name === "b") throw new Error(name);
      return name;
    };
    const results = await Promise.allSettled(["a", "b", "c"].map((name) => mutex.run("k", task(name))));
    expect([order, results.map((one) => one.status)]).toEqual([
      ["a", "b", "c"],
      ["fulfilled", "rejected", "fulfilled"],
    ]);
  });

  it("given three slots and many tasks, when run, then at most three run at once and all run", async () => {
    const slots = new Slots(3);
    let inside = 0;
    let most = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        slots.run(async () => {
          inside += 1;
          most = Math.max(most, inside);
          await Promise.resolve();
          inside -= 1;
          if (i % 5 === 0) throw new Error("x");
        }),
      ),
    );
    expect([most, results.filter((one) => one.status === "fulfilled").length]).toEqual([3, 16]);
  });
});
