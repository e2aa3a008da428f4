import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Git, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Events } from "../ports/objects.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { TerminalError } from "../errors/town-error.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import {
  emptyInventory,
  type Inventory,
  type InventoryEntry,
  readInventory,
  writeInventory,
} from "../manifests/inventory.ts";
import { deletionsSince } from "../manifests/deletion-trailer.ts";
import type { LoadedObject } from "../manifests/load-file.ts";
import type { LoadedSource } from "../manifests/load-source.ts";
import { LOCAL_FILE, readLocalValues } from "../manifests/local-values.ts";
import { ParseCache } from "../manifests/parse-cache.ts";
import type { Problem } from "../manifests/problem.ts";
import { checkReferences, type ReferenceRule } from "../manifests/references.ts";
import { readSourceAtCommit, readSourceOnDisk } from "../manifests/read-source.ts";
import { planSync, type SyncPlan } from "../manifests/sync-plan.ts";

/** Name of the town repository among sources, and of the objects that come with the program. */
export const TOWN_SOURCE = "town";
export const BUILTIN_SOURCE = "builtin";

export interface SyncSettings {
  readonly mode: "commit" | "worktree";
  /** Short branch name; undefined: the branch HEAD points at. */
  readonly branch: string | undefined;
  /** Folder of the manifests. */
  readonly path: string;
  /** Revision at which a person allowed pruning. */
  readonly allowPrune: string | undefined;
}

export interface SyncResult {
  /** Commit, or `worktree`. */
  readonly revision: string;
  readonly branch: string;
  readonly problems: readonly Problem[];
  readonly held: SyncPlan["held"];
  readonly declared: number;
  readonly changes: number;
  readonly timeMs: number;
}

export interface SourceSyncOptions {
  readonly root: string;
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ObjectStore & Events;
  readonly kinds: readonly KindDefinition[];
  readonly references: readonly ReferenceRule[];
  /** Directory whose manifests come with the program; they are applied unless the town declares the same object. */
  readonly builtinDirectory: string;
}

/** Makes the API's desired objects what the tracked commit says. One sync at a time; callers that wait share the next one. */
export class SourceSync {
  readonly #options: SourceSyncOptions;
  readonly #cache = new ParseCache();
  readonly #builtinCache = new ParseCache();
  #inventory: Inventory | undefined;
  #last: SyncResult | undefined;
  #running: Promise<SyncResult> | undefined;
  #next: Promise<SyncResult> | undefined;

  constructor(options: SourceSyncOptions) {
    this.#options = options;
  }

  /** Result of the newest sync in this life. */
  get last(): SyncResult | undefined {
    return this.#last;
  }

  /** Commit of the tracked branch now, without reading anything else. */
  async attempted(settings: SyncSettings): Promise<{ readonly branch: string; readonly revision: string | undefined }> {
    const repository = await this.#repository();
    const branch = await trackedBranch(repository, settings);
    return { branch, revision: await repository.resolve(`refs/heads/${branch}`) };
  }

