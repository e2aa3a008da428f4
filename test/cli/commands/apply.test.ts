import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { FakeAnswer, FakeTown } from "../fake-town.ts";
import { runTown } from "../run-town.ts";
import { sampleTown } from "../sample-town.ts";

const directory = mkdtempSync(join(tmpdir(), "town-apply-"));
mkdirSync(join(directory, "m", "deep"), { recursive: true });
writeFileSync(join(directory, "m", "b.yaml"), "kind: B\n");
writeFileSync(join(directory, "m", "a.yml"), "kind: A\n");
writeFileSync(join(directory, "m", "notes.txt"), "no manifest\n");
writeFileSync(join(directory, "m", "deep", "c.json"), "{}\n");
mkdirSync(join(directory, "empty"));
afterAll(() => rmSync(directory, { recursive: true }));

type Args = Readonly<Record<string, unknown>>;

function recording(answer: FakeAnswer = { body: { text: "rig.town.dev/api created" } }): {
  readonly town: FakeTown;
  readonly calls: Args[];
} {
  const town = sampleTown();
  const calls: Args[] = [];
  town.verbs.set("apply", (args) => {
    calls.push(args);
    return answer;
  });
  return { town, calls };
}

const RESULT = { apiVersion: "town.dev/v1alpha1", kind: "Rig", name: "api", result: "unchanged" };

