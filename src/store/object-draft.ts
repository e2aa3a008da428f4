import type { ObjectKey, ObjectMeta, TownObject } from "../resource/object-meta.ts";
import { deepFreeze, jsonEqual } from "../resource/equality.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";

type Texts = Readonly<Record<string, string>>;

/** An object as a writer states it; what is undefined is absent. Generation and resourceVersion are the store's. */
export interface Draft {
  readonly apiVersion: string;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Texts | undefined;
  readonly annotations?: Texts | undefined;
  readonly ownerReferences?: ObjectMeta["ownerReferences"] | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> | undefined;
}

/** Annotations that a document or record states, with the held ones of the object kept as they are. */
export function withHeldAnnotations(stated: Texts | undefined, former: Texts | undefined): Texts | undefined {
  const kept = Object.entries(former ?? {}).filter(([name]) => isHeldAnnotation(name));
  const own = Object.entries(stated ?? {}).filter(([name]) => !isHeldAnnotation(name));
  return kept.length + own.length === 0 ? undefined : Object.fromEntries([...own, ...kept]);
}

/** The stored object as a draft, to change parts of it. */
export function draftOf(object: TownObject, key: ObjectKey): Draft {
  const { uid, creationTimestamp, deletionTimestamp, labels, annotations, ownerReferences, finalizers } =
    object.metadata;
  return {
    apiVersion: object.apiVersion,
    key,
    uid,
    creationTimestamp,
    deletionTimestamp,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    spec: object.spec,
    status: object.status,
  };
}

/**
 * The object that follows `former`: the same one when nothing changes; generation rises with a change of spec and with
 * the start of deletion. `version` is called only when there is a change. `firstGeneration`: for a new object, default 1.
 */
export function settle(
  former: TownObject | undefined,
  draft: Draft,
  version: () => string,
  firstGeneration = 1,
): TownObject {
  const generation = nextGeneration(former, draft, firstGeneration);
  if (former !== undefined && jsonEqual(former, objectOf(draft, generation, former.metadata.resourceVersion)))
    return former;
  return deepFreeze(objectOf(draft, generation, version()));
}

function objectOf(draft: Draft, generation: number, resourceVersion: string): TownObject {
  return {
    apiVersion: draft.apiVersion,
    kind: draft.key.kind,
    metadata: {
      name: draft.key.name,
      ...(draft.key.namespace === undefined ? {} : { namespace: draft.key.namespace }),
      uid: draft.uid,
      resourceVersion,
      generation,
      creationTimestamp: draft.creationTimestamp,
      ...(draft.deletionTimestamp === undefined
        ? {}
        : { deletionTimestamp: draft.deletionTimestamp, deletionGracePeriodSeconds: 0 }),
      ...nonEmpty("labels", draft.labels),
      ...nonEmpty("annotations", draft.annotations),
      ...nonEmpty("ownerReferences", draft.ownerReferences),
      ...nonEmpty("finalizers", draft.finalizers),
    },
    spec: draft.spec,
    ...(draft.status === undefined ? {} : { status: draft.status }),
  };
}

function nextGeneration(former: TownObject | undefined, draft: Draft, first: number): number {
  if (former === undefined) return first;
  const { generation, deletionTimestamp } = former.metadata;
  const changed = !jsonEqual(former.spec, draft.spec);
  const deleted = deletionTimestamp === undefined && draft.deletionTimestamp !== undefined;
  return generation + (changed ? 1 : 0) + (deleted ? 1 : 0);
}

function nonEmpty<K extends string, V extends object>(name: K, value: V | undefined): Partial<Record<K, V>> {
  if (value === undefined || Object.keys(value).length === 0) return {};
  return { [name]: value } as Partial<Record<K, V>>;
}
