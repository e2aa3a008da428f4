import type { ConditionIntent } from "./condition.ts";
import type { ObjectKey, TownObject } from "./object-meta.ts";

/** How a change of another kind becomes keys of this controller. */
export type Watch<Ports> =
  /** The object's controlling owner reference names the key. */
  | { readonly kind: string; readonly by: "Owner" }
  /**
   * Any change of that kind puts every object of the controller's kind on the queue; with `aspect`, a pure function, only
   * one after which it answers something else for that object.
   */
  | { readonly kind: string; readonly by: "All"; readonly aspect?: (changed: TownObject) => string }
  /** A pure function from the changed object to keys. */
  | {
      readonly kind: string;
      readonly by: "Map";
      readonly keys: (changed: TownObject, ports: Ports) => readonly ObjectKey[];
    };

export interface PlannedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/**
 * What a plan says. Each field of `status` replaces the object's field of that name whole (null removes it), the others
 * stay; `conditions` become status.conditions by the engine's bookkeeping.
 */
export interface Plan<Action> {
  readonly actions: readonly Action[];
  readonly conditions?: readonly ConditionIntent[];
  readonly status?: Readonly<Record<string, unknown>>;
  readonly events?: readonly PlannedEvent[];
  /**
   * Look again after this many ms even if nothing changes. Absent after actions: at once, to see what they did (if that
   * goes on without settling, with growing pauses).
   */
  readonly requeueAfterMs?: number;
  /** While deleting: true once nothing is left to clean up, so the finalizer may go. */
  readonly finalized?: boolean;
}

/**
 * A reconcile loop: observe → plan → execute on one key.
 *
 * Guarantees by the engine: one key is never worked twice at once; the object is re-read before each run; `execute` is
 * called in plan order and stops at the first failure; status is written once, also after a failure.
 * Assumptions: `observe` changes nothing, `plan` is pure and synchronous, every action may be repeated.
 */
export interface Controller<Observed, Action, Ports, O extends TownObject = TownObject> {
  /** Loop name of design: `source`, `rigs`, `workers`, `hooks`, `molecules`, `convoys`, `merges`, … */
  readonly name: string;
  /** Kind whose objects are the keys. */
  readonly kind: string;
  readonly watches: readonly Watch<Ports>[];
  /** Every object of the kind is looked at again after this long, since watches may miss things. */
  readonly resyncMs: number;
  /** Added before the first action and held until a plan says `finalized`. Absent: the loop cleans nothing up. */
  readonly finalizer?: string;
  /**
   * Condition types this loop owns: dropped from status when a plan no longer states them. Where several loops share a
   * kind, the one that owns Ready speaks for it (else the first one): it alone keeps Ready, Reconciling, Stalled and
   * observedGeneration; a failure of another shows as `<Loop>Failing`.
   */
  readonly ownedConditions: readonly string[];
  /** A run that takes longer is called off through `signal`. Default 10 min. */
  readonly timeoutMs?: number;
  /** `signal` aborts when the run is called off or the engine stops. */
  observe(object: O, ports: Ports, signal?: AbortSignal): Promise<Observed>;
  plan(object: O, observed: Observed): Plan<Action>;
  execute(action: Action, object: O, ports: Ports, signal?: AbortSignal): Promise<void>;
}

/** A controller with its types hidden, so that the engine can hold a list of them and know no kind. */
export interface RunnableController<Ports> extends Omit<Controller<unknown, unknown, Ports>, never> {}

export function runnable<Observed, Action, Ports, O extends TownObject>(
  controller: Controller<Observed, Action, Ports, O>,
): RunnableController<Ports> {
  return controller as unknown as RunnableController<Ports>;
}
