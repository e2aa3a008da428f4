import { ApiStatusError, TownError } from "../errors/town-error.ts";
import { type Log, silentLog } from "../ports/log.ts";
import type { DesiredInput, DesiredOrigin, ListPage, ProjectedInput } from "../ports/object-store.ts";
import type { ObservedInput, WatchEvent } from "../ports/objects.ts";
import type { Caller } from "../resource/caller.ts";
import { timestamp } from "../resource/condition.ts";
import type { PlannedEvent } from "../resource/controller.ts";
import { deepFreeze } from "../resource/equality.ts";
import type { KindDefinition, Truth } from "../resource/kind-definition.ts";
import { apiVersionOf } from "../resource/kind-registry.ts";
import { composePatches, mergePatch } from "../resource/merge-patch.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";
import { keyOf, keyText, type ObjectKey, type ObjectMeta, type TownObject } from "../resource/object-meta.ts";
import { EVENT_KIND, EventRecorder, type KubeEvent } from "./event-recorder.ts";
import { GarbageCollector } from "./garbage-collector.ts";
import { Journal } from "./journal.ts";
import type { SideRecord } from "./journal-format.ts";
import { ObjectCore } from "./object-core.ts";
import { type Draft, draftOf, withHeldAnnotations } from "./object-draft.ts";
import { projectedDraft, releasedOwners } from "./projected-draft.ts";
import { replay } from "./restored-state.ts";
import type { Store, StoreOptions, TruthWriters } from "./store-contract.ts";
import { VersionCounter } from "./version-counter.ts";

export type { Store, StoreOptions, TruthWriters } from "./store-contract.ts";

type Fields = Readonly<Record<string, unknown>>;
const LOOP: Caller = { name: "loop", role: "loop" };

/**
 * The in-memory object store. Reads are frozen snapshots and never wait. Each change is visible, then told to
 * subscribers, before the call's promise resolves; the promise resolves once the journal has it.
 *
 * Guarantees: one strictly rising resourceVersion over all kinds; a write that changes nothing keeps it and tells nobody;
 * desired objects, Events, and the status, finalizers and runtime annotations of Work kinds survive a restart.
 * Throws TerminalError `StateFormatTooNew`, AdapterError when the state directory cannot be used.
 */
export async function createStore(options: StoreOptions): Promise<Store> {
  const store = new MemoryStore(options);
  await store.open();
  return store;
}

