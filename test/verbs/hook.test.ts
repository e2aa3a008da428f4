import { library, step } from "../domain/formulas/cooking.ts";
import { beforeEach, describe, expect, it } from "vitest";
import { hookVerb } from "../../src/verbs/hook.ts";
import { slingVerb } from "../../src/verbs/sling.ts";
import { slingOf } from "../../src/work/sling.ts";
import { TOAST, type VerbSite, verbSite } from "./verb-site.ts";

const WORKER = { name: "pat", role: "view" } as const;
const author = { name: "Toast", email: "pat@example.org" };

describe("town hook", () => {
  let site: VerbSite;
  beforeEach(async () => {
    site = await verbSite();
  });

  it("given work on its hook, when a session asks, then it sees bead, step and next command", async () => {
    const bead = await site.hooked();
    const { text, data } = await site.call(hookVerb(site.ports), {}, await site.caller());
    expect(text).toContain(`${bead.id} (P2, hooked): the work`);
    expect(text).toContain("step 1 of 3");
    expect(text).toContain("town prime");
    expect(data).toMatchObject({ agent: TOAST, hook: { id: bead.id, step: { name: "implement" } } });
  });

  it.each([
    "toast",
    "api/toast",
    TOAST,
    "agent/toast",
    "api-polecat-toast",
    "polecats",
    "api/polecats",
  ])("given the agent named as %s, when a person asks, then its hook is shown", async (name) => {
    const bead = await site.hooked();
    expect((await site.call(hookVerb(site.ports), { agent: name })).data).toMatchObject({ hook: { id: bead.id } });
  });

  it("given an open bead, when a person puts it on a hook twice, then it is claimed once with its molecule", async () => {
    const bead = await site.bead({ title: "new" });
    for (let time = 0; time < 2; time += 1) await site.call(hookVerb(site.ports), { agent: "toast", bead: bead.id });
    expect(site.api.get(bead.id)).toMatchObject({ status: "hooked", assignee: TOAST });
    expect(site.api.list({ type: ["molecule"] })).toHaveLength(1);
  });

  const closed = async (): Promise<string> => {
    const { id } = await site.bead({ title: "x" });
    await site.api.transact({ actor: "x" }, (tx) => tx.close(id));
    return id;
  };
  const blocked = async (): Promise<string> => {
    const first = await site.bead({ title: "first" });
    return (await site.bead({ title: "then", dependsOn: [{ id: first.id, type: "blocks" }] })).id;
  };
  const taken = async (): Promise<string> => {
    const { id } = await site.bead({ title: "x" });
    await site.api.transact({ actor: "x" }, (tx) => tx.claim(id, "pat"));
    return id;
  };
  const foreign = async (): Promise<string> =>
    (await site.hq.transact({ actor: "x" }, (tx) => tx.create({ title: "x" }))).id;
  const besideAnother = async (): Promise<string> => {
    await site.hooked();
    return (await site.bead({ title: "other" })).id;
  };

  it.each([
    ["HookTaken", /town hook .* --clear/, besideAnother],
    ["NotOpen", /bd reopen/, closed],
    ["Blocked", /bd show/, blocked],
    ["AlreadyClaimed", /--clear/, taken],
    ["NotFound", /bd list/, () => Promise.resolve("api-none")],
    ["OtherStore", /town get agents/, foreign],
  ])("given a bead that is no work for the hook, when it is put there, then it is refused as %s with the next command", async (reason, hint, make) => {
    const bead = await make();
    await expect(site.call(hookVerb(site.ports), { agent: "toast", bead })).rejects.toMatchObject({
      reason,
      hint: expect.stringMatching(hint),
    });
  });

  it("given a worker's session, when it puts work on another hook, then role and permission are named", async () => {
    const bead = await site.bead({ title: "x" });
    const caller = await site.caller();
    await expect(site.call(hookVerb(site.ports), { agent: "toast", bead: bead.id }, caller)).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(/Role 'polecat' lacks the permission Sling/),
    });
    await expect(site.call(hookVerb(site.ports), { agent: "toast", bead: bead.id }, WORKER)).rejects.toMatchObject({
      code: 403,
    });
    expect(site.api.get(bead.id)?.status).toBe("open");
  });

  it("given committed work, when a session hands it on, then its head is pinned and the bead is free at the same step", async () => {
    const bead = await site.hooked();
    const molecule = bead.metadata?.["town.molecule"];
    await site.git.writeFile(site.sandbox, "a.txt", "a\n");
    const head = await site.git.commit(site.sandbox, "half\n", author);
    await site.call(hookVerb(site.ports), { clear: true, reason: "not mine" }, await site.caller());
    expect(site.api.get(bead.id)).toMatchObject({ status: "open", metadata: { "town.molecule": molecule } });
    expect(site.api.get(bead.id)?.assignee).toBeUndefined();
    const pins = await site.clone.listRefs(`refs/town/heads/${bead.id}/`);
    expect([...pins.values()]).toEqual([
      typeof head === "string" ? head : await site.clone.resolve(`refs/heads/town/agents/api/toast/${bead.id}`),
    ]);
  });

  it("given files that are not committed, when the hook is cleared, then it is refused unless forced", async () => {
    const bead = await site.hooked();
    await site.git.writeFile(site.sandbox, "a.txt", "a\n");
    await expect(site.call(hookVerb(site.ports), { agent: "toast", clear: true })).rejects.toMatchObject({
      reason: "UncommittedWork",
      message: expect.stringContaining("a.txt"),
    });
    expect(site.api.get(bead.id)?.assignee).toBe(TOAST);
    await site.call(hookVerb(site.ports), { agent: "toast", clear: true, force: true });
    expect(site.api.get(bead.id)?.assignee).toBeUndefined();
  });
});

