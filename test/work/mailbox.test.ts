import { beforeEach, describe, expect, test } from "vitest";
import type { WorkGraph } from "../../src/ports/work-graph.ts";
import {
  drain,
  messagesTo,
  messageState,
  MOST_UNCONFIRMED,
  nextLostMs,
  noteShown,
  sendMessage,
  sequenceOf,
  unconfirmed,
  undelivered,
} from "../../src/work/mailbox.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";
import { fc, fuzzRuns } from "../property.ts";

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
const take = async (generation: number, request?: string): Promise<readonly string[]> =>
  graph.transact({ actor: toast, session: `toast@${generation}` }, (tx) =>
    drain(tx, { identity: toast, generation }, request).map(
      ({ record, again }) => `${record.title}${again ? " again" : ""}`,
    ),
  );
const shown = (generation: number, request: string, how: "Shown" | "Lost" = "Shown"): Promise<void> =>
  graph.transact({ actor: toast, session: `toast@${generation}` }, (tx) =>
    noteShown(tx, { identity: toast, generation }, request, how),
  );
const waiting = (generation: number, inMs = 0): readonly string[] =>
  undelivered(graph, toast, generation, world.clock.now() + inMs).map(
    ({ record, again }) => `${record.title}${again ? " again" : ""}`,
  );

