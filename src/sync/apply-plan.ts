import { DECLARED_AGAIN_ANNOTATION } from "../resource/held-annotation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Repository } from "../ports/git.ts";
import type { DesiredInput, ObjectStore } from "../ports/object-store.ts";
import type { Events } from "../ports/objects.ts";
import { jsonEqual } from "../resource/equality.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import { type Inventory, type InventoryEntry, writeInventory } from "../manifests/inventory.ts";
import type { LoadedObject } from "../manifests/load-file.ts";
import type { LoadedSource } from "../manifests/load-source.ts";
import type { SyncPlan } from "../manifests/sync-plan.ts";

/** A source as its objects are marked. */
export interface SourceIdentity {
  readonly name: string;
  /** URL, for further sources. */
  readonly repository?: string;
  readonly readOnly: boolean;
}

export interface ApplyParts {
  readonly store: ObjectStore & Events;
  readonly kinds: readonly KindDefinition[];
  /** Of the town: it holds the inventories of all sources. */
  readonly repository: Repository;
  readonly clock: Clock;
  /** What an object becomes when its document goes; undefined: it goes too. */
  readonly fallback: (key: ObjectKey) => DesiredInput | undefined;
}

export interface ApplyInput {
  readonly source: SourceIdentity;
  readonly former: Inventory;
  readonly plan: SyncPlan;
  readonly revision: string;
  readonly loaded: LoadedSource;
}

/**
 * Makes the store what a plan says, then writes the inventory. Gives the new inventory, undefined when another process
 * wrote it in between (it is to be read anew). Killed anywhere, the next sync does the rest.
 */
export async function applyPlan(
  parts: ApplyParts,
  input: ApplyInput,
): Promise<{ readonly inventory: Inventory | undefined; readonly changes: number }> {
  const applying = new Applying(parts, input);
  const { plan, former, revision, loaded } = input;
  for (const object of plan.creates) await applying.declare(object, undefined);
  for (const { object, entry } of plan.updates) await applying.declare(object, entry);
  for (const { object, entry } of plan.unchanged) await applying.redeclare(object, entry);
  for (const { entry } of plan.kept) await applying.keep(entry);
  for (const entry of plan.prunes) await applying.prune(entry);
  for (const entry of plan.terminating) await applying.forgetWhenGone(entry);
  for (const { object, entry } of plan.waiting) await applying.declareWhenGone(object, entry);
  applying.report(loaded);
  const written = await writeInventory(
    parts.repository,
    former,
    { revision, entries: applying.entries },
    { name: "town", email: "town@town.invalid", timeMs: parts.clock.now() },
  );
  return {
    inventory: written === "Moved" ? undefined : written,
    changes: plan.creates.length + plan.updates.length + plan.prunes.length,
  };
}

class Applying {
  readonly entries: Map<string, InventoryEntry>;
  readonly #parts: ApplyParts;
  readonly #input: ApplyInput;

  constructor(parts: ApplyParts, input: ApplyInput) {
    this.#parts = parts;
    this.#input = input;
    this.entries = new Map(input.former.entries);
  }

