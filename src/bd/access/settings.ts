import type { WorkGraph } from "../../ports/work-graph.ts";
import type { BdContext } from "../context.ts";
import { durationOf } from "../values/time.ts";

/** bd's settings of a store. */
export function settingsOf(
  graph: WorkGraph,
  { tools }: Pick<BdContext, "tools">,
): Promise<Readonly<Record<string, string>>> {
  return tools.settings(graph);
}

/** Length of claims as the setting `claim.lease` says, ms; undefined: the store's default. */
export function claimLease(settings: Readonly<Record<string, string>>): { readonly leaseMs?: number } {
  const stated = settings["claim.lease"];
  return stated === undefined ? {} : { leaseMs: durationOf(stated) };
}

/** Remote that the store is exchanged with: what is stated, else the setting `sync.remote`, else origin. */
export async function remoteOf(graph: WorkGraph, context: Pick<BdContext, "tools">, stated?: string): Promise<string> {
  return stated ?? (await settingsOf(graph, context))["sync.remote"] ?? "origin";
}
