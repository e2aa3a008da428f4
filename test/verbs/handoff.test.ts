import { beforeEach, describe, expect, it } from "vitest";
import { handoffVerb } from "../../src/verbs/handoff.ts";
import { agentRecord } from "../../src/work/agent-record.ts";
import { handoffOf, noteFor } from "../../src/work/handoff.ts";
import { TOAST, type VerbSite, verbSite } from "./verb-site.ts";

describe("town handoff", () => {
  let site: VerbSite;
  beforeEach(async () => {
    site = await verbSite();
  });
  const record = () => agentRecord(site.api, "toast") as NonNullable<ReturnType<typeof agentRecord>>;

  it("given work at a step, when a session hands off, then hook and step stay and the next generation has the note", async () => {
    const bead = await site.hooked();
    const caller = await site.caller();
    await site.call(handoffVerb(site.ports), { note: "tests are red" }, caller);
    expect(site.api.get(bead.id)).toMatchObject({ status: "hooked", assignee: TOAST });
    expect(handoffOf(record())).toMatchObject({
      generation: 1,
      bead: bead.id,
      note: "tests are red",
      step: expect.any(String),
    });
    expect(noteFor(record(), 1, bead.id)).toBeUndefined();
    expect(noteFor(record(), 2, bead.id)?.note).toBe("tests are red");
    expect(noteFor(record(), 2, "api-other")).toBeUndefined();
    expect(site.api.get(bead.id)?.comments?.at(-1)?.text).toContain("tests are red");
  });

  it("given --mail, when a session hands off twice, then the note is one mail to itself; without a note it is refused", async () => {
    await site.hooked();
    const caller = await site.caller();
    for (let time = 0; time < 2; time += 1)
      await site.call(handoffVerb(site.ports), { note: "see the red test", mail: true }, caller);
    const mails = site.api.list({ type: ["message"], assignee: TOAST });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({ description: "see the red test", sender: TOAST });
    await expect(site.call(handoffVerb(site.ports), { mail: true }, caller)).rejects.toMatchObject({ code: 400 });
  });

  it("given a session that was replaced, when it hands off, then it is fenced off", async () => {
    await site.hooked();
    const old = await site.caller();
    await site.caller();
    await expect(site.call(handoffVerb(site.ports), { note: "late" }, old)).rejects.toMatchObject({ reason: "Fenced" });
    expect(handoffOf(record())).toBeUndefined();
  });

  it.each([
    ["HandOff", {}, true],
    ["HandOff", { trigger: "auto" }, true],
    ["HandOff", { trigger: "manual" }, false],
    ["Reprime", { trigger: "auto" }, false],
  ])("given a role that wants %s, when the context is full with %j, then handed off is %s", async (wanted, hook, expected) => {
    await site.hooked();
    const role = site.objects.find((object) => object.kind === "Role");
    if (role !== undefined) role.spec["onContextFull"] = wanted;
    const { data } = await site.call(handoffVerb(site.ports), { hook }, await site.caller());
    expect(data).toMatchObject({ handedOff: expected });
    expect(handoffOf(record()) !== undefined).toBe(expected);
  });

  it("given a person, when they hand off an agent, then it is recorded as theirs; without an agent they are told how", async () => {
    await site.hooked();
    await site.caller();
    await site.call(handoffVerb(site.ports), { agent: "toast", note: "start anew" });
    expect(site.events.at(-1)?.event).toMatchObject({ reason: "HandedOff", actor: "overseer" });
    await expect(site.call(handoffVerb(site.ports), {})).rejects.toMatchObject({ hint: "town handoff --agent AGENT" });
  });
});