  /** A sync that begins after this call. */
  sync(settings: SyncSettings): Promise<SyncResult> {
    if (this.#running === undefined) {
      this.#running = this.#run(settings).finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.sync(settings);
      });
    return this.#next;
  }

  async #repository(): Promise<Repository> {
    const repository = await this.#options.git.open(this.#options.root);
    if (repository === undefined)
      throw new TerminalError("RepositoryNotFound", `no git repository at ${this.#options.root}`, {
        hint: "run `town init` there",
      });
    return repository;
  }

  async #run(settings: SyncSettings): Promise<SyncResult> {
    const { files, clock, root, kinds } = this.#options;
    const repository = await this.#repository();
    const branch = await trackedBranch(repository, settings);
    const local = readLocalValues(await files.readText(`${root}/${LOCAL_FILE}`));
    const context = { kinds, locals: local.values, directory: settings.path, cache: this.#cache };
    const read =
      settings.mode === "worktree"
        ? { ...(await readSourceOnDisk(files, clock, root, context)), revision: "worktree" }
        : await readSourceAtCommit(repository, `refs/heads/${branch}`, context);
    const loaded: LoadedSource = { ...read, problems: [...read.problems, ...local.problems] };
    const builtin = await this.#declareBuiltins(loaded);
    const dangling = checkReferences(loaded.objects, {
      rules: this.#options.references,
      known: [...builtin, ...loaded.problems.flatMap((problem) => problem.key ?? [])],
      namespaceKind: "Rig",
    });
    this.#inventory ??= await readInventory(repository, TOWN_SOURCE);
    const plan = planSync({
      revision: read.revision,
      loaded,
      inventory: this.#inventory.entries,
      deleting:
        settings.mode === "commit"
          ? await deletionsSince(repository, this.#inventory.revision, read.revision)
          : new Set(),
      ...(settings.allowPrune === undefined ? {} : { allowPrune: settings.allowPrune }),
    });
    const changes = await this.#apply(repository, plan, read.revision, loaded);
    this.#last = {
      revision: read.revision,
      branch,
      problems: [...loaded.problems, ...plan.problems, ...dangling],
      held: plan.held,
      declared: loaded.objects.length,
      changes,
      timeMs: clock.now(),
    };
    return this.#last;
  }

  /** Objects that come with the program, unless the town declares them itself. */
  async #declareBuiltins(loaded: LoadedSource): Promise<readonly ObjectKey[]> {
    const { files, clock, kinds, builtinDirectory, store } = this.#options;
    const own = new Set([
      ...loaded.objects.map((object) => keyText(object.key)),
      ...loaded.problems.flatMap((problem) => (problem.key === undefined ? [] : [keyText(problem.key)])),
    ]);
    const builtin = await readSourceOnDisk(files, clock, builtinDirectory, {
      kinds,
      locals: new Map(),
      directory: "",
      cache: this.#builtinCache,
    });
    for (const problem of builtin.problems)
      this.#options.log.error({ ...problem }, "a manifest of the program itself is invalid");
    for (const object of builtin.objects) {
      if (own.has(keyText(object.key))) continue;
      await store.declare(object.key, {
        labels: object.labels,
        annotations: object.annotations,
        spec: object.spec,
        origin: { source: BUILTIN_SOURCE, ...object.origin, revision: "builtin", readOnly: true },
      });
    }
    return builtin.objects.map((object) => object.key);
  }

  async #apply(repository: Repository, plan: SyncPlan, revision: string, loaded: LoadedSource): Promise<number> {
    const former = this.#inventory ?? emptyInventory(TOWN_SOURCE);
    const entries = new Map(former.entries);
    for (const object of plan.creates)
      entries.set(keyText(object.key), await this.#declare(object, undefined, revision));
    for (const { object, entry } of plan.updates)
      entries.set(keyText(object.key), await this.#declare(object, entry, revision));
    for (const { object, entry } of plan.unchanged)
      entries.set(keyText(object.key), await this.#declare(object, entry, revision));
    for (const { entry } of plan.kept) await this.#keep(entry);
    for (const entry of plan.prunes) await this.#prune(entry, entries);
    for (const entry of plan.terminating)
      if (this.#options.store.get(entry.key) === undefined) entries.delete(keyText(entry.key));
    for (const { object, entry } of plan.waiting) {
      if (this.#options.store.get(entry.key) === undefined)
        entries.set(keyText(object.key), await this.#declare(object, undefined, revision));
    }
    this.#report(loaded, former.entries);
    const written = await writeInventory(
      repository,
      former,
      { revision, entries },
      { name: "town", email: "town@town.invalid", timeMs: this.#options.clock.now() },
    );
    // Somebody else wrote the inventory: read it anew at the next sync.
    this.#inventory = written === "Moved" ? undefined : written;
    return plan.creates.length + plan.updates.length + plan.prunes.length;
  }

  async #declare(object: LoadedObject, entry: InventoryEntry | undefined, revision: string): Promise<InventoryEntry> {
    const declared = await this.#options.store.declare(object.key, {
      labels: object.labels,
      annotations: object.annotations,
      spec: object.spec,
      ...(entry === undefined ? {} : { uid: entry.uid }),
      origin: { source: TOWN_SOURCE, ...object.origin, revision },
    });
    return entryOf(declared, object);
  }

  /** The document cannot be read now: the last good version stays, also when the store has lost it. */
  async #keep(entry: InventoryEntry): Promise<void> {
    if (this.#options.store.get(entry.key) !== undefined) return;
    const definition = this.#options.kinds.find((kind) => kind.kind === entry.key.kind);
    const spec = definition?.spec.safeParse(entry.document.spec ?? {});
    if (spec?.success !== true) return;
    await this.#options.store.declare(entry.key, {
      spec: spec.data as Readonly<Record<string, unknown>>,
      uid: entry.uid,
      origin: { source: TOWN_SOURCE, path: entry.path, line: 0, revision: "last good" },
    });
  }

  async #prune(entry: InventoryEntry, entries: Map<string, InventoryEntry>): Promise<void> {
    const { store } = this.#options;
    await store.withdraw(entry.key);
    const left = store.get(entry.key);
    store.record(entry.key, {
      type: "Normal",
      reason: "Pruned",
      message: `its document is no longer in ${entry.path}`,
    });
    if (left?.metadata.deletionTimestamp === undefined) entries.delete(keyText(entry.key));
    else
      entries.set(keyText(entry.key), {
        ...entry,
        deletionTimestamp: left.metadata.deletionTimestamp,
        finalizers: left.metadata.finalizers ?? [],
      });
  }

  /** Marks objects whose document is broken, so that `describe` shows why they do not follow. */
  #report(loaded: LoadedSource, known: ReadonlyMap<string, InventoryEntry>): void {
    for (const problem of loaded.problems) {
      const key: ObjectKey | undefined = problem.key;
      if (key === undefined || problem.severity !== "Error" || !known.has(keyText(key))) continue;
      this.#options.store.record(key, {
        type: "Warning",
        reason: "ManifestInvalid",
        message: `${problem.path}:${problem.line}:${problem.column}: ${problem.message}; the last good version stays in force`,
      });
    }
  }
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

/** Branch that is followed: as set, as recorded when the town was made, or as checked out. */
export async function trackedBranch(repository: Repository, settings: Pick<SyncSettings, "branch">): Promise<string> {
  if (settings.branch !== undefined) return settings.branch;
  const recorded = await repository.config("town.branch");
  if (recorded !== undefined) return recorded;
  return ((await repository.headBranch()) ?? "refs/heads/main").replace("refs/heads/", "");
}
