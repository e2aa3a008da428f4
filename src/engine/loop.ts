import { TownError } from "../errors/town-error.ts";
import type { Log } from "../ports/log.ts";
import type { WatchEvent } from "../ports/objects.ts";
import type { RunnableController } from "../resource/controller.ts";
import { keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import { type BackoffPolicy, backoffMs, FREE_ROUNDS, RETRY_BACKOFF } from "./backoff.ts";
import { LoopMetrics, type RunResult } from "./engine-metrics.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { lazyLog } from "./lazy-log.ts";
import { nextStep, type Outcome } from "./outcome.ts";
import { reconcile } from "./reconcile.ts";
import type { TurnBudget } from "./turn-budget.ts";
import type { RouteTarget } from "./watch-routes.ts";
import { PRIORITY, type Taken, WorkQueue } from "./work-queue.ts";

export interface LoopOptions<P extends EnginePorts> {
  readonly controller: RunnableController<P>;
  readonly ports: P;
  readonly summary: boolean;
  readonly workers: number;
  readonly timeoutMs: number;
  readonly backoff?: BackoffPolicy;
  /** Shared by all loops. */
  readonly budget: TurnBudget;
  /** Told when the loop has nothing to do for now. */
  readonly rested: () => void;
}

interface Running {
  readonly key: ObjectKey;
  readonly startedMs: number;
  readonly abort: AbortController;
  overdue: boolean;
}

/** Changes that wake every key do so at once, but not more often than this. */
const ALL_GAP_MS = 100;
/** A resync is spread over parts of at least this length. */
const RESYNC_PART_MS = 10_000;
const MAX_RESYNC_PARTS = 60;
/** Conflicts in a row that are nobody's business. */
const QUIET_CONFLICTS = 3;
/** Acting runs in a row after which somebody should know. */
const RESTLESS_ROUNDS = 20;

/**
 * One controller with its queue and workers.
 *
 * Guarantees: one key is never run twice at once, not even when a run is overdue; every object of the kind is run again
 * within the resync time, except those that ended Terminal and did not change since. Idle, it holds two timers at most.
 */
export class Loop<P extends EnginePorts> implements RouteTarget<P> {
  readonly controller: RunnableController<P>;
  readonly #options: LoopOptions<P>;
  readonly #ports: P;
  readonly #queue: WorkQueue;
  readonly #metrics: LoopMetrics;
  readonly #running = new Map<string, Running>();
  /** Runs in a row that acted without settling. */
  readonly #rounds = new Map<string, number>();
  /** Objects that ended Terminal, as they were then. */
  readonly #stalled = new Map<string, string>();
  /** Writes under way to the store, to know our own change notices. */
  readonly #written = new Map<string, (object: TownObject) => boolean>();
  readonly #stopped = new AbortController();
  /** Tells runs of this life from those of others in the log. */
  readonly #life: string;
  #runs = 0;
  #busy = 0;
  #started = false;
  #paused = false;
  #pumpDue = false;
  #yielding = false;
  #watchdog = false;
  #all: "Quiet" | "Gap" | "Due" = "Quiet";

  constructor(options: LoopOptions<P>) {
    this.#options = options;
    this.controller = options.controller;
    this.#ports = options.ports;
    this.#metrics = new LoopMetrics(options.ports.metrics, options.controller.name);
    this.#life = options.ports.random.base36(6);
    this.#queue = new WorkQueue({
      clock: options.ports.clock,
      random: options.ports.random,
      ready: () => this.#schedulePump(),
      backoff: options.backoff ?? RETRY_BACKOFF,
    });
  }

  get depth(): number {
    return this.#queue.depth;
  }

  get busy(): number {
    return this.#running.size;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get idle(): boolean {
    return this.#running.size === 0 && (this.#paused || this.#queue.depth === 0);
  }

  start(): void {
    this.#started = true;
    this.#enqueueAll();
    void this.#resync();
    this.#schedulePump();
  }

  pause(): void {
    this.#paused = true;
    this.#restIfIdle();
  }

  resume(): void {
    this.#paused = false;
    this.#schedulePump();
  }

  /** Takes no more keys. Running ones go on until `callOff`. */
  stop(): void {
    this.#stopped.abort();
    this.#queue.close();
  }

  /** Aborts what still runs. */
  callOff(): readonly ObjectKey[] {
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort(new TownError("EngineStopping", "The controller stops."));
    return running.map(({ key }) => key);
  }

  wake(key: ObjectKey, priority: number = PRIORITY.change): void {
    this.#queue.add(key, priority);
  }

  wakeAll(): void {
    if (this.#all !== "Quiet") {
      this.#all = "Due";
      return;
    }
    this.#all = "Gap";
    this.#enqueueAll();
    void this.#ports.clock.sleep(ALL_GAP_MS, this.#stopped.signal).then(() => {
      const due = this.#all === "Due";
      this.#all = "Quiet";
      if (due && !this.#stopped.signal.aborted) this.wakeAll();
    });
  }

  ownChanged(event: WatchEvent): void {
    const key = keyOfObject(event.object);
    const id = keyText(key);
    if (this.#written.get(id)?.(event.object) === true) {
      this.#written.delete(id);
      return;
    }
    this.#queue.add(key, PRIORITY.change);
  }

  ownGone(key: ObjectKey): void {
    const id = keyText(key);
    this.#queue.forget(key);
    this.#rounds.delete(id);
    this.#stalled.delete(id);
  }

  #enqueueAll(): void {
    for (const object of this.#ports.objects.list(this.controller.kind))
      this.#queue.add(keyOfObject(object), PRIORITY.change);
  }

  /** Every object once per resync time, in parts, so that there is no burst and few wake-ups. */
  async #resync(): Promise<void> {
    const { clock, random } = this.#ports;
    const { signal } = this.#stopped;
    const { resyncMs, kind } = this.controller;
    const parts = Math.max(1, Math.min(MAX_RESYNC_PARTS, Math.floor(resyncMs / RESYNC_PART_MS)));
    await clock.sleep((resyncMs / parts) * random.float(), signal);
    for (let part = 0; !signal.aborted; part = (part + 1) % parts) {
      for (const object of this.#ports.objects.list(kind)) {
        if (partOf(object.metadata.uid, parts) === part && !this.#isStalled(object))
          this.#queue.add(keyOfObject(object), PRIORITY.resync);
      }
      await clock.sleep(resyncMs / parts, signal);
    }
  }

  #isStalled(object: TownObject): boolean {
    return this.#stalled.size > 0 && this.#stalled.get(keyText(keyOfObject(object))) === versionOf(object);
  }

  #schedulePump(): void {
    if (this.#pumpDue || this.#yielding) return;
    this.#pumpDue = true;
    void Promise.resolve().then(() => this.#pump());
  }

  #pump(): void {
    this.#pumpDue = false;
    while (this.#started && !this.#paused && !this.#stopped.signal.aborted && this.#busy < this.#options.workers) {
      if (this.#queue.depth > 0 && this.#options.budget.spent()) {
        this.#yieldTurn();
        break;
      }
      const taken = this.#queue.take();
      if (taken === undefined) break;
      void this.#run(taken);
    }
    this.#metrics.load(this.#queue.depth, this.#running.size);
    this.#restIfIdle();
  }

  #yieldTurn(): void {
    this.#yielding = true;
    void this.#options.budget.nextTurn().then(() => {
      this.#yielding = false;
      this.#pump();
    });
  }

  async #run({ key, waitedMs }: Taken): Promise<void> {
    const id = keyText(key);
    const { clock } = this.#ports;
    const running: Running = { key, startedMs: clock.monotonicMs(), abort: new AbortController(), overdue: false };
    this.#running.set(id, running);
    this.#busy += 1;
    this.#watch();
    const before = this.#ports.objects.get(key);
    const log = this.#logOf(key, before);
    const outcome = await reconcile({
      controller: this.controller,
      ports: { ...this.#ports, log },
      key,
      summary: this.#options.summary,
      signal: running.abort.signal,
      calledOff: () => this.#stopped.signal.aborted && running.abort.signal.aborted,
      quietConflict: this.#queue.failures(key) < QUIET_CONFLICTS,
      acted: (action, durationMs) => {
        this.#metrics.acted();
        log.info({ action, durationMs: Math.round(durationMs) }, "action executed");
      },
      writing: (result) => this.#expect(id, result),
    });
    this.#running.delete(id);
    if (!running.overdue) this.#busy -= 1;
    const durationMs = clock.monotonicMs() - running.startedMs;
    this.#metrics.ran(resultOf(outcome), durationMs, waitedMs);
    this.#decide(key, before, outcome, log);
    this.#queue.done(key);
    this.#schedulePump();
  }

  #logOf(key: ObjectKey, object: TownObject | undefined): Log {
    const { log } = this.#ports;
    this.#runs += 1;
    const facts = {
      controller: this.controller.name,
      ...key,
      generation: object?.metadata.generation,
      reconcileId: `${this.#life}-${this.#runs.toString(36)}`,
    };
    return lazyLog(log, () => log.child(facts));
  }

  /** The one place where an outcome reaches the queue. */
  #decide(key: ObjectKey, object: TownObject | undefined, outcome: Outcome, log: Log): void {
    const id = keyText(key);
    const step = nextStep(outcome);
    const { failure, acted } = outcome;
    this.#stalled.delete(id);
    if (failure?.kind === "Terminal" && object !== undefined) this.#stalled.set(id, versionOf(object));
    if (step.do !== "Again") this.#rounds.delete(id);
    if (step.do === "Wait") this.#queue.addAfter(key, step.ms);
    else if (step.do === "BackOff") this.#tell(outcome, log, this.#queue.retry(key));
    else {
      this.#queue.forget(key);
      if (step.do === "Later") this.#queue.addAfter(key, step.ms);
      if (step.do === "Again") this.#again(key, log);
    }
    if (failure?.kind === "Terminal")
      log.error({ err: failure.error, reason: failure.reason }, "stalled until the object changes");
    else if (failure === undefined) log.debug({ acted, next: step }, "reconciled");
    else if (step.do === "Wait") log.debug({ reason: failure.reason, retryInMs: step.ms }, "waiting");
  }

  #tell(outcome: Outcome, log: Log, retryInMs: number): void {
    const { failure } = outcome;
    const fields = { err: failure?.error, reason: failure?.reason, retryInMs: Math.round(retryInMs) };
    if (failure?.kind === "Conflict") log.debug(fields, "somebody else wrote first, will be retried");
    else log.warn(fields, "reconcile failed, will be retried");
  }

  /** Another look at what the actions did; a loop that acts on and on is slowed down. */
  #again(key: ObjectKey, log: Log): void {
    const id = keyText(key);
    const rounds = (this.#rounds.get(id) ?? 0) + 1;
    this.#rounds.set(id, rounds);
    if (rounds === RESTLESS_ROUNDS) log.warn({ rounds }, "acts again and again without settling");
    if (rounds <= FREE_ROUNDS) this.#queue.add(key);
    else
      this.#queue.addAfter(
        key,
        backoffMs(this.#options.backoff ?? RETRY_BACKOFF, rounds - FREE_ROUNDS, this.#ports.random.float()),
      );
  }

  #expect(id: string, result: (object: TownObject) => boolean): () => void {
    this.#written.set(id, result);
    return () => {
      this.#written.delete(id);
    };
  }

  /** One timer for all runs: it wakes when the oldest may be overdue. */
  #watch(): void {
    if (this.#watchdog || this.#stopped.signal.aborted) return;
    this.#watchdog = true;
    const { clock } = this.#ports;
    void clock.sleep(this.#options.timeoutMs, this.#stopped.signal).then(() => {
      this.#watchdog = false;
      const deadlineMs = clock.monotonicMs() - this.#options.timeoutMs;
      for (const running of this.#running.values())
        if (!running.overdue && running.startedMs <= deadlineMs) this.#overdue(running);
      if ([...this.#running.values()].some((running) => !running.overdue)) this.#watch();
    });
  }

  /** Calls the run off and gives its worker to others; its key stays taken until it really ends. */
  #overdue(running: Running): void {
    running.overdue = true;
    this.#busy -= 1;
    this.#metrics.overdue();
    const seconds = Math.round(this.#options.timeoutMs / 1000);
    const error = new TownError(
      "ReconcileTimedOut",
      `Loop ${this.controller.name} took more than ${seconds} s on ${keyText(running.key)}.`,
    );
    this.#ports.log.warn(
      { controller: this.controller.name, ...running.key, reason: error.reason, timeoutSeconds: seconds },
      "reconcile is overdue, called off",
    );
    this.#ports.events.record(running.key, {
      type: "Warning",
      reason: error.reason,
      message: error.message,
      actor: this.controller.name,
    });
    running.abort.abort(error);
    this.#schedulePump();
  }

  #restIfIdle(): void {
    if (this.idle) this.#options.rested();
  }
}

function resultOf({ failure, acted, void: nothing }: Outcome): RunResult {
  if (nothing === true) return "Void";
  if (failure === undefined) return acted > 0 ? "Acted" : "Settled";
  return failure.kind === "Terminal" ? "Stalled" : failure.kind;
}

function keyOfObject(object: TownObject): ObjectKey {
  const { name, namespace } = object.metadata;
  return namespace === undefined ? { kind: object.kind, name } : { kind: object.kind, namespace, name };
}

function versionOf({ metadata }: TownObject): string {
  return `${metadata.uid} ${metadata.generation}`;
}

/** Which part of the resync an object belongs to: from the end of its uid, which is as good as random. */
function partOf(uid: string, parts: number): number {
  const { length } = uid;
  return (uid.charCodeAt(length - 1) + 37 * uid.charCodeAt(length - 2) + 1_369 * uid.charCodeAt(length - 3)) % parts;
}
