import { beforeEach, describe, expect, test } from "vitest";
import type { Caller } from "../../src/resource/caller.ts";
import {
  mailAckVerb,
  mailArchiveVerb,
  mailInboxVerb,
  mailReadVerb,
  mailThreadVerb,
} from "../../src/verbs/mail-reading.ts";
import { mailReplyVerb, mailSendVerb, nudgeVerb } from "../../src/verbs/mail-writing.ts";
import { nudgeDrainVerb } from "../../src/verbs/nudge-drain.ts";
import { primeVerb } from "../../src/verbs/prime.ts";
import { overseer, verbWorld, type VerbWorld } from "./verb-world.ts";

let world: VerbWorld;
let toast: Caller;
let bob: Caller;

beforeEach(async () => {
  world = await verbWorld();
  toast = await world.agent("api/polecats/toast");
  bob = await world.agent("web/crew/bob", ["SendMail", "Nudge"]);
});

interface Mails {
  readonly mails: readonly {
    readonly id: string;
    readonly from: string;
    readonly subject: string;
    readonly state: string;
  }[];
}
const inbox = async (caller: Caller, args: object = {}): Promise<Mails["mails"]> =>
  ((await world.run(mailInboxVerb, caller, args)).data as Mails).mails;
const sent = async (caller: Caller, args: object): Promise<string> =>
  ((await world.run(mailSendVerb, caller, args)).data as { sent: readonly { id: string }[] }).sent[0]?.id ?? "";

describe("mail", () => {
  test("given agents of two rigs and a person, when they write to each other, then each mail is in the store of its reader", async () => {
    const first = await sent(toast, { to: ["web/crew/bob"], subject: "Hello", message: "from the other rig" });
    expect(first).toMatch(/^web-/);
    const reply = (await world.run(mailReplyVerb, bob, { id: first, message: "hi" })).data as {
      sent: { id: string }[];
    };
    expect(reply.sent[0]?.id).toMatch(/^api-/);
    const toPerson = await sent(bob, { to: "overseer", subject: "Done", replyTo: first });
    expect(toPerson).toMatch(/^hq-/);
    expect(await inbox(toast)).toMatchObject([{ from: "web/crew/bob", subject: "Re: Hello", state: "Waiting" }]);
    expect(await inbox(overseer)).toMatchObject([{ from: "web/crew/bob", subject: "Done" }]);
    const thread = (await world.run(mailThreadVerb, overseer, { id: toPerson })).data as Mails;
    expect(thread.mails.map((mail) => mail.id)).toEqual([first, reply.sent[0]?.id, toPerson]);
    const seen = (await world.run(mailThreadVerb, toast, { id: first })).data as Mails;
    expect(seen.mails.map((mail) => mail.id)).toEqual([first, reply.sent[0]?.id]);
  });

  test("given a request whose answer was lost, when it is made again, then nobody gets it twice", async () => {
    const args = { to: ["toast", "bob"], subject: "Once", request: "request-1" };
    await world.run(mailSendVerb, overseer, args);
    await world.run(mailSendVerb, overseer, args);
    expect(await inbox(toast)).toHaveLength(1);
    expect(await inbox(bob)).toHaveLength(1);
  });

  test("given one address of several that nobody has, when sent, then nobody gets anything and it says whom to ask", async () => {
    await expect(world.run(mailSendVerb, overseer, { to: ["toast", "toats"], subject: "x" })).rejects.toMatchObject({
      reason: "NotFound",
      hint: expect.stringContaining("town get agents"),
    });
    expect(await inbox(toast)).toEqual([]);
  });

  test("given a name that agents of two rigs have, when sent, then it asks which, and a session means its neighbour", async () => {
    await world.agent("web/polecats/toast");
    await expect(world.run(mailSendVerb, overseer, { to: "toast", subject: "x" })).rejects.toMatchObject({
      reason: "Ambiguous",
      hint: "say which: api/polecats/toast or web/polecats/toast",
    });
    expect(await sent(bob, { to: "toast", subject: "x" })).toMatch(/^web-/);
    expect(await sent(bob, { to: "api/toast", subject: "x" })).toMatch(/^api-/);
  });

  test("given mail, when read, acknowledged and archived, then it moves through its states and out of the inbox", async () => {
    const one = await sent(overseer, { to: "toast", subject: "One", message: "body\u001b[31m" });
    const two = await sent(overseer, { to: "toast", subject: "Two" });
    expect((await world.run(mailReadVerb, overseer, { id: one })).text).toContain("body[31m");
    expect((await inbox(toast)).map((mail) => mail.state)).toEqual(["Waiting", "Waiting"]);
    await world.run(mailReadVerb, toast, { id: one });
    expect((await inbox(toast)).map((mail) => [mail.subject, mail.state])).toEqual([
      ["Two", "Waiting"],
      ["One", "Read"],
    ]);
    expect((await inbox(toast, { unread: true })).map((mail) => mail.id)).toEqual([two]);
    await world.run(mailAckVerb, toast, { ids: [one] });
    await world.run(mailArchiveVerb, toast, { ids: two });
    expect(await inbox(toast)).toEqual([]);
    expect(world.graph("api").get(one)?.close_reason).toBe("Acknowledged");
    expect(world.graph("api").get(two)?.close_reason).toBe("Archived");
  });

  test("given the mail of others, when a session reads, acknowledges or lists it, then it is refused", async () => {
    const id = await sent(overseer, { to: "toast", subject: "Private" });
    await expect(world.run(mailReadVerb, bob, { id })).rejects.toMatchObject({ reason: "NotFound" });
    await expect(world.run(mailAckVerb, bob, { ids: [id] })).rejects.toMatchObject({ reason: "NotFound" });
    await expect(world.run(mailInboxVerb, bob, { agent: "toast" })).rejects.toMatchObject({ reason: "Forbidden" });
    expect(await inbox(overseer, { agent: "toast" })).toHaveLength(1);
  });

  test("given a role without the permission, when it sends or nudges, then it is refused and told what to do", async () => {
    const mute = await world.agent("api/polecats/mute", []);
    await expect(world.run(mailSendVerb, mute, { to: "toast", subject: "x" })).rejects.toMatchObject({
      reason: "Forbidden",
      hint: expect.stringContaining("town done --outcome Question"),
    });
    await expect(world.run(nudgeVerb, toast, { agent: "bob", text: "x" })).rejects.toMatchObject({
      reason: "Forbidden",
    });
    await world.run(nudgeVerb, bob, { agent: "toast", text: "x" });
  });

  test("given a session that was replaced, when it writes to another rig, then it is fenced off", async () => {
    await world.nextSession(toast);
    await expect(world.run(mailSendVerb, toast, { to: "bob", subject: "x" })).rejects.toMatchObject({
      reason: "Fenced",
    });
    expect(await inbox(bob)).toEqual([]);
  });
});