  async declare(object: LoadedObject, entry: InventoryEntry | undefined): Promise<void> {
    const { source, revision } = this.#input;
    const declared = await this.#parts.store.declare(object.key, {
      labels: object.labels,
      annotations: object.annotations,
      spec: object.spec,
      ...(entry === undefined ? {} : { uid: entry.uid }),
      origin: {
        source: source.name,
        ...(source.repository === undefined ? {} : { repository: source.repository }),
        ...object.origin,
        revision,
        ...(source.readOnly ? { readOnly: true } : {}),
      },
    });
    this.entries.set(keyText(object.key), entryOf(declared, object));
  }

  /** An object whose document did not change: what it has become otherwise is drift, and put right. */
  async redeclare(object: LoadedObject, entry: InventoryEntry): Promise<void> {
    const { store } = this.#parts;
    const before = store.get(object.key);
    await this.declare(object, entry);
    if (before === undefined || jsonEqual(before.spec, object.spec)) return;
    // A host fact that changed, or a default that another version of the program brought, is no drift.
    if (usesLocals(object) || jsonEqual(this.#specOf(object.key, before.spec), object.spec)) return;
    store.record(object.key, {
      type: "Warning",
      reason: "DriftRepaired",
      message: `its spec was not what ${object.origin.path}:${object.origin.line} says, and is again`,
    });
  }

  /** The document cannot be read now: the last good version stays, also when the store has lost it. */
  async keep(entry: InventoryEntry): Promise<void> {
    const { store } = this.#parts;
    if (store.get(entry.key) !== undefined) return;
    const spec = this.#specOf(entry.key, entry.document.spec ?? {});
    if (spec === undefined) return;
    const { source } = this.#input;
    await store.declare(entry.key, {
      spec,
      uid: entry.uid,
      origin: {
        source: source.name,
        path: entry.path,
        line: 0,
        revision: "last good",
        ...(source.readOnly ? { readOnly: true } : {}),
      },
    });
  }

  /** With defaults; undefined: this version of the program does not take it. */
  #specOf({ kind }: ObjectKey, stated: unknown): Readonly<Record<string, unknown>> | undefined {
    const definition = this.#parts.kinds.find((each) => each.kind === kind);
    const parsed = definition?.spec.safeParse(stated);
    return parsed?.success === true ? (parsed.data as Readonly<Record<string, unknown>>) : undefined;
  }

  async prune(entry: InventoryEntry): Promise<void> {
    const { store, fallback } = this.#parts;
    const { key } = entry;
    const owner = store.originOf(key)?.source;
    // Another source has taken the name: what is there now is not ours to remove.
    if (owner !== undefined && owner !== this.#input.source.name) return void this.entries.delete(keyText(key));
    const builtin = fallback(key);
    if (builtin !== undefined) {
      await store.declare(key, builtin);
      this.entries.delete(keyText(key));
      const message = `its document is no longer in ${entry.path}; what comes with the program is in force again`;
      return store.record(key, { type: "Normal", reason: "RevertedToBuiltin", message });
    }
    await store.withdraw(key);
    store.record(key, {
      type: "Normal",
      reason: "Pruned",
      message: `its document is no longer in ${entry.path} at ${this.#input.revision.slice(0, 12)}`,
    });
    const left = store.get(key);
    if (left?.metadata.deletionTimestamp === undefined) return void this.entries.delete(keyText(key));
    this.entries.set(keyText(key), {
      ...entry,
      deletionTimestamp: left.metadata.deletionTimestamp,
      finalizers: left.metadata.finalizers ?? [],
    });
  }

  async forgetWhenGone(entry: InventoryEntry): Promise<void> {
    if (await this.#isGone(entry)) this.entries.delete(keyText(entry.key));
    else await this.#tellDeclaredAgain(entry.key, null);
  }

  async declareWhenGone(object: LoadedObject, entry: InventoryEntry): Promise<void> {
    if (await this.#isGone(entry)) await this.declare(object, undefined);
    else await this.#tellDeclaredAgain(entry.key, this.#input.revision);
  }

  /** A journal that could not be written may have lost that the object goes; the inventory has not. */
  async #isGone({ key, uid }: InventoryEntry): Promise<boolean> {
    const { store } = this.#parts;
    const left = store.get(key);
    if (left === undefined || left.metadata.uid !== uid) return true;
    if (left.metadata.deletionTimestamp === undefined) await store.withdraw(key);
    return store.get(key) === undefined;
  }

  /** For the finalizers of the object that goes. */
  async #tellDeclaredAgain(key: ObjectKey, revision: string | null): Promise<void> {
    const { store } = this.#parts;
    const told = store.get(key)?.metadata.annotations?.[DECLARED_AGAIN_ANNOTATION] ?? null;
    if ((told === null) !== (revision === null))
      await store.annotateRuntime(key, { [DECLARED_AGAIN_ANNOTATION]: revision });
  }

  /** Marks objects whose document is broken, so that `describe` shows why they do not follow. */
  report({ problems }: LoadedSource): void {
    for (const { key, severity, path, line, column, message } of problems) {
      if (key === undefined || severity !== "Error" || !this.entries.has(keyText(key))) continue;
      this.#parts.store.record(key, {
        type: "Warning",
        reason: "ManifestInvalid",
        message: `${path}:${line}:${column}: ${message}; the last good version stays in force`,
      });
    }
  }
}

function usesLocals(object: LoadedObject): boolean {
  return JSON.stringify(object.stated.spec ?? {}).includes("${local:");
}

function entryOf(declared: TownObject, object: LoadedObject): InventoryEntry {
  const { metadata } = declared;
  return {
    key: object.key,
    uid: metadata.uid,
    generation: metadata.generation,
    creationTimestamp: metadata.creationTimestamp,
    ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
    ...(metadata.ownerReferences === undefined ? {} : { ownerReferences: metadata.ownerReferences }),
    path: object.origin.path,
    document: object.stated,
  };
}
