import { describe, expect, test } from "vitest";
import { changeTree, entryAt, filesOfTree } from "../../src/manifests/git-tree.ts";
import type { TreeFile } from "../../src/manifests/git-tree.ts";
import { inventoryRef, readInventory, writeInventory } from "../../src/manifests/inventory.ts";
import type { InventoryEntry } from "../../src/manifests/inventory.ts";
import { keyText } from "../../src/resource/object-meta.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { fc, fuzzRuns } from "../property.ts";

const author = { name: "Town", email: "town@localhost", timeMs: 0 };
const repositoryIn = async (git: MemoryGit) => git.init("/town", { bare: true, branch: "main" });

function entry(name: string, namespace: string | undefined, generation = 1): InventoryEntry {
  const key = namespace === undefined ? { kind: "Rig", name } : { kind: "AgentPool", namespace, name };
  return {
    key,
    uid: `uid-${name}`,
    generation,
    creationTimestamp: "2030-01-01T00:00:00Z",
    finalizers: ["town.dev/sandboxes"],
    path: `manifests/${name}.yaml`,
    document: { apiVersion: "town.dev/v1alpha1", kind: key.kind, metadata: { name }, spec: { replicas: 1 } },
  };
}

const entries = (...all: InventoryEntry[]) => new Map(all.map((one) => [keyText(one.key), one]));

describe("inventory", () => {
  test("given nothing applied, when read, then it is empty", async () => {
    const repository = await repositoryIn(new MemoryGit());
    expect(await readInventory(repository, "hq")).toEqual({
      source: "hq",
      commit: undefined,
      revision: undefined,
      entries: new Map(),
    });
  });

  test("given entries, when written and read after a power loss, then they are the same", async () => {
    const git = new MemoryGit();
    const repository = await repositoryIn(git);
    const former = await readInventory(repository, "hq");
    const next = {
      revision: "abc",
      entries: entries(entry("api", undefined), entry("crew", "api"), entry("a.b-c", "hq")),
    };
    const written = await writeInventory(repository, former, next, author);
    git.crash();
    expect(await readInventory(repository, "hq")).toEqual(written);
    expect(written).toMatchObject(next);
    const files = await repository.listFiles(inventoryRef("hq"), "");
    expect(files.map((file) => file.path)).toEqual([
      "AgentPool/api/crew.json",
      "AgentPool/hq/a.b-c.json",
      "Rig/_/api.json",
      "format.json",
    ]);
  });

  test("given no change, when written, then no commit is made; given another writer, then Moved", async () => {
    const repository = await repositoryIn(new MemoryGit());
    const empty = await readInventory(repository, "hq");
    const first = await writeInventory(
      repository,
      empty,
      { revision: "a", entries: entries(entry("api", undefined)) },
      author,
    );
    if (first === "Moved") throw new Error("moved");
    expect(
      await writeInventory(repository, first, { revision: "a", entries: entries(entry("api", undefined)) }, author),
    ).toBe(first);
    const second = await writeInventory(repository, first, { revision: "b", entries: new Map() }, author);
    expect(
      await writeInventory(repository, first, { revision: "c", entries: entries(entry("x", undefined)) }, author),
    ).toBe("Moved");
    expect(await readInventory(repository, "hq")).toEqual(second);
  });

  test("given an inventory of version 1, when opened, then its records are understood", async () => {
    const repository = await repositoryIn(new MemoryGit());
    const record = `{"formatVersion":1,"key":{"kind":"Rig","name":"api"},"uid":"u1","generation":3,"creationTimestamp":"2030-01-01T00:00:00Z","deletionTimestamp":"2030-01-02T00:00:00Z","finalizers":["town.dev/clone"],"ownerReferences":[],"path":"manifests/rigs/api.yaml","document":{"apiVersion":"town.dev/v1alpha1","kind":"Rig","metadata":{"name":"api"},"spec":{"path":"/repos/api"}}}`;
    await writeRaw(repository, {
      "format.json": '{"formatVersion":1,"source":"hq","revision":"abc"}',
      "Rig/_/api.json": record,
    });
    const read = await readInventory(repository, "hq");
    expect(read.revision).toBe("abc");
    expect(read.entries.get("Rig/api")).toMatchObject({
      uid: "u1",
      generation: 3,
      deletionTimestamp: "2030-01-02T00:00:00Z",
      finalizers: ["town.dev/clone"],
    });
  });

  test.each([
    ["a newer version", { "format.json": '{"formatVersion":2}' }, "InventoryTooNew"],
    ["no format", { "Rig/_/api.json": "{}" }, "InventoryDamaged"],
    ["a torn record", { "format.json": '{"formatVersion":1}', "Rig/_/api.json": '{"key":' }, "InventoryDamaged"],
    [
      "a record at another's path",
      {
        "format.json": '{"formatVersion":1}',
        "Rig/_/other.json": '{"key":{"kind":"Rig","name":"api"},"uid":"u","generation":1,"path":"x","document":{}}',
      },
      "InventoryDamaged",
    ],
  ])("given %s, when read, then it is refused and never taken for empty", async (_, files, reason) => {
    const repository = await repositoryIn(new MemoryGit());
    await writeRaw(repository, files as unknown as Record<string, string>);
    await expect(readInventory(repository, "hq")).rejects.toMatchObject({ reason });
  });
});

async function writeRaw(repository: Awaited<ReturnType<typeof repositoryIn>>, files: Readonly<Record<string, string>>) {
  const changes = new Map<string, TreeFile>();
  for (const [path, text] of Object.entries(files))
    changes.set(path, { mode: "100644", id: await repository.objects.writeBlob(text) });
  const tree = await changeTree(repository.objects, repository.objects.emptyTree, changes);
  const commit = await repository.objects.writeCommit({ tree, parents: [], message: "x", author, committer: author });
  await repository.updateRefs([{ ref: inventoryRef("hq"), to: commit }], "test");
}

describe("changeTree", () => {
  test("given any changes in any batches, when applied, then the tree is the one of the resulting files", async () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "c", "d.yaml"), { minLength: 1, maxLength: 3 })
      .map((parts) => `${parts.map((part) => `d${part}`).join("/")}/f`);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.tuple(path, fc.option(fc.string(), { nil: undefined })), { maxLength: 6 }), {
          maxLength: 4,
        }),
        async (batches) => {
          const { objects } = await repositoryIn(new MemoryGit());
          const model = new Map<string, string>();
          let tree = objects.emptyTree;
          for (const batch of batches) {
            const changes = new Map<string, TreeFile | null>();
            for (const [where, text] of batch) {
              changes.set(where, text === undefined ? null : { mode: "100644", id: await objects.writeBlob(text) });
              if (text === undefined) model.delete(where);
              else model.set(where, text);
            }
            tree = await changeTree(objects, tree, changes);
          }
          const files = await filesOfTree(objects, tree, "");
          const texts = await objects.readBlobs(files.map((file) => file.id));
          expect(new Map(files.map((file) => [file.path, texts.get(file.id)]))).toEqual(model);
          for (const file of files) expect(await entryAt(objects, tree, file.path)).toMatchObject({ id: file.id });
          expect(await entryAt(objects, tree, "da/f/x")).toBeUndefined();
          if (model.size === 0) expect(tree).toBe(objects.emptyTree);
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
  });
});
