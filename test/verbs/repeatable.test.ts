import { beforeEach, describe, expect, test } from "vitest";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { Caller } from "../../src/resource/caller.ts";
import type { Verb, VerbResult } from "../../src/resource/verb.ts";
import type { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { closeVerb } from "../../src/verbs/close.ts";
import { doneVerb } from "../../src/verbs/done.ts";
import { escalateVerb } from "../../src/verbs/escalate.ts";
import { handoffVerb } from "../../src/verbs/handoff.ts";
import { hookVerb } from "../../src/verbs/hook.ts";
import { pluginRunVerb } from "../../src/verbs/plugin-run.ts";
import { slingVerb } from "../../src/verbs/sling.ts";
import { slingOf } from "../../src/work/sling.ts";
import { overseer, type VerbSite, verbSite } from "./verb-site.ts";

const request = "request-1";
const author = { name: "Toast", email: "pat@example.org" };

let site: VerbSite;
beforeEach(async () => {
  site = await verbSite();
});

/** All records of both stores, with comments and edges. */
const everything = () => [site.api.list(), site.hq.list()];

/** Makes the call, lets `meanwhile` happen, and makes it again as whoever has not heard the answer. */
async function twice(
  verb: Verb,
  args: Readonly<Record<string, unknown>>,
  caller: Caller = overseer,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly [VerbResult, VerbResult]> {
  const first = await site.call(verb, { ...args, request }, caller);
  await meanwhile();
  const before = everything();
  const second = await site.call(verb, { ...args, request }, caller);
  expect(everything()).toEqual(before);
  return [first, second];
}

const finished = (id: string) => () =>
  site.api.transact({ actor: "x" }, (tx) => tx.close(id, { reason: "Merged", force: true }));

describe("a request that is made again because its answer was lost", () => {
  let bead: BeadRecord;
  let caller: Caller;
  const hook = async (): Promise<void> => {
    bead = await site.hooked();
    caller = await site.caller();
  };
  const commit = async (): Promise<void> => {
    await site.git.writeFile(site.sandbox, "a.txt", "a\n");
    await site.git.commit(site.sandbox, "work\n", author);
  };

  test("given new work that is slung, when it was taken and finished meanwhile, then it is not made again", async () => {
    const titles = ["fix the login page", "fix the logout page"];
    const [first, second] = await twice(slingVerb(site.ports), { beads: titles, to: "api" });
    expect(second).toEqual(first);
    const made = (first.data as readonly { readonly bead: string }[]).map((each) => site.api.get(each.bead));
    expect(made.map((record) => record?.title)).toEqual(titles);
    expect(made.every((record) => slingOf(record) !== undefined)).toBe(true);
  });

  test("given the town died between two beads of a sling, when it is made again, then the second is slung, and the first as before", async () => {
    const [one, two] = [await site.bead({ title: "one" }), await site.bead({ title: "two" })];
    const verb = slingVerb(site.ports);
    await site.api.transact({ actor: "x" }, (tx) => tx.close(two.id));
    await expect(site.call(verb, { beads: [one.id, two.id], request })).rejects.toMatchObject({
      reason: "NothingToSling",
    });
    await site.api.transact({ actor: "x" }, (tx) => tx.reopen(two.id));
    await finished(one.id)();
    const { data } = await site.call(verb, { beads: [one.id, two.id], request });
    expect(data).toEqual([
      { bead: one.id, to: "api" },
      { bead: two.id, to: "api" },
    ]);
    expect(slingOf(site.api.get(two.id))).toEqual({});
  });

  test("given new work for an agent whose hook is taken, when it is refused, then no bead is left behind", async () => {
    await hook();
    const before = everything();
    await expect(
      site.call(slingVerb(site.ports), { beads: ["do this now"], to: "api/polecats/toast" }),
    ).rejects.toMatchObject({ reason: "HookTaken" });
    expect(everything()).toEqual(before);
  });

  test("given new work for an agent, when it was finished meanwhile, then its hook stays empty", async () => {
    const [first, second] = await twice(
      slingVerb(site.ports),
      { beads: ["do this now"], to: "api/polecats/toast" },
      overseer,
      async () => {
        const held = site.api.list({ assignee: "api/polecats/toast", status: ["hooked"] });
        expect(held).toHaveLength(1);
        await finished(held[0]?.id ?? "")();
      },
    );
    expect(second.data).toEqual(first.data);
  });

  test("given work that is put on a hook or taken from it, when asked again, then it is answered as before", async () => {
    bead = await site.bead({ title: "the work" });
    const put = await twice(
      hookVerb(site.ports),
      { agent: "toast", bead: bead.id },
      overseer,
      async () =>
        await site.call(hookVerb(site.ports), { agent: "toast", clear: true, reason: "not now", request: "clear-123" }),
    );
    expect(put[1]).toEqual(put[0]);
    expect(site.api.get(bead.id)).toMatchObject({ status: "open" });
  });

  test("given an escalation, when it was answered meanwhile, then it is not raised again", async () => {
    const [first, second] = await twice(
      escalateVerb(site.ports),
      { message: "the disk is full" },
      overseer,
      async () => {
        const [raised] = site.hq.list({ type: ["escalation"] });
        await site.hq.transact({ actor: "x" }, (tx) => tx.close(raised?.id ?? ""));
      },
    );
    expect(second).toEqual(first);
    expect(site.hq.list({ type: ["escalation"] })).toMatchObject([{ status: "closed" }]);
  });

  test("given work that was handed in, when the session is replaced and its sandbox removed meanwhile, then there is one merge request", async () => {
    await hook();
    await commit();
    const [first, second] = await twice(doneVerb(site.ports), {}, caller, async () => {
      await site.clone.removeWorktree(site.sandbox);
    });
    expect(second).toEqual(first);
    expect(site.api.list({ type: ["merge-request"] })).toHaveLength(1);
  });

  test.each([
    ["Failed", {}],
    ["NoChange", {}],
    ["Question", {}],
    ["Blocked", { on: "OTHER" }],
  ])("given work that ended as %s, when said again, then it counts once", async (outcome, more: { on?: string }) => {
    await hook();
    const other = await site.hq.transact({ actor: "x" }, (tx) => tx.create({ title: "first" }));
    const args = { outcome, reason: "so it is", ...(more.on === undefined ? {} : { on: other.id }) };
    const [first, second] = await twice(doneVerb(site.ports), args, caller);
    expect(second).toEqual(first);
  });

  test("given commits of an agent's own that were handed in, when it says so again as another request, then it is told", async () => {
    await hook();
    const role = site.objects.find(({ kind }) => kind === "Role");
    Object.assign(role?.spec ?? {}, { lifecycle: "Persistent" });
    await commit();
    await site.call(doneVerb(site.ports), {}, caller);
    const before = everything();
    await expect(site.call(doneVerb(site.ports), {}, caller)).rejects.toMatchObject({
      reason: "NothingOnHook",
      message: expect.stringContaining("it waits to be merged"),
    });
    expect(everything()).toEqual(before);
  });

  test("given a step that was closed, when closed again with --continue, then the same step follows", async () => {
    await hook();
    const [step] = site.api.list({ status: ["open"] }).filter(({ title }) => title === "Do the work");
    const [first, second] = await twice(closeVerb(site.ports), { ids: [step?.id ?? ""], continue: true }, caller);
    expect(second).toEqual(first);
  });

  test("given a handoff, when said again, then its note is on the bead once", async () => {
    await hook();
    await twice(handoffVerb(site.ports), { note: "half way", mail: true }, caller);
    expect(site.api.get(bead.id)?.comments).toHaveLength(1);
  });

  test("given a plugin that was asked to run, when the run ended meanwhile, then it does not run again", async () => {
    site.objects.push({
      kind: "Plugin",
      metadata: { namespace: "hq", name: "backup" },
      spec: { scope: "Town", run: { prompt: "back it up" } },
    });
    const [first, second] = await twice(pluginRunVerb(site.ports), { name: "backup" }, overseer, async () => {
      const [run] = site.hq.list({ label: "plugin:backup" });
      await site.hq.transact({ actor: "x" }, (tx) => tx.close(run?.id ?? "", { force: true }));
      await (site.ports.clock as VirtualClock).advance(1_000);
    });
    expect(second).toEqual(first);
  });

  test("given the same name of somebody else, when called, then it is a request of its own", async () => {
    const pat: Caller = { name: "pat@example.org", role: "edit", email: "pat@example.org" };
    await site.call(escalateVerb(site.ports), { message: "one", request });
    await site.call(escalateVerb(site.ports), { message: "two", request }, pat);
    expect(site.hq.list({ type: ["escalation"] })).toHaveLength(2);
  });
});
