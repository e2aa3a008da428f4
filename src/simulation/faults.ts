import { TownError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";

/** Names of the methods of a port that answer with a promise: the ones that can fail, hang or be slow. */
export type AsyncMethod<T> = {
  [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof T] &
  string;

/** Which calls are struck; several may be given, any of them strikes. */
export interface FaultTiming {
  /** Every nth call of the chosen methods, counted together: 7 strikes the 7th, 14th … */
  readonly every?: number;
  /** Exactly the nth call, counted from 1. */
  readonly at?: number;
  /** With this probability, drawn from `random`. */
  readonly probability?: number;
  readonly random?: Random;
}

export interface Fault<T> extends FaultTiming {
  readonly methods: readonly AsyncMethod<T>[];
  /**
   * `Refuse`: fails and has no effect. `LoseAnswer`: takes effect, then fails. `Hang`: takes no effect and never answers.
   * `HangAfter`: takes effect and never answers. Default `Refuse`.
   */
  readonly how?: "Refuse" | "LoseAnswer" | "Hang" | "HangAfter";
  /** What is thrown. Default a TownError `InjectedFault` that names the method. */
  readonly error?: (method: string) => Error;
  /** Told before a fault strikes, with the number of the call. */
  readonly onFault?: (method: string, call: number) => void;
}

type Call = (...args: unknown[]) => Promise<unknown>;

/** The same port, failing now and then. Methods that are not chosen pass through untouched. */
export function failing<T extends object>(port: T, fault: Fault<T>): T {
  let calls = 0;
  return intercept(port, fault.methods, async (method, proceed) => {
    calls += 1;
    if (!strikes(fault, calls)) return proceed();
    fault.onFault?.(method, calls);
    const how = fault.how ?? "Refuse";
    if (how === "LoseAnswer" || how === "HangAfter") await proceed();
    if (how === "Hang" || how === "HangAfter") return new Promise<never>(() => undefined);
    throw fault.error?.(method) ?? new TownError("InjectedFault", `Call ${calls} of ${method} failed on purpose.`);
  });
}

/** The same port, slow: each chosen call waits `ms` (or up to `ms`, uniformly, when `random` is given) before it acts. */
export function delayed<T extends object>(
  port: T,
  slow: {
    readonly methods: readonly AsyncMethod<T>[];
    readonly clock: Clock;
    readonly ms: number;
    readonly random?: Random;
  },
): T {
  return intercept(port, slow.methods, async (_method, proceed) => {
    await slow.clock.sleep(slow.random === undefined ? slow.ms : slow.random.float() * slow.ms);
    return proceed();
  });
}

/** The same port, telling `told` of every chosen call: for counting and for recording a history. */
export function observed<T extends object>(
  port: T,
  methods: readonly AsyncMethod<T>[],
  told: (method: string, args: readonly unknown[]) => void,
): T {
  return intercept(port, methods, (method, proceed, args) => {
    told(method, args);
    return proceed();
  });
}

function strikes(timing: FaultTiming, call: number): boolean {
  if (timing.at === call) return true;
  if (timing.every !== undefined && call % timing.every === 0) return true;
  return timing.probability !== undefined && timing.random !== undefined && timing.random.float() < timing.probability;
}

function intercept<T extends object>(
  port: T,
  methods: readonly string[],
  around: (method: string, proceed: () => Promise<unknown>, args: readonly unknown[]) => Promise<unknown>,
): T {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const call = (value as Call).bind(target);
      if (typeof name !== "string" || !methods.includes(name)) return call;
      return (...args: unknown[]) => around(name, () => call(...args), args);
    },
  });
}
