import { describe, expect, test } from "vitest";
import { ParseCache } from "../../src/manifests/parse-cache.ts";
import { readSourceAtCommit, readSourceOnDisk } from "../../src/manifests/read-source.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";

const context = { kinds: SAMPLE_KINDS, locals: new Map<string, string>() };

async function townRepository(files: Readonly<Record<string, string>>) {
  const git = new MemoryGit();
  const repository = await git.init("/town", { bare: false, branch: "main" });
  for (const [path, text] of Object.entries(files)) await git.writeFile("/town", path, text);
  await git.commit("/town", "manifests");
  return { git, repository };
}

describe("readSourceAtCommit", () => {
  test("given manifests and other files, when read, then only manifests count and the commit is named", async () => {
    const { repository } = await townRepository({
      "manifests/rigs/api.yaml": rigText("api"),
      "manifests/api/pool.yml": poolText("crew"),
      "manifests/README.md": "x",
      "other.yaml": rigText("other"),
      "manifests/.hidden/x.yaml": rigText("hidden"),
    });
    const loaded = await readSourceAtCommit(repository, "main", context);
    expect(loaded.objects.map((object) => [object.key.name, object.origin.path])).toEqual([
      ["crew", "manifests/api/pool.yml"],
      ["api", "manifests/rigs/api.yaml"],
    ]);
    expect(loaded.revision).toBe(await repository.resolve("main"));
    expect(loaded.files).toBe(2);
  });

  test("given no manifests directory, when read, then nothing is declared", async () => {
    const { repository } = await townRepository({ "README.md": "x" });
    expect(await readSourceAtCommit(repository, "main", context)).toMatchObject({
      objects: [],
      problems: [],
      files: 0,
    });
  });

  test("given a revision that does not exist, when read, then the error names it", async () => {
    const { repository } = await townRepository({ "README.md": "x" });
    await expect(readSourceAtCommit(repository, "nope", context)).rejects.toMatchObject({ reason: "RevisionMissing" });
  });

  test("given a cache, when many commits are read one after the other, then it holds no more trees than the last has", async () => {
    const { git, repository } = await townRepository({ "manifests/api/a.yaml": poolText("a") });
    const cache = new ParseCache();
    for (let edit = 1; edit < 20; edit++) {
      await git.writeFile("/town", "manifests/api/a.yaml", poolText("a", edit));
      await git.commit("/town", "scale a");
      await readSourceAtCommit(repository, "main", { ...context, cache });
    }
    expect(cache.trees.size).toBe(2);
    expect(cache.size).toBe(2);
  });

  test("given a cache, when another commit is read, then only changed blobs are read", async () => {
    const { git, repository } = await townRepository({
      "manifests/a.yaml": poolText("a"),
      "manifests/b.yaml": poolText("b"),
    });
    const cache = new ParseCache();
    await readSourceAtCommit(repository, "main", { ...context, cache });
    await git.writeFile("/town", "manifests/b.yaml", poolText("b", 2));
    await git.commit("/town", "scale b");
    const asked: string[] = [];
    const watched = new Proxy(repository.objects, {
      get: (target, name) =>
        name === "readBlobs"
          ? async (ids: readonly string[]) => (asked.push(...ids), target.readBlobs(ids))
          : typeof Reflect.get(target, name) === "function"
            ? Reflect.get(target, name).bind(target)
            : Reflect.get(target, name),
    });
    const counting = new Proxy(repository, {
      get: (target, name) =>
        name === "objects"
          ? watched
          : typeof Reflect.get(target, name) === "function"
            ? Reflect.get(target, name).bind(target)
            : Reflect.get(target, name),
    });
    const loaded = await readSourceAtCommit(counting, "main", { ...context, cache });
    expect(asked).toHaveLength(1);
    expect(loaded.objects[1]?.spec["replicas"]).toBe(2);
  });
});

describe("readSourceOnDisk", () => {
  async function disk(files: Readonly<Record<string, string>>) {
    const mounted = new MemoryDisk({ clock: virtualClock() }).mount();
    for (const [path, text] of Object.entries(files)) {
      await mounted.makeDirectory(`/town/${path}`.replace(/\/[^/]*$/, ""));
      await mounted.writeAtomic(`/town/${path}`, text);
    }
    return mounted;
  }

  test("given saved files, when read, then they count whatever git says, and links do not", async () => {
    const files = await disk({
      "manifests/a/x.yaml": rigText("api"),
      "manifests/notes.txt": "x",
      "manifests/.git/y.yaml": rigText("no"),
    });
    await files.symlink("/etc/passwd", "/town/manifests/link.yaml");
    const loaded = await readSourceOnDisk(files, virtualClock(), "/town", context);
    expect(loaded.objects.map((object) => object.origin.path)).toEqual(["manifests/a/x.yaml"]);
    expect(loaded.problems).toMatchObject([{ path: "manifests/link.yaml", reason: "FileNotRegular" }]);
  });

  test("given a half-written file, when it is whole 50 ms later, then no error is shown", async () => {
    const files = await disk({ "manifests/x.yaml": poolText("crew").slice(0, -4).replace("replicas:", 'replicas: "') });
    const clock = virtualClock();
    const reading = readSourceOnDisk(files, clock, "/town", context);
    await clock.advance(49);
    await files.writeAtomic("/town/manifests/x.yaml", poolText("crew"));
    await clock.advance(1);
    expect(await reading).toMatchObject({ objects: [{ key: { name: "crew" } }], problems: [] });
  });

  test("given a file that stays broken, when read, then its problem comes after one more look", async () => {
    const files = await disk({ "manifests/x.yaml": "kind: [" });
    const clock = virtualClock();
    const reading = readSourceOnDisk(files, clock, "/town", context);
    await clock.advance(50);
    expect((await reading).problems).toMatchObject([{ path: "manifests/x.yaml", reason: "YamlInvalid" }]);
  });
});
