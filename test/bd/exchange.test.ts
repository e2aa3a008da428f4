import { describe, expect, test } from "vitest";
import { mergeJsonl } from "../../src/bd/commands/merge-driver.ts";
import { bdWorld, type BdWorld } from "./bd-world.ts";
import { fc, fuzzRuns } from "../property.ts";

const lines = (text: string): readonly Record<string, unknown>[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What somebody does with bd, in numbers that choose among the beads there are. */
type Act = readonly [
  what: "create" | "dep" | "label" | "close" | "comment" | "claim" | "delete" | "meta",
  a: number,
  b: number,
  text: string,
];

const act: fc.Arbitrary<Act> = fc.tuple(
  fc.constantFrom("create", "create", "dep", "label", "close", "comment", "claim", "delete", "meta"),
  fc.nat(20),
  fc.nat(20),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((text) => text.trim() !== ""),
);

async function perform(bd: BdWorld, acts: readonly Act[]): Promise<void> {
  const ids: string[] = [];
  const pick = (n: number): string => ids[n % ids.length] ?? "api-none";
  for (const [what, a, b, text] of acts) {
    if (what === "create" || ids.length === 0) {
      const parent = ids.length > 0 && b % 3 === 0 ? ["--parent", pick(a)] : [];
      const { stdout } = await bd.run(["create", "--silent", "-p", String(a % 5), "-d", text, ...parent, "--", text]);
      if (stdout !== "") ids.push(stdout.trim());
    } else if (what === "dep") await bd.run(["dep", "add", pick(a), pick(b)]);
    else if (what === "label") await bd.run(["label", "add", pick(a), "--", text]);
    else if (what === "close") await bd.run(["close", pick(a), "-r", text]);
    else if (what === "comment") await bd.run(["comment", pick(a), "--", text]);
    else if (what === "claim") await bd.run(["update", pick(a), "--claim"]);
    else if (what === "delete") await bd.run(["delete", pick(a), "--force"]);
    else await bd.run(["update", pick(a), "--metadata", JSON.stringify({ note: text, n: b })]);
  }
}

describe("export and import", () => {
  test("given anything done with bd, when exported, imported elsewhere and exported again, then both files are equal", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
        const [here, there] = [await bdWorld(), await bdWorld()];
        await perform(here, acts);
        const text = (await here.run(["export"])).stdout;
        const imported = await there.run(["import", "-"], { stdin: text });
        expect(imported.exitCode).toBe(0);
        expect((await there.run(["export"])).stdout).toBe(text);
        expect(there.graph.ready().map(({ id }) => id)).toEqual(here.graph.ready().map(({ id }) => id));
        const again = JSON.parse((await there.run(["import", "-", "--json"], { stdin: text })).stdout) as object;
        expect(again).toMatchObject({ created: 0, updated: 0, unchanged: lines(text).length });
      }),
      { numRuns: fuzzRuns(40) },
    );
  });

  test("given a file of another bd, when imported and exported over it, then every byte stays", async () => {
    const bd = await bdWorld();
    const file = [
      '{"id":"api-z9","title":"With \\u003ctags\\u003e","status":"open","priority":0,"issue_type":"bug","created_at":"2026-01-17T04:18:05.622072-08:00","updated_at":"2026-01-17T04:18:05.622072-08:00","x_unknown":{"b":1,"a":2}}',
      '{"id":"api-b2","title":"Gone","status":"tombstone","priority":2,"issue_type":"task","created_at":"2026-01-17T04:18:05Z","updated_at":"2026-01-18T04:18:05Z","deleted_at":"2026-01-18T04:18:05Z"}',
      '{"id":"api-c3","title":"Odd","status":"invalid","priority":2,"issue_type":"not_a_type","created_at":"2026-01-17T04:18:05Z","updated_at":"2026-01-18T04:18:05Z","comments":[{"id":7,"issue_id":"api-c3","author":"x","text":"y","created_at":"2026-01-17T04:18:05Z"}]}',
      "",
    ].join("\n");
    await bd.files.makeDirectory("/home/alice/.beads");
    await bd.files.writeAtomic("/home/alice/.beads/issues.jsonl", file);
    expect(await bd.json("import", ".beads")).toMatchObject({ created: 3, updated: 0, problems: [] });
    await bd.out("export", "-o", ".beads/issues.jsonl");
    expect(await bd.files.readText("/home/alice/.beads/issues.jsonl")).toBe(file);
    await bd.out("update", "api-z9", "--title", "New <b>");
    await bd.out("export", "-o", ".beads/issues.jsonl");
    const [first, ...rest] = (await bd.files.readText("/home/alice/.beads/issues.jsonl"))?.split("\n") ?? [];
    expect(first).toContain('"title":"New \\u003cb\\u003e"');
    expect(rest.join("\n")).toBe(file.slice(file.indexOf("\n") + 1));
  });

  test("given a newer record here, when an older line is imported, then it is left and told", async () => {
    const bd = await bdWorld();
    const id = await bd.make("mine");
    const old = (await bd.run(["export"])).stdout.trim();
    await bd.pass(1000);
    await bd.out("close", id);
    const { stdout } = await bd.run(["import", "-", "--json"], { stdin: old });
    expect(JSON.parse(stdout)).toMatchObject({ created: 0, updated: 0, skipped: 1, older: [id] });
    expect(bd.graph.get(id)?.status).toBe("closed");
  });

  test("given unreadable lines, when imported, then the others come in and those are set aside and found by doctor", async () => {
    const bd = await bdWorld();
    const good =
      '{"id":"api-1","title":"Good","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-17T04:18:05Z","updated_at":"2026-01-17T04:18:05Z"}';
    const { stdout, stderr, exitCode } = await bd.run(["import", "-"], { stdin: `<<<<<<< HEAD\n${good}\n{broken\n` });
    expect(stdout).toContain("1 created, 2 unreadable lines");
    expect(stderr).toContain("-:1: it is a mark of a merge conflict; set aside");
    expect(exitCode).toBe(0);
    expect(await bd.fails("doctor")).toBe("");
    expect((await bd.run(["doctor"])).stdout).toContain("✗ Readable: 2 records could not be read");
    expect((await bd.run(["import", "-"], { stdin: "{broken\n" })).exitCode).toBe(1);
  });

  test("given --dry-run, when imported, then nothing happens", async () => {
    const bd = await bdWorld();
    const stdin =
      '{"id":"api-1","title":"x","created_at":"2026-01-17T04:18:05Z","updated_at":"2026-01-17T04:18:05Z"}\n';
    expect(JSON.parse((await bd.run(["import", "-", "--dry-run", "--json"], { stdin })).stdout)).toMatchObject({
      dry_run: true,
      created: 1,
    });
    expect(bd.graph.list()).toEqual([]);
  });

  test("given a Dolt backup directory, when imported, then its tables are joined", async () => {
    const bd = await bdWorld();
    const at = "/home/alice/.beads/backup";
    await bd.files.makeDirectory(at);
    const row = {
      created_at: "2026-01-17 04:18:05",
      updated_at: "2026-01-17 04:18:05",
      issue_type: "task",
      priority: 1,
      status: "open",
      assignee: "",
      ephemeral: 0,
      metadata: "{}",
    };
    await bd.files.writeAtomic(
      `${at}/issues.jsonl`,
      `${JSON.stringify({ id: "api-a", title: "A", ...row })}\n${JSON.stringify({ id: "api-b", title: "B", ...row })}\n`,
    );
    await bd.files.writeAtomic(
      `${at}/dependencies.jsonl`,
      `${JSON.stringify({ issue_id: "api-b", depends_on_id: "api-a", type: "blocks" })}\n`,
    );
    await bd.files.writeAtomic(`${at}/labels.jsonl`, `${JSON.stringify({ issue_id: "api-b", label: "x" })}\n`);
    await bd.out("import", ".beads/backup");
    expect(bd.graph.get("api-b")).toMatchObject({ labels: ["x"], dependencies: [{ depends_on_id: "api-a" }] });
    expect(await bd.json("ready")).toMatchObject([{ id: "api-a" }]);
  });

  test("given an empty store, when exported over a file that is not empty, then it is refused and the file stays", async () => {
    const bd = await bdWorld();
    for (const text of ['{"id":"x-1","title":"t"}\n', "whatever\n"]) {
      await bd.files.writeAtomic("/home/alice/out.jsonl", text);
      expect(await bd.fails("export", "-o", "out.jsonl")).toContain("cannot export");
      expect(await bd.files.readText("/home/alice/out.jsonl")).toBe(text);
    }
    await bd.out("export", "-o", "new.jsonl");
    expect((await bd.run(["export"])).stdout).toBe("");
  });

  test("given memories in a file, when imported and exported, then they are kept, and prime shows them", async () => {
    const bd = await bdWorld();
    const stdin = '{"_type":"memory","key":"style","value":"tabs, not spaces"}\n';
    await bd.run(["import", "-"], { stdin });
    expect((await bd.run(["export", "--include-memories"])).stdout).toBe(stdin);
    expect(await bd.out("prime")).toContain("- style: tabs, not spaces");
  });

  test("given memories that were changed and forgotten, when exported over their file, then it says what is remembered now; without asking for them they stay", async () => {
    const bd = await bdWorld();
    await bd.make("x");
    for (const key of ["kept", "changed", "forgotten"]) await bd.out("remember", `about ${key}`, "--key", key);
    await bd.out("export", "--include-memories", "-o", "all.jsonl");
    await bd.out("remember", "anew", "--key", "changed");
    await bd.out("forget", "forgotten");
    const memories = async () =>
      lines((await bd.files.readText("/home/alice/all.jsonl")) ?? "")
        .filter((line) => line["_type"] === "memory")
        .map(({ key, value }) => `${String(key)}: ${String(value)}`)
        .sort();
    await bd.out("export", "-o", "all.jsonl");
    expect(await memories()).toEqual(["changed: about changed", "forgotten: about forgotten", "kept: about kept"]);
    await bd.out("export", "--include-memories", "-o", "all.jsonl");
    expect(await memories()).toEqual(["changed: anew", "kept: about kept"]);
  });

  test("given records of the machinery and wisps, when exported, then they are left out unless --all", async () => {
    const bd = await bdWorld();
    const id = await bd.make("work");
    await bd.make("agent", "-t", "agent");
    await bd.make("wisp", "--ephemeral");
    expect(lines((await bd.run(["export"])).stdout).map((record) => record["id"])).toEqual([id]);
    expect(lines((await bd.run(["export", "--all"])).stdout)).toHaveLength(3);
  });
});

