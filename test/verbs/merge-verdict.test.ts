import { beforeEach, describe, expect, it } from "vitest";
import { META } from "../../src/domain/work-graph/bead.ts";
import type { Caller } from "../../src/resource/caller.ts";
import { approveVerb, rejectVerb } from "../../src/verbs/merge-verdict.ts";
import { approvedBy } from "../../src/work/approval.ts";
import { submit } from "../../src/work/submission.ts";
import { overseer, TOAST, type VerbSite, verbSite } from "./verb-site.ts";

const HEAD = "a".repeat(40);

describe("town approve and reject", () => {
  let site: VerbSite;
  let bead: string;
  let request: string;

  beforeEach(async () => {
    site = await verbSite();
    site.objects.splice(
      site.objects.findIndex(({ kind }) => kind === "Rig"),
      1,
      { kind: "Rig", metadata: { name: "api" }, spec: { path: "/project", merge: { maxAttempts: 3 } } },
    );
    bead = (await site.bead({ title: "The work" })).id;
    request = await handIn("api/polecats/other");
  });

  const handIn = (author: string): Promise<string> =>
    site.api.transact({ actor: author }, (tx) => submit(tx, { bead, head: HEAD, target: "main", author }).id);
  const approve = (id: string, caller: Caller = overseer) =>
    site.call(approveVerb(site.ports), { request: id }, caller);
  const reject = (id: string, reason: string, caller: Caller = overseer) =>
    site.call(rejectVerb(site.ports), { request: id, reason }, caller);
  const approvers = (): readonly string[] => approvedBy(site.api.get(request) ?? ({} as never));

  it("given an open request, when people approve it by its id or its bead's, then each counts once", async () => {
    await approve(request);
    await approve(bead);
    const pat: Caller = { name: "pat", role: "edit" };
    expect((await approve(request, pat)).text).toContain("overseer, pat");
    expect(approvers()).toEqual(["overseer", "pat"]);
  });

  it("given a reviewing agent, when its role may merge, then it counts, else it is refused; nobody approves their own work", async () => {
    await expect(approve(request, await site.caller(["WorkHook"]))).rejects.toMatchObject({ code: 403 });
    const reviewer = await site.caller(["Merge"]);
    await approve(request, reviewer);
    expect(approvers()).toEqual([TOAST]);
    await reject(request, "not yet");
    request = await handIn(TOAST);
    await expect(approve(request, reviewer)).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining("own work"),
    });
    expect(approvers()).toEqual([]);
  });

  it("given an open request, when rejected with a reason, then it ends, and the bead comes back with it", async () => {
    await expect(reject(request, " ")).rejects.toMatchObject({ code: 400 });
    expect((await reject(bead, "needs a way back\nand a test")).text).toContain(`${bead} is sent back`);
    expect(site.api.get(request)?.close_reason).toBe("Rejected: overseer: needs a way back");
    expect(site.api.get(bead)).toMatchObject({ status: "open" });
    expect(String(site.api.get(bead)?.metadata?.[META.feedback])).toContain("and a test");
    expect(site.events.map(({ event }) => event.reason)).toContain("MergeRejected");
  });

  it("given a request that ended, or none, when judged, then it is refused with what to look at", async () => {
    await reject(request, "no");
    await expect(approve(request)).rejects.toMatchObject({ code: 409, reason: "MergeRequestEnded" });
    await expect(reject(request, "no")).rejects.toMatchObject({ code: 409 });
    await expect(approve(bead)).rejects.toMatchObject({ code: 404 });
    await expect(approve("api-none")).rejects.toMatchObject({ code: 404, hint: "town get mergerequests" });
  });
});
