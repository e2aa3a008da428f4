import type { BeadRecord, BeadSketch } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import { timeOf } from "../record/stamp.ts";
import { DormantBead } from "./dormant-bead.ts";
import type { ReadyRows } from "./ready-rows.ts";
import { bucketOf, priorityBuckets } from "./ready-rows.ts";

interface Place {
  readonly id: string;
  readonly priority: number;
  readonly createdMs: number;
  bead: BeadRecord | DormantBead;
}

/** One of the set: a place, or a row with where it stands among the rows of its priority. */
type Member = Place | number;

/**
 * Records by priority, older first within one, kept in order as they come and go. All are sorted when they are first read,
 * and from then on by insertion, so that a query never sorts the whole set. Rows of a table lie below them, as they are.
 */
export class ReadySet {
  readonly #places = new Map<string, Place>();
  /** By priority; undefined: without order until somebody asks. */
  #sorted: readonly Place[][] | undefined = emptyBuckets();
  #rows: ReadyRows | undefined;

  get size(): number {
    return this.#places.size + (this.#rows?.size ?? 0);
  }

  has(id: string): boolean {
    return this.#places.has(id) || this.#rows?.has(id) === true;
  }

  add(bead: BeadRecord | DormantBead): void {
    const { id } = bead;
    const priority = bucketOf(bead.priority);
    const createdMs = bead instanceof DormantBead ? bead.createdMs : (timeOf(bead.created_at) ?? 0);
    const known = this.#places.get(id);
    if (known !== undefined) {
      known.bead = bead;
      if (known.priority === priority && known.createdMs === createdMs) return;
    }
    this.remove(id);
    const place: Place = { id, priority, createdMs, bead };
    this.#places.set(id, place);
    const list = this.#sorted?.[priority];
    list?.splice(position(list, place), 0, place);
  }

  /** Rows that come in below what is there. */
  lay(rows: ReadyRows): void {
    this.#rows = rows;
  }

  remove(id: string): void {
    this.#rows?.remove(id);
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    const list = this.#sorted?.[place.priority];
    if (list === undefined) return;
    const sorted = position(list, place);
    if (list[sorted]?.id === id) list.splice(sorted, 1);
  }

  /** Empty, and without order until it is next asked for. */
  clear(): void {
    this.#places.clear();
    this.#rows = undefined;
    this.unsort();
  }

  /** Forgets the order until it is next asked for: cheaper than insertion while very many records come in. */
  unsort(): void {
    this.#sorted = undefined;
  }

  /** Calls `visit` for each, most urgent first, until it says false. `wake` gives the record of one that sleeps. */
  visit(wake: (id: string) => BeadRecord | undefined, visit: (record: BeadRecord) => boolean): void {
    for (const [member, bucket] of this.#members()) {
      const record = typeof member === "number" ? this.#rows?.record(bucket, member, wake) : awake(member, wake);
      if (record !== undefined && !visit(record)) return;
    }
  }

  /** What is known of each without reading it, most urgent first; at most `limit`. */
  sketches(limit: number): readonly BeadSketch[] {
    const found: BeadSketch[] = [];
    for (const [member, bucket] of this.#members()) {
      if (found.length >= limit) break;
      const sketch = typeof member === "number" ? this.#rows?.sketch(bucket, member) : member.bead;
      if (sketch !== undefined) found.push(sketch);
    }
    return found;
  }

  *#members(): Iterable<readonly [Member, number]> {
    const sorted = this.#inOrder();
    for (let bucket = 0; bucket < priorityBuckets; bucket++) {
      let row = this.#rows?.next(bucket, 0);
      for (const place of sorted[bucket] ?? []) {
        for (; row !== undefined && this.#isBefore(bucket, row, place); row = this.#rows?.next(bucket, row + 1))
          yield [row, bucket];
        yield [place, bucket];
      }
      for (; row !== undefined; row = this.#rows?.next(bucket, row + 1)) yield [row, bucket];
    }
  }

  #isBefore(bucket: number, at: number, { createdMs, id }: Place): boolean {
    const rows = this.#rows;
    return rows !== undefined && rows.table.compare(rows.row(bucket, at), createdMs, id) < 0;
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

function awake(place: Place, wake: (id: string) => BeadRecord | undefined): BeadRecord | undefined {
  if (place.bead instanceof DormantBead) place.bead = wake(place.id) ?? place.bead;
  return place.bead instanceof DormantBead ? undefined : place.bead;
}

function emptyBuckets(): readonly Place[][] {
  return Array.from({ length: priorityBuckets }, () => []);
}

function comparePlaces(a: Place, b: Place): number {
  return a.createdMs - b.createdMs || compareIds(a.id, b.id);
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
