import { TerminalError } from "../errors/town-error.ts";
import { READY } from "../resource/condition.ts";
import type { RunnableController } from "../resource/controller.ts";
import { keyText, type ObjectKey } from "../resource/object-meta.ts";
import type { BackoffPolicy } from "./backoff.ts";
import type { EnginePorts } from "./engine-ports.ts";
import { Loop } from "./loop.ts";
import { TurnBudget } from "./turn-budget.ts";
import { watchRoutes } from "./watch-routes.ts";
import { PRIORITY } from "./work-queue.ts";

export interface EngineOptions<P extends EnginePorts> {
  /** In order; loop names are unique. */
  readonly controllers: readonly RunnableController<P>[];
  readonly ports: P;
  /** Names of the loops to run. Default: all. An unknown name throws TerminalError `UnknownLoop`. */
  readonly loops?: readonly string[];
  /** Keys a loop works on at once. Default 4. */
  readonly workers?: number;
  /** Default: the controller's `timeoutMs`, else 10 min. */
  readonly timeoutMs?: number;
  /** Pauses between retries of one key. Default RETRY_BACKOFF (1 s to 5 min). */
  readonly backoff?: BackoffPolicy;
}

export interface LoopState {
  readonly name: string;
  readonly kind: string;
  readonly state: "Running" | "Paused" | "Disabled" | "Stopped";
  /** Keys ready to be run. */
  readonly depth: number;
  /** Keys being run. */
  readonly busy: number;
}

export interface Engine {
  /** Lists what is there, watches from then on. `signal` aborts: as `stop()`. */
  start(signal?: AbortSignal): void;
  /**
   * Takes nothing new, waits up to `drainMs` (default 10 s) for running reconciles, then calls them off and waits 1 s
   * more. Returns the keys that still run then.
   */
  stop(options?: { readonly drainMs?: number }): Promise<readonly ObjectKey[]>;
  /** Nothing is ready and nothing runs. Delayed keys (retries, `requeueAfterMs`) do not count. */
  idle(): boolean;
  /** Resolves when idle; a paused loop counts as idle once its running keys ended. */
  whenIdle(): Promise<void>;
  /** The loop finishes what it runs and takes no more until `resume`. Throws TerminalError `UnknownLoop`. */
  pause(loop: string): void;
  resume(loop: string): void;
  /** Has a loop look at a key now, before others. */
  poke(loop: string, key: ObjectKey): void;
  /** In the order of the controllers, Disabled ones included. */
  loops(): readonly LoopState[];
}

const DEFAULT_WORKERS = 4;
const DEFAULT_TIMEOUT_MS = 600_000;
const DEFAULT_DRAIN_MS = 10_000;
const LAST_CHANCE_MS = 1_000;

/** Runs controllers over the objects of the API. Knows no kind. */
export function createEngine<P extends EnginePorts>(options: EngineOptions<P>): Engine {
  return new LoopEngine(options);
}

class LoopEngine<P extends EnginePorts> implements Engine {
  readonly #options: EngineOptions<P>;
  readonly #budget: TurnBudget;
  readonly #loops = new Map<string, Loop<P>>();
  #state: "New" | "Running" | "Stopped" = "New";
  #unsubscribe: () => void = () => undefined;
  #waiting: (() => void)[] = [];

  constructor(options: EngineOptions<P>) {
    this.#options = options;
    this.#budget = new TurnBudget(options.ports.clock);
    const { controllers, loops } = options;
    refuseDuplicates(controllers.map(({ name }) => name));
    refuseSharedConditions(controllers);
    for (const name of loops ?? [])
      if (!controllers.some((controller) => controller.name === name)) throw this.#unknown(name);
    for (const controller of controllers) {
      if (loops !== undefined && !loops.includes(controller.name)) continue;
      this.#loops.set(controller.name, this.#makeLoop(controller));
    }
  }

