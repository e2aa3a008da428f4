import { keyOf, keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";

/** Who owns whom, by uid, kept up to date with every change of the store. */
export class OwnerIndex {
  readonly #keys = new Map<string, ObjectKey>();
  /** Most that own anything own one: only several take a map. */
  readonly #dependents = new Map<string, ObjectKey | Map<string, ObjectKey>>();

  /** One object became another, came (no former) or went (no next). */
  swap(former: TownObject | undefined, next: TownObject | undefined): void {
    if (former !== undefined) this.#remove(former);
    if (next !== undefined) this.#add(next);
  }

  keyOf(uid: string): ObjectKey | undefined {
    return this.#keys.get(uid);
  }

  dependentsOf(ownerUid: string): readonly ObjectKey[] {
    const dependents = this.#dependents.get(ownerUid);
    if (dependents === undefined) return [];
    return dependents instanceof Map ? [...dependents.values()] : [dependents];
  }

  /** Uids that are named as owners and do not exist. */
  missingOwners(): readonly string[] {
    return [...this.#dependents.keys()].filter((uid) => !this.#keys.has(uid));
  }

  #add(object: TownObject): void {
    const key = keyOf(object);
    this.#keys.set(object.metadata.uid, key);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid);
      if (dependents instanceof Map) dependents.set(keyText(key), key);
      else if (dependents === undefined || keyText(dependents) === keyText(key)) this.#dependents.set(uid, key);
      else this.#dependents.set(uid, new Map([dependents, key].map((each) => [keyText(each), each])));
    }
  }

  #remove(object: TownObject): void {
    const id = keyText(keyOf(object));
    this.#keys.delete(object.metadata.uid);
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid);
      if (dependents instanceof Map) dependents.delete(id);
      const isLast = dependents instanceof Map ? dependents.size === 0 : dependents && keyText(dependents) === id;
      if (isLast === true) this.#dependents.delete(uid);
    }
  }
}
