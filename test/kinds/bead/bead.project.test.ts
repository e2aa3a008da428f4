import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GitGraph } from "../../../src/graph/git-graph.ts";
import { projectBead } from "../../../src/kinds/bead/bead.project.ts";
import { META } from "../../../src/domain/work-graph/bead.ts";
import { markSlung } from "../../../src/work/sling.ts";
import { graphWorld, type GraphWorld } from "../../graph/graph-world.ts";

const AUTHOR = { actor: "pat" };

describe("the Bead object of a record", () => {
  let world: GraphWorld;
  let graph: GitGraph;

  beforeEach(async () => {
    world = await graphWorld();
    ({ graph } = await world.open());
    await graph.transact(AUTHOR, (tx) => {
      tx.create({ id: "api-1", title: "Say hello", issue_type: "task" });
      tx.create({ id: "api-2", title: "Say more", issue_type: "task" });
      tx.addDependency("api-2", "api-1", "blocks");
    });
  });

  afterEach(() => graph.close());

  const message = (id: string): unknown => {
    const record = graph.get(id);
    if (record === undefined) throw new Error(`no ${id}`);
    const conditions = projectBead(record, graph).status?.["conditions"] as readonly { readonly message: string }[];
    return conditions[0]?.message;
  };

  it("given a ready bead that nobody is asked to do, when it is looked at, then it names the command", () => {
    expect(message("api-1")).toBe("ready, but no agent is asked to do it: town sling api-1");
  });

  it("given a bead in the way, when what waits for it is looked at, then it is named", () => {
    expect(message("api-2")).toBe("open; waits for api-1");
  });

  it("given a bead that is slung or of a convoy, when it is looked at, then that is said", async () => {
    await graph.transact(AUTHOR, (tx) => {
      markSlung(tx, "api-1", {});
    });
    expect(message("api-1")).toBe("ready; the next free worker takes it");
    await graph.transact(AUTHOR, (tx) => tx.setMetadata("api-1", { [META.convoy]: "hq/first" }));
    expect(message("api-1")).toBe("ready; asked for by convoy hq/first");
  });

  it("given a bead somebody works on, when it is looked at, then who is said", async () => {
    await graph.transact(AUTHOR, (tx) => tx.claim("api-1", "api/polecats/toast"));
    expect(message("api-1")).toBe("the bead is in_progress by api/polecats/toast");
  });
});
