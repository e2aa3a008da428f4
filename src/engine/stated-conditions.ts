import { type Condition, type ConditionIntent, READY, RECONCILING, STALLED } from "../resource/condition.ts";
import type { Plan } from "../resource/controller.ts";
import type { Failure } from "./outcome.ts";

/** What a run found out, as far as conditions tell it. */
export interface RunFacts {
  /** Undefined when observing or planning failed. */
  readonly plan: Plan<unknown> | undefined;
  readonly failure: Failure | undefined;
  readonly deleting: boolean;
}

export interface StatedConditions {
  readonly intents: readonly ConditionIntent[];
  /** Condition types that are dropped when not among `intents`. */
  readonly owned: ReadonlySet<string>;
}

/** Reasons the engine gives by itself; they tell the usual course of things and make no Events. */
export const PROGRESSING = "Progressing";
export const RECONCILED = "Reconciled";
export const TERMINATING = "Terminating";

const SUMMARY: ReadonlySet<string> = new Set([READY, RECONCILING, STALLED]);

/**
 * Conditions of the loop that speaks for its kind, such that S1 to S4 and S7 of the status checker hold whatever the
 * plan states: Ready always; Stalled makes Ready False; Reconciling beside anything but True; never both.
 */
export function summaryConditions(facts: RunFacts, ownedConditions: readonly string[]): StatedConditions {
  const stated = new Map((facts.plan?.conditions ?? []).map((intent) => [intent.type, intent]));
  const own = [...stated.values()].filter((intent) => !SUMMARY.has(intent.type));
  return {
    intents: [...summary(facts, stated), ...own],
    // Without a plan nothing is known of the loop's own conditions: they stay as they are.
    owned: facts.plan === undefined ? SUMMARY : new Set([...SUMMARY, ...ownedConditions]),
  };
}

/**
 * Conditions of a further loop on the same kind: what it states but for the summary, which is not its own to give, and
 * `<Loop>Failing` while it fails.
 */
export function secondaryConditions(
  facts: RunFacts,
  loop: string,
  ownedConditions: readonly string[],
): StatedConditions {
  const type = `${loop.charAt(0).toUpperCase()}${loop.slice(1)}Failing`;
  const { failure, plan } = facts;
  const stated = (plan?.conditions ?? []).filter((intent) => !SUMMARY.has(intent.type));
  const failing: ConditionIntent[] =
    failure === undefined || failure.kind === "Waiting"
      ? []
      : [{ type, status: "True", reason: failure.reason, message: failure.message }];
  return {
    intents: [...stated, ...failing],
    owned: new Set([type, ...(plan === undefined ? [] : ownedConditions.filter((owned) => !SUMMARY.has(owned)))]),
  };
}

function summary(facts: RunFacts, stated: ReadonlyMap<string, ConditionIntent>): ConditionIntent[] {
  const ready = stated.get(READY);
  const stalled = asserted(stated.get(STALLED));
  if (facts.failure?.kind === "Terminal") return stalledWith(facts.failure, undefined);
  if (stalled !== undefined) return stalledWith(stalled, ready);
  if (facts.failure !== undefined) return retrying(facts.failure, facts.plan, ready);
  const reconciling = asserted(stated.get(RECONCILING));
  if (facts.deleting)
    return underway(
      reconciling ?? ready ?? { reason: TERMINATING, message: "waits for its finalizers" },
      ready,
      "False",
    );
  if (reconciling !== undefined) return underway(reconciling, ready, "Unknown");
  return settling(ready, (facts.plan?.actions.length ?? 0) > 0);
}

/** Nothing failed and nothing abnormal is stated: Ready as stated, or from whether there was something to do. */
function settling(ready: ConditionIntent | undefined, acting: boolean): ConditionIntent[] {
  if (ready === undefined) {
    if (acting) return underway({ reason: PROGRESSING, message: "acting on what was observed" }, undefined, "Unknown");
    return [{ type: READY, status: "True", reason: RECONCILED, message: "as specified" }];
  }
  if (ready.status === "True" || (ready.status === "False" && !acting)) return [ready];
  return underway(ready, ready, "Unknown");
}

interface Why {
  readonly reason: string;
  readonly message: string;
}

function asserted(intent: ConditionIntent | undefined): ConditionIntent | undefined {
  return intent?.status === "True" ? intent : undefined;
}

function stalledWith(why: Why, ready: ConditionIntent | undefined): ConditionIntent[] {
  const { reason, message } = why;
  const notReady: ConditionIntent =
    ready?.status === "False" ? ready : { type: READY, status: "False", reason, message };
  return [notReady, { type: STALLED, status: "True", reason, message }];
}

function underway(why: Why, ready: ConditionIntent | undefined, otherwise: "False" | "Unknown"): ConditionIntent[] {
  const { reason, message } = why;
  const notReady: ConditionIntent =
    ready === undefined || ready.status === "True" ? { type: READY, status: otherwise, reason, message } : ready;
  return [notReady, { type: RECONCILING, status: "True", reason, message }];
}

/** What could not be observed is Unknown; what could not be done is False; what waits keeps what the plan says of it. */
function retrying(
  failure: Failure,
  plan: Plan<unknown> | undefined,
  ready: ConditionIntent | undefined,
): ConditionIntent[] {
  const waiting = failure.kind === "Waiting";
  return underway(failure, waiting ? ready : undefined, plan === undefined || waiting ? "Unknown" : "False");
}

/** Conditions whose status or reason is new and worth an Event. */
export function changedConditions(
  former: readonly Condition[],
  next: readonly Condition[],
  intents: readonly ConditionIntent[],
): Condition[] {
  const known = new Map(former.map((condition) => [condition.type, condition]));
  const stated = new Set(intents.map((intent) => intent.type));
  const usual = new Set([PROGRESSING, RECONCILED, TERMINATING]);
  return next.filter((condition) => {
    if (!stated.has(condition.type) || condition.type === RECONCILING || usual.has(condition.reason)) return false;
    const before = known.get(condition.type);
    return before?.reason !== condition.reason || before.status !== condition.status;
  });
}
