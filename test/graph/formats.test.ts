import { describe, expect, test } from "vitest";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

/*
 * What version 1 wrote, byte for byte as it stood on disk and on the branch. A later version must still open it; when a
 * format changes, its fixture is added here and none is removed.
 */
const v1 = {
  identity: '{"format":1,"location":"/repo","logs":["k3x9q2a7b1"]}\n',
  log: [
    '{"format":1,"log":"k3x9q2a7b1"}',
    '{"s":1,"t":1767225600000,"a":"alice","o":[{"i":"api-1","w":null,"d":{"description":"","status":"open","priority":2,"issue_type":"task","created_by":"alice","title":"on the branch","id":"api-1","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z"},"k":1}]}',
    '{"s":2,"t":1767225600001,"a":"bob","n":"bob@3","r":"request-1","v":{"id":"api-1"},"o":[{"i":"api-1","w":"2026-01-01T00:00:00.000Z open  13.0.0.0.0 0","d":{"description":"","status":"in_progress","priority":2,"issue_type":"task","created_by":"alice","title":"on the branch","id":"api-1","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.001Z","assignee":"bob","started_at":"2026-01-01T00:00:00.001Z","heartbeat_at":"2026-01-01T00:00:00.001Z","lease_expires_at":"2026-01-01T04:00:00.001Z","metadata":{"town.fence":1,"town.generation":3}},"k":2,"m":"why"},{"i":"api-wisp-2","w":null,"d":{"description":"","status":"open","priority":2,"issue_type":"task","created_by":"bob","title":"second wisp","id":"api-wisp-2","ephemeral":true,"created_at":"2026-01-01T00:00:00.001Z","updated_at":"2026-01-01T00:00:00.001Z"},"k":1,"e":1}]}',
  ].join("\n"),
  local: [
    '{"format":1,"logs":{"k3x9q2a7b1":1}}',
    '{"d":{"id":"api-wisp-1","title":"first wisp","status":"open","priority":2,"issue_type":"task","ephemeral":true,"created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:00:00.000Z"},"k":4}',
    '{"i":"api-0","k":7}',
    '{"r":"request-0","v":"answer"}',
    "",
  ].join("\n"),
  branch: {
    "version.json": '{"format":1,"records":"ab/cd/<id>.json","log":"log/<yyyy-mm-dd>/<log-id>.jsonl"}\n',
    "log/2026-01-01/k3x9q2a7b1.jsonl":
      '{"t":1767225600000,"a":"alice","i":"api-1","e":"created","c":[{"field":"title","to":"on the branch"}]}\n',
    records: [
      '{"created_at":"2026-01-01T00:00:00.000Z","created_by":"alice","description":"","id":"api-1","issue_type":"task","priority":2,"status":"open","title":"on the branch","updated_at":"2026-01-01T00:00:00.000Z"}\n',
      '{"created_at":"2026-01-01T00:00:00.000Z","id":"api-0","issue_type":"task","priority":0,"status":"closed","closed_at":"2026-01-01T00:00:00.000Z","title":"done","updated_at":"2026-01-01T00:00:00.000Z"}\n',
    ],
    // As `recordPath` places them: a change of that function would hide every record that exists.
    paths: { "api-1": "34/20/api-1.json", "api-0": "22/22/api-0.json" } as Readonly<Record<string, string>>,
    message: "work: api-1\n\nTown-Actor: alice\nTown-Wal: k3x9q2a7b1=1\n",
  },
};

async function writeV1(world: GraphWorld): Promise<string> {
  const repository = await world.repository("/repo");
  const { objects } = repository;
  const files: [string, string][] = [
    ["version.json", v1.branch["version.json"]],
    ["log/2026-01-01/k3x9q2a7b1.jsonl", v1.branch["log/2026-01-01/k3x9q2a7b1.jsonl"]],
    ...v1.branch.records.map((line): [string, string] => [
      v1.branch.paths[(JSON.parse(line) as { id: string }).id] ?? "",
      line,
    ]),
  ];
  const write = async (entries: readonly [string, string][]): Promise<string> => {
    const directories = new Map<string, [string, string][]>();
    const tree: { mode: "100644" | "040000"; name: string; id: string }[] = [];
    for (const [path, text] of entries) {
      const [name = "", ...rest] = path.split("/");
      if (rest.length === 0) tree.push({ mode: "100644", name, id: await objects.writeBlob(text) });
      else directories.set(name, [...(directories.get(name) ?? []), [rest.join("/"), text]]);
    }
    for (const [name, below] of directories) tree.push({ mode: "040000", name, id: await write(below) });
    return objects.writeTree(tree.sort((a, b) => (a.name < b.name ? -1 : 1)));
  };
  const by = { name: "alice", email: "town@localhost", timeMs: 1767225600000 };
  const commit = await objects.writeCommit({
    tree: await write(files),
    parents: [],
    message: v1.branch.message,
    author: by,
    committer: by,
  });
  await repository.updateRefs(
    [
      { ref: "refs/heads/town/work", to: commit },
      { ref: "refs/town/flushed", to: commit },
    ],
    "fixture",
  );
  const disk = world.disk.mount();
  await disk.makeDirectory("/repo/town/wal/k3x9q2a7b1");
  await disk.writeAtomic("/repo/town/graph.json", v1.identity);
  await disk.writeAtomic("/repo/town/wal/k3x9q2a7b1/000001.jsonl", v1.log);
  await disk.writeAtomic("/repo/town/wisps.jsonl", v1.local);
  return commit;
}

