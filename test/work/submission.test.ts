import { beforeEach, describe, expect, it } from "vitest";
import { META } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { declareAgent, hookOf } from "../../src/work/agent-record.ts";
import { endAnsweredEscalations } from "../../src/work/escalation.ts";
import { messagesTo } from "../../src/work/mailbox.ts";
import { returnedTo, takeBack } from "../../src/work/returned.ts";
import { markSlung } from "../../src/work/sling.ts";
import { MERGE, recordMerged, sendBack, submit } from "../../src/work/submission.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";

const AUTHOR = { actor: "test" };
const PAT = "api/crew/pat";
const HEAD = "a".repeat(40);
const RED = { reason: "Gate test failed", feedback: "3 tests are red", maxAttempts: 3 };

describe("work that was not merged", () => {
  let world: GraphWorld;
  let graph: GitGraph;

  beforeEach(async () => {
    world = await graphWorld();
    ({ graph } = await world.open());
    await graph.transact(AUTHOR, (tx) => {
      declareAgent(tx, "api", { name: "pat", identity: PAT, role: "crew", pool: "crew", desired: "Running" });
      tx.create({ id: "api-1", title: "What Pat asked for" });
      tx.create({ id: "api-2", title: "Other work" });
    });
  });

  const claim = (bead: string): Promise<unknown> =>
    graph.transact(AUTHOR, (tx) => tx.claim(bead, PAT, { status: "in_progress" }));
  const handIn = (bead: string, head = HEAD): Promise<string> =>
    graph.transact(AUTHOR, (tx) => submit(tx, { bead, head, target: "main", author: PAT }).id);
  const reject = (request: string): Promise<string> => graph.transact(AUTHOR, (tx) => sendBack(tx, request, RED));
  const takes = (): Promise<string | undefined> => graph.transact(AUTHOR, (tx) => takeBack(tx, PAT)?.id);
  const escalations = (): readonly string[] =>
    graph.list({ type: ["escalation"], status: ["open"] }).map((each) => each.title);

  it("given work that nobody else is asked to do, when it is sent back, then its author hears why and gets it again", async () => {
    await claim("api-1");
    const request = await handIn("api-1");
    expect(await reject(request)).toBe("SentBack");
    expect(await reject(request)).toBe("Ended");
    const [message, ...more] = messagesTo(graph, PAT);
    expect(more).toEqual([]);
    expect(message?.title).toBe("api-1 was not merged: Gate test failed");
    expect(message?.description).toContain("It is on your hook again");
    expect(message?.description).toContain("town done");
    expect(graph.get("api-1")).toMatchObject({ status: "open", assignee: PAT });
    expect(await takes()).toBe("api-1");
    expect(await takes()).toBeUndefined();
    expect(hookOf(graph, PAT)?.id).toBe("api-1");
    expect(graph.get("api-1")?.metadata?.[META.feedback]).toBe("3 tests are red");
    // The same commit again is another attempt, not the request that has ended.
    const second = await handIn("api-1");
    expect(second).not.toBe(request);
    expect(await handIn("api-1")).toBe(second);
    expect(graph.get(second)?.metadata?.[MERGE.state]).toBe("Queued");
    await graph.transact(AUTHOR, (tx) => recordMerged(tx, second, "c".repeat(40)));
    expect(graph.get("api-1")?.status).toBe("closed");
    expect(returnedTo(graph, PAT)).toBeUndefined();
  });

  it("given its author has other work by then, when it is sent back, then it comes after that", async () => {
    await claim("api-1");
    const request = await handIn("api-1");
    await claim("api-2");
    await reject(request);
    expect(messagesTo(graph, PAT)[0]?.description).toContain("after api-2");
    expect(await takes()).toBeUndefined();
    await graph.transact(AUTHOR, (tx) => tx.close("api-2", { reason: "done", force: true }));
    expect(await takes()).toBe("api-1");
  });

  it("given work that pools are asked to do, when it is sent back, then whoever is free takes it", async () => {
    await graph.transact(AUTHOR, (tx) => markSlung(tx, "api-1", {}));
    await claim("api-1");
    await reject(await handIn("api-1"));
    expect(graph.get("api-1")?.assignee).toBeUndefined();
    expect(messagesTo(graph, PAT)).toEqual([]);
    expect(await takes()).toBeUndefined();
  });

  it("given work that waits for its author, when it is slung, then it is for whoever is free", async () => {
    await claim("api-1");
    const request = await handIn("api-1");
    await claim("api-2");
    await reject(request);
    await graph.transact(AUTHOR, (tx) => markSlung(tx, "api-1", {}));
    expect(graph.get("api-1")?.assignee).toBeUndefined();
    await graph.transact(AUTHOR, (tx) => tx.close("api-2", { reason: "done", force: true }));
    expect(await takes()).toBeUndefined();
  });

  it("given its author is gone, when it is sent back, then a person is asked; that is over once it is merged", async () => {
    await claim("api-1");
    const request = await handIn("api-1");
    await graph.transact(AUTHOR, (tx) =>
      declareAgent(tx, "api", { name: "pat", identity: PAT, role: "crew", pool: "crew", desired: "Stopped" }),
    );
    await reject(request);
    expect(escalations()).toEqual([expect.stringContaining("api-1 was not merged, and api/crew/pat")]);
    expect(await takes()).toBeUndefined();
    const later = await handIn("api-1", "b".repeat(40));
    await graph.transact(AUTHOR, (tx) => recordMerged(tx, later, "c".repeat(40)));
    expect(escalations()).toEqual([]);
  });

  it("given it was sent back too often, when once more, then it is blocked and a person is asked, once for all times", async () => {
    for (let attempt = 0; attempt < RED.maxAttempts; attempt += 1) {
      if (attempt === 0) await claim("api-1");
      else await takes();
      const outcome = await reject(await handIn("api-1"));
      expect(outcome).toBe(attempt + 1 === RED.maxAttempts ? "Blocked" : "SentBack");
    }
    expect(graph.get("api-1")?.status).toBe("blocked");
    expect(graph.get("api-1")?.metadata?.[META.attempts]).toBe(RED.maxAttempts);
    expect(escalations()).toEqual(["api-1 was sent back 3 times: What Pat asked for"]);
    const answered = (status: string): Promise<void> =>
      graph.transact(AUTHOR, (tx) => {
        if (status === "closed") tx.close("api-1", { reason: "given up", force: true });
        else tx.update("api-1", { status });
        endAnsweredEscalations(tx, "api-1");
      });
    await graph.transact(AUTHOR, (tx) => endAnsweredEscalations(tx, "api-1"));
    expect(escalations()).toHaveLength(1);
    await answered("open");
    expect(escalations()).toEqual([]);
    await claim("api-1");
    await reject(await handIn("api-1", "d".repeat(40)));
    expect(escalations()).toHaveLength(1);
    await answered("closed");
    expect(escalations()).toEqual([]);
  });
});
