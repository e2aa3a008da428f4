import { beforeEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/resource/caller.ts";
import { closeVerb } from "../../src/verbs/close.ts";
import { doneVerb } from "../../src/verbs/done.ts";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import { sandboxVerb } from "../../src/verbs/sandbox.ts";
import { type VerbSite, verbSite } from "./verb-site.ts";

const author = { name: "Toast", email: "pat@example.org" };

describe("town done", () => {
  let site: VerbSite;
  let bead: BeadRecord;
  let caller: Caller;
  beforeEach(async () => {
    site = await verbSite();
    bead = await site.hooked();
    caller = await site.caller();
  });
  const done = (args: Record<string, unknown> = {}) => site.call(doneVerb(site.ports), args, caller);
  const commit = async (): Promise<void> => {
    await site.git.writeFile(site.sandbox, "a.txt", "a\n");
    await site.git.commit(site.sandbox, "work\n", author);
  };

  it("given committed work, when handed in, then its head is pinned and waits to be merged", async () => {
    await commit();
    const { data } = await done();
    const { head, mergeRequest } = data as { head: string; mergeRequest: string };
    expect([...(await site.clone.listRefs(`refs/town/heads/${bead.id}/`)).values()]).toEqual([head]);
    expect(site.api.get(mergeRequest)).toMatchObject({ issue_type: "merge-request", status: "open" });
    expect(site.api.get(bead.id)?.assignee).toBeUndefined();
  });

  it("given a role that keeps its sessions, when handed in, then its agent is not told to end", async () => {
    await commit();
    const role = site.objects.find(({ kind }) => kind === "Role");
    if (role !== undefined) role.spec["lifecycle"] = "Persistent";
    const { text } = await done();
    expect(text).toContain("Wait at your prompt");
    expect(text).not.toContain("End this session");
  });

  it("given open files, when handed in with --commit-all, then they are part of it, else it is refused by name", async () => {
    await site.git.writeFile(site.sandbox, "b.txt", "b\n");
    await expect(done()).rejects.toMatchObject({
      reason: "UncommittedWork",
      message: expect.stringContaining("b.txt"),
      hint: expect.stringContaining("--commit-all"),
    });
    const { data } = await done({ commitAll: true });
    expect(await site.clone.listFiles((data as { head: string }).head, "")).toContainEqual(
      expect.objectContaining({ path: "b.txt" }),
    );
  });

  it("given commits, when said to be NoChange, then it is refused, and the work goes on", async () => {
    await commit();
    await expect(done({ outcome: "NoChange" })).rejects.toMatchObject({
      reason: "UnsubmittedWork",
      message: expect.stringContaining("1 commit since"),
      hint: expect.stringContaining("town done"),
    });
    expect(site.api.get(bead.id)?.status).toBe("hooked");
  });

  it("given nothing changed, when handed in, then it is refused with NoChange as the answer, which closes the bead", async () => {
    await expect(done()).rejects.toMatchObject({
      reason: "NothingToSubmit",
      hint: expect.stringContaining("NoChange"),
    });
    await done({ outcome: "NoChange", reason: "was there already" });
    expect(site.api.get(bead.id)).toMatchObject({ status: "closed", close_reason: "NoChange: was there already" });
  });

  it("given no sandbox, when handed in, then it says so", async () => {
    await site.clone.removeWorktree(site.sandbox);
    await expect(done()).rejects.toMatchObject({ reason: "NoSandbox", hint: expect.any(String) });
  });

  it.each([
    ["no blocker", {}, "BadRequest"],
    ["an unknown one", { on: "api-none" }, "NotFound"],
    ["itself", { on: "SELF" }, "BadRequest"],
    ["a closed one", { on: "CLOSED" }, "NotBlocking"],
  ])("given %s, when said to be Blocked, then it is refused with how to say it", async (_, {
    on,
  }: { on?: string }, reason) => {
    const over = await site.bead({ title: "over" });
    await site.api.transact({ actor: "x" }, (tx) => tx.close(over.id));
    const names: Record<string, string> = { SELF: bead.id, CLOSED: over.id };
    const args = on === undefined ? {} : { on: names[on] ?? on };
    await expect(done({ outcome: "Blocked", reason: "waits", ...args })).rejects.toMatchObject({
      reason,
      hint: expect.stringMatching(/town done|bd /),
    });
    expect(site.api.get(bead.id)?.assignee).toBe("api/polecats/toast");
  });

  it("given a blocker of the town's own store, when Blocked, then the bead waits for it and is free", async () => {
    const blocker = await site.hq.transact({ actor: "x" }, (tx) => tx.create({ title: "first" }));
    await done({ outcome: "Blocked", on: blocker.id, reason: "needs it" });
    expect(site.api.isBlocked(bead.id)).toBe(true);
    expect(site.api.get(bead.id)?.assignee).toBeUndefined();
  });

  it("given work on the hook, when the bead is closed instead, then town done is named as the way", async () => {
    await commit();
    await expect(site.call(closeVerb(site.ports), { ids: [bead.id] }, caller)).rejects.toMatchObject({
      reason: "HookNotDone",
      hint: expect.stringContaining("town done"),
    });
  });

  it("given an outcome that needs a reason, when it has none, then the flag is named", async () => {
    for (const outcome of ["Failed", "Question", "Blocked"])
      await expect(done({ outcome })).rejects.toMatchObject({
        code: 400,
        message: expect.stringContaining("--reason"),
      });
  });

  it("given no bead, when an agent that keeps its sandbox hands in what it committed, then a bead is made of it, once, and waits to be merged", async () => {
    await site.api.transact({ actor: "overseer" }, (tx) => tx.release(bead.id, { reason: "handed on" }));
    await expect(done()).rejects.toMatchObject({ reason: "NothingOnHook" });
    const role = site.objects.find(({ kind }) => kind === "Role");
    Object.assign(role?.spec ?? {}, { lifecycle: "Persistent" });
    await expect(done()).rejects.toMatchObject({ reason: "NothingOnHook" });
    await site.git.writeFile(site.sandbox, "own.txt", "own\n");
    await expect(done()).rejects.toMatchObject({
      reason: "UncommittedWork",
      hint: expect.stringContaining("git commit"),
    });
    await site.git.commit(site.sandbox, "Do what Pat asked\n\nat the prompt\n", author);
    const { data } = await done();
    const made = site.api.get((data as { bead: string }).bead);
    expect(made).toMatchObject({ title: "Do what Pat asked", created_by: "api/polecats/toast", status: "open" });
    expect(site.api.list({ type: ["merge-request"], status: ["open"] })).toHaveLength(1);
    await expect(done({ outcome: "NoChange" })).rejects.toMatchObject({ reason: "NothingOnHook" });
    const { data: sandbox } = await site.call(sandboxVerb(site.ports), {}, caller);
    expect(sandbox).toMatchObject({ kept: true, commits: 1, bead: null });
  });
});
