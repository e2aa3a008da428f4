import type { LockedCheckout } from "../../src/ports/checkout.ts";
import type { Files } from "../../src/ports/files.ts";
import type { GitObjects, Repository } from "../../src/ports/git.ts";

/** Thrown by everything a killed process would have done next. */
export class Killed extends Error {}

/** What a repository does that others can see. */
const MOVES: ReadonlySet<string> = new Set(["updateRefs", "fetch", "push", "fastForwardWorktree"]);

/**
 * A process that dies at its n-th step: calls of the given kinds are counted, the one at which it dies does not happen
 * (or, with `after`, happens without an answer), and nothing that it calls later does anything.
 */
export class DyingProcess {
  readonly steps: string[] = [];
  #dead = false;
  readonly #at: number;
  readonly #after: boolean;

  constructor(at: number, after: boolean) {
    this.#at = at;
    this.#after = after;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  async step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#dead) throw new Killed(name);
    this.steps.push(name);
    if (this.steps.length !== this.#at) return work();
    if (this.#after) await work();
    this.#dead = true;
    throw new Killed(name);
  }

  files(inner: Files): Files {
    return this.#watch(inner, ["writeAtomic", "remove", "makeDirectory"]);
  }

  repository(inner: Repository): Repository {
    const objects: GitObjects = this.#watch(inner.objects, ["writeBlob", "writeTree", "writeCommit", "sync"]);
    return new Proxy(inner, {
      get: (target, name) => {
        if (name === "objects") return objects;
        if (name === "lockCheckout") {
          return async (branch: string) => {
            const lock = await this.step("lockCheckout", () => target.lockCheckout(branch));
            return lock.state === "Locked" ? { ...lock, checkout: this.#checkout(lock.checkout) } : lock;
          };
        }
        const value: unknown = Reflect.get(target, name);
        if (MOVES.has(String(name)) && typeof value === "function") {
          const move = value.bind(target) as (...args: readonly unknown[]) => Promise<unknown>;
          return (...args: readonly unknown[]) => this.step(String(name), () => move(...args));
        }
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  #checkout(inner: LockedCheckout): LockedCheckout {
    return this.#watch(inner, ["placeFile", "stage", "release"]);
  }

  #watch<T extends object>(inner: T, counted: readonly string[]): T {
    return new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        const call = value.bind(target) as (...args: readonly unknown[]) => Promise<unknown>;
        if (!counted.includes(String(name))) return call;
        return (...args: readonly unknown[]) => this.step(String(name), () => call(...args));
      },
    });
  }
}
