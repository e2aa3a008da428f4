import { type Condition, mergeConditions } from "../resource/condition.ts";
import type { Plan, RunnableController } from "../resource/controller.ts";
import type { ObjectKey, TownObject } from "../resource/object-meta.ts";
import { jsonEqual } from "../resource/equality.ts";
import { patchBetween } from "../resource/merge-patch.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { type Failure, failureOf, type Outcome } from "./outcome.ts";
import {
  changedConditions,
  type RunFacts,
  secondaryConditions,
  type StatedConditions,
  summaryConditions,
} from "./stated-conditions.ts";

type Status = Readonly<Record<string, unknown>>;

/** One run of one loop on one key. */
export interface Run<P extends EnginePorts> {
  readonly controller: RunnableController<P>;
  readonly ports: P;
  readonly key: ObjectKey;
  /** Speaks for its kind: keeps Ready, Reconciling, Stalled and observedGeneration. */
  readonly summary: boolean;
  readonly signal: AbortSignal;
  /** True when the run was called off because the engine stops: what fails then tells nothing. */
  readonly calledOff: () => boolean;
  /** Conflicts are normal; up to this point they are retried without a word. */
  readonly quietConflict: boolean;
  readonly acted: (action: string, durationMs: number) => void;
  /** Brackets a write, so that its own change notice, the first that looks like `result`, can be told from others'. */
  readonly writing: (result: (object: TownObject) => boolean) => () => void;
}

interface Attempt {
  readonly plan?: Plan<unknown>;
  readonly failure?: Failure;
  readonly acted: number;
  /** The object was deleted or replaced before the first action. */
  readonly superseded?: boolean;
}

/**
 * Observe, plan, execute, write status, emit events: once.
 *
 * Guarantees: reads the object anew; no action before the finalizer is on it; actions in plan order, stopping at the first
 * failure; one status write, also after a failure, and none when nothing changed; the finalizer goes only after a plan
 * that says `finalized` and whose actions, if any, succeeded. Never throws.
 * Assumption: no other run on this key is under way.
 */
export async function reconcile<P extends EnginePorts>(run: Run<P>): Promise<Outcome> {
  const { controller, key, ports } = run;
  const object = ports.objects.get(key);
  if (object === undefined) return { acted: 0, void: true };
  const deleting = object.metadata.deletionTimestamp !== undefined;
  if (deleting && !holdsFinalizer(object, controller.finalizer)) return { acted: 0, void: true };
  const attempt = await attemptRun(run, object);
  if (attempt.superseded === true || run.calledOff()) return { acted: attempt.acted, void: true };
  try {
    return await conclude(run, object, attempt, deleting);
  } catch (error) {
    return { failure: attempt.failure ?? failureOf(error), acted: attempt.acted };
  }
}

function holdsFinalizer(object: TownObject, finalizer: string | undefined): finalizer is string {
  return finalizer !== undefined && object.metadata.finalizers?.includes(finalizer) === true;
}

async function attemptRun<P extends EnginePorts>(run: Run<P>, object: TownObject): Promise<Attempt> {
  const { controller, ports } = run;
  let plan: Plan<unknown> | undefined;
  let acted = 0;
  try {
    const observed = await controller.observe(object, ports, run.signal);
    plan = controller.plan(object, observed);
    const held = plan.actions.length === 0 ? object : await holdObject(run, object);
    if (held === undefined) return { plan, acted, superseded: true };
    for (const action of plan.actions) {
      run.signal.throwIfAborted();
      const startedMs = ports.clock.monotonicMs();
      await controller.execute(action, held, ports, run.signal);
      acted += 1;
      run.acted(actionName(action), ports.clock.monotonicMs() - startedMs);
    }
    return { plan, acted };
  } catch (error) {
    const failure = failureOf(run.signal.aborted ? run.signal.reason : error);
    return { ...(plan === undefined ? {} : { plan }), acted, failure };
  }
}

/** Puts the finalizer on before the first action. Undefined: the object went or was replaced meanwhile. */
async function holdObject<P extends EnginePorts>(run: Run<P>, object: TownObject): Promise<TownObject | undefined> {
  const { finalizer } = run.controller;
  if (finalizer === undefined || holdsFinalizer(object, finalizer)) return object;
  await write(
    run,
    (changed) => holdsFinalizer(changed, finalizer),
    () => run.ports.objects.setFinalizer(run.key, finalizer, true),
  );
  const fresh = run.ports.objects.get(run.key);
  return fresh?.metadata.uid === object.metadata.uid && fresh.metadata.deletionTimestamp === undefined
    ? fresh
    : undefined;
}

