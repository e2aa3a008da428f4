import type { GraphReader } from "../ports/work-graph.ts";
import { META } from "../domain/work-graph/bead.ts";
import { usageAt, usageOnDay } from "./ledger.ts";
import { addUsage, isNoUsage, NO_USAGE, tokensText, totalTokens, type Usage } from "./usage.ts";

/** The most that may be used. */
export interface Budget {
  readonly costUSD?: number | undefined;
  readonly tokens?: number | undefined;
}

/** The day of a time, `2026-01-31`, in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Time until the next day begins, ms. */
export function untilNextDay(ms: number): number {
  const day = 24 * 3_600_000;
  return day - (ms % day);
}

/** What a store's agents used on a day. */
export function usageOfDay(graph: GraphReader, day: string): Usage {
  return graph.list({ type: ["agent"] }).reduce((sum, agent) => addUsage(sum, usageOnDay(agent, day)), NO_USAGE);
}

/** What the work of a convoy (`<namespace>/<name>`) used so far. */
export function usageOfConvoy(graphs: readonly GraphReader[], convoy: string): Usage {
  return graphs
    .flatMap((graph) => graph.list({ metadata: { [META.convoy]: convoy } }).map((bead) => usageAt(graph, bead)))
    .reduce(addUsage, NO_USAGE);
}

/**
 * What was used, over the budget where there is one: `$1.20`, `$1.20/$5.00`, `12.3k/1.0M tokens`. Undefined when nothing
 * was used and there is no budget.
 */
export function spendText(used: Usage, budget?: Budget): string | undefined {
  const tokens = totalTokens(used);
  const { costUSD, tokens: most } = budget ?? {};
  const parts = [
    ...(costUSD !== undefined ? [`$${used.costUSD.toFixed(2)}/$${costUSD.toFixed(2)}`] : []),
    ...(most !== undefined ? [`${tokensText(tokens)}/${tokensText(most)} tokens`] : []),
  ];
  if (parts.length > 0) return parts.join(", ");
  if (isNoUsage(used)) return undefined;
  return used.costUSD > 0 ? `$${used.costUSD.toFixed(2)}` : `${tokensText(tokens)} tokens`;
}

/** Says what is spent when a budget is; undefined while something is left. */
export function spentText(used: Usage, budget: Budget | undefined): string | undefined {
  if (budget?.costUSD !== undefined && used.costUSD >= budget.costUSD)
    return `$${used.costUSD.toFixed(2)} of $${budget.costUSD.toFixed(2)}`;
  if (budget?.tokens !== undefined && totalTokens(used) >= budget.tokens)
    return `${totalTokens(used)} of ${budget.tokens} tokens`;
  return undefined;
}