describe("stores of former versions", () => {
  test("given what version 1 left behind, when opened, then everything is there and can be written on", async () => {
    const world = await graphWorld();
    await writeV1(world);
    const { graph } = await world.open("/repo");
    expect(graph.list().map(({ id }) => id)).toEqual(["api-0", "api-1", "api-wisp-1", "api-wisp-2"]);
    expect(graph.get("api-1")).toMatchObject({
      status: "in_progress",
      assignee: "bob",
      metadata: { "town.fence": 1, "town.generation": 3 },
    });
    expect(["api-0", "api-1", "api-wisp-1", "api-wisp-2"].map((id) => graph.revOf(id))).toEqual([7, 2, 4, 1]);
    expect((await graph.history("api-1")).map(({ actor, session, event }) => [actor, session, event])).toEqual([
      ["alice", undefined, "created"],
      ["bob", "bob@3", "claimed"],
    ]);
    expect(await graph.transact(alice, () => "asked again", { requestId: "request-0" })).toBe("answer");
    expect(await graph.transact(alice, () => "asked again", { requestId: "request-1" })).toEqual({ id: "api-1" });
    await graph.transact(alice, (tx) => tx.create({ title: "new" }));
    await graph.close();
    const again = await world.open("/repo");
    expect(again.graph.list()).toHaveLength(5);
    expect(await world.disk.mount().list("/repo/town/set-aside")).toEqual([]);
  });

  test.each([
    "graph.json",
    "wisps.jsonl",
    "wal/k3x9q2a7b1/000001.jsonl",
  ])("given %s of a later version, when opened, then it is refused, named and left as it is", async (name) => {
    const world = await graphWorld();
    await writeV1(world);
    const disk = world.disk.mount();
    const path = `/repo/town/${name}`;
    const text = ((await disk.readText(path)) ?? "").replace('"format":1', '"format":9');
    await disk.writeAtomic(path, text);
    await expect(world.open("/repo")).rejects.toMatchObject({
      reason: "FormatTooNew",
      message: expect.stringContaining(path) as string,
    });
    expect(await disk.readText(path)).toBe(text);
    expect(await disk.readText("/repo/town/graph.lock")).toBeUndefined();
  });

  test("given a branch of a later version, when opened, then it is refused; given a cache of one, then it is not used", async () => {
    const world = await graphWorld();
    const commit = await writeV1(world);
    const disk = world.disk.mount();
    await disk.makeDirectory("/repo/town/cache");
    await disk.writeAtomic("/repo/town/cache/columns.bin", JSON.stringify({ format: 9, commit, shards: [] }));
    const { graph } = await world.open("/repo");
    expect(graph.list()).toHaveLength(4);
    await graph.close();
    const repository = await world.repository("/repo");
    const info = await repository.objects.readCommit(graph.tip ?? "");
    const entries = await repository.objects.readTree(info?.tree ?? "");
    const version = await repository.objects.writeBlob('{"format":9}\n');
    const tree = await repository.objects.writeTree(
      entries.map((entry) => (entry.name === "version.json" ? { ...entry, id: version } : entry)),
    );
    const by = { name: "x", email: "x", timeMs: 1 };
    const later = await repository.objects.writeCommit({
      tree,
      parents: [graph.tip ?? ""],
      message: "later",
      author: by,
      committer: by,
    });
    await repository.updateRefs(
      [
        { ref: "refs/heads/town/work", to: later },
        { ref: "refs/town/flushed", to: later },
      ],
      "fixture",
    );
    await expect(world.open("/repo")).rejects.toMatchObject({ reason: "FormatTooNew" });
  });

  test("given a repository that was copied, when the copy is opened, then it writes a log of its own and has everything", async () => {
    const world = await graphWorld();
    await writeV1(world);
    const disk = world.disk.mount();
    await disk.writeAtomic("/repo/town/graph.json", v1.identity.replace("/repo", "/elsewhere"));
    const { graph } = await world.open("/repo");
    expect(graph.get("api-1")?.assignee).toBe("bob");
    await graph.transact(alice, (tx) => tx.create({ title: "in the copy" }));
    expect(await disk.list("/repo/town/wal")).toHaveLength(2);
    await graph.flush();
    // The former log is contained in the branch now, and gone.
    const [log, ...others] = await disk.list("/repo/town/wal");
    expect(others).toEqual([]);
    expect(log).not.toBe("k3x9q2a7b1");
    const repository = await world.repository("/repo");
    expect((await repository.objects.readCommit(graph.tip ?? ""))?.message).toContain("Town-Wal: k3x9q2a7b1=3");
    const ids = graph.list().map(({ id }) => id);
    await graph.close();
    const again = await world.open("/repo");
    expect(again.graph.list().map(({ id }) => id)).toEqual(ids);
    expect(await disk.list("/repo/town/set-aside")).toEqual([]);
  });
});