describe("apply, create, diff", () => {
  const rows: readonly { readonly line: string; readonly args: Args; readonly because: string }[] = [
    {
      line: "apply -f m/b.yaml",
      args: { documents: [{ path: "m/b.yaml", text: "kind: B\n" }], mode: "Apply", dryRun: false },
      because: "the server parses the text",
    },
    {
      line: "apply -f m",
      args: {
        documents: [
          { path: "m/a.yml", text: "kind: A\n" },
          { path: "m/b.yaml", text: "kind: B\n" },
        ],
        mode: "Apply",
        dryRun: false,
      },
      because: "a directory gives its manifests in order",
    },
    {
      line: "apply -f m/deep,m/b.yaml".replace(",", " -f "),
      args: {
        documents: [
          { path: "m/deep/c.json", text: "{}\n" },
          { path: "m/b.yaml", text: "kind: B\n" },
        ],
        mode: "Apply",
        dryRun: false,
      },
      because: "-f may be repeated",
    },
    {
      line: "apply -Rf m --dry-run=server -n web",
      args: {
        documents: [
          { path: "m/a.yml", text: "kind: A\n" },
          { path: "m/b.yaml", text: "kind: B\n" },
          { path: "m/deep/c.json", text: "{}\n" },
        ],
        mode: "Apply",
        dryRun: true,
        namespace: "web",
      },
      because: "-R reads below",
    },
    {
      line: "apply -f -",
      args: { documents: [{ path: "<stdin>", text: "kind: C\n" }], mode: "Apply", dryRun: false },
      because: "- is stdin",
    },
    {
      line: "create -f m/b.yaml",
      args: { documents: [{ path: "m/b.yaml", text: "kind: B\n" }], mode: "Create", dryRun: false },
      because: "create refuses what exists",
    },
    {
      line: "diff -f m/b.yaml",
      args: { documents: [{ path: "m/b.yaml", text: "kind: B\n" }], mode: "Diff", dryRun: false },
      because: "diff changes nothing",
    },
    {
      line: "delete -f m/b.yaml --wait=false",
      args: {
        documents: [{ path: "m/b.yaml", text: "kind: B\n" }],
        mode: "Delete",
        dryRun: false,
      },
      because: "files are deleted in one commit",
    },
    {
      line: "delete -f m/b.yaml --wait=false --ignore-not-found --cascade=orphan --dry-run",
      args: {
        documents: [{ path: "m/b.yaml", text: "kind: B\n" }],
        mode: "Delete",
        dryRun: true,
        ignoreNotFound: true,
        cascade: "orphan",
      },
      because: "the verb knows the flags of delete",
    },
  ];

  for (const { line, args, because } of rows) {
    it(`given \`town ${line}\`, when run, then it is one call: ${because}`, async () => {
      const { town, calls } = recording();
      const outcome = await runTown(town, line, { cwd: directory, stdin: "kind: C\n" });
      expect({ calls, outcome }).toEqual({
        calls: [args],
        outcome: { code: 0, out: "rig.town.dev/api created\n", err: "" },
      });
    });
  }

  it("given wrong files, when run, then nothing is sent", async () => {
    for (const [line, text] of [
      ["apply", "must specify -f"],
      ["apply -f nowhere.yaml", 'the path "nowhere.yaml" does not exist'],
      ["apply -f empty", "holds no .yaml"],
      ["diff main", "is no REV1..REV2"],
      ["delete pool crew -f m", "-f cannot be combined with names"],
    ] as const) {
      const { town, calls } = recording();
      const { code, err } = await runTown(town, line, { cwd: directory });
      expect({ line, code, calls }).toEqual({ line, code: 2, calls: [] });
      expect(err).toContain(text);
    }
  });

  it("given objects that finalizers hold, when deleted by file, then it waits until they are gone", async () => {
    const held = {
      apiVersion: "town.dev/v1alpha1",
      kind: "AgentPool",
      metadata: { name: "crew", namespace: "api", uid: "p1" },
    };
    const gone = { kind: "Status", status: "Success" };
    const results = [
      { ...RESULT, result: "deleted", object: gone },
      { apiVersion: held.apiVersion, kind: held.kind, name: "crew", namespace: "api", result: "deleted", object: held },
    ];
    const { town } = recording({ body: { text: "two deleted", data: { results } } });
    const path = "/apis/town.dev/v1alpha1/namespaces/api/agentpools";
    town.routes.set(path, (request) =>
      request.path.includes("watch=true")
        ? { lines: [{ type: "DELETED", object: held }] }
        : { body: { metadata: { resourceVersion: "1" }, items: [held] } },
    );
    expect(await runTown(town, "delete -f m/b.yaml", { cwd: directory })).toEqual({
      code: 0,
      out: "two deleted\n",
      err: "",
    });
    expect(town.asked.filter((asked) => asked.includes("watch=true"))).toHaveLength(1);
  });

  it("given -o, when applied, then the objects are printed instead of the message", async () => {
    const { town } = recording({ body: { text: "rig.town.dev/api unchanged", data: { results: [RESULT] } } });
    expect((await runTown(town, "apply -f m/b.yaml -o name", { cwd: directory })).out).toBe("rig.town.dev/api\n");
    expect((await runTown(town, "apply -f m/b.yaml -o yaml", { cwd: directory })).out).toBe(
      "apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata:\n  name: api\n",
    );
  });

  it("given nothing changed, when --error-unchanged asks, then it exits 3", async () => {
    const { town } = recording({ body: { text: "rig.town.dev/api unchanged", data: { results: [RESULT] } } });
    expect((await runTown(town, "apply -f m/b.yaml --error-unchanged", { cwd: directory })).code).toBe(3);
    expect((await runTown(town, "apply -f m/b.yaml", { cwd: directory })).code).toBe(0);
  });

  it("given differences, when diffed, then it exits 1; given a refusal, 2", async () => {
    const differs = recording({ body: { text: "-a\n+b", exitCode: 1 } });
    expect(await runTown(differs.town, "diff -f m/b.yaml", { cwd: directory })).toEqual({
      code: 1,
      out: "-a\n+b\n",
      err: "",
    });
    const refuses = recording({
      status: 422,
      body: { kind: "Status", reason: "Invalid", message: "b.yaml:1:7: unknown kind B", code: 422 },
    });
    expect(await runTown(refuses.town, "diff -f m/b.yaml", { cwd: directory })).toMatchObject({
      code: 2,
      err: "Error from server (Invalid): b.yaml:1:7: unknown kind B\n",
    });
  });
});

