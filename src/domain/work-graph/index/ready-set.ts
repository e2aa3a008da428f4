import type { BeadRecord } from "../bead.ts";
import { timeOf } from "../record/stamp.ts";

interface Place {
  readonly id: string;
  readonly priority: number;
  readonly created: string;
  record: BeadRecord;
}

const buckets = 5;

/**
 * Records by priority, older first within one, kept in order as they come and go. A bucket is sorted when it is first read,
 * and from then on by insertion, so that a query never sorts the whole set.
 */
export class ReadySet {
  readonly #places = new Map<string, Place>();
  readonly #sorted: (Place[] | undefined)[] = Array.from({ length: buckets }, () => []);
  readonly #members: Map<string, Place>[] = Array.from({ length: buckets }, () => new Map<string, Place>());

  get size(): number {
    return this.#places.size;
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  add(record: BeadRecord): void {
    const place: Place = {
      id: record.id,
      priority: bucketOf(record.priority),
      created: record.created_at,
      record,
    };
    const known = this.#places.get(record.id);
    if (known !== undefined) {
      known.record = record;
      if (known.priority === place.priority && known.created === place.created) return;
      this.remove(record.id);
    }
    this.#places.set(place.id, place);
    this.#members[place.priority]?.set(place.id, place);
    const list = this.#sorted[place.priority];
    if (list === undefined) return;
    list.splice(position(list, place), 0, place);
  }

  remove(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#members[place.priority]?.delete(id);
    const list = this.#sorted[place.priority];
    if (list === undefined) return;
    const sorted = position(list, place);
    // Times that are none have no place that can be found again.
    const at = list[sorted]?.id === id ? sorted : list.findIndex((other) => other.id === id);
    if (at >= 0) list.splice(at, 1);
  }

  /** Empty, and without order until it is next asked for. */
  clear(): void {
    this.#places.clear();
    for (const members of this.#members) members.clear();
    this.unsort();
  }

  /** Forgets the order until it is next asked for: cheaper than insertion while very many records come in. */
  unsort(): void {
    for (let i = 0; i < buckets; i++) this.#sorted[i] = undefined;
  }

  *records(): Iterable<BeadRecord> {
    for (let priority = 0; priority < buckets; priority++) {
      let list = this.#sorted[priority];
      if (list === undefined) {
        list = [...(this.#members[priority]?.values() ?? [])].sort(comparePlaces);
        this.#sorted[priority] = list;
      }
      for (const place of list) yield place.record;
    }
  }
}

function bucketOf(priority: number): number {
  return Math.min(buckets - 1, Math.max(0, Math.trunc(priority)));
}

function comparePlaces(a: Place, b: Place): number {
  return compareTimes(a.created, b.created) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

// Times in the common form, milliseconds and Z, are in the order of their texts; reading them is what costs.
function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  if (a.length === 24 && b.length === 24 && a.endsWith("Z") && b.endsWith("Z")) return a < b ? -1 : 1;
  return (timeOf(a) ?? 0) - (timeOf(b) ?? 0);
}

function position(list: readonly Place[], place: Place): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (comparePlaces(list[middle] as Place, place) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
