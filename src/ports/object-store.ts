import type { DesiredOrigin } from "../resource/desired-origin.ts";
import type { Caller } from "../resource/caller.ts";
import type { ObjectKey, ObjectMeta, OwnerReference, TownObject } from "../resource/object-meta.ts";
import type { Objects, WatchEvent } from "./objects.ts";

export type { DesiredOrigin };

/** A desired object as its document in git states it. */
export interface DesiredInput {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  /** From the inventory after a restart without journal; else minted. */
  readonly uid?: string;
  readonly origin: DesiredOrigin;
}

/** An object of the work graph (or an observed one) as its projector states it. */
export interface ProjectedInput {
  readonly uid?: string;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** A write that a client asked for, after admission and defaults, before it is true anywhere. */
export interface TruthWrite {
  readonly caller: Caller;
  readonly key: ObjectKey;
  /** Undefined: a create. */
  readonly before: TownObject | undefined;
  /** Undefined: a delete. */
  readonly after: TownObject | undefined;
  /** The body as the user sent it, without defaults: what goes into the file. */
  readonly stated?: Readonly<Record<string, unknown>>;
  readonly dryRun: boolean;
}

/**
 * Makes writes of a kind true where its truth is (a commit in the town repository, a transaction of the work graph) and
 * resolves once the store shows them. Refuses with ApiStatusError.
 */
export interface TruthWriter {
  write(change: TruthWrite): Promise<void>;
}

export interface ListPage {
  readonly items: readonly TownObject[];
  readonly resourceVersion: string;
}

/** The one in-memory store behind the API: what the server reads and sources feed. */
export interface ObjectStore extends Objects {
  /** All current objects of a kind, sorted by namespace and name, and the store's version, as one snapshot. */
  snapshot(kind: string, namespace?: string): ListPage;
  currentVersion(): string;
  /**
   * Events after `version` (all kinds), or "Expired" when the ring no longer reaches back that far. With "Expired" or a
   * version of another store life the client lists anew.
   */
  eventsSince(version: string): readonly WatchEvent[] | "Expired";
  /** Creates or updates a desired object; no change keeps resourceVersion; a spec change raises generation. */
  declare(key: ObjectKey, input: DesiredInput): Promise<TownObject>;
  /** The document is gone: sets deletionTimestamp when finalizers hold the object, else removes it. */
  withdraw(key: ObjectKey): Promise<void>;
  /** Creates, updates or (undefined) removes an object of a Work kind. */
  project(key: ObjectKey, input: ProjectedInput | undefined): Promise<TownObject | undefined>;
  originOf(key: ObjectKey): DesiredOrigin | undefined;
  /** Changes `runtime.town.dev/*` annotations, which live in the journal and not in git. */
  annotateRuntime(key: ObjectKey, annotations: Readonly<Record<string, string | null>>): Promise<void>;
  setMetadata(key: ObjectKey, patch: Pick<Partial<ObjectMeta>, "ownerReferences" | "finalizers">): Promise<void>;
  close(): Promise<void>;
}
