import { describe, expect, test } from "vitest";
import { followRemote, readRemoteState } from "../../src/manifests/remote-truth.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { poolText } from "./sample-kinds.ts";
import { MAIN, edit, live, editFrom, pool, writerSite } from "./writer-site.ts";

const AT = { remote: "origin", branch: MAIN };

/** Two towns that share a remote. */
async function site() {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  const git = new MemoryGit({ clock, files });
  const shared = await git.init("/shared.git", { bare: true, branch: "main" });
  const town = async (root: string) => {
    await files.makeDirectory(root);
    const made = await writerSite({ git, files, clock, root });
    await made.repository.setConfig("remote.origin.url", "/shared.git");
    const writer = made.writer({ target: async () => ({ branch: MAIN, directory: "manifests", remote: "origin" }) });
    const push = async () =>
      made.repository.push("origin", [
        {
          from: (await made.repository.resolve(MAIN)) ?? null,
          ref: MAIN,
          expect: (await shared.resolve(MAIN)) ?? null,
        },
      ]);
    return {
      ...made,
      makeWriter: (overrides: Parameters<typeof made.writer>[0]) => made.writer(overrides),
      writer: () => writer,
      push,
      state: () => readRemoteState(made.repository, AT),
      status: () => made.repository.worktreeStatus(root),
    };
  };
  const [one, two] = [await town("/one"), await town("/two")];
  const first = await one.commit({ "manifests/a.yaml": poolText("a"), "manifests/b.yaml": poolText("b") });
  await one.push();
  await readRemoteState(two.repository, AT);
  await two.repository.updateRefs([{ ref: MAIN, to: first }], "test");
  await two.repository.resetWorktree("/two", first);
  const sharedText = async (path: string) => {
    const found = (await shared.listFiles(MAIN, "")).find((file) => file.path === path);
    return found === undefined ? undefined : shared.objects.readBlob(found.id);
  };
  return { git, shared, one, two, first, sharedText };
}

describe("a remote as the truth", () => {
  test("given two towns that write in turn, when pushed, then each write is on the remote before it is acknowledged and both are kept", async () => {
    const { one, two, sharedText } = await site();
    const base = await live(one, pool("a"));
    await one.writer().write(editFrom(base, pool("a"), { replicas: 2 }));
    expect(await sharedText("manifests/a.yaml")).toBe(poolText("a", 2));
    await two.writer().write(editFrom(base, pool("a"), { role: "dog" }));
    expect(await sharedText("manifests/a.yaml")).toBe(poolText("a", 2).replace("role: crew", "role: dog"));
    expect(await one.read("manifests/a.yaml")).toBe(poolText("a", 2));
    expect(await one.status()).toMatchObject({ changed: [], untracked: [] });
  });

  test("given a push that loses the race, when written, then it is made anew on the remote's new tip", async () => {
    const { one, two, shared } = await site();
    const change = await edit(one, pool("a"), { replicas: 2 });
    const other = await edit(two, pool("b"), { replicas: 3 });
    await Promise.all([one.writer().write(change), two.writer().write(other)]);
    const log = await shared.log(undefined, MAIN, 10);
    expect(log).toHaveLength(3);
    expect(log.every((commit) => commit.parents.length <= 1)).toBe(true);
  });

  test("given a remote that cannot be reached, when written, then 503 and nothing changes", async () => {
    const { git, one, first } = await site();
    const change = await edit(one, pool("a"), { replicas: 2 });
    expect(await one.state()).toMatchObject({ state: "Same" });
    git.unreachable.add("/shared.git");
    expect(await one.state()).toMatchObject({ state: "Unreachable", local: first, remote: first });
    await expect(one.writer().write(change)).rejects.toMatchObject({ code: 503 });
    expect(await one.repository.resolve(MAIN)).toBe(first);
  });

  test("given local commits that were not pushed, when written, then 409 names both; nothing is merged by guess", async () => {
    const { one, two } = await site();
    const change = await edit(one, pool("a"), { replicas: 2 });
    const local = await one.commit({ "notes.txt": "mine" });
    expect(await one.state()).toMatchObject({ state: "Ahead" });
    await expect(one.writer().write(change)).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining(local.slice(0, 12)),
    });
    await two.writer().write(await edit(two, pool("b"), { replicas: 3 }));
    expect(await one.state()).toMatchObject({ state: "Diverged", local });
    await expect(one.writer().write(change)).rejects.toMatchObject({ code: 409 });
    expect(await one.repository.resolve(MAIN)).toBe(local);
  });

  test("given a checkout with changes in the way, when the remote moves on, then they stay and the branch waits", async () => {
    const { one, two } = await site();
    await two.writer().write(await edit(two, pool("a"), { replicas: 2 }));
    const { state, remote } = await one.state();
    expect(state).toBe("Behind");
    await one.save("manifests/a.yaml", "mine\n");
    expect(await followRemote(one.repository, AT, remote ?? "")).toBe(false);
    expect(await one.read("manifests/a.yaml")).toBe("mine\n");
    await one.save("manifests/a.yaml", poolText("a"));
    expect(await followRemote(one.repository, AT, remote ?? "")).toBe(true);
    expect(await one.read("manifests/a.yaml")).toBe(poolText("a", 2));
  });

  test("given writes that are refused or become branches, when written, then the answer says so", async () => {
    const { one, first } = await site();
    const change = await edit(one, pool("a"), { replicas: 2 });
    const settings = { branch: MAIN, directory: "manifests" } as const;
    const base = writerFor(one, { ...settings, writes: "Refuse" });
    await expect(base.write(change)).rejects.toMatchObject({ code: 403, message: expect.stringContaining("Refuse") });
    const proposing = writerFor(one, { ...settings, writes: "Branch" });
    const answers = [
      await proposing.write(change).catch((error: unknown) => error),
      await proposing.write(change).catch((error: unknown) => error),
    ];
    expect(answers[0]).toMatchObject({
      code: 403,
      message: expect.stringMatching(/proposed on branch town\/changes\/[0-9a-f]{12}$/),
    });
    expect(String(answers[1])).toBe(String(answers[0]));
    const [ref, ...others] = await one.repository.listRefs("refs/heads/town/changes/");
    expect(others).toEqual([]);
    const files = await one.repository.listFiles(ref?.[0] ?? "", "manifests");
    expect(await one.repository.objects.readBlob(files[0]?.id ?? "")).toBe(poolText("a", 2));
    expect(await one.repository.resolve(MAIN)).toBe(first);
  });
});

function writerFor(
  town: Awaited<ReturnType<typeof site>>["one"],
  target: { readonly branch: string; readonly directory: string; readonly writes: "Branch" | "Refuse" },
) {
  return town.makeWriter({ target: async () => target });
}
