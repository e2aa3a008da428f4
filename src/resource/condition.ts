/** A condition as the Kubernetes API conventions define it. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  /** RFC 3339; moves only when `status` moves. */
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** A condition as a plan states it: the engine adds times and the generation. */
export interface ConditionIntent {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

export const READY = "Ready";
/** Abnormal-true: present only while true, as Flux writes them. */
export const RECONCILING = "Reconciling";
export const STALLED = "Stalled";

/** Millisecond time to the API's text form: RFC 3339 in whole seconds, Z. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/**
 * Next condition list from the former one and what a plan states. Conditions of types in `owned` that are no
 * longer stated are dropped; types outside `owned` are kept as they are. Order: former order, then new ones.
 */
export function mergeConditions(
  former: readonly Condition[],
  intents: readonly ConditionIntent[],
  at: { readonly now: number; readonly generation: number; readonly owned: ReadonlySet<string> },
): Condition[] {
  const stated = new Map(intents.map((intent) => [intent.type, intent]));
  const next: Condition[] = [];
  for (const old of former) {
    const intent = stated.get(old.type);
    if (intent === undefined) {
      if (!at.owned.has(old.type)) next.push(old);
      continue;
    }
    stated.delete(old.type);
    next.push({
      ...intent,
      lastTransitionTime: old.status === intent.status ? old.lastTransitionTime : timestamp(at.now),
      observedGeneration: at.generation,
    });
  }
  for (const intent of stated.values())
    next.push({ ...intent, lastTransitionTime: timestamp(at.now), observedGeneration: at.generation });
  return next;
}

export function conditionsOf(object: { readonly status?: unknown } | undefined): readonly Condition[] {
  return (object?.status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}

export function conditionOf(object: { readonly status?: unknown }, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}

/** The conditions an object has, as intents: for a plan that cannot judge now and must not make anything up. */
export function restated(object: { readonly status?: unknown }, types: readonly string[]): ConditionIntent[] {
  return types.flatMap((type) => {
    const held = conditionOf(object, type);
    return held === undefined ? [] : [{ type, status: held.status, reason: held.reason, message: held.message }];
  });
}
