import type { TownObject } from "../resource/object-meta.ts";

/** What the store keeps of one object besides what everyone may read. */
export interface Entry<Extra> {
  readonly object: TownObject;
  readonly extra: Extra;
}

/**
 * The objects of one kind, sorted by namespace and name. A list handed out is never changed afterwards: the next write
 * copies it first (pointers only), so a reader holds a snapshot at no cost.
 */
export class ObjectTable<Extra> {
  readonly #entries = new Map<string, Entry<Extra>>();
  #items: TownObject[] = [];
  #handedOut = false;

  get size(): number {
    return this.#entries.size;
  }

  get(namespace: string | undefined, name: string): Entry<Extra> | undefined {
    return this.#entries.get(idOf(namespace, name));
  }

  set(entry: Entry<Extra>): void {
    const { namespace, name } = entry.object.metadata;
    const id = idOf(namespace, name);
    const former = this.#entries.get(id);
    this.#entries.set(id, entry);
    if (former?.object === entry.object) return;
    const items = this.#writable();
    const at = lowerBound(items, id);
    if (former === undefined) items.splice(at, 0, entry.object);
    else items[at] = entry.object;
  }

  delete(namespace: string | undefined, name: string): void {
    const id = idOf(namespace, name);
    if (!this.#entries.delete(id)) return;
    const items = this.#writable();
    items.splice(lowerBound(items, id), 1);
  }

  /** All objects, or those of one namespace; the array stays as it is for good. */
  items(namespace?: string): readonly TownObject[] {
    if (namespace === undefined) {
      this.#handedOut = true;
      return this.#items;
    }
    const from = lowerBound(this.#items, `${namespace}/`);
    const to = lowerBound(this.#items, `${namespace}0`);
    return this.#items.slice(from, to);
  }

  entries(): IterableIterator<Entry<Extra>> {
    return this.#entries.values();
  }

  #writable(): TownObject[] {
    if (this.#handedOut) {
      this.#items = this.#items.slice();
      this.#handedOut = false;
    }
    return this.#items;
  }
}

/** `0` is the character after `/`, so `ns/` and `ns0` enclose exactly the ids of a namespace. */
function idOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ""}/${name}`;
}

function lowerBound(items: readonly TownObject[], id: string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { namespace, name } = (items[middle] as TownObject).metadata;
    if (idOf(namespace, name) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
