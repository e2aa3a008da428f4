import { describe, expect, test } from "vitest";
import { commitsBetween } from "../../src/manifests/commit-range.ts";
import { deletionsIn } from "../../src/manifests/deletion-trailer.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import {
  ADA,
  BOB,
  MAIN,
  creation,
  deletion,
  edit,
  editFrom,
  live,
  pool,
  readOnlyOrigin,
  writerSite,
} from "./writer-site.ts";
import { poolText, rigText } from "./sample-kinds.ts";

async function site(files: Readonly<Record<string, string>> = {}, bare = false) {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock }).mount();
  await disk.makeDirectory("/town");
  const git = new MemoryGit({ clock, files: disk });
  const made = await writerSite({ git, files: disk, clock, root: "/town", bare });
  if (!bare) await made.commit({ "README.md": "# Town\n", ...files });
  return { ...made, git, clock, status: () => made.repository.worktreeStatus("/town") };
}

const COMMENTED = `# The crew.\n${poolText("crew").replace("  replicas: 1", "  # enough for now\n  replicas: 1 # one")}`;

describe("CommitWriter", () => {
  test("given a scale, when written, then one line of the file changes, in a commit of the caller that says so", async () => {
    const town = await site({ "manifests/api/crew.yaml": COMMENTED });
    const before = await town.repository.resolve(MAIN);
    await town.writer().write(await edit(town, pool("crew"), { replicas: 3 }));
    expect(await town.tip("manifests/api/crew.yaml")).toBe(COMMENTED.replace("replicas: 1", "replicas: 3"));
    expect(await town.read("manifests/api/crew.yaml")).toBe(COMMENTED.replace("replicas: 1", "replicas: 3"));
    expect(await town.status()).toMatchObject({ changed: [], untracked: [] });
    const [commit] = await town.repository.log(before, MAIN, 5);
    expect(commit).toMatchObject({
      message: "agentpool api/crew: spec.replicas 1 → 3",
      author: { name: "Ada", email: "ada@example.com" },
      committer: { name: "Town" },
      parents: [before],
    });
  });

  test("given a new object, when written, then it gets a file by convention with what its author stated", async () => {
    const town = await site();
    const text = poolText("crew").replace("metadata:\n", "metadata:\n  labels:\n    team: core\n");
    await town.writer().write(creation(text));
    expect(await town.tip("manifests/api/agentpools/crew.yaml")).toBe(
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: crew\n  namespace: api\n  labels:\n    team: core\nspec:\n  role: crew\n  replicas: 1\n",
    );
    await town.writer().write(creation(rigText("api")));
    expect(await town.tip("manifests/rigs/api.yaml")).toBe(rigText("api"));
    expect(await town.status()).toMatchObject({ changed: [], untracked: [] });
  });

  test("given a source with its own layout, when a new object comes, then it follows that", async () => {
    const town = await site({
      "manifests/pools/api/a.yaml": poolText("a"),
      "manifests/pools/web/b.yaml": poolText("b", 1, "web"),
      "manifests/all.yaml": `${poolText("c")}---\n${poolText("d")}`,
    });
    await town.writer().write(creation(poolText("new", 1, "web")));
    expect(await town.tip("manifests/pools/web/new.yaml")).toBeDefined();
  });

  test("given that the file name is taken, when a new object comes, then another is used and nothing overwritten", async () => {
    const town = await site({ "manifests/api/agentpools/crew.yaml": poolText("other") });
    await town.writer().write(creation(poolText("crew")));
    expect(await town.tip("manifests/api/agentpools/crew.yaml")).toBe(poolText("other"));
    expect(await town.tip("manifests/api/agentpools/crew-2.yaml")).toContain("name: crew");
  });

  test("given a deletion, when written, then the document goes, and the file with its last one", async () => {
    const town = await site({
      "manifests/all.yaml": `# Pools of api.\n\n# a\n${poolText("a")}---\n# b\n${poolText("b")}`,
    });
    const writer = town.writer();
    await writer.write(await deletion(town, pool("a")));
    expect(await town.tip("manifests/all.yaml")).toBe(`# Pools of api.\n\n---\n# b\n${poolText("b")}`);
    await writer.write(await deletion(town, pool("b")));
    expect(await town.tip("manifests/all.yaml")).toBeUndefined();
    expect(await town.read("manifests/all.yaml")).toBeUndefined();
    expect(await town.status()).toMatchObject({ changed: [], untracked: [] });
  });

  test("given deletions through the API and by hand, when the commits are read, then only the former are known as asked for", async () => {
    const town = await site({
      "manifests/all.yaml": `${poolText("a")}---\n${poolText("b")}---\n${poolText("c")}`,
      "manifests/r.yaml": rigText("api"),
    });
    const start = await town.repository.resolve(MAIN);
    const writer = town.writer();
    const deletions = [await deletion(town, pool("a")), await deletion(town, { kind: "Rig", name: "api" })];
    await Promise.all(deletions.map((change) => writer.write(change)));
    await writer.write(await edit(town, pool("b"), { replicas: 2 }));
    const byHand = await town.commit({ "manifests/all.yaml": poolText("b", 2) });
    expect(deletionsIn((await commitsBetween(town.repository, start, MAIN)).commits)).toEqual(
      new Set(["AgentPool/api/a", "Rig/api"]),
    );
    expect(deletionsIn((await commitsBetween(town.repository, undefined, byHand)).commits)).toEqual(
      new Set(["AgentPool/api/a", "Rig/api"]),
    );
    expect(deletionsIn((await commitsBetween(town.repository, byHand, byHand)).commits)).toEqual(new Set());
    const [first] = await town.repository.log(start, MAIN, 1_000);
    expect(first?.message).toBe(
      "2 objects: agentpool api/a, rig api\n\n- agentpool api/a: deleted\n- rig api: deleted\n\nTown-Deleted: AgentPool/api/a\nTown-Deleted: Rig/api",
    );
  });

  test("given defaults, when fields change, then defaults are not written and a field back at its default goes", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const writer = town.writer();
    await writer.write(await edit(town, pool("crew"), { suspend: true }));
    expect(await town.tip("manifests/a.yaml")).toBe(`${poolText("crew")}  suspend: true\n`);
    await writer.write(await edit(town, pool("crew"), { suspend: false }));
    expect(await town.tip("manifests/a.yaml")).toBe(poolText("crew"));
    const rig = { kind: "Rig", name: "api" };
    await town.commit({ "manifests/r.yaml": rigText("api") });
    await writer.write(await edit(town, rig, { merge: { gates: [{ name: "t", command: "x" }], maxAttempts: 5 } }));
    expect(await town.tip("manifests/r.yaml")).toBe(
      `${rigText("api")}  merge:\n    gates:\n      - name: t\n        command: x\n`,
    );
  });

  test("given a host fact in another field, when one changes, then the reference stays", async () => {
    const text = poolText("crew").replace("replicas: 1", "replicas: ${local:slots}");
    const town = await site({ "manifests/a.yaml": text });
    await town.writer().write(await edit(town, pool("crew"), { role: "dog" }));
    expect(await town.tip("manifests/a.yaml")).toBe(text.replace("role: crew", "role: dog"));
    await town.writer().write(await edit(town, pool("crew"), { replicas: 4 }));
    expect(await town.tip("manifests/a.yaml")).toContain("replicas: 4");
  });

  test("given labels and annotations, when they change, then only they do", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const before = await live(town, pool("crew"));
    const after = {
      ...before,
      metadata: { ...before.metadata, labels: { team: "core" }, annotations: { "town.dev/prune": "disabled" } },
    };
    await town.writer().write({ caller: ADA, key: pool("crew"), before, after, dryRun: false });
    expect(await town.tip("manifests/a.yaml")).toBe(
      poolText("crew").replace(
        "  namespace: api\n",
        "  namespace: api\n  labels:\n    team: core\n  annotations:\n    town.dev/prune: disabled\n",
      ),
    );
  });

  test("given no real change, when written, then no commit is made", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const before = await town.repository.resolve(MAIN);
    await town.writer().write(await edit(town, pool("crew"), {}));
    expect(await town.repository.resolve(MAIN)).toBe(before);
  });

  test("given a dry run, when written, then it is checked and nothing is written", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const before = await town.repository.resolve(MAIN);
    await town.writer().write({ ...(await edit(town, pool("crew"), { replicas: 5 })), dryRun: true });
    await expect(town.writer().write({ ...creation(poolText("crew")), dryRun: true })).rejects.toMatchObject({
      code: 409,
    });
    expect(await town.repository.resolve(MAIN)).toBe(before);
    expect(await town.read("manifests/a.yaml")).toBe(poolText("crew"));
  });

  test("given a read-only source, when written, then 403 names source, path and line", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const writer = town.writer({ originOf: () => readOnlyOrigin("pools.yaml") });
    await expect(writer.write(await edit(town, pool("crew"), { replicas: 5 }))).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining("read-only source shared, pools.yaml:3 at abc"),
    });
  });

  test.each([
    {
      because: "the file is edited",
      spoil: (town: Awaited<ReturnType<typeof site>>) => town.save("manifests/a.yaml", `${poolText("crew")}# note\n`),
      says: "manifests/a.yaml has changes that are not committed in /town",
    },
    {
      because: "the file is deleted",
      spoil: (town: Awaited<ReturnType<typeof site>>) => town.save("manifests/a.yaml", null),
      says: "manifests/a.yaml has changes that are not committed in /town",
    },
    {
      because: "a git holds the index",
      spoil: async (town: Awaited<ReturnType<typeof site>>) => town.git.occupy("/town", { index: true }),
      says: "another git holds the index of /town",
    },
    {
      because: "a rebase is in progress",
      spoil: async (town: Awaited<ReturnType<typeof site>>) => town.git.occupy("/town", { operation: "Rebase" }),
      says: "a rebase is in progress in /town, which has main checked out",
    },
  ])("given that $because, when written, then 409 says so and nothing changes", async ({ spoil, says }) => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const change = await edit(town, pool("crew"), { replicas: 5 });
    const before = await town.repository.resolve(MAIN);
    await spoil(town);
    const disk = await town.read("manifests/a.yaml");
    const writing = expect(town.writer().write(change)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining(says),
    });
    await town.clock.advance(5_000);
    await writing;
    expect(await town.repository.resolve(MAIN)).toBe(before);
    expect(await town.read("manifests/a.yaml")).toBe(disk);
  });

  test("given an edited file elsewhere, when written, then it does not matter", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew"), "manifests/b.yaml": poolText("other") });
    await town.save("manifests/b.yaml", "half");
    await town.save("notes.txt", "mine");
    await town.writer().write(await edit(town, pool("crew"), { replicas: 5 }));
    expect(await town.status()).toMatchObject({ changed: ["manifests/b.yaml"], untracked: ["notes.txt"] });
  });

  test("given an untracked file where the new one would go, when written, then 409 names it", async () => {
    const town = await site();
    await town.save("manifests/api/agentpools/crew.yaml", "mine\n");
    await expect(town.writer().write(creation(poolText("crew")))).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("manifests/api/agentpools/crew.yaml"),
    });
    expect(await town.read("manifests/api/agentpools/crew.yaml")).toBe("mine\n");
  });

  test("given a change in git that is not synced yet, when another field is written, then both are kept; the same field is a 409", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const before = await live(town, pool("crew"));
    await town.commit({ "manifests/a.yaml": poolText("crew", 7) });
    await town.writer().write(editFrom(before, pool("crew"), { role: "dog" }));
    expect(await town.tip("manifests/a.yaml")).toBe(poolText("crew", 7).replace("role: crew", "role: dog"));
    await expect(town.writer().write(editFrom(before, pool("crew"), { replicas: 2 }))).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("`spec.replicas` was changed in git meanwhile"),
    });
  });

  test("given a document that is broken, gone or declared twice in git, when written, then 409 says where", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const change = await edit(town, pool("crew"), { replicas: 5 });
    await town.commit({ "manifests/a.yaml": poolText("crew", -1) });
    await expect(town.writer().write(change)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("manifests/a.yaml:8:13: `spec.replicas` must be greater"),
    });
    await town.commit({ "manifests/a.yaml": poolText("crew"), "manifests/b.yaml": poolText("crew") });
    await expect(town.writer().write(change)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("also declared at"),
    });
    await town.commit({ "manifests/a.yaml": null, "manifests/b.yaml": null });
    await expect(town.writer().write(change)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining("not in git any more"),
    });
  });

  test("given an object that is declared but not synced, when created, then AlreadyExists", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    await expect(town.writer().write(creation(poolText("crew")))).rejects.toMatchObject({
      code: 409,
      reason: "AlreadyExists",
      message: expect.stringContaining("manifests/a.yaml"),
    });
  });

  test("given a secret in a new value, when written, then 422 and nothing is in git", async () => {
    const town = await site({ "manifests/a.yaml": rigText("api") });
    const change = await edit(
      town,
      { kind: "Rig", name: "api" },
      { env: [{ name: "K", value: "ghp_0123456789012345678901234567890123" }] },
    );
    await expect(town.writer().write(change)).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining("looks like a GitHub token"),
    });
    expect(await town.tip("manifests/a.yaml")).toBe(rigText("api"));
  });

  test("given requests that wait together, when written, then those of one caller share a commit and a refused one does not stop them", async () => {
    const town = await site({
      "manifests/a.yaml": poolText("a"),
      "manifests/b.yaml": poolText("b"),
      "manifests/c.yaml": poolText("c"),
    });
    const before = await town.repository.resolve(MAIN);
    const [a, b, c] = [
      await edit(town, pool("a"), { replicas: 2 }),
      await edit(town, pool("b"), { replicas: 2 }, BOB),
      await edit(town, pool("c"), { replicas: 2 }),
    ];
    await town.save("manifests/c.yaml", "dirty");
    const writer = town.writer();
    const settled = await Promise.allSettled([
      writer.write(a),
      writer.write(b),
      writer.write(c),
      writer.write(creation(poolText("d"))),
      writer.write(creation(rigText("web"), BOB)),
    ]);
    expect(settled.map((one) => one.status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]);
    const log = await town.repository.log(before, MAIN, 10);
    expect(log.map((commit) => [commit.author.name, commit.message.split("\n")[0]])).toEqual([
      ["Ada", "2 objects: agentpool api/a, agentpool api/d"],
      ["Bob", "2 objects: agentpool api/b, rig web"],
    ]);
    expect(log[0]?.message).toBe(
      "2 objects: agentpool api/a, agentpool api/d\n\n- agentpool api/a: spec.replicas 1 → 2\n- agentpool api/d: created",
    );
  });

  test("given requests for one object by two callers in turn, when written, then their order is kept", async () => {
    const town = await site({ "manifests/a.yaml": poolText("a"), "manifests/b.yaml": poolText("b") });
    const before = await town.repository.resolve(MAIN);
    const base = await live(town, pool("a"));
    const writer = town.writer();
    await Promise.all([
      writer.write(editFrom(base, pool("a"), { replicas: 2 }, ADA)),
      writer.write(editFrom(base, pool("a"), { role: "dog" }, BOB)),
      writer.write({ ...editFrom(base, pool("a"), { suspend: true }, ADA) }),
    ]);
    const log = await town.repository.log(before, MAIN, 10);
    expect(log.map((commit) => commit.author.name)).toEqual(["Ada", "Bob", "Ada"]);
  });

  test("given several documents of one file in one commit, when written, then all changes are in it", async () => {
    const town = await site({ "manifests/a.yaml": `${poolText("a")}---\n${poolText("b")}---\n${poolText("c")}` });
    const writer = town.writer();
    await Promise.all([
      writer.write(await edit(town, pool("a"), { replicas: 2 })),
      writer.write(await deletion(town, pool("b"))),
      writer.write(await edit(town, pool("c"), { replicas: 4 })),
    ]);
    expect(await town.tip("manifests/a.yaml")).toBe(`${poolText("a", 2)}---\n${poolText("c", 4)}`);
  });

  test("given a branch that moves while the commit is made, when written, then it is made anew on top", async () => {
    const town = await site({ "manifests/a.yaml": poolText("a"), "manifests/b.yaml": poolText("b") }, false);
    await town.repository.updateRefs(
      [{ ref: "refs/heads/live", to: (await town.repository.resolve(MAIN)) ?? "" }],
      "test",
    );
    let races = 2;
    const racing = new Proxy(town.repository, {
      get(target, name) {
        if (name === "updateRefs")
          return async (...args: Parameters<typeof target.updateRefs>) => {
            if (races > 0) {
              races -= 1;
              const made = await town.commit({ "manifests/b.yaml": poolText("b", 10 + races) });
              await target.updateRefs([{ ref: "refs/heads/live", to: made }], "race");
            }
            return target.updateRefs(...args);
          };
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const writer = town.writer({
      repository: racing,
      target: async () => ({ branch: "refs/heads/live", directory: "manifests" }),
    });
    await writer.write(await edit(town, pool("a"), { replicas: 9 }));
    const files = await town.repository.listFiles("refs/heads/live", "manifests");
    const texts = await town.repository.objects.readBlobs(files.map((file) => file.id));
    expect(files.map((file) => texts.get(file.id))).toEqual([poolText("a", 9), poolText("b", 10)]);
  });

  test("given a bare repository without commits, when written, then the first commit is made", async () => {
    const town = await site({}, true);
    await town.writer().write(creation(rigText("api")));
    expect(await town.tip("manifests/rigs/api.yaml")).toBe(rigText("api"));
  });

  test("given a sync that fails, when written, then the error says that the commit is made", async () => {
    const town = await site({ "manifests/a.yaml": poolText("crew") });
    const writer = town.writer({ committed: async () => Promise.reject(new Error("no")) });
    await expect(writer.write(await edit(town, pool("crew"), { replicas: 5 }))).rejects.toMatchObject({
      reason: "CommitNotApplied",
    });
    expect(await town.tip("manifests/a.yaml")).toBe(poolText("crew", 5));
  });
});
