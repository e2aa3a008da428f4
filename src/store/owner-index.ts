import { keyOf, keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";

/** Who owns whom, by uid, kept up to date with every change of the store. */
export class OwnerIndex {
  readonly #keys = new Map<string, ObjectKey>();
  readonly #dependents = new Map<string, Map<string, ObjectKey>>();

  /** One object became another, came (no former) or went (no next). */
  swap(former: TownObject | undefined, next: TownObject | undefined): void {
    if (former !== undefined) this.#remove(former);
    if (next !== undefined) this.#add(next);
  }

  keyOf(uid: string): ObjectKey | undefined {
    return this.#keys.get(uid);
  }

  dependentsOf(ownerUid: string): readonly ObjectKey[] {
    return [...(this.#dependents.get(ownerUid)?.values() ?? [])];
  }

  /** Uids that are named as owners and do not exist. */
  missingOwners(): readonly string[] {
    return [...this.#dependents.keys()].filter((uid) => !this.#keys.has(uid));
  }

  #add(object: TownObject): void {
    const key = keyOf(object);
    this.#keys.set(object.metadata.uid, key);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid) ?? new Map<string, ObjectKey>();
      this.#dependents.set(uid, dependents.set(keyText(key), key));
    }
  }

  #remove(object: TownObject): void {
    const id = keyText(keyOf(object));
    if (this.#keys.get(object.metadata.uid) !== undefined) this.#keys.delete(object.metadata.uid);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid);
      dependents?.delete(id);
      if (dependents?.size === 0) this.#dependents.delete(uid);
    }
  }
}
