import type { ProcessIdentity } from "../../ports/processes.ts";

/** Far less than it takes for a pid to come round again. */
const CONFIRMED_MS = 10_000;

/** Processes that were seen alive within the last 10 s, by pid. Whoever was seen before that is forgotten. */
export class ConfirmedProcesses {
  /** The one that was seen longest ago first. */
  readonly #seen = new Map<number, { readonly identity: ProcessIdentity; readonly atMs: number }>();

  get size(): number {
    return this.#seen.size;
  }

  /** `nowMs`: of a clock that never goes back. */
  add(identity: ProcessIdentity, nowMs: number): void {
    this.#seen.delete(identity.pid);
    this.#seen.set(identity.pid, { identity, atMs: nowMs });
    for (const [pid, { atMs }] of this.#seen) {
      if (nowMs - atMs < CONFIRMED_MS) return;
      this.#seen.delete(pid);
    }
  }

  lately(pid: number, nowMs: number): ProcessIdentity | undefined {
    const seen = this.#seen.get(pid);
    return seen !== undefined && nowMs - seen.atMs < CONFIRMED_MS ? seen.identity : undefined;
  }

  delete(pid: number): void {
    this.#seen.delete(pid);
  }
}
