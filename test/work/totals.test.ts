import { beforeEach, describe, expect, it } from "vitest";
import { META } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { spendText } from "../../src/work/budget.ts";
import { agentRecord } from "../../src/work/agent-record.ts";
import { noteUsage } from "../../src/work/ledger.ts";
import { submit } from "../../src/work/submission.ts";
import { addTotals, addWork, NO_WORK, totalsStatus, usageTotals, workTotals } from "../../src/work/totals.ts";
import { NO_USAGE, shownUsage, tokensText } from "../../src/work/usage.ts";
import { graphWorld, type GraphWorld } from "../graph/graph-world.ts";
import { hookPolecat } from "./polecat.ts";

const AUTHOR = { actor: "test" };
const USED = { input: 1_000, output: 200, cacheRead: 0, cacheWrite: 0, costUSD: 0.5 };

describe("the totals of a store", () => {
  let world: GraphWorld;
  let graph: GitGraph;

  const hook = (bead: string, name: string): Promise<unknown> => hookPolecat(graph, bead, name);

  beforeEach(async () => {
    world = await graphWorld();
    ({ graph } = await world.open());
  });

  it("given work in every standing, when it is counted, then each counts once, and epics, steps and mail not at all", async () => {
    await graph.transact(AUTHOR, (tx) => {
      tx.create({ id: "api-free", title: "free" });
      tx.create({ id: "api-work", title: "on a hook" });
      tx.create({ id: "api-wait", title: "waits", dependsOn: [{ id: "api-work" }] });
      tx.create({ id: "api-said", title: "says that it is blocked", status: "blocked" });
      tx.create({ id: "api-later", title: "put off", status: "deferred" });
      tx.create({ id: "api-until", title: "put off until", defer_until: "2999-01-01T00:00:00Z" });
      tx.create({ id: "api-merge", title: "submitted" });
      tx.create({ id: "api-epic", title: "an epic", issue_type: "epic" });
      tx.create({ id: "api-step", title: "a step", metadata: { [META.step]: "verify" } });
      tx.create({ id: "api-mail", title: "mail", issue_type: "message" });
      tx.create({ id: "api-done", title: "done" });
      tx.close("api-done");
    });
    await hook("api-work", "toast");
    await hook("api-merge", "max");
    await graph.transact(AUTHOR, (tx) =>
      submit(tx, { bead: "api-merge", head: "a".repeat(40), target: "main", author: "api/polecats/max" }),
    );
    const counted = workTotals(graph);
    expect(counted).toEqual({ ready: 1, working: 1, blocked: 2, deferred: 2, merging: 1 });
    expect(addWork(counted, counted)).toEqual({ ready: 2, working: 2, blocked: 4, deferred: 4, merging: 2 });
  });

  it("given usage of two agents and models, when it is summed, then all, today and each model have it", async () => {
    await graph.transact(AUTHOR, (tx) => {
      for (const id of ["api-1", "api-2"]) tx.create({ id, title: id });
    });
    await hook("api-1", "toast");
    await hook("api-2", "max");
    await graph.transact(AUTHOR, (tx) => {
      for (const [name, models] of Object.entries({ toast: { opus: USED }, max: { opus: USED, haiku: USED } })) {
        const agent = agentRecord(tx, name);
        if (agent !== undefined) noteUsage(tx, { agent, bead: undefined, models });
      }
    });
    const totals = usageTotals(graph, world.clock.now());
    expect(totals.all).toMatchObject({ input: 3_000, costUSD: 1.5 });
    expect(totals.today).toEqual(totals.all);
    expect(totals.byModel).toMatchObject({ opus: { input: 2_000 }, haiku: { input: 1_000 } });
    expect(usageTotals(graph, world.clock.now() + 24 * 3_600_000).today).toEqual(NO_USAGE);
    const twice = totalsStatus(NO_WORK, addTotals(totals, totals), { costUSD: 5 });
    expect(twice).toMatchObject({
      usage: { total: 7_200, costUSD: 3 },
      spentToday: "$3.00/$5.00",
      models: [
        { model: "haiku", total: 2_400 },
        { model: "opus", total: 4_800 },
      ],
    });
  });

  it("given no usage, then a status says nothing of it, and a budget is shown unspent", () => {
    const none = usageTotals(graph, world.clock.now());
    expect(totalsStatus(NO_WORK, none, undefined)).toEqual({
      work: NO_WORK,
      usage: null,
      usageToday: null,
      spentToday: null,
      models: null,
    });
    expect(totalsStatus(NO_WORK, none, { tokens: 2_000_000 })).toMatchObject({ spentToday: "0/2.0M tokens" });
  });
});

describe("texts of usage", () => {
  it.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1.0k"],
    [999_949, "999.9k"],
    [999_950, "1.0M"],
    [12_345_678, "12.3M"],
  ])("given %d tokens, then they are %s", (tokens, text) => expect(tokensText(tokens)).toBe(text));

  it("given usage without a price, then tokens say what was spent", () => {
    expect(spendText({ ...NO_USAGE, output: 12_300 })).toBe("12.3k tokens");
    expect(spendText(USED)).toBe("$0.50");
    expect(spendText(USED, { costUSD: 1, tokens: 10_000 })).toBe("$0.50/$1.00, 1.2k/10.0k tokens");
    expect(spendText(NO_USAGE)).toBeUndefined();
    expect(shownUsage(NO_USAGE)).toBeUndefined();
  });
});
