import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { type ConditionIntent, READY, restated, timestamp } from "../../resource/condition.ts";
import { spendText, spentText } from "../../work/budget.ts";
import { shownUsage } from "../../work/usage.ts";
import type { Plan } from "../../resource/controller.ts";
import type { ConvoyObject, ConvoyObserved, ObservedItem } from "./convoy.observe.ts";
import type { ConvoyItem } from "./convoy.schema.ts";

export type ConvoyAction =
  /** Creates or updates the inline beads of one rig in one transaction. */
  | { readonly do: "DeclareItems"; readonly rig: string; readonly items: readonly string[] }
  | { readonly do: "Defer"; readonly rig: string; readonly beads: readonly string[]; readonly reason: string };

/** The convoy's beads follow the manifest while they are open; the convoy closes when they all have. */
export function planConvoy(object: ConvoyObject, observed: ConvoyObserved): Plan<ConvoyAction> {
  if (object.metadata.deletionTimestamp !== undefined) return planWithdrawal(object, observed);
  const former = restated(object, [READY, "Closed"]);
  // A work graph that is not open says nothing about its beads.
  if (observed.rigsNotReady.length > 0 && observed.rigsMissing.length === 0 && former.length > 0) {
    return { actions: [], conditions: former, requeueAfterMs: 1_000 };
  }
  const drifted = observed.items.filter(
    (item) => !observed.rigsNotReady.includes(item.rig) && needsDeclaring(object, item),
  );
  const actions: ConvoyAction[] = [];
  for (const rig of new Set(drifted.map((item) => item.rig))) {
    actions.push({
      do: "DeclareItems",
      rig,
      items: drifted.filter((item) => item.rig === rig).map((item) => item.name),
    });
  }
  for (const [rig, beads] of byRig(observed.dropped))
    actions.push({ do: "Defer", rig, beads, reason: "removed from the convoy" });
  const count = (state: ObservedItem["state"]): number => observed.items.filter((item) => item.state === state).length;
  const total = observed.items.length;
  const closed = count("Closed");
  const done = closed === total;
  return {
    actions,
    status: {
      total,
      closed,
      working: count("Working"),
      merging: count("Merging"),
      progress: `${closed}/${total}`,
      usage: shownUsage(observed.used) ?? null,
      spent: spendText(observed.used, object.spec.budget?.total) ?? null,
      items: observed.items.map((item) => itemStatus(object, item)),
      closedTime: done ? (object.status?.closedTime ?? timestamp(observed.now)) : null,
    },
    conditions: conditionsOf(object, observed, done, closed),
  };
}

function conditionsOf(
  object: ConvoyObject,
  observed: ConvoyObserved,
  done: boolean,
  closed: number,
): ConditionIntent[] {
  const total = observed.items.length;
  const closedCondition: ConditionIntent = {
    type: "Closed",
    status: done ? "True" : "False",
    reason: done ? "AllItemsClosed" : "ItemsOpen",
    message: `${closed} of ${total} items are closed`,
  };
  const ready = (status: ConditionIntent["status"], reason: string, message: string): ConditionIntent[] => [
    { type: READY, status, reason, message },
    closedCondition,
  ];
  if (observed.rigsMissing.length > 0)
    return ready("False", "RigNotFound", `no Rig '${observed.rigsMissing.join("', '")}'; \`town get rigs\` lists them`);
  const lost = observed.items.filter(
    (item) =>
      item.state === "Missing" && object.spec.items.some((spec) => spec.name === item.name && spec.bead !== undefined),
  );
  if (lost.length > 0 && observed.rigsNotReady.length === 0)
    return ready(
      "False",
      "BeadNotFound",
      `items ${lost.map((item) => item.name).join(", ")} name beads that do not exist`,
    );
  if (done) return ready("True", "Closed", `all ${total} items are closed`);
  const stuck = observed.items.filter((item) => item.state === "Blocked");
  if (stuck.length > 0)
    return ready(
      "False",
      "NeedsPerson",
      `${stuck.map((item) => item.bead?.id ?? item.name).join(", ")} was sent back too often; see \`town describe bead\``,
    );
  const spent = spentText(observed.used, object.spec.budget?.total);
  if (spent !== undefined)
    return ready(
      "False",
      "BudgetSpent",
      `${spent} are spent; no further items start: raise spec.budget.total to go on`,
    );
  if (object.spec.suspend) return ready("True", "Suspended", "suspended by spec.suspend; work under way goes on");
  return ready("True", "Underway", `${closed} of ${total} items are closed`);
}

