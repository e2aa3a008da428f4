import { timeOf } from "../record/stamp.ts";

/** Until when records are deferred. */
export class Deferrals {
  readonly #until = new Map<string, number>();
  #nextMs = Number.POSITIVE_INFINITY;

  /** `deferUntil`: RFC 3339; undefined, or no time: it is not deferred. */
  track(id: string, deferUntil: string | undefined, nowMs: number): void {
    const until = deferUntil === undefined ? undefined : timeOf(deferUntil);
    if (until === undefined) {
      if (this.#until.size > 0) this.#until.delete(id);
      return;
    }
    this.#until.set(id, until);
    if (until > nowMs) this.#nextMs = Math.min(this.#nextMs, until);
  }

  /** Ids whose time lies between two times, whichever comes first. */
  between(lastMs: number, nowMs: number): readonly string[] {
    if (nowMs < this.#nextMs && nowMs >= lastMs) return [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    const passed: string[] = [];
    for (const [id, until] of this.#until) {
      if (until > nowMs) this.#nextMs = Math.min(this.#nextMs, until);
      if (until <= nowMs !== until <= lastMs) passed.push(id);
    }
    return passed;
  }
}
