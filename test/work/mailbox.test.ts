import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { WorkGraph } from "../../src/ports/work-graph.ts";
import { drain, messagesTo, messageState, sendMessage, sequenceOf, undelivered } from "../../src/work/mailbox.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";

const toast = "api/polecats/toast";
const author = { actor: "overseer" };

let world: GraphWorld;
let graph: WorkGraph;

beforeEach(async () => {
  world = await graphWorld();
  ({ graph } = await world.open());
});

const send = (subject: string, more: object = {}) =>
  graph.transact(author, (tx) =>
    sendMessage(tx, { to: toast, from: "overseer", subject, text: "", durable: false, ...more }),
  );
const take = async (generation: number): Promise<readonly string[]> =>
  graph.transact({ actor: toast, session: `toast@${generation}` }, (tx) =>
    drain(tx, { identity: toast, generation }).map(({ record, again }) => `${record.title}${again ? " again" : ""}`),
  );

describe("a mailbox", () => {
  test("given messages in one instant, when made, then their sequence numbers rise and none is used twice", async () => {
    await graph.transact(author, (tx) => {
      for (const subject of ["a", "b", "c"])
        sendMessage(tx, { to: toast, from: "overseer", subject, text: "", durable: false });
    });
    const numbers = messagesTo(graph, toast).map(sequenceOf);
    expect(new Set(numbers).size).toBe(3);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  });

  test("given a key, when sent twice, then there is one message", async () => {
    const first = await send("a", { key: "k" });
    expect((await send("a", { key: "k" })).id).toBe(first.id);
    expect(messagesTo(graph, toast)).toHaveLength(1);
  });

  test("given a message, when one session drains twice, then it is handed over once and taken note of", async () => {
    await send("a");
    expect(undelivered(graph, toast, 1)).toHaveLength(1);
    expect(await take(1)).toEqual(["a"]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Delivered"]);
    expect(undelivered(graph, toast, 1)).toEqual([]);
    expect(await take(1)).toEqual([]);
    expect(await take(2)).toEqual([]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Acknowledged"]);
  });

  test("given a session that ended in the turn it was handed a message, when the next one drains, then it comes again, marked", async () => {
    await send("a");
    await take(1);
    expect(undelivered(graph, toast, 2)).toHaveLength(1);
    expect(await take(2)).toEqual(["a again"]);
    expect(await take(2)).toEqual([]);
  });

  test("given mail, when taken note of, then it stays in the inbox as read, in git; a nudge is gone", async () => {
    await send("nudge");
    await send("mail", { durable: true });
    await take(1);
    await take(1);
    expect(messagesTo(graph, toast).map((record) => [record.title, record.status, record.ephemeral ?? false])).toEqual([
      ["nudge", "closed", true],
      ["mail", "open", false],
    ]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Acknowledged", "Read"]);
  });

  test("given any order of sending, draining and session ends, then no generation gets a message twice and none is lost", async () => {
    const steps = fc.array(fc.constantFrom("send", "drain", "die"), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const own = `api/polecats/${world.random.base36(8)}`;
        let generation = 1;
        let sent = 0;
        const got = new Map<string, number[]>();
        const noted = new Set<string>();
        let pending: string[] = [];
        const drainOnce = async (): Promise<void> => {
          for (const subject of pending) noted.add(subject);
          const handed = await graph.transact({ actor: own, session: `x@${generation}` }, (tx) =>
            drain(tx, { identity: own, generation }).map(({ record, again }) => ({ subject: record.title, again })),
          );
          pending = handed.map(({ subject }) => subject);
          for (const { subject, again } of handed) {
            expect(noted.has(subject)).toBe(false);
            const former = got.get(subject) ?? [];
            expect(again).toBe(former.length > 0);
            expect(former).not.toContain(generation);
            got.set(subject, [...former, generation]);
          }
        };
        for (const step of sequence) {
          if (step === "send") {
            sent += 1;
            const subject = String(sent);
            await graph.transact(author, (tx) =>
              sendMessage(tx, { to: own, from: "overseer", subject, text: "", durable: sent % 2 === 0 }),
            );
          } else if (step === "drain") await drainOnce();
          else {
            generation += 1;
            pending = [];
          }
        }
        await drainOnce();
        expect(got.size).toBe(sent);
        expect(undelivered(graph, own, generation)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
