import type { Column } from "./kind-definition.ts";

export const AGE: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since it was made.",
};

/** Why the object is Ready or not; with `-o wide` only. */
export const REASON: Column = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
  description: "Why.",
  priority: 1,
};

export const TODAY: Column = {
  name: "Today",
  type: "string",
  jsonPath: ".status.spentToday",
  description: "Used today, over the budget.",
  priority: 1,
};

/** What programs used: tokens and dollars; with `-o wide` only. */
export const USAGE: readonly Column[] = [
  { name: "Tokens", type: "integer", jsonPath: ".status.usage.total", description: "Tokens used.", priority: 1 },
  { name: "Cost", type: "number", jsonPath: ".status.usage.costUSD", description: "Dollars used.", priority: 1 },
];

/** Status of the Ready condition; `description`: what makes the kind ready. */
export function readyColumn(description: string): Column {
  return { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status', description };
}
