import type { Log } from "../ports/log.ts";
import type { DesiredOrigin } from "../ports/object-store.ts";
import type { WatchEvent } from "../ports/objects.ts";
import { deepFreeze, jsonEqual } from "../resource/equality.ts";
import type { Truth } from "../resource/kind-definition.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";
import { keyOf, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import { ChangeFeed } from "./change-feed.ts";
import { EventRing } from "./event-ring.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Journal } from "./journal.ts";
import type { SideRecord, StoreRecord } from "./journal-format.ts";
import { type Draft, settle } from "./object-draft.ts";
import { type Entry, ObjectTable } from "./object-table.ts";
import { OwnerIndex } from "./owner-index.ts";
import type { VersionCounter } from "./version-counter.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the store knows of an object besides what everybody may read. */
export interface Extra {
  readonly origin?: DesiredOrigin;
  /** Work and Observed kinds: status as their projector stated it, and what loops patched over it. */
  readonly statedStatus?: Fields;
  readonly statusPatch?: Fields;
  /** Uids of former owners that were taken off, however often the projector states them. */
  readonly released?: readonly string[];
  /** A document or record that came back while this object is being deleted: made when it is gone. */
  readonly returning?: () => void;
}

export interface CoreOptions {
  readonly log: Log;
  readonly ringSize: number;
  readonly truthOf: (kind: string) => Truth | undefined;
  /** Told after each change and removal was announced. */
  readonly changed: (object: TownObject) => void;
  readonly removed: (object: TownObject) => void;
}

/**
 * Tables, versions, change feed and journal as one: every change of an object goes through `put` or `remove` here, so
 * that it gets its version, is journaled, indexed and announced in one order.
 */
export class ObjectCore {
  readonly index = new OwnerIndex();
  readonly feed: ChangeFeed;
  readonly #options: CoreOptions;
  readonly #tables = new Map<string, ObjectTable<Extra>>();
  #versions: VersionCounter;
  #ring: EventRing;
  #journal: Journal | undefined;

  constructor(options: CoreOptions, versions: VersionCounter) {
    this.#options = options;
    this.feed = new ChangeFeed(options.log);
    this.#versions = versions;
    this.#ring = new EventRing(versions.current, options.ringSize);
  }

  /** A former life's objects, before anything else happens. Nobody is told. */
  restore(entries: readonly Entry<Extra>[], versions: VersionCounter, journal: Journal): void {
    this.#versions = versions;
    this.#ring = new EventRing(versions.current, this.#options.ringSize);
    this.#journal = journal;
    for (const { object, extra } of entries) {
      this.#table(object.kind).set({ object: deepFreeze(object), extra });
      this.index.swap(undefined, object);
    }
  }

  entry(key: ObjectKey): Entry<Extra> | undefined {
    return this.#tables.get(key.kind)?.get(key.namespace, key.name);
  }

  items(kind: string, namespace?: string): readonly TownObject[] {
    return this.#tables.get(kind)?.items(namespace) ?? [];
  }

  *everything(): Generator<TownObject> {
    for (const table of this.#tables.values()) yield* table.items();
  }

  currentVersion(): number {
    return this.#versions.current;
  }

  nextVersion(): string {
    return String(this.#versions.next());
  }

  since(version: number): readonly WatchEvent[] | "Expired" {
    return this.#ring.since(version);
  }

  /** Records for a snapshot: all that should outlive the process. */
  *records(): Generator<StoreRecord> {
    yield { t: "ceiling", version: this.#versions.ceiling };
    for (const table of this.#tables.values()) {
      for (const entry of table.entries()) {
        const record = this.#recordOf(entry);
        if (record !== undefined) yield record;
      }
    }
  }

  /** Changes what nobody sees. */
  setExtra(key: ObjectKey, extra: Extra): void {
    const entry = this.entry(key);
    if (entry !== undefined) this.#table(key.kind).set({ object: entry.object, extra });
  }

  /** Makes the draft true; no change, no version. Resolves when the journal has it; visible and announced before. */
  async put(
    draft: Draft,
    extra: Extra,
    options: { readonly durable?: boolean; readonly firstGeneration?: number } = {},
  ): Promise<void> {
    const former = this.entry(draft.key);
    const object = settle(former?.object, draft, () => this.nextVersion(), options.firstGeneration);
    await this.putObject(former, { object, extra }, options.durable === true);
  }

  async putObject(former: Entry<Extra> | undefined, next: Entry<Extra>, durable = false): Promise<void> {
    this.#table(next.object.kind).set(next);
    const kept = this.#keep(former, next, durable);
    if (former?.object !== next.object) this.#announce(former?.object, next.object);
    await kept;
  }

  remove(key: ObjectKey): Promise<void> {
    const entry = this.entry(key);
    if (entry === undefined) return Promise.resolve();
    const { object: previous, extra } = entry;
    const version = this.nextVersion();
    const object = deepFreeze({ ...previous, metadata: { ...previous.metadata, resourceVersion: version } });
    this.#table(key.kind).delete(key.namespace, key.name);
    this.index.swap(previous, undefined);
    const kept =
      this.#recordOf(entry) === undefined ? undefined : this.#journal?.append({ t: "drop", ...keyOf(previous) });
    this.#tell(version, { type: "DELETED", object, previous });
    this.#options.removed(object);
    extra.returning?.();
    return kept ?? Promise.resolve();
  }

  #announce(former: TownObject | undefined, object: TownObject): void {
    this.index.swap(former, object);
    this.#tell(
      object.metadata.resourceVersion,
      former === undefined ? { type: "ADDED", object } : { type: "MODIFIED", object, previous: former },
    );
    this.#options.changed(object);
  }

  #tell(version: string, event: WatchEvent): void {
    this.#ring.push(Number(version), event);
    this.feed.emit(event);
  }

  #keep(former: Entry<Extra> | undefined, next: Entry<Extra>, durable: boolean): Promise<void> {
    const before = former === undefined ? undefined : this.#recordOf(former);
    const record = this.#recordOf(next);
    if (this.#journal === undefined || jsonEqual(before, record)) return Promise.resolve();
    return this.#journal.append(record ?? { t: "drop", ...keyOf(next.object) }, { durable });
  }

  /** What of an object outlives the process; undefined: nothing. */
  #recordOf({ object, extra }: Entry<Extra>): StoreRecord | undefined {
    switch (this.#options.truthOf(object.kind)) {
      case "Observed":
        return undefined;
      case "Work":
        return object.metadata.deletionTimestamp === undefined ? sideOf(object, extra) : { t: "put", object };
      default:
        return extra.origin === undefined ? { t: "put", object } : { t: "put", object, origin: extra.origin };
    }
  }

  #table(kind: string): ObjectTable<Extra> {
    const table = this.#tables.get(kind) ?? new ObjectTable<Extra>();
    this.#tables.set(kind, table);
    return table;
  }
}

/** Bookkeeping of a Work object that the work graph does not hold; undefined when there is none. */
function sideOf(object: TownObject, extra: Extra): SideRecord | undefined {
  const { metadata } = object;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => isHeldAnnotation(name));
  if (extra.statusPatch === undefined && annotations.length === 0 && metadata.finalizers === undefined)
    return undefined;
  return {
    t: "side",
    ...keyOf(object),
    uid: metadata.uid,
    generation: metadata.generation,
    fingerprint: fingerprint(object.spec),
    ...(extra.statusPatch === undefined ? {} : { status: extra.statusPatch }),
    ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
  };
}
