import { beforeEach, describe, expect, it } from "vitest";
import { META } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { agentRecord } from "../../src/work/agent-record.ts";
import {
  attemptsAt,
  countsOf,
  endAttempt,
  ledgerOf,
  modelUsageOf,
  noteSession,
  noteUsage,
  usageAt,
  usageOf,
  usageOnDay,
} from "../../src/work/ledger.ts";
import { recordMerged, sendBack, submit } from "../../src/work/submission.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";
import { hookPolecat } from "./polecat.ts";

const AUTHOR = { actor: "test" };
const TOAST = "api/polecats/toast";
const USED = { input: 100, output: 20, cacheRead: 1_000, cacheWrite: 5, costUSD: 0.1 };

describe("the ledger of agents", () => {
  let world: GraphWorld;
  let graph: GitGraph;

  const hook = (bead: string, name?: string): Promise<unknown> => hookPolecat(graph, bead, name);
  const submitted = (bead: string, head = "a".repeat(40)): Promise<string> =>
    graph.transact(AUTHOR, (tx) => submit(tx, { bead, head, target: "main", author: TOAST }).id);
  const counts = (name = "toast"): ReturnType<typeof countsOf> => countsOf(agentRecord(graph, name));

  beforeEach(async () => {
    world = await graphWorld();
    ({ graph } = await world.open());
    await graph.transact(AUTHOR, (tx) => tx.create({ id: "api-1", title: "Say hello", issue_type: "feature" }));
  });

  it("given work that is handed in and merged, then the agent's entry says so, with what ran it and how long", async () => {
    await hook("api-1");
    await graph.transact(AUTHOR, (tx) => noteSession(tx, "api-1", { provider: "claude", model: "opus" }));
    await world.clock.advance(90_000);
    const request = await submitted("api-1");
    await graph.transact(AUTHOR, (tx) => recordMerged(tx, request, "c".repeat(40)));
    await graph.transact(AUTHOR, (tx) => recordMerged(tx, request, "c".repeat(40)));
    expect(ledgerOf(graph, TOAST)).toMatchObject([
      {
        bead: "api-1",
        type: "feature",
        outcome: "Submitted",
        result: "Merged",
        provider: "claude",
        model: "opus",
        sessions: 1,
      },
    ]);
    expect(counts()).toEqual({ done: 1, merged: 1, reworked: 0, failed: 0, abandoned: 0, seconds: 90 });
  });

  it("given work that is sent back, when it is hooked again, then there are two entries", async () => {
    await hook("api-1");
    const request = await submitted("api-1");
    await graph.transact(AUTHOR, (tx) =>
      sendBack(tx, request, { reason: "red", feedback: "tests failed", maxAttempts: 3 }),
    );
    await world.clock.advance(1_000);
    await hook("api-1");
    expect(ledgerOf(graph, TOAST).map((entry) => entry.result ?? entry.outcome)).toEqual([undefined, "Reworked"]);
    expect(counts()).toMatchObject({ done: 1, merged: 0, reworked: 1 });
  });

  it("given work taken off a hook, when another agent takes it, then the first one abandoned it", async () => {
    await hook("api-1");
    await graph.transact(AUTHOR, (tx) => tx.release("api-1", { reason: "taken away" }));
    expect(ledgerOf(graph, TOAST)).toMatchObject([{ outcome: "Abandoned" }]);
    await hook("api-1", "max");
    expect(ledgerOf(graph, TOAST)).toMatchObject([{ outcome: "Abandoned" }]);
    expect(counts()).toMatchObject({ abandoned: 1, done: 0 });
    expect(attemptsAt(graph.get("api-1"))).toHaveLength(2);
  });

  it("given an attempt that ended, when it is ended again, then it counts once", async () => {
    await hook("api-1");
    await graph.transact(AUTHOR, (tx) => endAttempt(tx, "api-1", "Failed"));
    await graph.transact(AUTHOR, (tx) => endAttempt(tx, "api-1", "Failed"));
    expect(counts()).toMatchObject({ failed: 1 });
  });

  it("given usage of a session, then it is in the sums of agent, day, and bead", async () => {
    await hook("api-1");
    const note = (): Promise<void> =>
      graph.transact(AUTHOR, (tx) => {
        const agent = agentRecord(tx, "toast");
        if (agent !== undefined) noteUsage(tx, { agent, bead: "api-1", models: { opus: USED } });
      });
    await note();
    await note();
    const agent = agentRecord(graph, "toast");
    expect(usageOf(agent)).toEqual({ input: 200, output: 40, cacheRead: 2_000, cacheWrite: 10, costUSD: 0.2 });
    expect(usageAt(graph, graph.get("api-1"))).toEqual(usageOf(agent));
    const today = new Date(world.clock.now()).toISOString().slice(0, 10);
    if (agent === undefined) throw new Error("no agent");
    expect(modelUsageOf(agent)).toEqual({ opus: usageOf(agent) });
    expect(usageOnDay(agent, today)).toEqual(usageOf(agent));
    expect(usageOnDay(agent, "1999-01-01").input).toBe(0);
  });

  it("given usage while the work goes on, then the bead does not change by it, and has it all at the end", async () => {
    await hook("api-1");
    const before = graph.revOf("api-1");
    const note = (): Promise<void> =>
      graph.transact(AUTHOR, (tx) => {
        const agent = agentRecord(tx, "toast");
        if (agent !== undefined) noteUsage(tx, { agent, bead: "api-1", models: { opus: USED } });
      });
    await note();
    expect(graph.revOf("api-1")).toBe(before);
    await submitted("api-1");
    await note();
    expect(attemptsAt(graph.get("api-1"))).toMatchObject([{ usage: { input: 200, costUSD: 0.2 } }]);
    expect(usageAt(graph, graph.get("api-1"))).toEqual(usageOf(agentRecord(graph, "toast")));
  });

  it("given a bead without attempts, then ending and merging it changes no ledger", async () => {
    await graph.transact(AUTHOR, (tx) => endAttempt(tx, "api-1", "Failed"));
    expect(graph.get("api-1")?.metadata?.[META.attempts]).toBeUndefined();
    expect(attemptsAt(graph.get("api-1"))).toEqual([]);
  });
});
