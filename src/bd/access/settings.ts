import type { WorkGraph } from "../../ports/work-graph.ts";
import type { BdContext } from "../context.ts";

/** bd's settings of a store; none where the context keeps none. */
export async function settingsOf(
  graph: WorkGraph,
  { tools }: Pick<BdContext, "tools">,
): Promise<Readonly<Record<string, string>>> {
  return (await tools?.settings(graph)) ?? {};
}