describe("what waits for a session", () => {
  const drained = async (caller: Caller, args: object = {}) =>
    ((await world.run(nudgeDrainVerb, caller, args)).data as { messages: { subject: string; again: boolean }[] })
      .messages;
  const primed = async (caller: Caller, args: object = {}) =>
    (await world.run(primeVerb, caller, args)).data as {
      exit?: boolean;
      messages: { subject: string; again: boolean }[];
    };

  test("given a nudge, when the session primes and drains, then it is handed over once", async () => {
    await world.run(nudgeVerb, overseer, { agent: "toast", text: "the API changed" });
    const first = await primed(toast);
    expect(first).toMatchObject({ exit: false, messages: [{ subject: "the API changed", again: false }] });
    expect(await drained(toast)).toEqual([]);
    expect(await primed(toast)).toMatchObject({ exit: true, messages: [] });
  });

  test("given an answer that was lost, when the same request is made again, then it hands over the same and takes nothing as noted", async () => {
    await world.run(nudgeVerb, overseer, { agent: "toast", text: "one" });
    const request = "request-1";
    expect(await drained(toast, { request })).toMatchObject([{ subject: "one", again: false }]);
    expect(await drained(toast, { request })).toMatchObject([{ subject: "one", again: false }]);
    const next = await world.nextSession(toast);
    expect(await primed(next)).toMatchObject({ messages: [{ subject: "one", again: true }] });
  });

  test("given a session that was replaced, when it drains, then it gets nothing", async () => {
    await world.run(nudgeVerb, overseer, { agent: "toast", text: "one" });
    await world.nextSession(toast);
    await expect(world.run(nudgeDrainVerb, toast)).rejects.toMatchObject({ reason: "Fenced" });
  });
});