class MemoryStore implements Store {
  readonly #options: StoreOptions;
  readonly #log: Log;
  readonly #core: ObjectCore;
  readonly #recorder: EventRecorder;
  readonly #collector: GarbageCollector;
  readonly #journal: Journal | undefined;
  /** Bookkeeping of Work objects that were not projected yet in this life. */
  readonly #sides = new Map<string, SideRecord>();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#core = new ObjectCore(
      {
        log: this.#log,
        ringSize: options.ringSize ?? 5_000,
        truthOf: (kind) => this.#truthOf(kind),
        changed: (object) => this.#collector.objectChanged(object),
        removed: (object) => {
          if (object.kind !== EVENT_KIND) this.#collector.objectRemoved(object);
        },
      },
      new VersionCounter(options.clock, 0, () => undefined),
    );
    this.#recorder = new EventRecorder({
      clock: options.clock,
      get: (key) => this.get(key),
      apiVersionOf: (kind) => this.#apiVersion(kind),
      newUid: () => options.random.uuid(),
      nextVersion: () => this.#core.nextVersion(),
      put: (event) => this.#putEvent(event),
      drop: (key) => void this.#core.remove(key),
    });
    this.#collector = new GarbageCollector({
      index: this.#core.index,
      log: this.#log,
      get: (key) => this.get(key),
      all: () => this.#core.everything(),
      deletable: (kind) => this.#truthOf(kind) !== "Observed" || this.#writers().Observed !== undefined,
      delete: (key, uid) => this.delete(key, { uid }),
      setOwners: (key, ownerReferences) => this.setMetadata(key, { ownerReferences }),
      removeFinalizer: (key, finalizer) => this.setFinalizer(key, finalizer, false),
      complain: (key, message) =>
        this.record(key, { type: "Warning", reason: "DependentNotCollected", message, actor: "collection" }),
    });
    if (options.persistence !== undefined) {
      this.#journal = new Journal({
        ...options.persistence,
        clock: options.clock,
        log: this.#log,
        state: () => [...this.#core.records(), ...this.#sides.values()],
      });
    }
  }

  get durable(): boolean {
    return this.#journal?.healthy ?? true;
  }

  async open(): Promise<void> {
    if (this.#journal === undefined) return;
    const restored = replay(await this.#journal.load());
    const journal = this.#journal;
    const versions = new VersionCounter(
      this.#options.clock,
      restored.ceiling,
      (version) => void journal.append({ t: "ceiling", version }, { durable: true }),
    );
    for (const [id, side] of restored.sides) this.#sides.set(id, side);
    const known = restored.puts.filter(
      ({ object }) => object.kind === EVENT_KIND || this.#truthOf(object.kind) !== undefined,
    );
    this.#core.restore(
      known.map(({ object, origin }) => ({ object, extra: origin === undefined ? {} : { origin } })),
      versions,
      journal,
    );
    for (const event of this.#eventsByAge()) this.#recorder.restore(event);
    await this.#journal.begin();
    this.#recorder.sweep();
  }

  get(key: ObjectKey): TownObject | undefined {
    return this.#core.entry(key)?.object;
  }

  list(
    kind: string,
    options: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> } = {},
  ): readonly TownObject[] {
    const { items } = this.snapshot(kind, options.namespace);
    const labels = Object.entries(options.labels ?? {});
    return labels.length === 0
      ? items
      : items.filter(({ metadata }) => labels.every(([name, value]) => metadata.labels?.[name] === value));
  }

  snapshot(kind: string, namespace?: string): ListPage {
    if (kind === EVENT_KIND) this.#recorder.sweep();
    return { items: this.#core.items(kind, namespace), resourceVersion: this.currentVersion() };
  }

  currentVersion(): string {
    return String(this.#core.currentVersion());
  }

  eventsSince(version: string): readonly WatchEvent[] | "Expired" {
    return this.#core.since(Number(version));
  }

  subscribe(listener: (event: WatchEvent) => void): () => void {
    return this.#core.feed.subscribe(listener);
  }

  originOf(key: ObjectKey): DesiredOrigin | undefined {
    return this.#core.entry(key)?.extra.origin;
  }

  async declare(key: ObjectKey, input: DesiredInput): Promise<TownObject> {
    this.#definition(key.kind, "Desired");
    const entry = this.#core.entry(key);
    const former = entry?.object;
    if (former?.metadata.deletionTimestamp !== undefined)
      return this.#whenGone(key, former, () => void this.declare(key, input));
    const draft: Draft = {
      ...(former === undefined ? this.#newDraft(key, input.uid) : draftOf(former, key)),
      labels: input.labels,
      annotations: withHeldAnnotations(input.annotations, former?.metadata.annotations),
      spec: input.spec,
    };
    const durable = former === undefined;
    await this.#core.put(draft, { origin: deepFreeze({ ...input.origin }) }, { durable });
    return this.get(key) ?? this.#lost(key);
  }

  async withdraw(key: ObjectKey): Promise<void> {
    await this.#startDeletion(key);
  }

  async project(key: ObjectKey, input: ProjectedInput | undefined): Promise<TownObject | undefined> {
    this.#definition(key.kind, "Work");
    return this.#projected(key, input);
  }

  async publish(key: ObjectKey, object: ObservedInput | undefined): Promise<void> {
    this.#definition(key.kind, "Observed");
    await this.#projected(key, object);
  }

  async patchStatus(key: ObjectKey, patch: Fields): Promise<void> {
    const entry = this.#core.entry(key);
    if (entry === undefined) return;
    const { object, extra } = entry;
    if (this.#truthOf(key.kind) === "Desired") {
      return this.#core.put(
        { ...draftOf(object, key), status: mergePatch(object.status ?? {}, patch) as Fields },
        extra,
      );
    }
    const statusPatch = composePatches(extra.statusPatch ?? {}, patch);
    const status = mergePatch(extra.statedStatus ?? {}, statusPatch) as Fields;
    await this.#core.put({ ...draftOf(object, key), status }, { ...extra, statusPatch: deepFreeze(statusPatch) });
  }

  async setFinalizer(key: ObjectKey, finalizer: string, present: boolean): Promise<void> {
    const former = this.get(key)?.metadata.finalizers ?? [];
    if (former.includes(finalizer) === present) return;
    await this.setMetadata(key, {
      finalizers: present ? [...former, finalizer] : former.filter((name) => name !== finalizer),
    });
  }

  async setMetadata(key: ObjectKey, patch: Pick<Partial<ObjectMeta>, "ownerReferences" | "finalizers">): Promise<void> {
    const entry = this.#core.entry(key);
    if (entry === undefined) return;
    const draft = { ...draftOf(entry.object, key), ...patch };
    const extra = { ...entry.extra, ...releasedOwners(entry.object, entry.extra, patch.ownerReferences) };
    if (draft.deletionTimestamp !== undefined && (draft.finalizers ?? []).length === 0) return this.#core.remove(key);
    await this.#core.put(draft, extra, { durable: true });
  }

  async annotateRuntime(key: ObjectKey, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    const foreign = Object.keys(annotations).find((name) => !isHeldAnnotation(name));
    if (foreign !== undefined) {
      throw new TownError(
        "NotARuntimeAnnotation",
        `Cannot keep annotation '${foreign}' of ${keyText(key)} in the journal: its name must begin with 'runtime.town.dev/'.`,
      );
    }
    const entry = this.#core.entry(key);
    if (entry === undefined) return;
    const next = mergePatch(entry.object.metadata.annotations ?? {}, annotations) as Readonly<Record<string, string>>;
    await this.#core.put({ ...draftOf(entry.object, key), annotations: next }, entry.extra);
  }

  async delete(key: ObjectKey, options: { readonly uid?: string } = {}): Promise<void> {
    const before = this.get(key);
    const definition = this.#definition(key.kind);
    const resource = { name: key.name, group: definition.group, kind: definition.plural };
    const plural = definition.group === "" ? definition.plural : `${definition.plural}.${definition.group}`;
    if (before === undefined)
      throw new ApiStatusError(404, "NotFound", `${plural} "${key.name}" not found`, { details: resource });
    if (options.uid !== undefined && options.uid !== before.metadata.uid) {
      throw new ApiStatusError(
        409,
        "Conflict",
        `the UID in the precondition (${options.uid}) does not match the UID in record (${before.metadata.uid})`,
        { details: resource },
      );
    }
    const writer = this.#writers()[definition.truth];
    if (writer !== undefined) return writer.write({ caller: LOOP, key, before, after: undefined, dryRun: false });
    await this.#startDeletion(key);
  }

  record(about: ObjectKey & { readonly uid?: string }, event: PlannedEvent & { readonly actor?: string }): void {
    this.#recorder.record(about, event);
  }

  startCollection(): void {
    this.#collector.start();
  }

  stopCollection(): void {
    this.#collector.stop();
  }

  async collect(): Promise<void> {
    await this.#collector.scan();
  }

  async close(): Promise<void> {
    await this.#collector.idle();
    await this.#journal?.close();
  }

  /** Work and Observed objects: the projector states all but what loops patched. */
  async #projected(key: ObjectKey, input: ProjectedInput | undefined): Promise<TownObject | undefined> {
    const entry = this.#core.entry(key);
    const former = entry?.object;
    if (input === undefined) {
      this.#sides.delete(keyText(key));
      await this.#startDeletion(key);
      return this.get(key);
    }
    if (former?.metadata.deletionTimestamp !== undefined)
      return this.#whenGone(key, former, () => void this.#projected(key, input));
    if (former !== undefined && input.uid !== undefined && input.uid !== former.metadata.uid) {
      await this.#startDeletion(key);
      return this.#projected(key, input);
    }
    const side = former === undefined ? this.#takeSide(key, input.uid) : undefined;
    const base = former === undefined ? this.#newDraft(key, input.uid ?? side?.uid) : draftOf(former, key);
    const { draft, extra, firstGeneration } = projectedDraft({ base, former: entry, side, input });
    await this.#core.put(draft, extra, { firstGeneration });
    return this.get(key);
  }

  /** The object stays as it is; the returning document is made into a new object once this one is gone. */
  #whenGone(key: ObjectKey, former: TownObject, returning: () => void): TownObject {
    this.#core.setExtra(key, { ...this.#core.entry(key)?.extra, returning });
    return former;
  }

  async #startDeletion(key: ObjectKey): Promise<void> {
    const entry = this.#core.entry(key);
    if (entry === undefined) return;
    const { object, extra } = entry;
    const { returning: _cancelled, ...kept } = extra;
    if ((object.metadata.finalizers ?? []).length === 0) return this.#core.remove(key);
    if (object.metadata.deletionTimestamp !== undefined) return this.#core.setExtra(key, kept);
    await this.#core.put({ ...draftOf(object, key), deletionTimestamp: timestamp(this.#options.clock.now()) }, kept, {
      durable: true,
    });
  }

  #putEvent(event: KubeEvent): void {
    const object = deepFreeze(event) as unknown as TownObject;
    void this.#core.putObject(this.#core.entry(keyOf(event)), { object, extra: {} });
  }

  #eventsByAge(): readonly KubeEvent[] {
    const events = this.#core.items(EVENT_KIND) as unknown as readonly KubeEvent[];
    return [...events].sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? -1 : 1));
  }

  #takeSide(key: ObjectKey, uid: string | undefined): SideRecord | undefined {
    const side = this.#sides.get(keyText(key));
    this.#sides.delete(keyText(key));
    return uid === undefined || side?.uid === uid ? side : undefined;
  }

  #newDraft(key: ObjectKey, uid: string | undefined): Draft {
    return {
      apiVersion: this.#apiVersion(key.kind),
      key,
      uid: uid ?? this.#options.random.uuid(),
      creationTimestamp: timestamp(this.#options.clock.now()),
      spec: {},
    };
  }

  #writers(): TruthWriters {
    return this.#options.writers?.() ?? {};
  }

  #truthOf(kind: string): Truth | undefined {
    return this.#options.registry.get(kind)?.truth;
  }

  #apiVersion(kind: string): string {
    const definition = this.#options.registry.get(kind);
    return definition === undefined ? "v1" : apiVersionOf(definition);
  }

  #definition(kind: string, truth?: Truth): KindDefinition {
    const definition = this.#options.registry.get(kind);
    if (definition === undefined)
      throw new TownError("UnknownKind", `Cannot write an object of kind '${kind}': no such kind is registered.`);
    if (truth !== undefined && definition.truth !== truth) {
      throw new TownError(
        "WrongTruth",
        `Cannot write ${kind} as a kind of truth ${truth}: its truth is ${definition.truth}.`,
      );
    }
    return definition;
  }

  #lost(key: ObjectKey): never {
    throw new TownError("ObjectVanished", `${keyText(key)} was deleted while it was being declared.`);
  }
}
