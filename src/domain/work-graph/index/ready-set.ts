import type { BeadRecord } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import { timeOf } from "../record/stamp.ts";
import { DormantBead } from "./dormant-bead.ts";

interface Place {
  readonly id: string;
  readonly priority: number;
  readonly created: string;
  bead: BeadRecord | DormantBead;
}

const buckets = 5;

/**
 * Records by priority, older first within one, kept in order as they come and go. All are sorted when they are first read,
 * and from then on by insertion, so that a query never sorts the whole set.
 */
export class ReadySet {
  readonly #places = new Map<string, Place>();
  /** By priority; undefined: without order until somebody asks. */
  #sorted: readonly Place[][] | undefined = emptyBuckets();

  get size(): number {
    return this.#places.size;
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  /** `bead`: what `facts` are those of. */
  add(facts: BeadRecord, bead: BeadRecord | DormantBead): void {
    const { id, created_at: created } = facts;
    const priority = bucketOf(facts.priority);
    const known = this.#places.get(id);
    if (known !== undefined) {
      known.bead = bead;
      if (known.priority === priority && known.created === created) return;
      this.remove(id);
    }
    const place: Place = { id, priority, created, bead };
    this.#places.set(id, place);
    const list = this.#sorted?.[priority];
    list?.splice(position(list, place), 0, place);
  }

  /** Takes in, into an empty set, what is in order already. */
  fill(beads: Iterable<DormantBead>): void {
    const sorted = emptyBuckets();
    for (const bead of beads) {
      const place: Place = { id: bead.id, priority: bucketOf(bead.priority), created: bead.created, bead };
      this.#places.set(place.id, place);
      sorted[place.priority]?.push(place);
    }
    this.#sorted = sorted;
  }

  remove(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    const list = this.#sorted?.[place.priority];
    if (list === undefined) return;
    const sorted = position(list, place);
    // Times that are none have no place that can be found again.
    const at = list[sorted]?.id === id ? sorted : list.findIndex((other) => other.id === id);
    if (at >= 0) list.splice(at, 1);
  }

  /** Empty, and without order until it is next asked for. */
  clear(): void {
    this.#places.clear();
    this.unsort();
  }

  /** Forgets the order until it is next asked for: cheaper than insertion while very many records come in. */
  unsort(): void {
    this.#sorted = undefined;
  }

  /** Calls `visit` for each, most urgent first, until it says false. `wake` gives the record of one that sleeps. */
  visit(wake: (id: string) => BeadRecord | undefined, visit: (record: BeadRecord) => boolean): void {
    for (const list of this.#inOrder()) {
      for (const place of list) {
        if (place.bead instanceof DormantBead) place.bead = wake(place.id) ?? place.bead;
        if (!(place.bead instanceof DormantBead) && !visit(place.bead)) return;
      }
    }
  }

  /** Most urgent first. */
  ids(): readonly string[] {
    return this.#inOrder().flatMap((list) => list.map(({ id }) => id));
  }

  /** What is known of each without reading it, edges apart, most urgent first; at most `limit`. */
  sketches(limit: number): readonly BeadRecord[] {
    const found: BeadRecord[] = [];
    for (const list of this.#inOrder()) {
      for (const { bead } of list) {
        if (found.length >= limit) return found;
        found.push(bead instanceof DormantBead ? bead.sketch() : bead);
      }
    }
    return found;
  }

  #inOrder(): readonly Place[][] {
    if (this.#sorted === undefined) {
      this.#sorted = emptyBuckets();
      for (const place of this.#places.values()) this.#sorted[place.priority]?.push(place);
      for (const list of this.#sorted) list.sort(comparePlaces);
    }
    return this.#sorted;
  }
}

function emptyBuckets(): readonly Place[][] {
  return Array.from({ length: buckets }, () => []);
}

function bucketOf(priority: number): number {
  return Math.min(buckets - 1, Math.max(0, Math.trunc(priority)));
}

function comparePlaces(a: Place, b: Place): number {
  return compareTimes(a.created, b.created) || compareIds(a.id, b.id);
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