describe("the merge driver", () => {
  const record = (id: string, more: object = {}) =>
    JSON.stringify({
      id,
      title: id,
      status: "open",
      priority: 2,
      issue_type: "task",
      created_at: "2026-01-01T00:00:00Z",
      updated_at: "2026-01-01T00:00:00Z",
      ...more,
    });
  const later = "2026-01-02T00:00:00Z";
  const now = Date.parse("2026-01-03T00:00:00Z");
  const merged = (base: readonly string[], ours: readonly string[], theirs: readonly string[]) => {
    const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
    return mergeJsonl({ base: text(base), ours: text(ours), theirs: text(theirs) }, now);
  };

  test("given changes of different fields, when merged, then both are kept and other lines keep their bytes", () => {
    const odd =
      '{"id": "x-0", "title": "spaced", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}';
    const result = merged(
      [odd, record("x-1")],
      [odd, record("x-1", { priority: 0, updated_at: later })],
      [odd, record("x-1", { labels: ["a"], updated_at: later }), record("x-2")],
    );
    if ("problem" in result) throw new Error(result.problem);
    const [first, second, third] = result.text.split("\n");
    expect(first).toBe(odd);
    expect(JSON.parse(second ?? "")).toMatchObject({ id: "x-1", priority: 0, labels: ["a"] });
    expect(JSON.parse(third ?? "")).toMatchObject({ id: "x-2" });
  });

  test("given memories changed, added and forgotten apart, when merged, then each side's change is there", () => {
    const memory = (key: string, value: string): string => JSON.stringify({ _type: "memory", key, value });
    const result = merged(
      [record("x-1"), memory("a", "1"), memory("b", "1"), memory("gone", "1")],
      [record("x-1"), memory("a", "ours"), memory("b", "1"), memory("gone", "1")],
      [record("x-1"), memory("a", "1"), memory("b", "theirs"), memory("new", "1")],
    );
    if ("problem" in result) throw new Error(result.problem);
    expect(result.text.split("\n").slice(1, -1).sort()).toEqual([
      memory("a", "ours"),
      memory("b", "theirs"),
      memory("new", "1"),
    ]);
  });

  test("given one id for two beads, when merged, then both stay, ours under another id", () => {
    const result = merged(
      [],
      [
        record("x-1", { created_by: "alice", title: "ours" }),
        record("x-5", { dependencies: [{ issue_id: "x-5", depends_on_id: "x-1", type: "blocks" }] }),
      ],
      [record("x-1", { created_by: "bob", created_at: later, title: "theirs" })],
    );
    if ("problem" in result) throw new Error(result.problem);
    const next = result.rekeyed.get("x-1") ?? "";
    const all = new Map(lines(result.text).map((one) => [one["id"], one]));
    expect(all.get("x-1")).toMatchObject({ title: "theirs" });
    expect(all.get(next)).toMatchObject({ title: "ours" });
    expect(all.get("x-5")).toMatchObject({ dependencies: [{ depends_on_id: next }] });
  });

  test("given files on disk, when run as git runs it, then OURS becomes the result", async () => {
    const bd = await bdWorld();
    await bd.files.writeAtomic("/home/alice/base", `${record("x-1")}\n`);
    await bd.files.writeAtomic(
      "/home/alice/ours",
      `${record("x-1", { status: "closed", closed_at: later, updated_at: later })}\n`,
    );
    await bd.files.writeAtomic("/home/alice/theirs", `${record("x-1")}\n${record("x-2")}\n`);
    await bd.out("merge-driver", "base", "ours", "theirs");
    expect(lines((await bd.files.readText("/home/alice/ours")) ?? "")).toMatchObject([
      { id: "x-1", status: "closed" },
      { id: "x-2" },
    ]);
  });

  test("given a line that is no bead, when merged, then git gets a conflict and the file stays", async () => {
    const bd = await bdWorld();
    await bd.files.writeAtomic("/home/alice/base", "");
    await bd.files.writeAtomic("/home/alice/ours", "{broken\n");
    await bd.files.writeAtomic("/home/alice/theirs", `${record("x-2")}\n`);
    expect(await bd.fails("merge-driver", "base", "ours", "theirs")).toContain("line 1 of ours");
    expect(await bd.files.readText("/home/alice/ours")).toBe("{broken\n");
  });
});