describe("town sling", () => {
  let site: VerbSite;
  beforeEach(async () => {
    site = await verbSite();
  });

  it("given an epic, when it is slung, then its open children are marked and the epic is not", async () => {
    const epic = await site.bead({ title: "epic", issue_type: "epic" });
    const [one, two, done] = [
      await site.bead({ title: "one", parent: epic.id }),
      await site.bead({ title: "two", parent: epic.id }),
      await site.bead({ title: "done", parent: epic.id }),
    ];
    await site.api.transact({ actor: "x" }, (tx) => tx.close(done.id));
    await site.call(slingVerb(site.ports), { beads: [epic.id] });
    const slung = [epic, one, two, done].map(({ id }) => slingOf(site.api.get(id)) !== undefined);
    expect(slung).toEqual([false, true, true, false]);
  });

  it("given a text and a rig, when it is slung, then a bead of it is made for the rig's pools", async () => {
    const { data } = await site.call(slingVerb(site.ports), { beads: ["fix the login page"], to: "api" });
    const [{ bead }] = data as [{ bead: string }];
    expect(site.api.get(bead)).toMatchObject({
      title: "fix the login page",
      owner: "pat@example.org",
      created_by: "overseer",
    });
    expect(slingOf(site.api.get(bead))).toEqual({});
  });

  it("given a text of lines and one rig, when it is slung, then its first line is the title of a bead there", async () => {
    const text = "Say hello\n\n```sh\necho hello > a\n```\n";
    const { data } = await site.call(slingVerb(site.ports), { beads: [text] });
    const [{ bead }] = data as [{ bead: string }];
    expect(site.api.get(bead)).toMatchObject({ title: "Say hello", description: "```sh\necho hello > a\n```" });
  });

  it("given a place without workers, when a text is slung there, then no bead is left behind", async () => {
    const before = site.hq.list({}).length;
    await expect(site.call(slingVerb(site.ports), { beads: ["do something"], to: "hq" })).rejects.toMatchObject({
      reason: "NoPool",
    });
    expect(site.hq.list({})).toHaveLength(before);
  });

  it("given a pool and a formula, when a bead is slung, then both are kept with it", async () => {
    const bead = await site.bead({ title: "x" });
    await site.call(slingVerb(site.ports), { beads: [bead.id], to: "api/polecats", formula: "work" });
    expect(slingOf(site.api.get(bead.id))).toEqual({ pool: "polecats", formula: "work" });
    await expect(site.call(slingVerb(site.ports), { beads: [bead.id], formula: "wrok" })).rejects.toMatchObject({
      hint: "town get formulas",
    });
  });

  it("given a formula with a required variable, when a bead is slung, then it needs the value, keeps it, and pours with it", async () => {
    const formula = library({
      formula: "f",
      vars: { v: { required: true } },
      steps: [step("a", { title: "Do {{v}}" })],
    });
    const ports = { ...site.ports, formulas: { get: () => formula, names: () => ["f"] } };
    const bead = await site.bead({ title: "x" });
    const sling = (...values: readonly string[]) =>
      site.call(slingVerb(ports), { beads: [bead.id], to: "api/polecats", formula: "f", var: values });
    await expect(sling()).rejects.toMatchObject({ reason: "MissingVariable", hint: "give it with --var v=…" });
    await expect(sling("v=1", "w=2")).rejects.toMatchObject({ reason: "VariableUnknown" });
    await expect(sling("v")).rejects.toMatchObject({ reason: "BadRequest" });
    expect(slingOf(site.api.get(bead.id))).toBeUndefined();
    await sling("v=a=b");
    expect(slingOf(site.api.get(bead.id))).toMatchObject({ formula: "f", values: { v: "a=b" } });
    await site.call(slingVerb(ports), { beads: [bead.id], to: "toast", formula: "f", var: ["v=now"] });
    expect(site.api.list().map(({ title }) => title)).toContain("Do now");
  });

  it("given no pool that takes work, when a bead is slung, then it is refused with what to look at", async () => {
    const bead = await site.hq.transact({ actor: "x" }, (tx) => tx.create({ title: "x" }));
    await expect(site.call(slingVerb(site.ports), { beads: [bead.id] })).rejects.toMatchObject({ reason: "NoPool" });
  });
});