async function write<P extends EnginePorts>(
  run: Run<P>,
  result: (object: TownObject) => boolean,
  act: () => Promise<void>,
): Promise<void> {
  const written = run.writing(result);
  try {
    await act();
  } finally {
    written();
  }
}

function actionName(action: unknown): string {
  const name = (action as { readonly do?: unknown } | null)?.do;
  return typeof name === "string" ? name : "action";
}

async function conclude<P extends EnginePorts>(
  run: Run<P>,
  object: TownObject,
  attempt: Attempt,
  deleting: boolean,
): Promise<Outcome> {
  const { controller, key, ports } = run;
  const { plan, failure, acted } = attempt;
  const outcome: Outcome = {
    acted,
    ...(failure === undefined ? {} : { failure }),
    ...(plan?.requeueAfterMs === undefined ? {} : { requeueAfterMs: plan.requeueAfterMs }),
  };
  if (failure?.kind === "Conflict" && run.quietConflict) return outcome;
  if (deleting && failure === undefined && plan?.finalized === true && controller.finalizer !== undefined) {
    emitPlanned(run, object, plan);
    await ports.objects.setFinalizer(key, controller.finalizer, false);
    return { acted, void: true };
  }
  const facts: RunFacts = { plan, failure, deleting };
  const stated = run.summary
    ? summaryConditions(facts, controller.ownedConditions)
    : secondaryConditions(facts, controller.name, controller.ownedConditions);
  const changed = await writeStatus(run, object, plan, stated);
  if (failure === undefined && plan !== undefined) emitPlanned(run, object, plan);
  emitChanges(run, object, changed, failure);
  return outcome;
}

/** Writes what differs from the status as it is now, if anything; returns the conditions that changed notably. */
async function writeStatus<P extends EnginePorts>(
  run: Run<P>,
  object: TownObject,
  plan: Plan<unknown> | undefined,
  stated: StatedConditions,
): Promise<readonly Condition[]> {
  const { key, ports } = run;
  const fresh = ports.objects.get(key);
  if (fresh?.metadata.uid !== object.metadata.uid) return [];
  const former: Status = fresh.status ?? {};
  const formerConditions = (former["conditions"] ?? []) as readonly Condition[];
  const { generation } = object.metadata;
  const conditions = mergeConditions(formerConditions, stated.intents, {
    now: ports.clock.now(),
    generation,
    owned: stated.owned,
  });
  const next = {
    ...replaceFields(former, plan?.status ?? {}),
    conditions,
    ...(run.summary ? { observedGeneration: generation } : {}),
  };
  const patch = patchBetween(former, next);
  if (Object.keys(patch).length === 0) return [];
  await write(
    run,
    (changed) => jsonEqual(changed.status, next),
    () => ports.objects.patchStatus(key, patch),
  );
  return changedConditions(formerConditions, conditions, stated.intents);
}

function replaceFields(former: Status, stated: Status): Status {
  const next: Record<string, unknown> = { ...former };
  for (const [field, value] of Object.entries(stated)) {
    if (value === null) delete next[field];
    else if (value !== undefined) next[field] = value;
  }
  return next;
}

function emitPlanned<P extends EnginePorts>(run: Run<P>, object: TownObject, plan: Plan<unknown>): void {
  for (const event of plan.events ?? [])
    run.ports.events.record({ ...run.key, uid: object.metadata.uid }, { ...event, actor: run.controller.name });
}

/** One Event per new reason, however many conditions give it. */
function emitChanges<P extends EnginePorts>(
  run: Run<P>,
  object: TownObject,
  changed: readonly Condition[],
  failure: Failure | undefined,
): void {
  const told = new Set<string>();
  for (const { type, status, reason, message } of changed) {
    if (told.has(reason)) continue;
    told.add(reason);
    const bad = (failure !== undefined && failure.kind !== "Waiting") || (type === "Stalled" && status === "True");
    run.ports.events.record(
      { ...run.key, uid: object.metadata.uid },
      { type: bad ? "Warning" : "Normal", reason, message, actor: run.controller.name },
    );
  }
}
