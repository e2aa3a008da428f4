import { describe, expect, it } from "vitest";
import { AGENT, agentRecord, declareAgent } from "../../src/work/agent-record.ts";
import { hookBead } from "../../src/work/hooking.ts";
import { graphWorld } from "../graph/graph-world.ts";

const AUTHOR = { actor: "loop/workers" };
const crew = {
  name: "nux",
  identity: "api/crew/nux",
  role: "crew",
  pool: "crew",
  desired: "Running",
} as const;
const polecat = {
  ...crew,
  identity: "api/polecats/nux",
  role: "polecat",
  pool: "polecats",
  desired: "OnWork",
} as const;

describe("two pools that want the same name at once", () => {
  it("given the name of another pool's agent, when it is declared, then the agent stays whose it was", async () => {
    const { graph } = await (await graphWorld()).open();
    await graph.transact(AUTHOR, (tx) => declareAgent(tx, "api", polecat));
    const second = await graph.transact(AUTHOR, (tx) => declareAgent(tx, "api", crew));
    expect(second).toBeUndefined();
    expect(agentRecord(graph, "nux")).toMatchObject({
      title: "api/polecats/nux",
      metadata: { [AGENT.pool]: "polecats" },
    });
  });

  it("given the name of another pool's agent, when work is hooked to it, then the work stays ready", async () => {
    const { graph } = await (await graphWorld()).open();
    const bead = await graph.transact(AUTHOR, (tx) => {
      declareAgent(tx, "api", crew);
      return tx.create({ title: "the work" }).id;
    });
    const hooked = await graph.transact(AUTHOR, (tx) =>
      hookBead(tx, { bead, agent: polecat, prefix: "api", formula: undefined }),
    );
    expect(hooked).toBeUndefined();
    expect(graph.get(bead)).toMatchObject({ status: "open" });
    expect(graph.get(bead)?.assignee).toBeUndefined();
  });
});
