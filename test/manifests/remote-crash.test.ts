import { describe, expect, test } from "vitest";
import type { Repository } from "../../src/ports/git.ts";
import { recoverCommit } from "../../src/manifests/recover-commit.ts";
import { followRemote, readRemoteState } from "../../src/manifests/remote-truth.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { DyingProcess } from "./crash.ts";
import { poolText } from "./sample-kinds.ts";
import { edit, MAIN, pool, writerSite, type WriterSite } from "./writer-site.ts";

const AT = { remote: "origin", branch: MAIN };
const target = async () => ({ branch: MAIN, directory: "manifests", remote: "origin" });

async function site(): Promise<WriterSite & { shared: Repository; git: MemoryGit; status(): Promise<object> }> {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  const git = new MemoryGit({ clock, files });
  const shared = await git.init("/shared.git", { bare: true, branch: "main" });
  await files.makeDirectory("/town");
  const town = await writerSite({ git, files, clock, root: "/town" });
  await town.repository.setConfig("remote.origin.url", "/shared.git");
  const first = await town.commit({ "manifests/a.yaml": poolText("a"), "manifests/b.yaml": poolText("b") });
  await town.repository.push("origin", [{ from: first, ref: MAIN, expect: null }]);
  await readRemoteState(town.repository, AT);
  return { ...town, shared, git, status: () => town.repository.worktreeStatus("/town") };
}

async function killedAt(town: WriterSite, at: number, after: boolean) {
  const dying = new DyingProcess(at, after);
  const writer = town.writer({ repository: dying.repository(town.repository), files: dying.files(town.files), target });
  const change = await edit(town, pool("a"), { replicas: 5 });
  const outcome = await writer.write(change).then(
    () => "Acknowledged" as const,
    (error: unknown) => error,
  );
  return { dying, outcome };
}

describe("a killed write to a remote", () => {
  test("given a whole write, when watched, then the push is before anything of the checkout changes", async () => {
    const { dying } = await killedAt(await site(), 1_000, false);
    expect(dying.steps).toEqual([
      "fetch",
      "writeBlob",
      "writeTree",
      "writeTree",
      "writeCommit",
      "sync",
      "push",
      "updateRefs",
      "fastForwardWorktree",
    ]);
  });

  test("given a kill before or after any step, when the next life fetches and follows, then the remote has the write whole or not at all, an acknowledged one for sure, and git status is clean", async () => {
    const { dying: whole } = await killedAt(await site(), 1_000, false);
    for (let at = 1; at <= whole.steps.length; at += 1) {
      for (const after of [false, true]) {
        const where = `${after ? "after" : "before"} step ${at}, ${whole.steps[at - 1]}`;
        const town = await site();
        const before = await town.shared.resolve(MAIN);
        const { outcome, dying } = await killedAt(town, at, after);
        town.git.crash();
        expect(dying.isDead, where).toBe(true);
        await recoverCommit(town.repository, town.files, MAIN);
        const { state, remote } = await readRemoteState(town.repository, AT);
        expect(["Same", "Behind"], where).toContain(state);
        expect(await followRemote(town.repository, AT, remote ?? ""), where).toBe(true);
        const tip = await town.shared.resolve(MAIN);
        if (outcome === "Acknowledged") expect(tip, where).not.toBe(before);
        expect(await town.read("manifests/a.yaml"), where).toBe(poolText("a", tip === before ? 1 : 5));
        expect(await town.status(), where).toMatchObject({ changed: [], untracked: [] });
        await town.writer({ target }).write(await edit(town, pool("b"), { replicas: 9 }));
        expect(await town.shared.resolve(MAIN), where).toBe(await town.repository.resolve(MAIN));
      }
    }
  });

  test("given a push whose answer is lost, when written, then 503 says that it is not known, and the next write finds it", async () => {
    const town = await site();
    const lossy = new Proxy(town.repository, {
      get: (inner, name) => {
        const value: unknown = Reflect.get(inner, name);
        if (name === "push")
          return async (...args: Parameters<Repository["push"]>) => {
            await inner.push(...args);
            throw new Error("connection reset");
          };
        return typeof value === "function" ? (value.bind(inner) as unknown) : value;
      },
    });
    const change = await edit(town, pool("a"), { replicas: 5 });
    await expect(town.writer({ repository: lossy, target }).write(change)).rejects.toMatchObject({
      code: 503,
      message: expect.stringContaining("not known"),
    });
    await town.writer({ target }).write(await edit(town, pool("b"), { replicas: 9 }));
    expect((await town.shared.log(undefined, MAIN, 10)).length).toBe(3);
    expect(await town.read("manifests/a.yaml")).toBe(poolText("a", 5));
  });
});
