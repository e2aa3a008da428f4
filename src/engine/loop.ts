import type { TownError } from "../errors/town-error.ts";
import type { Log } from "../ports/log.ts";
import type { WatchEvent } from "../ports/objects.ts";
import type { RunnableController } from "../resource/controller.ts";
import { keyOf, keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import { type BackoffPolicy, RETRY_BACKOFF } from "./backoff.ts";
import { LoopMetrics, type RunResult } from "./engine-metrics.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { FollowUp } from "./follow-up.ts";
import { lazyLog } from "./lazy-log.ts";
import type { Outcome } from "./outcome.ts";
import { reconcile } from "./reconcile.ts";
import { resyncForever } from "./resync.ts";
import { type RunningKey, RunningKeys } from "./running-keys.ts";
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

/** Changes that wake every key do so at once, but not more often than this. */
const ALL_GAP_MS = 100;
/** Conflicts in a row that are nobody's business. */
const QUIET_CONFLICTS = 3;

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
  readonly #followUp: FollowUp;
  readonly #running: RunningKeys;
  /** Writes under way to the store, to know our own change notices. */
  readonly #written = new Map<string, (object: TownObject) => boolean>();
  readonly #stopped = new AbortController();
  /** Tells runs of this life from those of others in the log. */
  readonly #life: string;
  #runs = 0;
  #started = false;
  #paused = false;
  #pumpDue = false;
  #yielding = false;
  #all: "Quiet" | "Gap" | "Due" = "Quiet";

  constructor(options: LoopOptions<P>) {
    const { controller, ports, timeoutMs } = options;
    const { clock, random } = ports;
    const backoff = options.backoff ?? RETRY_BACKOFF;
    this.#options = options;
    this.controller = controller;
    this.#ports = ports;
    this.#metrics = new LoopMetrics(ports.metrics, controller.name);
    this.#life = random.base36(6);
    this.#queue = new WorkQueue({ clock, random, ready: () => this.#schedulePump(), backoff });
    this.#followUp = new FollowUp({ queue: this.#queue, random, backoff });
    this.#running = new RunningKeys({
      clock,
      timeoutMs,
      stopped: this.#stopped.signal,
      overdue: (running, error) => this.#overdue(running, error),
      loop: controller.name,
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
    const { kind, resyncMs } = this.controller;
    this.#started = true;
    this.#enqueueAll();
    void resyncForever({
      ports: this.#ports,
      kind,
      resyncMs,
      signal: this.#stopped.signal,
      wake: (object) => this.#wakeForResync(object),
    });
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

  /** Aborts what still runs; returns its keys. */
  callOff(): readonly ObjectKey[] {
    return this.#running.callOff();
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
    const key = keyOf(event.object);
    const id = keyText(key);
    if (this.#written.get(id)?.(event.object) === true) {
      this.#written.delete(id);
      return;
    }
    this.#queue.add(key, PRIORITY.change);
  }

  ownGone(key: ObjectKey): void {
    this.#followUp.gone(key);
  }

  #enqueueAll(): void {
    for (const object of this.#ports.objects.list(this.controller.kind))
      this.#queue.add(keyOf(object), PRIORITY.change);
  }

  #wakeForResync(object: TownObject): void {
    if (!this.#followUp.isStalled(object)) this.#queue.add(keyOf(object), PRIORITY.resync);
  }

  #schedulePump(): void {
    if (this.#pumpDue || this.#yielding) return;
    this.#pumpDue = true;
    void Promise.resolve().then(() => this.#pump());
  }

  #pump(): void {
    this.#pumpDue = false;
    while (
      this.#started &&
      !this.#paused &&
      !this.#stopped.signal.aborted &&
      this.#running.busy < this.#options.workers
    ) {
      if (this.#queue.depth > 0 && this.#options.budget.spent()) {
        this.#yieldTurn();
        break;
      }
      const taken = this.#queue.take();
      if (taken === undefined) break;
      void this.#run(taken);
    }
    const { depth, known } = this.#queue;
    this.#metrics.load({ depth, busy: this.#running.size, known });
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
    const running = this.#running.begin(key);
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
      writing: (result) => this.#expect(keyText(key), result),
    });
    this.#running.end(running);
    try {
      this.#metrics.ran(resultOf(outcome), this.#ports.clock.monotonicMs() - running.startedMs, waitedMs);
      this.#followUp.after(key, before, outcome, log);
    } finally {
      this.#queue.done(key);
      this.#schedulePump();
    }
  }

  #logOf(key: ObjectKey, object: TownObject | undefined): Log {
    const { log } = this.#ports;
    this.#runs += 1;
    const reconcileId = `${this.#life}-${this.#runs.toString(36)}`;
    const facts = { controller: this.controller.name, ...key, generation: object?.metadata.generation, reconcileId };
    return lazyLog(log, () => log.child(facts));
  }

  #expect(id: string, result: (object: TownObject) => boolean): () => void {
    this.#written.set(id, result);
    return () => {
      this.#written.delete(id);
    };
  }

  /** The run was called off; others get its worker, but its key stays taken until it really ends. */
  #overdue({ key }: RunningKey, { reason, message }: TownError): void {
    const actor = this.controller.name;
    this.#metrics.overdue();
    this.#ports.log.warn({ controller: actor, ...key, reason }, "reconcile is overdue, called off");
    this.#ports.events.record(key, { type: "Warning", reason, message, actor });
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
