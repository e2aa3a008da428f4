import type { WatchEvent } from "../ports/objects.ts";

/** The last changes, so that a watch can go on where it stopped. Versions are plain integers here. */
export class EventRing {
  readonly #capacity: number;
  #events: { readonly version: number; readonly event: WatchEvent }[] = [];
  /** Every change after this version is still here. */
  #floor: number;

  /** `floor`: the version of the store at its start. `capacity`: changes kept. */
  constructor(floor: number, capacity: number) {
    this.#floor = floor;
    this.#capacity = capacity;
  }

  push(version: number, event: WatchEvent): void {
    this.#events.push({ version, event });
    if (this.#events.length < this.#capacity * 1.25) return;
    const kept = this.#events.length - this.#capacity;
    this.#floor = this.#events[kept - 1]?.version ?? this.#floor;
    this.#events = this.#events.slice(kept);
  }

  since(version: number): readonly WatchEvent[] | "Expired" {
    if (!Number.isSafeInteger(version) || version < this.#floor) return "Expired";
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.version ?? 0) <= version) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low).map(({ event }) => event);
  }
}
