import { beforeEach, describe, expect, test } from "vitest";
import { executeHooks } from "../../src/kinds/agent/hooks.execute.ts";
import type { AgentObject } from "../../src/kinds/agent/agent.observe.ts";
import type { WorkGraph } from "../../src/ports/work-graph.ts";
import type { Caller } from "../../src/resource/caller.ts";
import { doneVerb } from "../../src/verbs/done.ts";
import { mailInboxVerb } from "../../src/verbs/mail-reading.ts";
import { mailReplyVerb } from "../../src/verbs/mail-writing.ts";
import { messagesTo, sendMessage } from "../../src/work/mailbox.ts";
import { answerOf, questionOf } from "../../src/work/question.ts";
import { overseer, verbWorld, type VerbWorld } from "./verb-world.ts";

const TOAST = "api/polecats/toast";
const object = { metadata: { name: "toast", namespace: "api" }, spec: { identity: TOAST } } as unknown as AgentObject;

let world: VerbWorld;
let toast: Caller;
let graph: WorkGraph;
let bead: string;

beforeEach(async () => {
  world = await verbWorld();
  toast = await world.agent(TOAST);
  graph = world.graph("api");
  bead = await graph.transact({ actor: "loop/pools" }, (tx) => {
    const made = tx.create({ title: "the work" });
    return tx.claim(made.id, TOAST, { status: "in_progress", generation: 1 }).id;
  });
});

const ask = () => world.run(doneVerb, toast, { outcome: "Question", reason: "which API?" });
const open = () => {
  const record = graph.get(bead);
  const question = record === undefined ? undefined : questionOf(record);
  return record === undefined || question === undefined ? undefined : answerOf(graph, record, question, TOAST);
};
const mails = async (): Promise<readonly { readonly id: string; readonly subject: string }[]> =>
  ((await world.run(mailInboxVerb, overseer)).data as { mails: { id: string; subject: string }[] }).mails;

describe("a question", () => {
  test("given an agent that asks, when asked twice, then the person has one mail, and the hook stays", async () => {
    await ask();
    await ask();
    expect(await mails()).toMatchObject([{ subject: `Question about ${bead}: the work` }]);
    expect(graph.get(bead)).toMatchObject({ status: "in_progress", assignee: TOAST });
    expect(open()).toBeUndefined();
  });

  test("given the person replies to the mail, when looked at, then it is answered, and ending it takes the mark away once", async () => {
    await ask();
    await world.pass(1_000);
    await world.run(mailReplyVerb, overseer, { id: (await mails())[0]?.id, message: "the new one" });
    expect(open()).toEqual({ by: "Message" });
    await executeHooks({ do: "EndQuestion", bead }, object, world.ports);
    await executeHooks({ do: "EndQuestion", bead }, object, world.ports);
    const record = graph.get(bead);
    expect(record === undefined ? "gone" : questionOf(record)).toBeUndefined();
    expect(messagesTo(graph, TOAST)).toHaveLength(1);
  });

  test("given somebody comments on the bead, when it is ended, then the agent gets the comment as a message, once", async () => {
    await ask();
    await world.pass(1_000);
    await graph.transact({ actor: TOAST }, (tx) => tx.comment(bead, "I think aloud"));
    expect(open()).toBeUndefined();
    await graph.transact({ actor: "pat" }, (tx) => tx.comment(bead, "take v2"));
    expect(open()).toMatchObject({ by: "Comment", author: "pat" });
    await executeHooks({ do: "EndQuestion", bead }, object, world.ports);
    await executeHooks({ do: "EndQuestion", bead }, object, world.ports);
    expect(messagesTo(graph, TOAST).map((message) => message.description)).toEqual(["take v2"]);
  });

  test("given what the loops themselves tell the agent, when looked at, then that is no answer", async () => {
    await ask();
    await world.pass(1_000);
    await graph.transact({ actor: "loop/merges" }, (tx) =>
      sendMessage(tx, { to: TOAST, from: "loop/merges", subject: "note", text: "", durable: false }),
    );
    expect(open()).toBeUndefined();
  });
});