describe("edit", () => {
  const SAVED = "apiVersion: town.dev/v1alpha1\nkind: AgentPool\n";

  /** An editor that saves each text in turn; undefined leaves the file as it is. */
  function editor(saves: readonly (string | undefined)[]): {
    readonly programs: NonNullable<Parameters<typeof runTown>[2]>["programs"];
    readonly seen: string[];
  } {
    const seen: string[] = [];
    let turn = 0;
    const run = async (command: readonly string[]): Promise<number> => {
      const { readFileSync } = await import("node:fs");
      const path = command.at(-1)!;
      seen.push(readFileSync(path, "utf8"));
      const text = saves[turn++];
      if (text !== undefined) writeFileSync(path, text);
      return 0;
    };
    return {
      seen,
      programs: {
        run,
        output: () => Promise.reject(new Error("no program expected")),
        startDetached: () => {
          throw new Error("no program expected");
        },
      },
    };
  }

  it("given a changed text, when saved, then it replaces the object as it was seen", async () => {
    const { town, calls } = recording();
    const { programs, seen } = editor([SAVED]);
    expect(await runTown(town, "edit pool crew", { programs: programs! })).toEqual({
      code: 0,
      out: "agentpool.town.dev/crew edited\n",
      err: "",
    });
    expect(calls).toEqual([{ documents: [{ path: "edit", text: SAVED }], mode: "Replace", dryRun: false }]);
    expect(seen[0]).toContain('resourceVersion: "4"');
    expect(seen[0]).not.toMatch(/managedFields|status:/);
  });

  it("given an unchanged or empty text, when saved, then nothing is sent", async () => {
    for (const text of [undefined, "", "# only a comment\n"]) {
      const { town, calls } = recording();
      expect(await runTown(town, "edit pool crew", { programs: editor([text]).programs! })).toMatchObject({
        code: 0,
        out: "Edit cancelled, no changes made.\n",
      });
      expect(calls).toEqual([]);
    }
  });

  it("given a refusal, when saved, then the editor opens again with the reason and the user's text", async () => {
    const { town, calls } = recording({
      status: 422,
      body: { kind: "Status", reason: "Invalid", message: "`spec.replicas` must be an integer", code: 422 },
    });
    const { programs, seen } = editor([SAVED, undefined]);
    const { code, err } = await runTown(town, "edit pool crew", { programs: programs! });
    expect(seen[1]).toContain("# `spec.replicas` must be an integer\n");
    expect(seen[1]).toContain(SAVED);
    expect(code).toBe(1);
    const kept = /your text is kept in (\S+)/.exec(err)?.[1];
    expect(kept).toBeDefined();
    rmSync(join(kept!, ".."), { recursive: true });
    expect(calls).toHaveLength(1);
  });

  it("given an object that changed meanwhile, when saved, then the text is kept and the way out is told", async () => {
    let turn = 0;
    const town = sampleTown();
    town.verbs.set("apply", () =>
      turn++ === 0
        ? { body: { text: "", errorText: "the object has been modified", exitCode: 1 } }
        : { body: { text: "replaced" } },
    );
    const { programs, seen } = editor([SAVED, `${SAVED}spec: {}\n`]);
    expect(await runTown(town, "edit pool crew", { programs: programs! })).toEqual({
      code: 0,
      out: "agentpool.town.dev/crew edited\n",
      err: "",
    });
    expect(seen[1]).toContain(
      "# the object has been modified\n#\n# To overwrite the change made meanwhile, remove the line with resourceVersion.\n",
    );
    expect(seen[1]).toContain(SAVED);
  });

  it("given an editor that fails, when run, then nothing is sent", async () => {
    const { town, calls } = recording();
    const programs = { ...editor([]).programs!, run: () => Promise.resolve(3) };
    expect(await runTown(town, "edit pool crew", { programs, env: { EDITOR: "false" } })).toMatchObject({
      code: 1,
      err: expect.stringContaining("the editor (false) ended with exit code 3") as string,
    });
    expect(calls).toEqual([]);
  });
});