  start(signal?: AbortSignal): void {
    if (this.#state !== "New")
      throw new TerminalError("EngineStartedTwice", "The engine was started before.", { hint: "Create a new engine." });
    this.#state = "Running";
    this.#unsubscribe = this.#options.ports.objects.subscribe(
      watchRoutes([...this.#loops.values()], this.#options.ports),
    );
    for (const loop of this.#loops.values()) loop.start();
    signal?.addEventListener("abort", () => void this.stop(), { once: true });
    if (signal?.aborted === true) void this.stop();
  }

  async stop(options: { readonly drainMs?: number } = {}): Promise<readonly ObjectKey[]> {
    const { log } = this.#options.ports;
    this.#state = "Stopped";
    this.#unsubscribe();
    const loops = [...this.#loops.values()];
    for (const loop of loops) loop.stop();
    await this.#within(options.drainMs ?? DEFAULT_DRAIN_MS);
    const late = loops.flatMap((loop) => loop.callOff());
    if (late.length === 0) return [];
    log.warn({ keys: late.map(keyText) }, "reconciles called off at stop");
    await this.#within(LAST_CHANCE_MS);
    return loops.flatMap((loop) => loop.callOff());
  }

  idle(): boolean {
    return [...this.#loops.values()].every((loop) => loop.idle);
  }

  async whenIdle(): Promise<void> {
    // What is about to be put on a queue in this turn counts.
    await Promise.resolve();
    while (!this.idle()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  pause(loop: string): void {
    this.#loop(loop)?.pause();
  }

  resume(loop: string): void {
    this.#loop(loop)?.resume();
  }

  poke(loop: string, key: ObjectKey): void {
    this.#loop(loop)?.wake(key, PRIORITY.poke);
  }

  loops(): readonly LoopState[] {
    return this.#options.controllers.map(({ name, kind }) => {
      const loop = this.#loops.get(name);
      if (loop === undefined) return { name, kind, state: "Disabled", depth: 0, busy: 0 };
      const state = this.#state === "Stopped" ? "Stopped" : loop.paused ? "Paused" : "Running";
      return { name, kind, state, depth: loop.depth, busy: loop.busy };
    });
  }

  #makeLoop(controller: RunnableController<P>): Loop<P> {
    const { ports, workers, timeoutMs, backoff, controllers } = this.#options;
    const siblings = controllers.filter(({ kind }) => kind === controller.kind);
    const speaker = siblings.find(({ ownedConditions }) => ownedConditions.includes(READY)) ?? siblings[0];
    return new Loop({
      controller,
      ports,
      summary: speaker === controller,
      workers: workers ?? DEFAULT_WORKERS,
      timeoutMs: timeoutMs ?? controller.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      ...(backoff === undefined ? {} : { backoff }),
      budget: this.#budget,
      rested: () => this.#rested(),
    });
  }

  /** The loop, or undefined when it is known but disabled. */
  #loop(name: string): Loop<P> | undefined {
    if (!this.#options.controllers.some((controller) => controller.name === name)) throw this.#unknown(name);
    return this.#loops.get(name);
  }

  #unknown(name: string): TerminalError {
    const known = this.#options.controllers.map((controller) => controller.name).join(", ");
    return new TerminalError("UnknownLoop", `There is no loop '${name}'.`, { hint: `Loops are: ${known}.` });
  }

  #rested(): void {
    if (this.#waiting.length === 0 || !this.idle()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  async #within(ms: number): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.whenIdle(), this.#options.ports.clock.sleep(ms, over.signal)]);
    over.abort();
  }
}

function refuseDuplicates(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new TerminalError("DuplicateLoop", `Two loops are named '${twice}'.`, {
      hint: "Give one of them another name.",
    });
}

/** Two loops that own one condition would drop it in turns, without end. */
function refuseSharedConditions(
  controllers: readonly Pick<RunnableController<never>, "name" | "kind" | "ownedConditions">[],
): void {
  const owners = new Map<string, string>();
  for (const { name, kind, ownedConditions } of controllers) {
    for (const type of ownedConditions) {
      const other = owners.get(`${kind} ${type}`);
      if (other !== undefined) {
        throw new TerminalError(
          "ConditionOwnedTwice",
          `The loops '${other}' and '${name}' both own the condition ${type} of ${kind}.`,
          { hint: "Leave it to one of them." },
        );
      }
      owners.set(`${kind} ${type}`, name);
    }
  }
}
