import type { BeadRecord } from "../bead.ts";
import { isDeleted, keyOf } from "../record/facts.ts";

const none: ReadonlySet<string> = new Set();

/** Ids by the key of their creator (`META.key`); several where clones made the same thing. Built when first asked for. */
export class KeyIndex {
  #ids: Map<string, Set<string>> | undefined;

  get isBuilt(): boolean {
    return this.#ids !== undefined;
  }

  /** `keys`: of all records that are not deleted and have one. */
  build(keys: Iterable<readonly [id: string, key: string]>): void {
    this.#ids = new Map();
    for (const [id, key] of keys) this.#add(id, key);
  }

  ids(key: string): ReadonlySet<string> {
    return this.#ids?.get(key) ?? none;
  }

  change(before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    if (this.#ids === undefined) return;
    const old = before === undefined ? undefined : keyOf(before);
    if (before !== undefined && old !== undefined) this.#ids.get(old)?.delete(before.id);
    const key = after === undefined || isDeleted(after) ? undefined : keyOf(after);
    if (after !== undefined && key !== undefined) this.#add(after.id, key);
  }

  #add(id: string, key: string): void {
    const members = this.#ids?.get(key);
    if (members === undefined) this.#ids?.set(key, new Set([id]));
    else members.add(id);
  }
}
