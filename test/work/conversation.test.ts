import { describe, expect, it } from "vitest";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GraphTransaction } from "../../src/ports/work-graph.ts";
import { AGENT } from "../../src/work/agent-record.ts";
import { recordHandoff } from "../../src/work/handoff.ts";
import { conversationsOf, endConversation, noteConversation, resumable } from "../../src/work/conversation.ts";

/** An agent's record and a transaction that changes only its metadata. */
class Held {
  record: BeadRecord;
  writes = 0;

  constructor(metadata: Readonly<Record<string, unknown>>) {
    this.record = { id: "api-agent-ash", title: "api/polecats/ash", metadata } as BeadRecord;
  }

  readonly tx = {
    now: 0,
    setMetadata: (_: string, values: Readonly<Record<string, unknown>>) => {
      this.writes += 1;
      this.record = { ...this.record, metadata: { ...this.record.metadata, ...values } };
      return this.record;
    },
  } as unknown as GraphTransaction;

  start(generation: number, provider = "claude"): void {
    this.tx.setMetadata("", {
      [AGENT.generation]: generation,
      [AGENT.launch]: { generation, provider, directory: "/w" },
    });
  }

  see(session: string, bead: string | undefined = "api-1", transcript?: string): void {
    noteConversation(this.tx, this.record, { session, bead, transcript });
  }

  next(more: Partial<Parameters<typeof resumable>[1]> = {}): string | undefined {
    return resumable(this.record, { provider: "claude", directory: "/w", bead: "api-1", failures: 0, ...more });
  }
}

function running(): Held {
  const held = new Held({});
  held.start(1);
  held.see("s1", "api-1", "/t.jsonl");
  return held;
}

describe("conversations of an agent's program", () => {
  it("given a session that its hook told of, when it is gone, then the next one resumes it", () => {
    expect(running().next()).toBe("s1");
  });

  it.each([
    ["another program", { provider: "codex" }],
    ["another worktree", { directory: "/x" }],
    ["other work", { bead: "api-2" }],
    ["no work", { bead: undefined }],
    ["two sessions that ended by themselves", { failures: 2 }],
  ])("given %s, when the next session is begun, then it begins anew", (_, next) => {
    expect(running().next(next)).toBeUndefined();
  });

  it("given a session in which nothing was heard of the conversation, when it is gone, then it is not resumed again", () => {
    const held = running();
    held.start(2);
    expect(held.next()).toBeUndefined();
    held.see("s1");
    expect(held.next()).toBe("s1");
  });

  it("given a handoff, when the next session is begun, then it begins anew and the conversation is kept to ask", () => {
    const held = running();
    endConversation(held.tx, held.record, "HandedOff");
    expect(held.next()).toBeUndefined();
    expect(conversationsOf(held.record)).toMatchObject([{ session: "s1", transcript: "/t.jsonl", ended: "HandedOff" }]);
  });

  it("given a session that handed off and goes on for a moment, when its hook tells of the conversation, then that stays ended", () => {
    const held = running();
    recordHandoff(held.tx, held.record, { generation: 1, note: "" }, "api/polecats/ash");
    endConversation(held.tx, held.record, "HandedOff");
    held.see("s1");
    expect(held.next()).toBeUndefined();
    held.start(2);
    held.see("s2");
    expect(conversationsOf(held.record).map(({ session, ended }) => [session, ended])).toEqual([
      ["s2", undefined],
      ["s1", "HandedOff"],
    ]);
  });

  it("given the same news twice, when noted, then it is written once", () => {
    const held = running();
    const { writes } = held;
    held.see("s1");
    expect(held.writes).toBe(writes);
  });

  it("given an older conversation that is taken up again, when noted, then it comes first with its transcript", () => {
    const held = running();
    held.see("s2");
    held.see("s1");
    expect(conversationsOf(held.record).map(({ session, transcript }) => [session, transcript])).toEqual([
      ["s1", "/t.jsonl"],
      ["s2", undefined],
    ]);
  });

  it("given many conversations, when noted, then the newest 20 are kept", () => {
    const held = running();
    for (let each = 0; each < 30; each += 1) held.see(`n${each}`);
    expect(conversationsOf(held.record)).toHaveLength(20);
    expect(conversationsOf(held.record)[0]?.session).toBe("n29");
  });

  it("given news of a session that is not the newest, when noted, then nothing happens", () => {
    const held = new Held({
      [AGENT.generation]: 2,
      [AGENT.launch]: { generation: 1, provider: "claude", directory: "/w" },
    });
    held.see("s1");
    expect(conversationsOf(held.record)).toEqual([]);
  });
});
