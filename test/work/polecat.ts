import type { GitGraph } from "../../src/graph/git-graph.ts";
import { hookBead } from "../../src/work/hooking.ts";

/** Puts a bead on the hook of polecat `name` of api, who is declared with that. */
export function hookPolecat(graph: GitGraph, bead: string, name = "toast"): Promise<unknown> {
  return graph.transact({ actor: "test" }, (tx) =>
    hookBead(tx, {
      bead,
      agent: { name, identity: `api/polecats/${name}`, role: "polecat", pool: "polecats", desired: "OnWork" },
      prefix: "api",
      formula: undefined,
    }),
  );
}
