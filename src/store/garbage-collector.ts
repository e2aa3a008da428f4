import { messageOf } from "../errors/town-error.ts";
import type { Log } from "../ports/log.ts";
import { keyText, type ObjectKey, type OwnerReference, type TownObject } from "../resource/object-meta.ts";
import type { OwnerIndex } from "./owner-index.ts";

export const FOREGROUND_FINALIZER = "foregroundDeletion";
export const ORPHAN_FINALIZER = "orphan";

export interface Collected {
  readonly index: OwnerIndex;
  readonly log: Log;
  get(key: ObjectKey): TownObject | undefined;
  /** Every object of every kind. */
  all(): Iterable<TownObject>;
  /** False for kinds that nothing can delete: what is only observed goes when it is gone. */
  deletable(kind: string): boolean;
  delete(key: ObjectKey, uid: string): Promise<void>;
  setOwners(key: ObjectKey, owners: readonly OwnerReference[]): Promise<void>;
  removeFinalizer(key: ObjectKey, finalizer: string): Promise<void>;
  /** Something could not be deleted; the object keeps this as an Event. */
  complain(key: ObjectKey, message: string): void;
}

/**
 * Kubernetes garbage collection: an object whose last owner is gone is deleted; `Foreground` deletion waits for
 * dependents, `Orphan` lets them go.
 *
 * Guarantees: nothing is done before `start`, since at first not all owners are known. An owner that exists under
 * another uid (same kind and name) is adopted. A dependent whose owner never was seen is collected only when two scans
 * in a row miss the owner.
 */
export class GarbageCollector {
  readonly #store: Collected;
  readonly #waiting = new Map<string, () => Promise<void>>();
  #missed = new Set<string>();
  #running: Promise<void> | undefined;
  #started = false;

  constructor(store: Collected) {
    this.#store = store;
  }

  /** All truths were read once: from now on an absent owner is a gone owner. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const uid of this.#store.index.missingOwners()) this.#enqueue(uid, () => this.#ownerGone(uid));
    for (const object of this.#store.all()) this.objectChanged(object);
  }

  /** Takes up nothing more; what runs is finished. */
  stop(): void {
    this.#started = false;
    this.#waiting.clear();
    this.#missed.clear();
  }

  /** Told after each removal. */
  objectRemoved(object: TownObject): void {
    const { uid, ownerReferences } = object.metadata;
    this.#enqueue(uid, () => this.#ownerGone(uid));
    for (const owner of ownerReferences ?? []) {
      const key = this.#store.index.keyOf(owner.uid);
      const found = key === undefined ? undefined : this.#store.get(key);
      if (found !== undefined) this.objectChanged(found);
    }
  }

  /** Told after each change; only objects in deletion with one of the two finalizers matter. */
  objectChanged(object: TownObject): void {
    const { deletionTimestamp, finalizers, uid } = object.metadata;
    if (deletionTimestamp === undefined || finalizers === undefined) return;
    if (finalizers.includes(ORPHAN_FINALIZER)) this.#enqueue(`orphan ${uid}`, () => this.#release(uid));
    else if (finalizers.includes(FOREGROUND_FINALIZER))
      this.#enqueue(`foreground ${uid}`, () => this.#deleteFirst(uid));
  }

  /** Looks at everything once: the safety net below the events. Call it at intervals; resolves when its work is done. */
  async scan(): Promise<void> {
    if (!this.#started) return;
    const missing = new Set(this.#store.index.missingOwners());
    for (const uid of missing) if (this.#missed.has(uid)) this.#enqueue(uid, () => this.#ownerGone(uid));
    this.#missed = missing;
    for (const object of this.#store.all()) this.objectChanged(object);
    await this.idle();
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #enqueue(id: string, task: () => Promise<void>): void {
    if (!this.#started) return;
    this.#waiting.set(id, task);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    for (let next = this.#waiting.entries().next(); !next.done; next = this.#waiting.entries().next()) {
      const [id, task] = next.value;
      this.#waiting.delete(id);
      try {
        await task();
      } catch (error) {
        this.#store.log.warn({ err: error, task: id }, "garbage collection failed");
      }
    }
    // In the same turn as the last look at what waits, so that nothing is left waiting without a run.
    this.#running = undefined;
  }

  async #ownerGone(uid: string): Promise<void> {
    if (this.#store.index.keyOf(uid) !== undefined) return;
    for (const key of this.#store.index.dependentsOf(uid)) await this.#collect(key);
  }

  async #collect(key: ObjectKey): Promise<void> {
    const object = this.#store.get(key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const owners = (object.metadata.ownerReferences ?? []).flatMap((owner) => this.#ownerNow(owner, key));
    if (owners.length > 0) return this.#store.setOwners(key, owners);
    await this.#delete(object, key);
  }

  /** The reference while its owner lives, one to its successor of the same name, or nothing. */
  #ownerNow(owner: OwnerReference, dependent: ObjectKey): readonly OwnerReference[] {
    if (this.#store.index.keyOf(owner.uid) !== undefined) return [owner];
    const { kind, name } = owner;
    const near =
      dependent.namespace === undefined ? undefined : this.#store.get({ kind, name, namespace: dependent.namespace });
    const successor = near ?? this.#store.get({ kind, name });
    return successor === undefined ? [] : [{ ...owner, uid: successor.metadata.uid }];
  }

  async #delete(object: TownObject, key: ObjectKey): Promise<void> {
    if (!this.#store.deletable(key.kind)) return;
    try {
      await this.#store.delete(key, object.metadata.uid);
    } catch (error) {
      this.#store.complain(key, `Cannot delete ${keyText(key)} although its last owner is gone: ${messageOf(error)}`);
    }
  }

  async #release(uid: string): Promise<void> {
    const key = this.#store.index.keyOf(uid);
    if (key === undefined) return;
    for (const dependent of this.#store.index.dependentsOf(uid)) {
      const owners = this.#store.get(dependent)?.metadata.ownerReferences ?? [];
      await this.#store.setOwners(
        dependent,
        owners.filter((owner) => owner.uid !== uid),
      );
    }
    await this.#store.removeFinalizer(key, ORPHAN_FINALIZER);
  }

  async #deleteFirst(uid: string): Promise<void> {
    const key = this.#store.index.keyOf(uid);
    if (key === undefined) return;
    for (const dependent of this.#store.index.dependentsOf(uid)) await this.#letGo(dependent, uid);
    const blocking = this.#store.index.dependentsOf(uid).filter((dependent) => this.#blocks(dependent, uid));
    if (blocking.length === 0) await this.#store.removeFinalizer(key, FOREGROUND_FINALIZER);
  }

  /** A dependent of an owner in foreground deletion: deleted, or only released where another owner lives. */
  async #letGo(dependent: ObjectKey, ownerUid: string): Promise<void> {
    const object = this.#store.get(dependent);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const others = (object.metadata.ownerReferences ?? []).filter(
      (owner) => owner.uid !== ownerUid && this.#store.index.keyOf(owner.uid) !== undefined,
    );
    if (others.length > 0) await this.#store.setOwners(dependent, others);
    else await this.#delete(object, dependent);
  }

  #blocks(dependent: ObjectKey, ownerUid: string): boolean {
    if (!this.#store.deletable(dependent.kind)) return false;
    const owners = this.#store.get(dependent)?.metadata.ownerReferences ?? [];
    return owners.some((owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true);
  }
}
