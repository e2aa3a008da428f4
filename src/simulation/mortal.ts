/** A life that can end at any call: what belongs to it then stops where it is, as a killed process does. */
export class Life {
  #dead = false;
  #calls = 0;
  #diesAt: number | undefined;
  readonly #onDeath: (() => void)[] = [];

  get dead(): boolean {
    return this.#dead;
  }

  /** Calls through ports so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Dies just before the nth call from now on. */
  dieAfter(calls: number): void {
    this.#diesAt = this.#calls + calls;
  }

  /** kill -9. */
  end(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const tell of this.#onDeath) tell();
  }

  onDeath(tell: () => void): void {
    this.#onDeath.push(tell);
  }

  /** Counts a call; false when the life is over (perhaps by this very call). */
  step(): boolean {
    this.#calls += 1;
    if (this.#diesAt !== undefined && this.#calls > this.#diesAt) this.end();
    return !this.#dead;
  }
}

const NEVER = new Promise<never>(() => undefined);

/**
 * The same port for one life: each asynchronous call is a point at which the life may end, before it has an effect or
 * after; then it never returns. Objects that calls answer with (a repository, an open file) are bound to the life too.
 */
export function mortal<T extends object>(port: T, life: Life): T {
  return new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value === "function") return bound(value as Method, target, life);
      return typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        !(value instanceof Map) &&
        !(value instanceof Set)
        ? mortal(value, life)
        : value;
    },
  });
}

type Method = (...args: unknown[]) => unknown;

/** Methods that were seen to answer at once: they have nowhere to stop, so they go on answering after the end. */
const immediate = new WeakSet<Method>();

function bound(method: Method, target: object, life: Life): Method {
  return (...args) => {
    if (life.dead) return immediate.has(method) ? method.apply(target, args) : NEVER;
    const callbacks = args.map((arg) => (typeof arg === "function" ? guarded(arg as Method, life) : arg));
    const result: unknown = method.apply(target, callbacks);
    if (!(result instanceof Promise)) {
      immediate.add(method);
      return result;
    }
    if (!life.step()) {
      // Nobody is left to be told that it failed.
      result.catch(() => undefined);
      return NEVER;
    }
    return result.then(
      (value: unknown) => (life.dead ? NEVER : ownable(value) ? mortal(value, life) : value),
      (error: unknown) => {
        if (life.dead) return NEVER;
        throw error;
      },
    );
  };
}

/** What the world calls back after the life is over reaches nobody. */
function guarded(callback: Method, life: Life): Method {
  return (...args) => (life.dead ? undefined : callback(...args));
}

/** Objects with methods act for the life; plain data does not. */
function ownable(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null)
    return Object.values(value).some((entry) => typeof entry === "function");
  return (
    !(value instanceof Map) && !(value instanceof Set) && !(value instanceof Uint8Array) && !(value instanceof Date)
  );
}