function itemStatus(object: ConvoyObject, item: ObservedItem): Record<string, string> {
  const frozen = item.state === "Closed" && item.bead !== undefined && differs(specOf(object, item.name), item.bead);
  return {
    name: item.name,
    ...(item.bead === undefined ? {} : { bead: item.bead.id }),
    state: item.state,
    ...(frozen ? { note: "closed before the manifest changed; not changed any more" } : {}),
  };
}

export function specOf(object: ConvoyObject, name: string): ConvoyItem | undefined {
  return object.spec.items.find((item) => item.name === name);
}

function needsDeclaring(object: ConvoyObject, item: ObservedItem): boolean {
  const spec = specOf(object, item.name);
  if (spec === undefined || spec.bead !== undefined) return false;
  if (item.bead === undefined) return true;
  if (item.state === "Closed") return false;
  return item.state === "Deferred" || differs(spec, item.bead) || edgesDiffer(spec, item);
}

function edgesDiffer(spec: ConvoyItem, item: ObservedItem): boolean {
  if (spec.dependsOn === undefined) return false;
  const has = new Set((item.bead?.dependencies ?? []).map((edge) => edge.depends_on_id));
  return item.needs.length !== spec.dependsOn.length || item.needs.some((need) => !has.has(need));
}

/** Fields that the manifest states, as fields of the record. Fields it does not state belong to agents. */
export function statedFields(
  spec: ConvoyItem,
): Partial<Pick<BeadRecord, "title" | "description" | "acceptance_criteria" | "issue_type" | "priority" | "labels">> {
  return {
    ...(spec.title === undefined ? {} : { title: spec.title }),
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.acceptance === undefined ? {} : { acceptance_criteria: spec.acceptance }),
    ...(spec.type === undefined ? {} : { issue_type: spec.type }),
    ...(spec.priority === undefined ? {} : { priority: spec.priority }),
    ...(spec.labels === undefined ? {} : { labels: spec.labels.toSorted() }),
  };
}

function differs(spec: ConvoyItem | undefined, bead: BeadRecord): boolean {
  if (spec === undefined) return false;
  return Object.entries(statedFields(spec)).some(([field, value]) => {
    const held = bead[field];
    return Array.isArray(value) ? value.join("\n") !== (Array.isArray(held) ? held.join("\n") : "") : value !== held;
  });
}

function byRig(beads: ConvoyObserved["dropped"]): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const bead of beads) map.set(bead.rig, [...(map.get(bead.rig) ?? []), bead.id]);
  return map;
}

/** The manifest is gone: unstarted items are deferred, hooked ones finish, nothing is deleted. */
function planWithdrawal(object: ConvoyObject, observed: ConvoyObserved): Plan<ConvoyAction> {
  if (object.spec.deletionPolicy === "Orphan") return { actions: [], finalized: true };
  const unstarted = observed.items.flatMap((item) =>
    item.bead !== undefined && (item.state === "Ready" || item.state === "Waiting")
      ? [{ rig: item.rig, id: item.bead.id }]
      : [],
  );
  const actions = [...byRig([...unstarted, ...observed.dropped])].map(
    ([rig, beads]): ConvoyAction => ({ do: "Defer", rig, beads, reason: "the convoy was withdrawn" }),
  );
  return actions.length === 0 ? { actions: [], finalized: true } : { actions };
}