describe("a mailbox", () => {
  test("given messages that were handed over, when nobody says that they were shown, then it is known when they count as lost", async () => {
    const lostMs = (): number | undefined => nextLostMs(graph, toast, 1, world.clock.now());
    await send("x");
    expect(lostMs()).toBeUndefined();
    const handedMs = world.clock.now();
    await take(1, "r");
    expect(lostMs()).toBe(handedMs + 30_000);
    await shown(1, "r");
    expect(lostMs()).toBeUndefined();
  });

  test("given a clock that is set back behind a message, when looked at, then it waits since long ago, handed over or not", async () => {
    await send("x");
    const [before] = undelivered(graph, toast, 1, world.clock.now() - 3_600_000);
    expect(before?.sinceMs).toBe(0);
    await take(1, "r");
    const [handed] = undelivered(graph, toast, 1, world.clock.now() - 3_600_000);
    expect(handed?.sinceMs).toBe(0);
  });

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
    expect(waiting(1)).toEqual(["a"]);
    expect(await take(1)).toEqual(["a"]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Delivered"]);
    expect(waiting(1)).toEqual([]);
    expect(await take(1)).toEqual([]);
    expect(await take(2)).toEqual([]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Acknowledged"]);
  });

  test("given a session that ended in the turn it was handed a message, when the next one drains, then it comes again, marked", async () => {
    await send("a");
    await take(1);
    expect(waiting(2)).toEqual(["a again"]);
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

  test("given an answer that was never shown, when the same session drains again, then it is handed over again, marked, until it was shown", async () => {
    await send("a");
    expect(await take(1, "request-1")).toEqual(["a"]);
    expect(await take(1, "request-2")).toEqual(["a again"]);
    // The receipt of an answer that is superseded says nothing about the newer one.
    await shown(1, "request-1");
    expect(await take(1, "request-3")).toEqual(["a again"]);
    await shown(1, "request-3");
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Delivered"]);
    expect(await take(1, "request-4")).toEqual([]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Acknowledged"]);
  });

  test("given an answer without a receipt, when half a minute has passed, then it waits again; with one it does not", async () => {
    await send("a");
    await take(1, "request-1");
    expect([waiting(1), waiting(1, 29_000), waiting(1, 31_000)]).toEqual([[], [], ["a again"]]);
    // A clock that was set back since must not make it wait for hours.
    expect(waiting(1, -3_600_000)).toEqual(["a again"]);
    await shown(1, "request-1");
    expect(waiting(1, 31_000)).toEqual([]);
  });

  test("given a turn that failed after its messages were shown, when said so, then they come again, unless noted meanwhile", async () => {
    await send("a");
    await take(1, "request-1");
    await shown(1, "request-1");
    await shown(1, "request-1", "Lost");
    expect(await take(1, "request-2")).toEqual(["a again"]);
    await shown(1, "request-2");
    await take(1, "request-3");
    await shown(1, "request-2", "Lost");
    expect(await take(1, "request-4")).toEqual([]);
  });

  test("given a program that never says what it was shown, when it drains on and on, then it is handed a message a few times, it is said so, and the next session gets it", async () => {
    await send("a");
    for (let times = 0; times < MOST_UNCONFIRMED; times += 1) {
      expect(unconfirmed(graph, toast, 1)).toEqual([]);
      expect(await take(1, `request-${times}`)).toEqual([times === 0 ? "a" : "a again"]);
    }
    expect(await take(1, "request-more")).toEqual([]);
    expect(waiting(1, 3_600_000)).toEqual([]);
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Unconfirmed"]);
    expect(unconfirmed(graph, toast, 1).map(({ title }) => title)).toEqual(["a"]);
    expect(unconfirmed(graph, toast, 2)).toEqual([]);
    expect(await take(2, "request-next")).toEqual(["a again"]);
    await shown(2, "request-next");
    await take(2, "request-last");
    expect(messagesTo(graph, toast).map(messageState)).toEqual(["Acknowledged"]);
  });

  test("given turns that fail each time, which is said, when the program drains on and on, then the message goes on coming", async () => {
    await send("a");
    for (let times = 0; times < MOST_UNCONFIRMED + 2; times += 1) {
      await take(1, `request-${times}`);
      await shown(1, `request-${times}`);
      await shown(1, `request-${times}`, "Lost");
    }
    expect(await take(1, "request-more")).toEqual(["a again"]);
  });

  test("given any order of sending, draining, hooks that are killed and session ends, then what was shown is never handed to that generation again, and none is lost", async () => {
    const steps = fc.array(fc.constantFrom("send", "drain", "killed before", "killed after", "die"), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const own = `api/polecats/${world.random.base36(8)}`;
        let generation = 1;
        let sent = 0;
        let requests = 0;
        const handedBefore = new Set<string>();
        const read = new Set<string>();
        /** What this generation has shown and said so. */
        let receipted = new Set<string>();
        const noted = new Set<string>();
        const handings = new Map<string, number>();
        const transact = <T>(work: Parameters<typeof graph.transact<T>>[1]): Promise<T> =>
          graph.transact({ actor: own, session: `x@${generation}` }, work);
        const drainOnce = async (end: string): Promise<void> => {
          for (const subject of receipted) noted.add(subject);
          requests += 1;
          const request = `request-${requests}`;
          const handed = await transact((tx) =>
            drain(tx, { identity: own, generation }, request).map(({ record, again }) => ({
              subject: record.title,
              again,
            })),
          );
          for (const { subject, again } of handed) {
            expect(noted.has(subject)).toBe(false);
            expect(receipted.has(subject)).toBe(false);
            expect(again).toBe(handedBefore.has(subject));
            handedBefore.add(subject);
            const handing = `${subject}@${generation}`;
            handings.set(handing, (handings.get(handing) ?? 0) + 1);
            expect(handings.get(handing)).toBeLessThanOrEqual(MOST_UNCONFIRMED);
          }
          if (end === "killed before") return;
          for (const { subject } of handed) read.add(subject);
          if (end === "killed after") return;
          await transact((tx) => noteShown(tx, { identity: own, generation }, request));
          for (const { subject } of handed) receipted.add(subject);
        };
        for (const step of sequence) {
          if (step === "send") {
            sent += 1;
            const subject = String(sent);
            await graph.transact(author, (tx) =>
              sendMessage(tx, { to: own, from: "overseer", subject, text: "", durable: sent % 2 === 0 }),
            );
          } else if (step === "die") {
            generation += 1;
            receipted = new Set();
          } else await drainOnce(step);
        }
        await drainOnce("drain");
        if (unconfirmed(graph, own, generation).length > 0) {
          generation += 1;
          receipted = new Set();
          await drainOnce("drain");
        }
        expect(read.size).toBe(sent);
        expect(undelivered(graph, own, generation, world.clock.now() + 60_000)).toEqual([]);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
