import type { ObjectKey, OwnerReference, TownObject } from "../resource/object-meta.ts";
import type { PlannedEvent } from "../resource/controller.ts";

export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  /** After a deletion: the last state, with the resourceVersion of the deletion. */
  readonly object: TownObject;
  /** With MODIFIED and DELETED from the store: the state before, so that a selector can tell who enters and who leaves. */
  readonly previous?: TownObject;
}

/**
 * The API as controllers see it: reads are frozen snapshots from memory, writes go where the kind's truth is.
 * Throws ApiStatusError (404, 409 …) as the HTTP API would answer.
 */
export interface Objects {
  get(key: ObjectKey): TownObject | undefined;
  list(
    kind: string,
    options?: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> },
  ): readonly TownObject[];
  /** Changes status only: `patch` is merged (RFC 7386). A patch that changes nothing keeps resourceVersion. Missing object: no-op. */
  patchStatus(key: ObjectKey, patch: Readonly<Record<string, unknown>>): Promise<void>;
  /** Adds or removes one finalizer; missing object: no-op. */
  setFinalizer(key: ObjectKey, finalizer: string, present: boolean): Promise<void>;
  delete(key: ObjectKey, options?: { readonly uid?: string }): Promise<void>;
  /** Publishes what was observed of an `Observed` kind: creates or replaces it, or removes it when `object` is undefined. */
  publish(key: ObjectKey, object: ObservedInput | undefined): Promise<void>;
  /** Every later change, in order, synchronously after it is visible to reads. Returns the unsubscribe function. */
  subscribe(listener: (event: WatchEvent) => void): () => void;
}

/** An observed object as a loop states it; the store fills in identity and versions. */
export interface ObservedInput {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status: Readonly<Record<string, unknown>>;
}

/** Kubernetes Events, deduplicated by object, reason and message (count and lastTimestamp rise). */
export interface Events {
  record(about: ObjectKey & { readonly uid?: string }, event: PlannedEvent & { readonly actor?: string }): void;
}
